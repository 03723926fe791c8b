//! The rows of `predict --csv`: one per image and class. Receives records; gives cells.

use burncam::record::{Prediction, PredictionRecord};

use crate::lists::{cell, label_cells};

/// Columns of `--csv`.
pub(super) const COLUMNS: [&str; 13] = [
    "path",
    "rank",
    "target",
    "class_name",
    "proba",
    "logit",
    "number",
    "label",
    "label_name",
    "correct",
    "label_rank",
    "label_proba",
    "error",
];

/// One row per class; one for an image that failed.
pub(super) fn rows(record: &PredictionRecord) -> Vec<[String; COLUMNS.len()]> {
    let [label, label_name] = label_cells(record.true_classes());
    let correct = cell(record.correct);
    let label_rank = cell(record.label_rank);
    let row = |class: [String; 6]| {
        let [rank, target, class_name, proba, logit, value] = class;
        [
            record.path.clone(),
            rank,
            target,
            class_name,
            proba,
            logit,
            value,
            label.clone(),
            label_name.clone(),
            correct.clone(),
            label_rank.clone(),
            cell(record.label_proba),
            record.error.clone(),
        ]
    };
    let class = |(at, class): (usize, &Prediction)| {
        let (proba, logit) = (cell(class.proba), cell(class.logit));
        row([
            (at + 1).to_string(),
            class.target.to_string(),
            class.class_name.clone(),
            proba,
            logit,
            cell(class.number),
        ])
    };
    match record.predictions[..] {
        [] => vec![row([const { String::new() }; 6])],
        _ => record.predictions.iter().enumerate().map(class).collect(),
    }
}
