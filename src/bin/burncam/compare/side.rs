//! One run: the records below a directory, or of a list, by picture and method.
//!
//! Receives a path; gives places of records, so that memory does not hold every map of a large run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam::record::{ComparedRun, InputRecord, Record};

use crate::contain::contained;
use crate::records::{RecordPlace, json_files};
use crate::text;

/// A run.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) directory: PathBuf,
    pub(super) pictures: Vec<Seen>,
    pub(super) methods: BTreeSet<String>,
    models: BTreeSet<String>,
    records: usize,
    /// Number of records that could not be read, already reported.
    pub(super) unreadable: usize,
}

/// A picture of a run.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) sha256: String,
    /// Its records by method.
    pub(super) records: BTreeMap<String, RecordPlace>,
}

impl Side {
    /// Reads all records below a directory, or of a list.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let shown = directory.display();
        let places = match (directory.is_dir(), directory.is_file()) {
            (true, _) => json_files(directory).map(RecordPlace::file).collect(),
            (_, true) => RecordPlace::lines(directory)?,
            _ => bail!(
                "run '{shown}': expected a directory with the records of `burncam explain`, or a list of them (--jsonl)"
            ),
        };
        let mut side = Self { directory: directory.to_path_buf(), ..Self::default() };
        let (mut seen, mut again) = (BTreeMap::new(), 0);
        for place in places {
            match contained(|| place.read()) {
                Ok(record) => again += usize::from(!side.take(record, place, &mut seen)),
                Err(error) if place.is_meant() => {
                    side.unreadable += 1;
                    text::error(&error.context("a record is not compared"));
                }
                Err(_) => {}
            }
        }
        if side.records == 0 {
            bail!(
                "run '{shown}': has no record that can be read, expected the output directory of `burncam explain`, or its list of records (--jsonl)"
            );
        }
        if again > 0 {
            log::warn!(
                "run '{shown}': {again} further records of a picture and a method are left out (name the directory of one run)"
            );
        }
        Ok(side)
    }

    /// Adds a record; false if the picture has one of that method already. `seen` finds pictures by hash and path.
    fn take(
        &mut self,
        record: Record,
        place: RecordPlace,
        seen: &mut BTreeMap<(String, String), usize>,
    ) -> bool {
        let InputRecord { sha256, path: picture, .. } = record.input;
        let at = *seen.entry((sha256.clone(), picture.clone())).or_insert_with(|| {
            self.pictures.push(Seen { path: picture, sha256, records: BTreeMap::new() });
            self.pictures.len() - 1
        });
        self.records += 1;
        self.methods.insert(record.settings.method.clone());
        self.models.insert(record.model.name);
        let records = &mut self.pictures[at].records;
        let is_new = !records.contains_key(&record.settings.method);
        // The first stays: files come in the order of their names.
        records.entry(record.settings.method).or_insert(place);
        is_new
    }

    /// What the comparison says of the run.
    pub(super) fn described(&self) -> ComparedRun {
        ComparedRun {
            directory: self.directory.display().to_string(),
            models: self.models.iter().cloned().collect(),
            methods: self.methods.iter().cloned().collect(),
            records: self.records,
            unreadable: self.unreadable,
        }
    }
}

#[cfg(test)]
impl Side {
    /// A run of these pictures and methods.
    pub(super) fn of_parts(pictures: Vec<Seen>, methods: BTreeSet<String>) -> Self {
        Self { directory: PathBuf::from("run"), pictures, methods, ..Self::default() }
    }
}
