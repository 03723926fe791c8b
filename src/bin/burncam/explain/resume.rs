//! Images that an earlier run finished, decided by the contents of their records and never by file times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use burncam::record::{Artifact, LayerRecord, ModelRecord, Record};
use burncam::{Explainer, Method, Names, Request};
use burncam_graph::memory::{Part, read_text};
use burncam_model::temporary;
use burncam_picture::input::{read_file, sha256_hex};

use super::explained::Explained;
use super::task::Task;
use crate::plan::Plan;

/// What a resumed run finds of an earlier one.
#[derive(Debug, Default)]
pub(crate) struct Redone {
    /// Why images with records are explained again, and how many for each reason.
    reasons: Mutex<BTreeMap<&'static str, usize>>,
    /// The directories whose names are on disk.
    synced: Mutex<BTreeSet<PathBuf>>,
}

impl Redone {
    fn count(&self, why: &'static str) {
        *self.reasons.lock().unwrap_or_else(PoisonError::into_inner).entry(why).or_default() += 1;
    }

    /// Waits until what is kept in a directory has its names on disk: the earlier run may have been killed before that. Once is enough, as a
    /// running process does so for its own.
    fn sync(&self, directory: &Path) -> Result<()> {
        // Locked until it is done: another worker must not report what is not on disk yet.
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if !synced.contains(directory) {
            temporary::sync_names(directory).map_err(burncam::Error::write_into(directory))?;
            synced.insert(directory.to_path_buf());
        }
        drop(synced);
        Ok(())
    }

