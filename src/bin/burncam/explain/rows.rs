//! The rows of `explain --csv`: one per image, method and class. Receives records, as lists have them, and failures; gives cells.

use std::path::{Path, PathBuf};

use burncam::internal::output;
use burncam::record::{Failure, LabelRecord, PredictionRecord, Record, TargetRecord};

use crate::lists::{cell, folder_of, label_cells};

/// Between the files of a cell. Their names may have spaces.
const SEPARATOR: &str = ";";

/// Columns of `--csv`.
pub(super) const COLUMNS: [&str; 23] = [
    "path",
    "method",
    "target",
    "class_name",
    "rank",
    "proba",
    "logit",
    "score",
    "label",
    "label_name",
    "correct",
    "label_rank",
    "label_proba",
    "layers",
    "finding",
    "left",
    "top",
    "right",
    "bottom",
    "record",
    "picture",
    "artifacts",
    "error",
];

/// A record with paths relative to a list, given the directory of its files, which there is none of with `--out -`.
pub(super) fn listed(record: &Record, list: Option<&PathBuf>, directory: Option<&PathBuf>) -> Record {
    let list = list.map_or(Path::new(""), |list| folder_of(list));
    let directory = directory.and_then(|directory| output::relative_text(list, directory));
    record.listed(&directory.unwrap_or_default())
}

/// The rows of a record.
pub(super) fn rows(record: &Record) -> impl Iterator<Item = [String; COLUMNS.len()]> {
    record.targets.iter().map(|target| cells(record, target))
}

/// The row of an image that was predicted only: the most probable class, and no method.
pub(super) fn predicted(prediction: &PredictionRecord) -> [String; COLUMNS.len()] {
    let mut cells = [const { String::new() }; COLUMNS.len()];
    cells[0].clone_from(&prediction.path);
    if let Some(class) = prediction.predictions.first() {
        let (target, name) = (class.target.to_string(), class.class_name.clone());
        let own = [target, name, "1".to_owned(), cell(class.proba), cell(class.logit)];
        cells[2..7].clone_from_slice(&own);
    }
    [cells[8], cells[9]] = label_cells(prediction.true_classes());
    cells[10] = cell(prediction.correct);
    cells[11] = cell(prediction.label_rank);
    cells[12] = cell(prediction.label_proba);
    cells
}

/// The row of an image that failed.
pub(super) fn failure(labels: &[LabelRecord], failure: &Failure) -> [String; COLUMNS.len()] {
    let mut cells = [const { String::new() }; COLUMNS.len()];
    cells[0].clone_from(&failure.path);
    [cells[8], cells[9]] = label_cells(labels);
    cells[COLUMNS.len() - 1].clone_from(&failure.error);
    cells
}

fn cells(record: &Record, target: &TargetRecord) -> [String; COLUMNS.len()] {
    let layers: Vec<&str> = record.layers.iter().map(|layer| layer.name.as_str()).collect();
    let files: Vec<&str> = target.artifacts.iter().map(|artifact| artifact.file.as_str()).collect();
    let side = |of: fn(&burncam::record::BoxRecord) -> usize| cell(target.boxes.first().map(of));
    let [label, label_name] = label_cells(record.true_classes());
    [
        record.input.path.clone(),
        record.settings.method.clone(),
        target.target.to_string(),
        target.class_name.clone(),
        cell(target.rank),
        cell(target.proba),
        cell(target.logit),
        target.score.to_string(),
        label,
        label_name,
        cell(record.is_right()),
        cell(record.label_rank),
        cell(record.label_proba),
        layers.join(" "),
        target.finding.clone().unwrap_or_default(),
        side(|region| region.left),
        side(|region| region.top),
        side(|region| region.right),
        side(|region| region.bottom),
        record.file.clone().unwrap_or_default(),
        record.input.file.clone().unwrap_or_default(),
        files.join(SEPARATOR),
        String::new(),
    ]
}
