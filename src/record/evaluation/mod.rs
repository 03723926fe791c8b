//! The figures of methods over pictures: `evaluation.json`, what `burncam evaluate` writes.
//!
//! This page is the wire format; `docs/evaluation.schema.json` is the same as a JSON Schema, and a test validates real files with it. A
//! figure that is not defined is `null` and never a number.

mod settings;
mod target;

use serde::{Deserialize, Serialize};

pub use settings::{
    CurveSettingsRecord, EvaluationSettings, MosaicSettingsRecord, RoadSettingsRecord, SanitySettingsRecord,
};
pub use target::{CurveRecord, EvaluatedMosaic, EvaluatedTarget, MosaicCell, TargetFigures};

use super::{Failure, ModelRecord, layout};
use crate::error::{Error, Problem, Result};

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
    /// `K/N` for one of N runs over parts of the pictures; else `null`.
    pub shard: Option<String>,
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
    /// How alike the maps of every two rows are; empty unless it was asked for.
    pub agreement: Vec<AgreementRecord>,
    /// Which method to use, in a sentence, as far as the figures support one.
    pub verdict: String,
    /// All figures of each explained class of each image, in the order of paths.
    pub targets: Vec<EvaluatedTarget>,
    /// Mosaics of the images; empty unless a metric is of them.
    pub mosaics: Vec<EvaluatedMosaic>,
    /// One per row: the mean similarity of its maps before and after weights are randomised; empty unless it was asked for.
    pub sanity: Vec<Option<f64>>,
    /// Failed images and the reasons, in the order of the inputs.
    pub failures: Vec<Failure>,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRecord {
    /// Name on the command line.
    pub name: String,
    /// What it asks: `faithfulness`, `localisation`, `stability`, `complexity` or `sanity`.
    pub group: String,
    /// What one value is of: `target`, whose values are in the lists of targets, `cell` of a mosaic, `mosaic`, or `set`, all targets together.
    pub of: String,
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
    /// The mean curves of deletion and insertion, and of boxes by their threshold: the share of targets whose box is right.
    pub curves: Vec<CurveRecord>,
}

/// A metric over all targets, or over the cells of all mosaics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureRecord {
    /// Number of targets or cells with a value; the others' maps are blank, or the metric is not defined for them.
    pub count: usize,
    /// Mean over them; of a metric over the set its figure.
    pub mean: Option<f64>,
    /// Standard error of the mean; `null` for fewer than two.
    pub standard_error: Option<f64>,
    /// 95 % bootstrap interval of the mean, lower end first; `null` for fewer than two.
    pub interval: Option<[f64; 2]>,
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

/// How alike the maps of two rows are, over the targets on which the figure is defined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRecord {
    /// The first row.
    pub first: String,
    /// The second row.
    pub second: String,
    /// Rank correlation of the values, -1 to 1.
    pub spearman: FigureRecord,
    /// Correlation of the values, -1 to 1.
    pub pearson: FigureRecord,
    /// Structural similarity (Wang et al. 2004), at most 1.
    pub ssim: FigureRecord,
}

impl Evaluation {
    /// Reads an evaluation of this version.
    ///
    /// # Errors
    /// [`Request`](crate::error::ErrorKind::Request) when it is not one, and for another version.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        // The version first: the fields of another one would only give an error about an unknown field.
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let not_one =
            |error: serde_json::Error| Error::request(format!("is not an evaluation of burncam: {error}"));
        let Version { schema_version } = serde_json::from_slice(bytes).map_err(not_one)?;
        if schema_version != EVALUATION_VERSION {
            let problem = Problem::new(format!("has version {schema_version}"));
            let problem = problem.expected(EVALUATION_VERSION.to_string());
            return Err(Error::request(problem.hint("use the burncam that wrote it")));
        }
        serde_json::from_slice(bytes).map_err(not_one)
    }

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
