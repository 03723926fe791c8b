//! Arguments that several commands have: the model, the layer, the device, pictures, the output format.

use std::path::PathBuf;

use burncam::{DeviceName, Engine, LayerRequest, Precision, Reading, Runtime};
use burncam_picture::input::{Icc, Layout, ReadOptions};
use clap::{Args, ValueEnum};

use super::values::{parse_colour, parse_window};
use crate::environment::MOST_THREADS;

#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// Your network [default: a built-in one for ImageNet]
    ///
    /// A burnpack model file, as `burncam import` makes them [default: that in the environment variable BURNCAM_MODEL, else the built-in
    /// EfficientNet-Lite0].
    #[arg(short, long, value_name = "FILE.bpk")]
    pub(crate) model: Option<PathBuf>,

    /// A model card to use instead of the file's own [default: its own, or FILE.json next to it].
    #[arg(long, value_name = "CARD.json")]
    pub(crate) spec: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct DeviceArgs {
    /// Where the network runs.
    #[arg(long, default_value = "flex", value_name = "NAME")]
    pub(crate) device: DeviceName,

    /// Number of threads [default: that in the environment variable BURNCAM_THREADS, else one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_THREADS)))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) place: DeviceArgs,

    /// What runs the network up to the layer: auto, burn, or native, the native CPU kernels.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) engine: Engine,

    /// Operands of its convolutions: f32; bf16, which is faster, less precise, and needs a CPU with AVX512-BF16; or int8, 8-bit
    /// integers, less precise again, made for CPUs with AVX512-VNNI.
    #[arg(long, default_value = "f32", value_name = "NAME")]
    pub(crate) precision: Precision,
}

impl RunArgs {
    /// Where the network runs, and what runs it; its share of the threads is set by `threads.rs`.
    pub(crate) fn runtime(&self) -> Runtime {
        let device = self.place.device.clone();
        Runtime { device, engine: self.engine, precision: self.precision, ..Runtime::default() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct FormatArgs {
    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PictureArgs {
    /// Colour under transparent pixels, as RRGGBB.
    #[arg(long, default_value = "ffffff", value_name = "RRGGBB", value_parser = parse_colour)]
    pub(crate) background: [u8; 3],

    /// Embedded colour profiles other than sRGB: keep gives the network the stored values, as Pillow does; convert
    /// converts them to sRGB.
    #[arg(long, default_value = "keep", value_name = "USE")]
    pub(crate) icc: Icc,

    /// Refuse damaged pictures instead of decoding what is left, with a warning.
    #[arg(long)]
    pub(crate) strict_pictures: bool,

    /// Values shown as black and as white, of TIFF, PNG and PNM with more than 8 bits: 0,4095 for 12 bits in 16, -1000,400 for
    /// floats or signed numbers [default: what a TIFF says, else all of the range].
    #[arg(long, value_name = "BLACK,WHITE", value_parser = parse_window, allow_hyphen_values = true)]
    pub(crate) window: Option<[f64; 2]>,

    /// Order of the axes in .npy tensors: batch and channels first, or channels last.
    #[arg(long, value_enum, default_value_t = LayoutArg::ChannelsFirst)]
    pub(crate) layout: LayoutArg,
}

impl PictureArgs {
    /// How pictures and tensors are read.
    pub(crate) fn reading(&self) -> Reading {
        let mut reading = Reading::default();
        reading.options = ReadOptions {
            background: self.background,
            strict: self.strict_pictures,
            icc: self.icc,
            window: self.window,
        };
        reading.layout = self.layout.into();
        reading
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LayoutArg {
    ChannelsFirst,
    ChannelsLast,
}

impl From<LayoutArg> for Layout {
    fn from(layout: LayoutArg) -> Self {
        match layout {
            LayoutArg::ChannelsFirst => Self::ChannelsFirst,
            LayoutArg::ChannelsLast => Self::ChannelsLast,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct LayerArgs {
    /// A name, a prefix, an index, or several
    ///
    /// Layer to explain: a name, a prefix such as layer4, an index, or auto. Several, separated by commas, are
    /// combined into one map.
    #[arg(
        short,
        long = "layer",
        value_name = "LAYER",
        value_delimiter = ',',
        default_value = "auto",
        allow_hyphen_values = true
    )]
    pub(crate) layers: Vec<LayerRequest>,
}
