//! What a page of finished runs shows: records and failures, sorted by input path.

use std::collections::HashSet;
use std::path::PathBuf;

use burncam::record::{Failure, Summary};

use crate::contain::contained;
use crate::records::{is_meant_as_record, json_files, read};
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
        match contained(|| read(&path)) {
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
