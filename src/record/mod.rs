//! The explanation record: the JSON written next to each overlay.
//!
//! This page is the wire format; `docs/record.schema.json` is the same as a JSON Schema, and a test validates real
//! records with it. Fields are in the order below. Absent values are `null`, never omitted. Numbers are finite. Paths
//! in [`Artifact::file`] are relative to the record. There is no time stamp, so equal runs give equal bytes.
//!
//! `estimator`, `description`, `error`, `method`, `is_regression` and, in each target, `target`, `score`, `proba` and
//! `heatmap` have eli5's names and meanings, so that tools for eli5 explanations read records. Unlike there, `proba`
//! is filled, and the document is JSON throughout.

mod comparison;
mod evaluation;
mod failure;
mod input;
mod layout;
mod listed;
mod parts;
mod predicted;
mod prediction;
mod read;
mod settings;
mod shards;
mod shown;
mod summary;

pub use comparison::{
    COMPARISON_VERSION, ComparedAccuracy, ComparedMap, ComparedMaps, ComparedPicture, ComparedRun,
    Comparison, LimitRecord, SettingDifference,
};
pub use evaluation::{
    AgreementRecord, CurveRecord, CurveSettingsRecord, EVALUATION_VERSION, EvaluatedMosaic, EvaluatedRow,
    EvaluatedSanity, EvaluatedTarget, Evaluation, EvaluationSettings, FigureRecord, MetricRecord, MosaicCell,
    MosaicSettingsRecord, OneByOne, PairRecord, RoadSettingsRecord, SanitySettingsRecord, TargetFigures,
};
pub use failure::{FailedInput, Failure, FailureRecord, HintRecord};
pub use input::{InputRecord, ProfileRecord};
pub use parts::{DetectionRecord, LabelRecord, LayerRecord, Prediction};
pub use predicted::PredictedRecord;
pub use prediction::{PREDICTION_VERSION, PredictionRecord};
pub use settings::{OptionsRecord, REVISION, RequestRecord, SettingsRecord, StyleRecord};
pub(crate) use shards::check_shards;
pub use shown::percent;
pub(crate) use shown::plain_number;
pub use summary::{
    Accuracy, ClassCount, ClassHeat, Confusion, Counted, Heat, LabelCount, NotTaken, ObjectHeat, RunTime,
    SUMMARY_VERSION, Summary, SummaryModel, Tally, WarningCount, WrongReason, heat_outside,
};

use serde::{Deserialize, Serialize};

use crate::card::{Preprocess, Source, Task};
use crate::input::sha256_hex;

/// The newest record version, and the one that this build writes. Records of version 1 are still read; fields they
/// lack are `None`.
pub const SCHEMA_VERSION: u32 = 2;

/// One image explained by one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this format; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The record's own file name, or in a list its path relative to that of the list; `null` where no such file is written.
    #[serde(default)]
    pub file: Option<String>,
    /// Name of the model.
    pub estimator: String,
    /// Summary for people.
    pub description: String,
    /// Empty, or why the image could not be explained.
    pub error: String,
    /// Title of the method, for example `Grad-CAM`.
    pub method: String,
    /// True for a network that gives numbers instead of classes; see [`ModelRecord::task`].
    pub is_regression: bool,
    /// The explained classes, in the order requested.
    pub targets: Vec<TargetRecord>,
    /// The sheet of all methods and classes, if requested.
    pub grid: Option<Artifact>,
    /// The file that was explained.
    pub input: InputRecord,
    /// How the file became the network's input, and where that is on the picture.
    pub network_input: NetworkInputRecord,
    /// The network.
    pub model: ModelRecord,
    /// The explained layers, in the order requested; empty for a method that works on pixels.
    pub layers: Vec<LayerRecord>,
    /// The most probable classes, most probable first; for a network that gives numbers, its first numbers in order.
    pub predictions: Vec<Prediction>,
    /// The boxes that a detector found, the surest first; only in records of one, and where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detections: Vec<DetectionRecord>,
    /// The true class, where the caller named it; the first of several.
    pub label: Option<LabelRecord>,
    /// All true classes; only in records of pictures with several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelRecord>,
    /// Rank of the true class among all, 1 for the most probable; of several the best. `null` without labels, and for numbers.
    #[serde(default)]
    pub label_rank: Option<usize>,
    /// Probability of the true class, 0 to 1; of several that of the most probable. `null` where the network gives none.
    #[serde(default)]
    pub label_proba: Option<f64>,
    /// What a reader should know before trusting the picture, including the causes of blank maps.
    pub warnings: Vec<String>,
    /// The settings of the run.
    pub settings: SettingsRecord,
}

