//! Arguments of `burncam import`; `import.rs`, next to this folder, runs it.

use std::path::PathBuf;

use burncam_graph::card::{ColorOrder, Filter, OutputKind, Task};
use burncam_model::import::{HeadRequest, PreprocessRequest, Preset, ResizeRequest};
use clap::Args;

use super::values::{
    parse_color, parse_filter, parse_named, parse_number, parse_rename, parse_resize, parse_size,
};

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// ONNX, Keras, or weights of PyTorch, safetensors, Burn
    ///
    /// An ONNX file or Keras model (.keras, .h5), or weights: PyTorch (.pth, .pt), safetensors, burnpack (.bpk), Burn's older .mpk and .json (.gz).
    #[arg(value_name = "SOURCE")]
    pub(crate) source: PathBuf,

    /// The model file to write.
    #[arg(short, long, value_name = "MODEL.bpk")]
    pub(crate) out: PathBuf,

    /// Architecture of weights [default: auto]
    ///
    /// Architecture of the weights, for example resnet50; `burncam info --architectures` lists them, auto recognises it
    /// by its tensors [default: auto]. ONNX and Keras files need none.
    #[arg(long, value_name = "NAME", conflicts_with = "spec")]
    pub(crate) arch: Option<String>,

    /// A head of your own: linear or dropout-linear (one layer), or mlp:relu (more, with this function between them)
    /// [default: what the weights show].
    #[arg(long, value_name = "KIND", conflicts_with = "spec")]
    pub(crate) head: Option<HeadRequest>,

    /// Call the part A of tensors' names B, for example head=fc. Can be given several times.
    #[arg(long, value_name = "A=B", value_parser = parse_rename)]
    pub(crate) rename: Vec<(String, String)>,

    /// A model card with the graph of the weights
    ///
    /// A model card whose graph names the weights, for any other network.
    #[arg(long, value_name = "CARD.json")]
    pub(crate) spec: Option<PathBuf>,

    /// File with one class name per line
    ///
    /// File with one class name per line, or JSON: a list of names, or an object of indices and names. Two names for a network with one output are those of no and yes.
    #[arg(long, value_name = "FILE")]
    pub(crate) classes: Option<PathBuf>,

    /// Number of classes [default: from the last layer's weights].
    #[arg(long, value_name = "N")]
    pub(crate) num_classes: Option<usize>,

    /// Name for records [default: the architecture's].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Store the weights as 16-bit floats: half the size, maps the same to about three digits.
    #[arg(long)]
    pub(crate) half: bool,

    /// Key of the weights inside the file.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,

    /// Ignore tensors that the network does not need; usually they mean that the weights belong to another network.
    #[arg(long)]
    pub(crate) allow_unused: bool,

    /// Value of an input other than the picture, for an ONNX file with several. May be given several times.
    #[arg(long, value_name = "NAME=FILE.npy", value_parser = parse_named)]
    pub(crate) input: Vec<(String, PathBuf)>,

    /// Name of the output to explain, for a file with several, or of any tensor or node inside an ONNX file or layer of
    /// a Keras model [default: the scores].
    #[arg(long, value_name = "NAME")]
    pub(crate) output_name: Option<String>,

    /// classification, multi-label, segmentation ...
    ///
    /// The network's task: classification, multi-label, binary, numbers, segmentation, detection or embedding
    /// [default: what the graph proves, else the usual task for such outputs].
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Option<Task>,

    /// logits, softmax, sigmoid, probabilities, none
    ///
    /// The kind of its outputs: logits, softmax or sigmoid (applied to logits, never to probabilities),
    /// probabilities, or none for plain numbers [default: what the graph proves, else logits].
    #[arg(long, value_name = "KIND")]
    pub(crate) output: Option<OutputKind>,

    /// Licence of the weights, kept in the card.
    #[arg(long, value_name = "SPDX")]
    pub(crate) license: Option<String>,

    /// A note for the card.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,

    /// Replace the model file if it exists.
    #[arg(short, long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) pictures: PictureArgs,
}

/// Preprocessing. Weights do not state it, and most mistakes are made here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Preprocessing")]
pub(crate) struct PictureArgs {
    /// imagenet, timm, clip, ultralytics, raw ...
    ///
    /// Preset of a framework: imagenet, timm, clip, ultralytics, raw, keras-tf, keras-caffe or keras-torch [default: the
    /// architecture's or the card's; for ONNX and Keras what the file suggests].
    #[arg(long, value_name = "NAME")]
    pub(crate) preset: Option<Preset>,

    /// Shorter side, HEIGHTxWIDTH, letterbox, none
    ///
    /// Shorter side in pixels, HEIGHTxWIDTH to stretch, letterbox, or none.
    #[arg(long, value_name = "SIZE", value_parser = parse_resize)]
    pub(crate) resize: Option<ResizeRequest>,

    /// Centre crop: a side, or HEIGHTxWIDTH
    ///
    /// Centre crop: one side in pixels, or HEIGHTxWIDTH.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) crop: Option<[usize; 2]>,

    /// Resampling filter: nearest, bilinear, bicubic or lanczos.
    #[arg(long, value_name = "NAME", value_parser = parse_filter)]
    pub(crate) filter: Option<Filter>,

    /// Colour order: rgb, bgr or gray.
    #[arg(long, value_name = "ORDER", value_parser = parse_color)]
    pub(crate) color: Option<ColorOrder>,

    /// Factor on the values 0 to 255, for example 1/255.
    #[arg(long, value_name = "FACTOR", value_parser = parse_number)]
    pub(crate) scale: Option<f64>,

    /// Subtracted after scaling, one number per channel, for example 0.485,0.456,0.406.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', value_parser = parse_number, allow_negative_numbers = true)]
    pub(crate) mean: Option<Vec<f64>>,

    /// Divisor after subtraction, one number per channel.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', value_parser = parse_number)]
    pub(crate) std: Option<Vec<f64>>,

    /// A JSON file with the card's whole `preprocess` object, instead of all these.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["preset", "resize", "crop", "filter", "color", "scale", "mean", "std"])]
    pub(crate) preprocess: Option<PathBuf>,
}

impl PictureArgs {
    /// The request for the library.
    pub(crate) fn request(&self) -> PreprocessRequest {
        PreprocessRequest {
            preset: self.preset,
            resize: self.resize,
            crop: self.crop,
            filter: self.filter,
            color: self.color,
            scale: self.scale,
            mean: self.mean.clone(),
            std: self.std.clone(),
        }
    }
}
