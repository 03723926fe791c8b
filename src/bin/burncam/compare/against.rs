//! Another run next to the pictures of a run, for its report.
//!
//! Receives two runs, then the records of the first picture by picture; gives those of the other run and how far both are apart. Keeps places of
//! records only.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::record::{ComparedPicture, Record};

use super::maps::{Source, partners};
use super::pairs::{self, Pairs};
use super::side::Side;
use super::totals;
use crate::records::RecordPlace;

/// The other run.
#[derive(Debug)]
pub(crate) struct Against {
    /// Which method of the first run is compared with which of the other.
    methods: Vec<(String, String)>,
    /// Its records by method, of each picture of both runs by the hash and the path that this has in the first.
    pictures: HashMap<(String, String), BTreeMap<String, RecordPlace>>,
    /// Number of pictures that only the other run has.
    pub(crate) only_there: usize,
    /// Number of its records that could not be read, already reported.
    pub(crate) unreadable: usize,
}

/// A picture in both runs.
#[derive(Debug)]
pub(crate) struct Counterpart {
    pub(crate) picture: ComparedPicture,
    /// Of each pair of methods that it has.
    pub(crate) records: Vec<Matched>,
}

/// A record of the other run.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) record: Record,
    /// That of its files.
    pub(crate) directory: PathBuf,
    /// The method of the first run that it belongs to, as its records call it.
    pub(crate) method: String,
    /// Targets that belong together: the place in the first run's record, the place in this one, and the rank correlation of their maps, if they
    /// are of one class.
    pub(crate) targets: Vec<(usize, usize, Option<f64>)>,
}

impl Against {
    /// Finds what belongs together in two runs, as `compare` does.
    ///
    /// # Errors
    /// When a run has no records, or both have no picture or no method in common.
    pub(crate) fn read(first: &Path, other: &Path) -> Result<Self> {
        let (first, other) = (Side::read(first)?, Side::read(other)?);
        let pairs = Pairs::of(&first, &other);
        pairs.check(&first, &other)?;
        let pictures = pairs.both.iter();
        Ok(Self {
            methods: pairs::methods(&first, &other)?,
            pictures: pictures
                .map(|(one, other)| ((one.sha256.clone(), one.path.clone()), other.records.clone()))
                .collect(),
            only_there: pairs.only_second.len(),
            unreadable: other.unreadable,
        })
    }

    /// Number of pictures that both runs have.
    pub(crate) fn both(&self) -> usize {
        self.pictures.len()
    }

    /// What the other run has of a picture of the first, whose records are given, each with the directory of its files; `None` if nothing can be
    /// compared.
    ///
    /// # Errors
    /// When a record that was there is gone.
    pub(crate) fn of(&self, records: &[Record], directories: &[PathBuf]) -> Result<Option<Counterpart>> {
        let Some(first) = records.first() else { return Ok(None) };
        let picture = (first.input.sha256.clone(), first.input.path.clone());
        let Some(places) = self.pictures.get(&picture) else { return Ok(None) };
        let mut found: Vec<(Source, Record, &Path)> = Vec::new();
        for (method, other) in &self.methods {
            let one = records.iter().zip(directories).find(|(record, _)| record.settings.method == *method);
            if let (Some((record, directory)), Some(place)) = (one, places.get(other)) {
                let other = place.read().context("a record changed while it was compared")?;
                found.push((Source { record, directory }, other, place.directory()));
            }
        }
        let sources: Vec<(Source, Source)> =
            found.iter().map(|(one, record, directory)| (*one, Source { record, directory })).collect();
        let Some(picture) = totals::picture(&sources) else { return Ok(None) };
        let mut alike = picture.maps.iter().map(|map| map.spearman);
        let matched = |(one, record, directory): (Source, Record, &Path)| {
            let targets = partners(one.record, &record).into_iter();
            let targets = targets
                .map(|(first, second, same)| (first, second, alike.next().flatten().filter(|_| same)))
                .collect();
            Matched { method: one.record.method.clone(), directory: directory.to_owned(), targets, record }
        };
        let records = found.into_iter().map(matched).collect();
        Ok(Some(Counterpart { picture, records }))
    }
}