impl Record {
    /// All true classes that the caller named.
    #[must_use]
    pub fn true_classes(&self) -> &[LabelRecord] {
        if self.labels.is_empty() { self.label.as_slice() } else { &self.labels }
    }

    /// Whether the first prediction is a true class; `None` without labels.
    #[must_use]
    pub fn is_right(&self) -> Option<bool> {
        let best = self.predictions.first().map(|best| best.target);
        let labels = self.true_classes();
        (!labels.is_empty()).then(|| labels.iter().any(|label| best == Some(label.target)))
    }
}

/// One explained class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRecord {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text when the model names no classes.
    pub class_name: String,
    /// The class score whose gradient was taken; see [`SettingsRecord::score`]. For a network that gives numbers, the
    /// number.
    pub score: f64,
    /// Probability of the class, 0 to 1; `null` for a number.
    pub proba: Option<f64>,
    /// The class's logit; `null` for a number, and when the network gives probabilities without logits.
    pub logit: Option<f64>,
    /// Rank among all classes, 1 for the most probable; `null` for a number.
    pub rank: Option<usize>,
    /// Number of the explained box in [`Record::detections`]; only in records of a detector's boxes.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub box_number: Option<usize>,
    /// Share of the network's pixels at which the class wins, 0 to 1; only in records of a segmentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Number of the network's pixels that the score is a sum over; only in records of a segmentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<usize>,
    /// The map: rows of values, by default 0 to 1 with a maximum of 1, all 0 when blank; see
    /// [`TargetRecord::normalization`]. A map with more than 56 cells along an axis is averaged over blocks of equal
    /// size here, which keeps records small; `--save npy` writes the whole map.
    pub heatmap: Vec<Vec<f32>>,
    /// The map's own size and scale.
    pub map: MapRecord,
    /// Statistics of each layer's signed map (of the only map, for a method without layers) before ReLU and
    /// normalisation; empty when one is not finite.
    pub raw: Vec<RawRecord>,
    /// How the signed map became [`TargetRecord::heatmap`], for example `relu, divided by maximum, averaged over blocks`.
    pub normalization: String,
    /// Boxes around the regions of heat, largest first; see [`StyleRecord::threshold`] and [`StyleRecord::components`]. Empty for a
    /// blank map.
    pub boxes: Vec<BoxRecord>,
    /// Why the map is blank, or `null`.
    pub finding: Option<String>,
    /// The files that show the map, in the order of the kinds in [`Artifact::kind`].
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
    /// The divisor of its values, in units of score times activation; `null` when they were not divided.
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

/// A region of the map, in pixels of the upright picture.
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
    /// Number of pixels in the region.
    pub area: usize,
    /// The greatest value in it.
    pub peak: f32,
    /// The mean value in it.
    pub mean: f32,
}

/// A file written next to the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// `overlay`, `heatmap`, `grey`, `grey16`, `npy`, `npy-full`, `mask`, `boxes`, `cut-out`, `side-by-side`,
    /// `mask-of-class` or `detections`; `grid` for the sheet.
    pub kind: String,
    /// Path relative to the record, or to the list that the record is in.
    pub file: String,
    /// Size of the file in bytes; `null` when the program that made the record did not know it.
    pub bytes: Option<u64>,
    /// SHA-256 of the file, lower-case hexadecimal; `null` when the program that made the record did not know it.
    pub sha256: Option<String>,
}

impl Artifact {
    /// The artifact for a file of these bytes.
    #[must_use]
    pub fn new(kind: &str, file: String, bytes: &[u8]) -> Self {
        let (kind, size) = (kind.to_owned(), Some(bytes.len() as u64));
        Self { kind, file, bytes: size, sha256: Some(sha256_hex(bytes)) }
    }

    /// Whether the file has these bytes; `None` when the record has neither size nor hash.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> Option<bool> {
        let (size, sha256) = (self.bytes?, self.sha256.as_deref()?);
        Some(size == bytes.len() as u64 && sha256 == sha256_hex(bytes))
    }
}

/// The network's input and its placement on the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkInputRecord {
    /// Colour channels.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// The preprocessing; `null` for a tensor, which is used as it is.
    pub preprocess: Option<Preprocess>,
    /// The rectangle it covers, in pixels of the upright picture. May extend beyond it.
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
    /// SHA-256 of the model file, lower-case hexadecimal; `null` where a Rust program asked for none.
    pub sha256: Option<String>,
    /// SHA-256 of the card that replaced the file's own, lower-case hexadecimal; `null` for the file's own.
    pub card_sha256: Option<String>,
    /// The network's task; `null` in records of release 0.1, which had no such field.
    pub task: Option<Task>,
    /// Number of classes, or of output numbers.
    pub num_classes: usize,
    /// The origin of its weights, or `null`.
    pub source: Option<Source>,
}
