//! The entry of an image that was predicted and not explained, in lists of records.

use serde::{Deserialize, Serialize};

use super::{FailedInput, LabelRecord, Prediction, PredictionRecord, SCHEMA_VERSION};
use crate::error::Problem;

/// A record of an image that a run predicted only, because it explains others: the fields of a [`Record`](super::Record) that list readers
/// use, in the same order, without targets. It only appears in lists, once for all methods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictedRecord {
    /// Version of this format; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the model.
    pub estimator: String,
    /// Summary for people.
    pub description: String,
    /// Always empty: nothing went wrong.
    pub error: String,
    /// Always empty: no method was run.
    pub method: String,
    /// Always `false`: numbers are not ranked, and meet or fail no condition.
    pub is_regression: bool,
    /// Always empty.
    pub targets: [(); 0],
    /// The file.
    pub input: FailedInput,
    /// The most probable classes, most probable first.
    pub predictions: Vec<Prediction>,
    /// The true class, where the caller named it; the first of several.
    pub label: Option<LabelRecord>,
    /// All true classes; only in records of images with several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelRecord>,
    /// Rank of the true class among all, 1 for the most probable; of several the best.
    pub label_rank: Option<usize>,
    /// Probability of the true class, 0 to 1; of several that of the most probable.
    pub label_proba: Option<f64>,
    /// What a reader should know about the image.
    pub warnings: Vec<String>,
}

impl PredictedRecord {
    /// Of an image that does not meet `selection`, with its `top_k` most probable classes.
    #[must_use]
    pub fn new(prediction: &PredictionRecord, selection: &str, top_k: usize) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            estimator: prediction.model.clone(),
            description: format!("predicted only: it does not meet {selection}"),
            error: String::new(),
            method: String::new(),
            is_regression: false,
            targets: [],
            input: FailedInput { path: prediction.path.clone() },
            predictions: prediction.predictions.iter().take(top_k).cloned().collect(),
            label: prediction.label.clone(),
            labels: prediction.labels.clone(),
            label_rank: prediction.label_rank,
            label_proba: prediction.label_proba,
            warnings: prediction.warnings.clone(),
        }
    }

    /// One line of JSON without a line break.
    ///
    /// # Errors
    /// Never for these types; an error of the serialiser is passed through.
    pub fn to_json_line(&self) -> Result<String, Problem> {
        serde_json::to_string(self).map_err(|error| error.to_string().into())
    }
}