    /// `3 with records of other settings, 1 with files that are gone or were changed`; `None` if there was no reason.
    pub(crate) fn words(&self) -> Option<String> {
        let reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<String> = reasons.iter().map(|(why, count)| format!("{count} with {why}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// The records of an input if its files all exist and would be the same again. `None` when something is missing or
/// would differ.
///
/// # Errors
/// When the input cannot be read, or the model could not be hashed; when the names of the files cannot be written to disk.
pub(crate) fn kept(
    explainer: &Explainer,
    plan: &Plan,
    task: &Task,
    redone: &Redone,
) -> Result<Option<Explained>> {
    let Some(names) = plan.names(&task.input).filter(|_| !task.input.is_stdin()) else { return Ok(None) };
    let redo = |path: &Path, why: &'static str| {
        log::info!("'{}': {why}", path.display());
        redone.count(why);
        Ok(None)
    };
    let mut records = Vec::new();
    for method in &explainer.request().methods {
        let path = names.directory().join(names.record(*method));
        // No record: the image was not finished, which is no reason worth counting.
        let Ok(bytes) = read_text(&path, Part::Text) else { return Ok(None) };
        match finished(explainer, &names, task, *method, &bytes) {
            Ok(record) => records.push(record),
            Err(why) => return redo(&path, why),
        }
    }
    // Last, because the hash of the model may still be in the making.
    let model = explainer.model_record()?;
    let sha256 = sha256_hex(&read_file(&task.input.path)?);
    for record in &records {
        if record.input.sha256 != sha256 {
            return redo(names.directory(), "records of other pictures");
        }
        if !is_same_model(&record.model, &model) {
            return redo(names.directory(), "records of another model");
        }
    }
    if explainer.request().sync {
        redone.sync(names.directory())?;
    }
    let directory = Some(names.directory().to_path_buf());
    Ok(Some(Explained { records, directory, kept: true, ..Explained::default() }))
}

/// The pictures that the records of an earlier run name, read before these are replaced.
pub(crate) fn earlier(explainer: &Explainer, names: &Names) -> Vec<Artifact> {
    let record = |method: &Method| {
        let bytes = read_text(&names.directory().join(names.record(*method)), Part::Text).ok()?;
        Record::from_json(&bytes).ok()
    };
    let records = explainer.request().methods.iter().filter_map(record);
    records.flat_map(|record| record.targets).flat_map(|target| target.artifacts).collect()
}

/// Removes earlier pictures that stand next to the same ones in another format: `photo.png` next to the new `photo.jpg`. A file that is not what its
/// record said belongs to the user, and stays.
pub(crate) fn remove_other_formats(earlier: &[Artifact], names: &Names, plan: &Plan, records: &[Record]) {
    let new = || records.iter().flat_map(files);
    let stem = |file: &Artifact| Path::new(&file.file).with_extension("");
    let is_replaced = |old: &&Artifact| {
        new().all(|file| file.file != old.file)
            && new().any(|file| file.kind == old.kind && stem(file) == stem(old))
    };
    for old in earlier.iter().filter(is_replaced).filter(|old| is_whole(old, names.directory())) {
        let path = names.directory().join(&old.file);
        if plan.refuse_to_replace([&path]).is_err() {
            continue;
        }
        if let Err(error) = std::fs::remove_file(&path) {
            log::warn!("'{}': the picture of an earlier run stays: {error}", path.display());
        }
    }
}

/// The record, or why its image must be explained again. Image and model are compared elsewhere, because their hashes
/// take longer than the rest.
fn finished(
    explainer: &Explainer,
    names: &Names,
    task: &Task,
    method: Method,
    bytes: &[u8],
) -> Result<Record, &'static str> {
    let record = Record::from_json(bytes).map_err(|error| {
        log::debug!("{}", crate::failure::said(&error));
        "records that this version cannot read"
    })?;
    let settings = explainer.settings_record(method);
    let layers = explainer.layer_records(method);
    let labels: Vec<_> = task.labels.iter().map(|label| explainer.label_record(*label)).collect();
    match () {
        // The files are last, because they are read and hashed.
        () if record.settings.request.is_none() => Err("records of an older version"),
        () if !record.settings.makes_the_same_as(&settings) => Err("records of other settings"),
        () if !are_same_layers(&record.layers, &layers) => Err("records of other layers"),
        () if record.true_classes() != labels => Err("records of another label"),
        () if record.input.path != task.input.path.display().to_string() => Err("records of another path"),
        // Those of earlier versions do not say where they are.
        () if record.file.is_some() && !is_in_place(names, method, &record) => {
            Err("records in another place")
        }
        () if !is_named_as_planned(explainer.request(), names, method, &record) => {
            Err("records of files with other names")
        }
        () if !files(&record).all(|file| is_whole(file, names.directory())) => {
            Err("files that are gone or were changed")
        }
        () => Ok(record),
    }
}

/// Whether the record says that it is where it would be written, and leads to its picture.
fn is_in_place(names: &Names, method: Method, record: &Record) -> bool {
    record.file.as_ref() == Some(&names.record(method)) && record.input.file == names.way_to(&record.input)
}

fn files(record: &Record) -> impl Iterator<Item = &Artifact> {
    record.targets.iter().flat_map(|target| &target.artifacts).chain(&record.grid)
}

fn is_named_as_planned(request: &Request, names: &Names, method: Method, record: &Record) -> bool {
    let grid = request.grid.then(|| names.grid());
    let as_planned = record.targets.iter().all(|target| {
        let planned =
            request.artifacts.iter().map(|kind| names.artifact(request, method, target.tag(), *kind));
        planned.eq(target.artifacts.iter().map(|artifact| artifact.file.clone()))
    });
    as_planned && record.grid.as_ref().map(|grid| &grid.file) == grid.as_ref()
}

/// A file without size and hash in the record is never accepted.
fn is_whole(file: &Artifact, directory: &Path) -> bool {
    let path = directory.join(&file.file);
    let size = path.metadata().ok().map(|data| data.len());
    size.is_some()
        && size == file.bytes
        && std::fs::read(path).is_ok_and(|bytes| file.is(&bytes) == Some(true))
}

/// How a layer was selected, by name, by index or automatically, does not affect the map.
fn are_same_layers(some: &[LayerRecord], others: &[LayerRecord]) -> bool {
    let places = |layers: &[LayerRecord]| layers.iter().map(|layer| layer.index).collect::<Vec<_>>();
    places(some) == places(others)
}

/// A model file may have another name on another machine.
fn is_same_model(one: &ModelRecord, other: &ModelRecord) -> bool {
    one.sha256.is_some() && one.sha256 == other.sha256 && one.card_sha256 == other.card_sha256
}
