//! Arguments of `burncam explain` only.

use std::path::PathBuf;

use burncam::{Aggregate, ArtifactKind, Library, Method, Over, Score, Target};
use burncam_graph::error::{Problem, is_name};
use burncam_picture::render::{
    Backdrop, Colormap, Components, Contours, Format, Interpolation, PngLevel, Threshold,
};
use clap::{Args, ValueEnum};

use super::values::{expected, parse_unit};
use super::{BatchArgs, InputArgs, LayerArgs, MethodOptionArgs, ModelArgs, PictureArgs, RunArgs};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,

    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// A name, an index, top, top3 or all
    ///
    /// Class to explain: an index, a name, top, topN, all, p>=0.5 (those with this probability or share of the picture), or
    /// box:N, the N-th box of a detector; with --labels also label (the true classes) or both (top and label). Can be given several times.
    #[arg(short, long = "target", value_name = "CLASS", default_value = "top")]
    pub(crate) targets: Vec<Target>,

    #[command(flatten)]
    pub(crate) layer: LayerArgs,

    /// One or more, see `burncam methods`
    ///
    /// Method, or several separated by commas; `burncam methods` lists them. Names are forgiving: `Grad-CAM++` is gradcampp.
    #[arg(long = "method", value_name = "METHOD", value_delimiter = ',', default_value = "gradcam")]
    pub(crate) methods: Vec<Method>,

    /// Class score to explain: logit, prob, log-prob, margin or rest, or number or cosine [default: logit; with --compat,
    /// and where there are no logits, the network's output].
    #[arg(long, value_name = "SCORE")]
    pub(crate) score: Option<Score>,

    /// Explain what speaks for the class and not for this one, an index or a name: the score is the difference of their logits.
    #[arg(long, value_name = "CLASS")]
    pub(crate) against: Option<Target>,

    /// Pixels over which a segmentation's class is summed: wins (where it has the greatest value), everywhere, X,Y (a
    /// point of the picture), or a mask, a picture of the photo's size.
    #[arg(long, value_name = "WHERE", default_value = "wins")]
    pub(crate) over: Over,

    /// For a network that gives embeddings: the picture to compare with. The score is the cosine of both embeddings.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) like: Option<PathBuf>,

    /// Number of predictions in the record.
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top_k: u16,

    #[command(flatten)]
    pub(crate) method: MethodArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) style: StyleArgs,

    #[command(flatten)]
    pub(crate) picture: PictureArgs,

    /// Picture to draw on when the input is a .npy tensor.
    #[arg(long, value_name = "PICTURE", help_heading = "Input")]
    pub(crate) image: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) batch: BatchArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,
}

impl ExplainArgs {
    /// Whether existing files may be replaced.
    pub(crate) fn replaces(&self) -> bool {
        self.output.force || self.batch.resume
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Map")]
pub(crate) struct MethodArgs {
    /// How the maps of several layers are combined: mean, max or product [default: mean; max where auto takes several].
    #[arg(long, value_name = "HOW", conflicts_with = "compat")]
    pub(crate) aggregate: Option<Aggregate>,

    /// Keep evidence against the class, as negative values in a second colour: no ReLU.
    #[arg(long)]
    pub(crate) signed: bool,

    /// Explain the evidence against the class: the gradient's sign is flipped.
    #[arg(long)]
    pub(crate) counterfactual: bool,

    /// Divisor of maps: own (each map's maximum), shared (one number for all classes and inputs of the run), or a
    /// number.
    #[arg(long, value_name = "SCALE", default_value = "own", value_parser = parse_scale)]
    pub(crate) scale: ScaleArg,

    /// Leave the values in record and .npy in units of score times activation.
    #[arg(long, conflicts_with = "scale")]
    pub(crate) no_normalize: bool,

    /// Average over mirrored and brightened copies (aug) or noisy ones (noise); reduce terms to their first principal
    /// component (eigen).
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_enum)]
    pub(crate) smooth: Vec<SmoothArg>,

    /// Follow another library's conventions: eli5, pytorch-grad-cam, torchcam, captum, tf-keras-vis or xplique.
    #[arg(long, value_name = "LIBRARY")]
    pub(crate) compat: Option<Library>,

    /// Seed of random numbers; equal seeds give equal maps.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) options: MethodOptionArgs,
}

