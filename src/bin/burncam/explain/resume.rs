//! What an earlier run has done already, decided from what its records say and never from times.

use std::path::Path;

use anyhow::{Context as _, Result};
use burncam::card::Card;
use burncam::input::{read_file, sha256_hex};
use burncam::record::Record;

use super::explained::Explained;
use super::job::{Job, Task};
use crate::args::ExplainArgs;

/// What the records of an input say, if its files are all there, and as they would be made again. `None` when something is
/// missing or was made otherwise.
///
/// # Errors
/// When the input cannot be read.
pub(crate) fn kept(job: &Job<'_>, task: &Task) -> Result<Option<Explained>> {
    let Some(directory) = job.plan.directory(&task.input.below) else { return Ok(None) };
    if task.input.is_stdin() {
        return Ok(None);
    }
    let mut records = Vec::new();
    for method in &job.plan.methods {
        let path = directory.join(job.plan.record_name(&task.input, *method));
        let Some(record) = read_record(&path) else { return Ok(None) };
        let settings = job.explainer.settings_record(*method, &job.style);
        if record.settings != settings || !is_complete(&record, &directory) {
            return Ok(None);
        }
        records.push(record);
    }
    if job.plan.grid && !directory.join(job.plan.grid_name(&task.input)).is_file() {
        return Ok(None);
    }
    let model = job.explainer.model_sha256()?;
    let sha256 = sha256_hex(&read_file(&task.input.path)?);
    let name = task.input.path.display().to_string();
    let label = task.label.map(|label| job.explainer.label_record(label));
    let same = |record: &Record| {
        record.input.path == name
            && record.input.sha256 == sha256
            && record.model.sha256 == model
            && record.label == label
    };
    Ok(records.iter().all(same).then_some(Explained {
        records,
        directory: Some(directory),
        files: vec![],
        kept: true,
        picture: None,
    }))
}

fn read_record(path: &Path) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn is_complete(record: &Record, directory: &Path) -> bool {
    let mut artifacts = record.targets.iter().flat_map(|target| &target.artifacts);
    artifacts.all(|artifact| directory.join(&artifact.file).is_file())
}

/// A digest of every argument, and of the model card, that shows in the files of an image.
///
/// # Errors
/// When the picture that tensors are drawn on cannot be read.
pub(crate) fn digest_of_request(args: &ExplainArgs, card: &Card) -> Result<String> {
    let drawn_on = args.image.as_deref().map(read_file).transpose()?.map(|bytes| sha256_hex(&bytes));
    let card = serde_json::to_string(card).context("cannot write the model card as JSON")?;
    let ExplainArgs { targets, layers, score, top_k, method, style, picture, output, .. } = args;
    let (save, png_level) = (&output.save, output.png_level);
    // A sheet shows all methods; other files know of their own only.
    let grid = output.grid.then_some(&args.methods);
    let asked = format!(
        "{targets:?} {layers:?} {score:?} {top_k} {method:?} {style:?} {picture:?} {save:?} {grid:?} {png_level:?} {drawn_on:?} {card}"
    );
    Ok(sha256_hex(asked.as_bytes()))
}
