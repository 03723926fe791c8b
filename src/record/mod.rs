//! The explanation record: the JSON written beside each overlay.
//!
//! This page is the wire format; `docs/record.schema.json` is the same as a JSON Schema, and a test holds real
//! records against it. Fields come in the order below. Absent values are `null`, never left out. Numbers are
//! finite. Paths in [`Artifact::file`] are relative to the record. There is no time stamp, so equal runs give
//! equal bytes.
//!
//! `estimator`, `description`, `error`, `method`, `is_regression` and, in each target, `target`, `score`, `proba`
//! and `heatmap` have eli5's names and meanings, so the record reads as an eli5 explanation. Two things are
//! better than there: `proba` is filled, and the document is JSON throughout.

mod failure;
mod layout;
mod summary;

pub use failure::{FailedInput, FailureRecord};
pub use summary::{
    Accuracy, ClassCount, Confusion, Counted, Failure, RunTime, SUMMARY_VERSION, Summary, SummaryModel,
    Tally, WarningCount,
};

use serde::{Deserialize, Serialize};

use crate::card::{Preprocess, Source, Task};

/// The newest record version, and the one that this build writes.
pub const SCHEMA_VERSION: u32 = 1;

/// One image explained by one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this format; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the model.
    pub estimator: String,
    /// What this is, for people.
    pub description: String,
    /// Empty, or why the image could not be explained.
    pub error: String,
    /// Title of the method, for example `Grad-CAM`.
    pub method: String,
    /// True for a network that gives numbers and no classes; [`ModelRecord::task`] says more.
    pub is_regression: bool,
    /// The explained classes, in the order asked for.
    pub targets: Vec<TargetRecord>,
    /// The file that was explained.
    pub input: InputRecord,
    /// How it became the network's input, and where that lies on the picture.
    pub network_input: NetworkInputRecord,
    /// The network.
    pub model: ModelRecord,
    /// The explained layers, in the order asked for; none for a method that works on pixels.
    pub layers: Vec<LayerRecord>,
    /// The most probable classes, most probable first; of a network that gives numbers, the first numbers in their order.
    pub predictions: Vec<Prediction>,
    /// The true class, where the caller named it.
    pub label: Option<LabelRecord>,
    /// What a reader should know before trusting the picture. The causes of blank maps stand here too.
    pub warnings: Vec<String>,
    /// The settings that made this record.
    pub settings: SettingsRecord,
}

/// One explained class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRecord {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text when the model names no classes.
    pub class_name: String,
    /// The class score whose gradient was taken; see [`SettingsRecord::score`]. Of a network that gives numbers, the number.
    pub score: f64,
    /// Probability of the class, 0 to 1; `null` for a number.
    pub proba: Option<f64>,
    /// The class's logit; `null` for a number, and where the network gives probabilities without logits before them.
    pub logit: Option<f64>,
    /// Rank among all classes, 1 for the most probable; `null` for a number.
    pub rank: Option<usize>,
    /// The map: rows of values, by default 0 to 1 and the greatest 1, all 0 when blank; see
    /// [`TargetRecord::normalization`]. A map of more than 56 cells in a direction is here averaged over blocks of equal
    /// size; `--save npy` writes all of it.
    pub heatmap: Vec<Vec<f32>>,
    /// The map's own size, and what it was divided by.
    pub map: MapRecord,
    /// Numbers of the signed map of each layer (of the one map, for a method without layers) before ReLU and normalisation;
    /// empty when one is not finite.
    pub raw: Vec<RawRecord>,
    /// How the signed map became [`TargetRecord::heatmap`], for example `relu, divided by maximum`.
    pub normalization: String,
    /// Boxes around the regions of heat, largest first; see [`StyleRecord::threshold`] and [`StyleRecord::components`]. Empty for a
    /// blank map.
    pub boxes: Vec<BoxRecord>,
    /// Why the map is blank, or `null`.
    pub finding: Option<String>,
    /// The files that show it.
    pub artifacts: Vec<Artifact>,
}

/// A map's size and scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapRecord {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// What its values were divided by, in units of score times activation; `null` when they were not.
    pub scale: Option<f32>,
}

/// Statistics of a map before ReLU and normalisation, in units of score times activation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRecord {
    /// Smallest value.
    pub min: f32,
    /// Greatest value.
    pub max: f32,
    /// Mean value.
    pub mean: f32,
    /// Share of cells above zero, 0 to 1.
    pub share_above_zero: f32,
}

/// A region of heat, in pixels of the upright picture; `right` and `bottom` are just outside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxRecord {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// One past the last column.
    pub right: usize,
    /// One past the last row.
    pub bottom: usize,
    /// Pixels of the region itself.
    pub area: usize,
    /// Greatest heat in it.
    pub peak: f32,
    /// Mean heat in it.
    pub mean: f32,
}

/// A file written beside the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// `overlay`, `heatmap`, `grey`, `grey16`, `npy`, `npy-full`, `mask`, `boxes`, `cut-out` or `side-by-side`.
    pub kind: String,
    /// Path relative to the record.
    pub file: String,
}

