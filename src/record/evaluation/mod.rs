//! The figures of methods over pictures: `evaluation.json`, what `burncam evaluate` writes.
//!
//! This page is the wire format; `docs/evaluation.schema.json` is the same as a JSON Schema, and a test validates real files with it. A
//! figure that is not defined is `null` and never a number.

mod settings;
mod stream;
mod target;

use std::io::Cursor;

use serde::{Deserialize, Serialize};

pub use settings::{
    CurveSettingsRecord, EvaluationSettings, MosaicSettingsRecord, RoadSettingsRecord, SanitySettingsRecord,
};
pub use stream::OneByOne;
pub use target::{CurveRecord, EvaluatedMosaic, EvaluatedSanity, EvaluatedTarget, MosaicCell, TargetFigures};

use super::{Failure, ModelRecord, layout};
use crate::error::{Problem, Result};

/// The newest version of the format, and the one that this build writes.
pub const EVALUATION_VERSION: u32 = 1;

/// Methods measured on pictures.
///
/// Of many pictures the targets need not be in memory: `T` may be something that gives them one by one ([`OneByOne`]), or nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation<T = Vec<EvaluatedTarget>> {
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
    pub targets: T,
    /// Mosaics of the images; empty unless a metric is of them. Of a shard those that it measured.
    pub mosaics: Vec<EvaluatedMosaic>,
    /// Images whose maps were compared with those on random networks; empty unless it was asked for.
    pub sanity: Vec<EvaluatedSanity>,
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
    /// What one value is of: `target`, whose values are in the lists of targets, `cell` of a mosaic, `mosaic`, `image`, or `set`, all targets
    /// together.
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

/// A metric over all targets, over the cells of all mosaics, or over images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureRecord {
    /// Number of targets, cells or images with a value; the others' maps are blank, or the metric is not defined for them.
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
        let mut targets = Vec::new();
        let all_but_them = Evaluation::read(Cursor::new(bytes), &mut |target| {
            targets.push(target);
            Ok(())
        })?;
        Ok(all_but_them.with_targets(targets))
    }

    /// The evaluation as indented JSON with a final newline.
    ///
    /// # Errors
    /// When a number is not finite.
    pub fn to_json(&self) -> Result<String, Problem> {
        self.targets.iter().try_for_each(EvaluatedTarget::check_finite)?;
        layout::to_json(self)
    }
}

impl<T> Evaluation<T> {
    /// The same with other targets, or with what takes their place.
    #[must_use]
    pub fn with_targets<U>(self, targets: U) -> Evaluation<U> {
        self.replace_targets(targets).0
    }

    /// As [`Evaluation::with_targets`], with what was in their place.
    #[must_use]
    pub fn replace_targets<U>(self, targets: U) -> (Evaluation<U>, T) {
        let replaced = Evaluation {
            schema_version: self.schema_version,
            burncam: self.burncam,
            model: self.model,
            settings: self.settings,
            metrics: self.metrics,
            shard: self.shard,
            images: self.images,
            failed: self.failed,
            interrupted: self.interrupted,
            rows: self.rows,
            comparisons: self.comparisons,
            agreement: self.agreement,
            verdict: self.verdict,
            targets,
            mosaics: self.mosaics,
            sanity: self.sanity,
            failures: self.failures,
        };
        (replaced, self.targets)
    }
}
