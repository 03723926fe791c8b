//! Records on disk: finds and reads them.
//!
//! Receives directories and files, gives records. `explain` writes them; `merge` and `compare` read them.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam::Method;
use burncam::record::Record;
use burncam_graph::memory::{Part, allow, of_text, read_text};
use serde::Deserialize;
use serde::de::IgnoredAny;
use walkdir::WalkDir;

/// Where a record is: a file of its own, or a line of a list (`--jsonl`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordPlace {
    path: PathBuf,
    /// First byte and length of the line.
    line: Option<(u64, usize)>,
}

impl RecordPlace {
    /// A file of its own.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self { path, line: None }
    }

    /// The records of a list, without the lines of images that failed or were predicted only, which are no records.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub(crate) fn lines(list: &Path) -> Result<Vec<Self>> {
        #[derive(Deserialize)]
        struct Line {
            #[serde(rename = "targets")]
            _targets: [(); 0],
        }
        let about = || format!("cannot read '{}'", list.display());
        let mut reader = BufReader::new(File::open(list).with_context(about)?);
        let longest = Part::SmallText.most();
        let (mut places, mut start, mut line) = (Vec::new(), 0, Vec::new());
        loop {
            line.clear();
            let length = reader.by_ref().take(longest).read_until(b'\n', &mut line).with_context(about)?;
            if length == 0 {
                return Ok(places);
            }
            if length as u64 == longest {
                bail!(
                    "list '{}': its line at byte {start} has no end after {} MiB (is it a list of records?)",
                    list.display(),
                    longest >> 20
                );
            }
            allow(of_text(&line)).map_err(burncam::Error::from).with_context(about)?;
            let is_empty = serde_json::from_slice::<Line>(&line).is_ok();
            if !is_empty && !line.trim_ascii().is_empty() {
                places.push(Self { path: list.to_path_buf(), line: Some((start, length)) });
            }
            start += length as u64;
        }
    }

    /// Reads the record.
    ///
    /// # Errors
    /// As [`read`].
    pub(crate) fn read(&self) -> Result<Record> {
        let Some((start, length)) = self.line else { return read(&self.path) };
        let about = || format!("cannot read '{}'", self.path.display());
        let mut file = File::open(&self.path).with_context(about)?;
        file.seek(SeekFrom::Start(start)).with_context(about)?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).with_context(about)?;
        Record::from_list(&bytes)
            .with_context(|| format!("record at byte {start} of '{}'", self.path.display()))
    }

    /// Whether it is meant as a record. Every line of a list is; other JSON files are not burncam's.
    pub(crate) fn is_meant(&self) -> bool {
        self.line.is_some() || is_meant_as_record(&self.path)
    }

    /// The directory that the paths of the record's files are relative to: of a list its own.
    pub(crate) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

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
        || read_text(path, Part::Text)
            .is_ok_and(|bytes| serde_json::from_slice::<OfAnyVersion>(&bytes).is_ok())
}

/// Reads a record of any version that this program knows.
///
/// # Errors
/// When the file cannot be read or is no record.
pub(crate) fn read(path: &Path) -> Result<Record> {
    let bytes = read_text(path, Part::Text)?;
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