/// The value of `--scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ScaleArg {
    Own,
    Shared,
    Number(f32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SmoothArg {
    Aug,
    Eigen,
    Noise,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Directory, or for one input a .png file
    ///
    /// Directory; for one input also a .png, .jpg, .webp or .json file, or - for standard output.
    #[arg(short, long, value_name = "PATH", default_value = ".")]
    pub(crate) out: PathBuf,

    /// overlay, npy, mask ...
    ///
    /// What to write: overlay, record, heatmap, grey, grey16, npy, npy-full, mask, boxes, cut-out, side-by-side, figure (photo, map, colour bar and title), svg and pdf (the same for papers), and for
    /// segmentations mask-of-class, for detectors detections.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "overlay,record", value_parser = parse_save)]
    pub(crate) save: Vec<Save>,

    /// Also one sheet of all methods and classes
    ///
    /// Also write one labelled sheet of all methods and classes, STEM.grid.png.
    #[arg(long)]
    pub(crate) grid: bool,

    /// Side of the cells of --grid and --sheet in pixels, texts in proportion: 1000 for print [default: 320].
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(64..=4096))]
    pub(crate) sheet_cell: Option<u16>,

    /// Format of pictures that show the photo: png, jpeg or webp (lossless). Masks, cut-outs and heat alone are always PNG [default: png].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,

    /// Quality of --format jpeg, 1 to 100; below 90 colours have half of the resolution [default: 90].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: Option<u8>,

    /// Compression of PNG files, always lossless: none, fast, balanced or best.
    #[arg(long, value_name = "LEVEL", default_value = "fast")]
    pub(crate) png_level: PngLevel,

    /// Replace existing files.
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Only say what would be read and written
    ///
    /// Only say what would be read and written, and about how long it would take; nothing is written. With --json as JSON.
    #[arg(short = 'n', long, conflicts_with = "resume")]
    pub(crate) dry_run: bool,

    /// Do not wait until the files of an image are on disk. Faster, but what was reported may be lost when the machine loses power.
    #[arg(long)]
    pub(crate) no_sync: bool,

    /// Print the records as JSON on standard output: indented for one, one per line for several.
    #[arg(long)]
    pub(crate) json: bool,
}

/// One value of `--save`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Save {
    Record,
    Artifact(ArtifactKind),
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Drawing")]
pub(crate) struct StyleArgs {
    /// alpha: opacity follows heat, so irrelevant areas show the photo. blend: one opacity everywhere [default:
    /// alpha; with --compat the library's own]
    #[arg(long, value_enum)]
    pub(crate) overlay: Option<OverlayArg>,

    /// Opacity for --overlay blend, 0 to 1 [default: 0.5].
    #[arg(long, value_name = "OPACITY", value_parser = parse_unit)]
    pub(crate) alpha: Option<f32>,

    /// Greatest opacity for --overlay alpha, 0 to 1 [default: 0.65].
    #[arg(long, value_name = "OPACITY", value_parser = parse_unit)]
    pub(crate) alpha_limit: Option<f32>,

    /// Colour map: viridis, turbo, magma, inferno, plasma, cividis, jet, jet-opencv or grey, and for signed maps
    /// coolwarm or red-blue [default: inferno; coolwarm with --signed].
    #[arg(long, value_name = "NAME")]
    pub(crate) colormap: Option<Colormap>,

    /// What the heat is laid over: the photo in grey, in colour or dim (half as bright), or white paper [default: grey].
    #[arg(long, value_name = "LOOK")]
    pub(crate) photo: Option<Backdrop>,

    /// Lines of equal heat on overlays, at shares of the greatest: --contours alone is --contours=0.25,0.5,0.75.
    #[arg(long, value_name = "LEVELS", num_args = 0..=1, require_equals = true, default_missing_value = "0.25,0.5,0.75")]
    pub(crate) contours: Option<Contours>,

    /// The edge of what the network saw, a thin dashed line on overlays: show or hide [default: show].
    #[arg(long, value_name = "WHETHER", value_enum, hide_possible_values = true)]
    pub(crate) crop_edge: Option<CropEdgeArg>,

    /// How the map is enlarged: nearest, bilinear, bicubic or lanczos [default: bilinear].
    #[arg(long, value_name = "NAME")]
    pub(crate) interpolation: Option<Interpolation>,

    /// Value from which on a pixel belongs to a box, mask or cut-out: a share of the maximum, otsu, or a percentile
    /// such as p80.
    #[arg(long = "box", value_name = "THRESHOLD", default_value = "0.15")]
    pub(crate) threshold: Threshold,

    /// Connected regions to use: largest or all.
    #[arg(long, value_name = "WHICH", default_value = "largest")]
    pub(crate) components: Components,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OverlayArg {
    Alpha,
    Blend,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CropEdgeArg {
    Show,
    Hide,
}

fn parse_save(text: &str) -> Result<Save, burncam::Error> {
    if is_name("record", text) { Ok(Save::Record) } else { text.parse().map(Save::Artifact) }
}

fn parse_scale(text: &str) -> Result<ScaleArg, Problem> {
    match (text, text.parse::<f32>()) {
        ("own", _) => Ok(ScaleArg::Own),
        ("shared", _) => Ok(ScaleArg::Shared),
        (_, Ok(number)) if number > 0.0 && number.is_finite() => Ok(ScaleArg::Number(number)),
        _ => Err(expected("own, shared, or a number above zero", text)),
    }
}
