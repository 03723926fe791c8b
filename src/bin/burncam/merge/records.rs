//! What a merged page shows: the records below directories, and what failed, in order of input path.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::record::{Failure, Record, Summary};
use walkdir::WalkDir;

/// Something on the page.
pub(super) enum Entry {
    /// A record's file.
    Record(PathBuf),
    Failure(Failure),
}

/// All of them, told by path alone so that a million fit into memory.
pub(super) fn entries(directories: &[PathBuf], summary: &Summary) -> Vec<Entry> {
    let mut entries: Vec<(PathBuf, Entry)> = Vec::new();
    let mut seen = HashSet::new();
    for path in directories.iter().flat_map(|directory| json_files(directory)) {
        // One directory may lie in another that is named too.
        if let Ok(record) = read(&path)
            && path.canonicalize().is_ok_and(|real| seen.insert(real))
        {
            entries.push((PathBuf::from(record.input.path), Entry::Record(path)));
        }
    }
    for failure in &summary.failures {
        entries.push((PathBuf::from(&failure.path), Entry::Failure(failure.clone())));
    }
    // Stable: several methods of one image stay in order of file name.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.into_iter().map(|(_, entry)| entry).collect()
}

pub(super) fn read(path: &Path) -> Result<Record> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("record '{}'", path.display()))
}

fn json_files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = WalkDir::new(directory).sort_by_file_name().into_iter();
    entries
        .filter_map(|entry| entry.map_err(|error| log::warn!("{error}")).ok())
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .map(walkdir::DirEntry::into_path)
}
