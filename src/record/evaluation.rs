//! The figures of methods over pictures: `evaluation.json`, what `burncam evaluate` writes.
//!
//! This page is the wire format; `docs/evaluation.schema.json` is the same as a JSON Schema, and a test validates real files with it. A
//! figure that is not defined is `null` and never a number.

use serde::{Deserialize, Serialize};

use super::{Failure, LayerRecord, ModelRecord, OptionsRecord, layout};
use crate::error::Problem;

/// The newest version of the format, and the one that this build writes.
pub const EVALUATION_VERSION: u32 = 1;

/// Methods measured on pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Version of this format; [`EVALUATION_VERSION`].
    pub schema_version: u32,
    /// Version of burncam.
    pub burncam: String,
    /// The network.
    pub model: ModelRecord,
    /// What figures depend on besides pictures and network. Figures of other settings do not compare.
    pub settings: EvaluationSettings,
    /// The metrics, in the order of all lists of figures.
    pub metrics: Vec<MetricRecord>,
    /// Number of images found.
    pub images: usize,
    /// Images that could not be evaluated.
    pub failed: usize,
    /// True when the run was stopped before the last image.
    pub interrupted: bool,
    /// Methods in the order requested, then the baselines.
    pub rows: Vec<EvaluatedRow>,
    /// The best method against every other row on each metric that says which is better, target by target.
    pub comparisons: Vec<PairRecord>,
    /// Which method to use, in a sentence, as far as the figures support one.
    pub verdict: String,
    /// All figures of each explained class of each image.
    pub targets: Vec<EvaluatedTarget>,
    /// Failed images and the reasons, in the order of the inputs.
    pub failures: Vec<Failure>,
}

/// Settings that change figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSettings {
    /// Layers of the methods that explain one.
    pub layers: Vec<LayerRecord>,
    /// The score that the metrics look at: `prob`, `logit` and so on, as in records.
    pub score: String,
    /// The score that the maps explain.
    pub map_score: String,
    /// The library whose maps and conventions of metrics were followed; `null` for the papers'.
    pub compat: Option<String>,
    /// Seed of the random baseline, of noise, and of the intervals.
    pub seed: u64,
    /// Options of single methods; only where one is not the method's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<OptionsRecord>,
    /// How maps came to the size of the network's input.
    pub enlarged: String,
    /// How their values came to 0 to 1.
    pub scaled: String,
    /// Steps, baselines and area of deletion and insertion; `null` when neither was asked for.
    pub curves: Option<CurveSettingsRecord>,
    /// Which pixels ROAD removed, and its noise; `null` when it was not asked for.
    pub road: Option<RoadSettingsRecord>,
    /// Device that the network ran on.
    pub device: String,
    /// `native` or `burn`.
    pub engine: String,
    /// `f32`, `bf16` or `int8`.
    pub precision: String,
}

/// How deletion and insertion were computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveSettingsRecord {
    /// How many pixels change at a time.
    pub steps: String,
    /// What deleted pixels become.
    pub deletion: String,
    /// What pixels are before they are inserted.
    pub insertion: String,
    /// How the area below the curve is computed.
    pub area: String,
}

/// How ROAD was computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoadSettingsRecord {
    /// `shares of the pixels`, or `all but these percentiles`, which are the shares that are kept.
    pub removed: String,
    /// The shares, 0 to 1, or percentiles, 0 to 100.
    pub steps: Vec<f64>,
    /// Standard deviation of the noise on filled pixels, in units of the network's input.
    pub noise: f64,
    /// Its seed.
    pub seed: u64,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRecord {
    /// Name on the command line.
    pub name: String,
    /// What it asks: `faithfulness`, `localisation` or `complexity`.
    pub group: String,
    /// `higher` or `lower`; `null` where neither is better.
    pub better: Option<String>,
    /// Least possible value; `null` without one.
    pub least: Option<f64>,
    /// Greatest possible value; `null` without one.
    pub most: Option<f64>,
    /// What a map that knows nothing gets, in words.
    pub chance: String,
    /// What it measures.
    pub description: String,
}

/// A method or a baseline over all targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatedRow {
    /// Name of the method on the command line, or of the baseline: `random`, `centre` or `edges`.
    pub name: String,
    /// True for a map that does not come from the network.
    pub is_baseline: bool,
    /// Targets whose map has one value everywhere. They have no figures.
    pub blank: usize,
    /// One per metric.
    pub figures: Vec<FigureRecord>,
    /// The mean curves of deletion and insertion.
    pub curves: Vec<CurveRecord>,
}

/// A metric over all targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureRecord {
    /// Number of targets with a value; the others' maps are blank, or the metric is not defined for them.
    pub count: usize,
    /// Mean over them.
    pub mean: Option<f64>,
    /// Standard error of the mean; `null` for fewer than two.
    pub standard_error: Option<f64>,
    /// 95 % bootstrap interval of the mean, lower end first; `null` for fewer than two.
    pub interval: Option<[f64; 2]>,
}

/// A score while pixels change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveRecord {
    /// `deletion` or `insertion`.
    pub metric: String,
    /// Shares of pixels that have changed, 0 to 1.
    pub shares: Vec<f32>,
    /// The score at each.
    pub scores: Vec<f32>,
}

/// Two rows on one metric, over the targets on which both have a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairRecord {
    /// The metric.
    pub metric: String,
    /// The first row.
    pub first: String,
    /// The second row.
    pub second: String,
    /// Targets on which the first is better.
    pub wins: usize,
    /// Targets on which both are equal.
    pub ties: usize,
    /// Targets on which the second is better.
    pub losses: usize,
    /// First minus second.
    pub difference: FigureRecord,
}

/// One explained class of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatedTarget {
    /// The image, as the caller named it.
    pub path: String,
    /// SHA-256 of its file, lower-case hexadecimal.
    pub sha256: String,
    /// Index of the class.
    pub target: usize,
    /// Name of the class.
    pub class_name: String,
    /// The score of the unchanged image that metrics look at.
    pub score: f64,
    /// Share of the network's input that the objects of the class cover: the chance level of some metrics; `null` where none is known.
    pub area: Option<f64>,
    /// One per row of [`Evaluation::rows`].
    pub rows: Vec<TargetFigures>,
}

/// A row's figures for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFigures {
    /// Why the map is blank, if it is; then there are no values.
    pub blank: Option<String>,
    /// Share of pixels whose value others have, too, so that their order is not by relevance alone; `null` without a curve.
    pub tied_share: Option<f64>,
    /// One per metric, `null` where it is not defined; empty for a blank map.
    pub values: Vec<Option<f64>>,
    /// Curves of deletion and insertion.
    pub curves: Vec<CurveRecord>,
}

impl Evaluation {
    /// The evaluation as indented JSON with a final newline.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn to_json(&self) -> Result<String, Problem> {
        let values = self.targets.iter().flat_map(|target| &target.rows).flat_map(|row| &row.values);
        let scores = self.targets.iter().map(|target| target.score);
        match values.flatten().copied().chain(scores).find(|number| !number.is_finite()) {
            Some(number) => {
                Err(Problem::new(format!("the evaluation holds {number}")).expected("finite numbers"))
            }
            None => layout::to_json(self),
        }
    }
}
