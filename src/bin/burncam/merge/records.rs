//! The contents of a merged page: records and failures, sorted by input path.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::Method;
use burncam::record::{Failure, Record, Summary};
use serde::Deserialize;
use serde::de::IgnoredAny;
use walkdir::WalkDir;

use crate::text;

/// An entry of the page.
pub(super) enum Entry {
    /// Path of a record.
    Record(PathBuf),
    Failure(Failure),
}

/// The entries of a page.
pub(super) struct Entries {
    /// Only paths are kept, so that a million records fit into memory.
    pub(super) shown: Vec<Entry>,
    /// Number of unreadable records, already reported.
    pub(super) unreadable: usize,
}

/// All records below the directories, and the summary's failures.
pub(super) fn entries(directories: &[PathBuf], summary: &Summary) -> Entries {
    let mut entries: Vec<(PathBuf, Entry)> = Vec::new();
    let mut seen = HashSet::new();
    let mut unreadable = 0;
    for path in directories.iter().flat_map(|directory| json_files(directory)) {
        // One directory may be inside another that is also given.
        if !path.canonicalize().is_ok_and(|real| seen.insert(real)) {
            continue;
        }
        match read(&path) {
            Ok(record) => entries.push((PathBuf::from(record.input.path), Entry::Record(path))),
            Err(error) if is_meant_as_record(&path) => {
                unreadable += 1;
                text::error(&error.context("a record is not on the page"));
            }
            Err(_) => {}
        }
    }
    for failure in &summary.failures {
        entries.push((PathBuf::from(&failure.path), Entry::Failure(failure.clone())));
    }
    // The sort is stable: records of one image by several methods stay in order of file name.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Entries { shown: entries.into_iter().map(|(_, entry)| entry).collect(), unreadable }
}

/// By its name, `STEM.METHOD.json`, or by the fields that every version has. Other JSON files are not burncam's.
fn is_meant_as_record(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct OfAnyVersion {
        #[serde(rename = "schema_version")]
        _version: u32,
        #[serde(rename = "estimator")]
        _estimator: String,
        #[serde(rename = "targets")]
        _targets: Vec<IgnoredAny>,
    }
    let stem = path.file_stem().map(Path::new);
    let method = stem.and_then(Path::extension).and_then(|method| method.to_str());
    method.is_some_and(|method| Method::ALL.iter().any(|known| known.info().name == method))
        || std::fs::read(path).is_ok_and(|bytes| serde_json::from_slice::<OfAnyVersion>(&bytes).is_ok())
}

pub(super) fn read(path: &Path) -> Result<Record> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    Record::from_json(&bytes).with_context(|| format!("record '{}'", path.display()))
}

fn json_files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = WalkDir::new(directory).sort_by_file_name().into_iter();
    entries
        .filter_map(|entry| entry.map_err(|error| log::warn!("{error}")).ok())
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .map(walkdir::DirEntry::into_path)
}
