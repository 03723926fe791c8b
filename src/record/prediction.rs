//! The record of a prediction: a line of `predict --json` and `--jsonl`.
//!
//! This page is the wire format; `docs/prediction.schema.json` is the same as a JSON Schema, and a test validates real lines with it. Fields are
//! in the order below. Absent values are `null`, but for fields that say otherwise.

use serde::{Deserialize, Serialize};

use super::{Failure, HintRecord, LabelRecord, Prediction};
use crate::error::{ErrorKind, Problem};

/// The newest version of a prediction's record, and the one that this build writes.
pub const PREDICTION_VERSION: u32 = 1;

/// The most probable classes of one image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionRecord {
    /// Version of this format; [`PREDICTION_VERSION`].
    pub schema_version: u32,
    /// Name of the model.
    pub model: String,
    /// The path as the caller gave it, `-` for standard input.
    pub path: String,
    /// The most probable classes, most probable first; for a network that gives numbers, its first numbers in order. Empty for an image that failed.
    pub predictions: Vec<Prediction>,
    /// The true class, where the caller named it; the first of several.
    pub label: Option<LabelRecord>,
    /// All true classes; only in records of images with several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelRecord>,
    /// Whether the first prediction is a true class; `null` without labels.
    pub correct: Option<bool>,
    /// Rank of the true class among all, 1 for the most probable; of several the best.
    pub label_rank: Option<usize>,
    /// Probability of the true class, 0 to 1; of several that of the most probable. `null` where the network gives none.
    pub label_proba: Option<f64>,
    /// What a reader should know about the image.
    pub warnings: Vec<String>,
    /// What each side was divided by while the file was decoded; only in records of images that were reduced so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduced: Option<u32>,
    /// Empty, or why the image could not be predicted.
    pub error: String,
    /// As [`FailureRecord::kind`](super::FailureRecord::kind).
    pub kind: Option<ErrorKind>,
    /// As [`FailureRecord::hint`](super::FailureRecord::hint).
    pub hint: Option<HintRecord>,
}

impl PredictionRecord {
    /// A record of an image whose `labels` are its true classes. Its predictions are the first `top_k` of `ranked`, which has every class.
    #[must_use]
    pub fn new(model: &str, path: &str, ranked: &[Prediction], labels: &[LabelRecord], top_k: usize) -> Self {
        let is_true = |class: &Prediction| labels.iter().any(|label| label.target == class.target);
        let found = ranked.iter().position(is_true);
        Self {
            predictions: ranked.iter().take(top_k).cloned().collect(),
            correct: found.map(|at| at == 0),
            label_rank: found.map(|at| at + 1),
            label_proba: found.and_then(|at| ranked[at].proba),
            ..Self::empty(model, path, labels)
        }
    }

    /// The record of an image that could not be predicted.
    #[must_use]
    pub fn failed(model: &str, labels: &[LabelRecord], failure: &Failure) -> Self {
        let Failure { path, error, kind, hint } = failure.clone();
        Self { error, kind, hint, ..Self::empty(model, &path, labels) }
    }

    fn empty(model: &str, path: &str, labels: &[LabelRecord]) -> Self {
        Self {
            schema_version: PREDICTION_VERSION,
            model: model.to_owned(),
            path: path.to_owned(),
            predictions: vec![],
            label: labels.first().cloned(),
            labels: if labels.len() > 1 { labels.to_vec() } else { vec![] },
            correct: None,
            label_rank: None,
            label_proba: None,
            warnings: vec![],
            reduced: None,
            error: String::new(),
            kind: None,
            hint: None,
        }
    }

    /// All true classes that the caller named.
    #[must_use]
    pub fn true_classes(&self) -> &[LabelRecord] {
        if self.labels.is_empty() { self.label.as_slice() } else { &self.labels }
    }

    /// One line of JSON without a line break.
    ///
    /// # Errors
    /// Never for these types; an error of the serialiser is passed through.
    pub fn to_json_line(&self) -> Result<String, Problem> {
        serde_json::to_string(self).map_err(|error| error.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_several_true_classes_counts() {
        let class = |(target, proba)| Prediction {
            proba: Some(proba),
            ..Prediction::new(target, format!("c{target}"))
        };
        let ranked: Vec<Prediction> = [(2, 0.5), (0, 0.3), (1, 0.2)].map(class).into();
        let label = |target| LabelRecord { target, class_name: format!("c{target}") };
        let of = |labels: &[usize]| {
            let labels: Vec<LabelRecord> = labels.iter().copied().map(label).collect();
            let record = PredictionRecord::new("net", "a.png", &ranked, &labels, 2);
            assert_eq!((record.predictions.len(), record.true_classes()), (2, &labels[..]));
            (record.correct, record.label_rank, record.label_proba)
        };
        assert_eq!(of(&[]), (None, None, None));
        assert_eq!(of(&[2]), (Some(true), Some(1), Some(0.5)));
        assert_eq!(of(&[1]), (Some(false), Some(3), Some(0.2)));
        assert_eq!(of(&[1, 0]), (Some(false), Some(2), Some(0.3)));
    }
}
