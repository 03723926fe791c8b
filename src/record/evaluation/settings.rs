//! What the figures of an evaluation depend on besides pictures and network.

use serde::{Deserialize, Serialize};

use crate::record::{LayerRecord, OptionsRecord};

/// Settings that change figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSettings {
    /// Layers of the methods that explain one.
    pub layers: Vec<LayerRecord>,
    /// The classes that were explained, as requested: an index, a name, `top`, `topN`, `box:N`, `label` or `both`.
    pub targets: Vec<String>,
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
    /// Whether the maps of every two rows were compared.
    pub agreement: bool,
    /// The mosaics of several pictures; `null` when no metric is of them.
    pub mosaics: Option<MosaicSettingsRecord>,
    /// How weights were randomised; `null` when that was not asked for.
    pub sanity: Option<SanitySettingsRecord>,
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

/// How mosaics were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MosaicSettingsRecord {
    /// Cells along a side.
    pub side: usize,
    /// How many mosaics were asked for.
    pub wanted: usize,
    /// Seed of the choice of pictures.
    pub seed: u64,
    /// Pictures are taken that have one class of at least this probability, and no other true class.
    pub confidence: f64,
    /// Number of such pictures.
    pub pictures: usize,
    /// Number of their classes.
    pub classes: usize,
}

/// How weights were randomised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SanitySettingsRecord {
    /// Number of pictures, the first ones.
    pub pictures: usize,
    /// Number of random networks.
    pub networks: usize,
    /// Seed of the first; the others follow.
    pub seed: u64,
    /// Layers that are randomised, from the scores down.
    pub layers: usize,
    /// After how many of them maps were compared.
    pub stops: usize,
}