/// The explained file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputRecord {
    /// The path as the caller gave it, `-` for standard input.
    pub path: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// `png`, `jpeg`, ..., or `npy` for a tensor.
    pub format: String,
    /// Width of the upright picture in pixels.
    pub width: usize,
    /// Height of the upright picture in pixels.
    pub height: usize,
    /// EXIF orientation that was applied, 1 to 8; 1 when the file names none.
    pub exif_orientation: u8,
}

/// The network's input and its place on the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkInputRecord {
    /// Colour channels.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// What was done to the picture; `null` for a tensor, which is explained as it is.
    pub preprocess: Option<Preprocess>,
    /// The rectangle that it covers, in pixels of the upright picture. May stick out of it.
    pub covers: CoversRecord,
}

/// A rectangle in pixels, 0 at the outer edge of the first pixel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoversRecord {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Bottom edge.
    pub bottom: f64,
}

/// The network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecord {
    /// Name from its card.
    pub name: String,
    /// File name without directories.
    pub file: String,
    /// SHA-256 of the model file, lower-case hexadecimal.
    pub sha256: String,
    /// What it is for; `null` in records of release 0.1, which did not say.
    pub task: Option<Task>,
    /// Number of classes, or of numbers.
    pub num_classes: usize,
    /// Where its weights came from, or `null`.
    pub source: Option<Source>,
}

/// The explained layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerRecord {
    /// Name of the node.
    pub name: String,
    /// Position in the graph, from 0.
    pub index: usize,
    /// Its operation.
    pub op: String,
    /// Channels of its output.
    pub channels: usize,
    /// Height of its output.
    pub height: usize,
    /// Width of its output.
    pub width: usize,
    /// How it was chosen.
    pub reason: String,
    /// Other layers that `auto` could have taken, nearest first.
    pub alternatives: Vec<String>,
}

/// A class with its scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text.
    pub class_name: String,
    /// Probability, 0 to 1; `null` for a number.
    pub proba: Option<f64>,
    /// Logit; `null` for a number, and where the network gives probabilities without logits before them.
    pub logit: Option<f64>,
    /// The number, of a network that gives numbers; else `null`.
    pub number: Option<f64>,
}

/// The true class of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelRecord {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text.
    pub class_name: String,
}

/// What was asked for, as far as it shows in the numbers or the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsRecord {
    /// Name of the method on the command line.
    pub method: String,
    /// `logit`, `prob`, `log-prob`, `margin`, `rest` or `number`.
    pub score: String,
    /// `mean`, `max` or `product`; `null` for one layer.
    pub aggregate: Option<String>,
    /// Any of `aug`, `eigen` and `noise`.
    pub smooth: Vec<String>,
    /// True when negative values were kept.
    pub signed: bool,
    /// True when what speaks against the class was asked for.
    pub counterfactual: bool,
    /// The library whose conventions were followed, or `null`.
    pub compat: Option<String>,
    /// What only some methods read; `null` where the method's own number was taken.
    pub options: OptionsRecord,
    /// SHA-256 over whatever else was asked for and shows in the files, lower-case hexadecimal; `null` where nobody gave one.
    /// The command line covers all of its arguments with it, so that a later run knows whether it would do the same.
    pub request: Option<String>,
    /// Device that the network ran on.
    pub device: String,
    /// What ran the part of the network that is not recorded: `native`, the own kernels, or `burn`.
    pub engine: String,
    /// What the convolutions of the own kernels multiplied: `f32` or `bf16`.
    pub precision: String,
    /// Version of burncam.
    pub burncam: String,
    /// Version of Burn.
    pub burn: String,
    /// How pictures are drawn, and what counts as a region.
    pub style: StyleRecord,
}

/// Settings that only some methods read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionsRecord {
    /// Where random numbers begin.
    pub seed: u64,
    /// Random draws, or points of an integral.
    pub samples: Option<usize>,
    /// Standard deviation of noise, as a share of the input's range.
    pub noise: Option<f32>,
    /// Side of occlusion's square in pixels of the network's input.
    pub patch: Option<usize>,
    /// Step from square to square.
    pub stride: Option<usize>,
}

/// How pictures were drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleRecord {
    /// `alpha` (heat is opacity), `blend` (one opacity everywhere), or the library whose overlay was drawn.
    pub overlay: String,
    /// The greatest opacity for `alpha`, the opacity for `blend`, 0 to 1; `null` for a library's overlay.
    pub opacity: Option<f32>,
    /// Name of the colour map; `null` for a library's overlay.
    pub colormap: Option<String>,
    /// How the map was enlarged to the picture; `null` for a library's overlay.
    pub interpolation: Option<String>,
    /// From which heat on a pixel counts as part of a region: a share of the greatest, `otsu`, or a percentile as `p80`.
    pub threshold: String,
    /// Which regions count: `largest` or `all`.
    pub components: String,
}
