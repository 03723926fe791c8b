//! Records on disk: finds and reads them.
//!
//! Receives directories and files, gives records. `explain` writes them; `merge` and `compare` read them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::Method;
use burncam::record::Record;
use serde::Deserialize;
use serde::de::IgnoredAny;
use walkdir::WalkDir;

/// By its name, `STEM.METHOD.json`, or by the fields that every version has. Other JSON files are not burncam's.
pub(crate) fn is_meant_as_record(path: &Path) -> bool {
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

/// Reads a record of any version that this program knows.
///
/// # Errors
/// When the file cannot be read or is no record.
pub(crate) fn read(path: &Path) -> Result<Record> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    Record::from_json(&bytes).with_context(|| format!("record '{}'", path.display()))
}

/// The files below a directory whose names end in `.json`, by name.
pub(crate) fn json_files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = WalkDir::new(directory).sort_by_file_name().into_iter();
    entries
        .filter_map(|entry| entry.map_err(|error| log::warn!("{error}")).ok())
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .map(walkdir::DirEntry::into_path)
}
