//! Two runs over the same pictures, compared: `comparison.json`.
//!
//! This page is the wire format; `docs/comparison.schema.json` is the same as a JSON Schema. Fields are in the order below. What cannot be
//! computed is `null`. `first` and `second` are the runs in the order in which they were named.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LabelRecord, Prediction, layout};
use crate::error::Problem;

/// The version of `comparison.json` that this build writes.
pub const COMPARISON_VERSION: u32 = 1;

/// Two runs, picture by picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Version of this format; [`COMPARISON_VERSION`].
    pub schema_version: u32,
    /// Version of burncam that compared.
    pub burncam: String,
    /// The first run.
    pub first: ComparedRun,
    /// The second run.
    pub second: ComparedRun,
    /// What differs between the runs: model, layers and settings, by their names in records.
    pub differences: Vec<SettingDifference>,
    /// Number of pictures in both runs, found by the hash of the file.
    pub both: usize,
    /// Paths of the pictures that are in the first run only.
    pub only_first: Vec<String>,
    /// Paths of the pictures that are in the second run only.
    pub only_second: Vec<String>,
    /// Share of pictures whose most probable class is the same, 0 to 1; `null` for networks that give numbers.
    pub agreement: Option<f64>,
    /// Over the pictures whose true class is known; `null` when none is.
    pub accuracy: Option<ComparedAccuracy>,
    /// One for each pair of methods.
    pub maps: Vec<ComparedMaps>,
    /// The limits that were given, in their order.
    pub limits: Vec<LimitRecord>,
    /// Every limit is kept.
    pub passed: bool,
    /// The pictures in both runs, those that moved most first: those with another most probable class, then by rising similarity.
    pub pictures: Vec<ComparedPicture>,
}

impl Comparison {
    /// The comparison as indented JSON with a final newline.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, Problem> {
        layout::to_json(self)
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedRun {
    /// Its directory, as it was named.
    pub directory: String,
    /// Names of its models.
    pub models: Vec<String>,
    /// Its methods, by their names on the command line.
    pub methods: Vec<String>,
    /// Number of records that were read.
    pub records: usize,
    /// Number of records that could not be read.
    pub unreadable: usize,
}

/// A setting that is not the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingDifference {
    /// Where it stands in records, for example `settings.score`.
    pub name: String,
    /// In the first run.
    pub first: Value,
    /// In the second run.
    pub second: Value,
}

/// How often the most probable class is a true one, over the pictures of both runs with known true classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedAccuracy {
    /// Number of pictures with known true classes.
    pub labelled: usize,
    /// Share that is right in the first run, 0 to 1.
    pub first: f64,
    /// Share that is right in the second run.
    pub second: f64,
    /// Pictures that are wrong in the first run and right in the second.
    pub mended: usize,
    /// Pictures that are right in the first run and wrong in the second.
    pub broken: usize,
}

/// The maps of a pair of methods: means over the pairs of maps that explain the same class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedMaps {
    /// Method of the first run.
    pub first: String,
    /// Method of the second run.
    pub second: String,
    /// Number of pairs of maps of the same class.
    pub pairs: usize,
    /// Pairs of maps whose classes differ. They are in no mean.
    pub other_class: usize,
    /// Mean Spearman correlation, -1 to 1; `null` when no pair has one.
    pub spearman: Option<f64>,
    /// Pairs without one: a map was blank or could not be read.
    pub without_spearman: usize,
    /// Mean Pearson correlation, -1 to 1; `null` when no pair has one.
    pub pearson: Option<f64>,
    /// Mean overlap of the hottest regions, 0 to 1; see [`ComparedMap::iou`].
    pub iou: Option<f64>,
}

/// A limit on how much worse the second run may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRecord {
    /// `accuracy`, `agreement`, `similarity` or `pictures`.
    pub of: String,
    /// The greatest drop that passes.
    pub most: f64,
    /// The drop; `null` when it is not known, which does not pass.
    pub drop: Option<f64>,
    /// The drop is known and not greater.
    pub passed: bool,
}

/// One picture in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedPicture {
    /// Its path in the first run.
    pub path: String,
    /// Its path in the second run.
    pub second_path: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// The true classes, as far as a run names them.
    pub labels: Vec<LabelRecord>,
    /// The most probable class of the first run, or its first number.
    pub first: Option<Prediction>,
    /// The same of the second run.
    pub second: Option<Prediction>,
    /// Whether these are the same class: by name where both have names, else by index; `null` for numbers.
    pub same_class: Option<bool>,
    /// Whether the first run is right; `null` when the true class is not known.
    pub first_right: Option<bool>,
    /// Whether the second run is right.
    pub second_right: Option<bool>,
    /// Mean Spearman correlation of its maps of the same class; `null` when there is none.
    pub similarity: Option<f64>,
    /// Pairs of maps.
    pub maps: Vec<ComparedMap>,
}

/// Two maps of one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedMap {
    /// Method of the first run.
    pub first_method: String,
    /// Method of the second run.
    pub second_method: String,
    /// The class that the first run explains.
    pub first_class: LabelRecord,
    /// The class that the second run explains.
    pub second_class: LabelRecord,
    /// Whether they are the same.
    pub same_class: bool,
    /// Where the values come from: `npy` where both runs have arrays, else `record`.
    pub source: String,
    /// Rows and columns on which they were compared: the maps' own where both have the same and cover the same part of the picture, else a grid over
    /// the part that both cover; `null` when they were not compared.
    pub grid: Option<[usize; 2]>,
    /// Spearman correlation, -1 to 1; `null` when a map is constant.
    pub spearman: Option<f64>,
    /// Pearson correlation, -1 to 1; `null` when a map is constant.
    pub pearson: Option<f64>,
    /// Cells in both hottest regions as a share of those in either, 0 to 1. A map's hottest region is where it has at least half of its
    /// maximum; `null` when a map is nowhere above zero.
    pub iou: Option<f64>,
    /// Why there are no figures; `null` where there are.
    pub problem: Option<String>,
}
