//! `--report`: one HTML page to browse the results of a run.
//!
//! Receives records as they are made and keeps the few fields that the page shows. Writes one self-contained file
//! with styles, script and data, and with the pictures of a small run. The page's behaviour is in `*.js` in this
//! folder.

mod document;
pub(crate) mod link;
mod overview;
mod rows;
pub(crate) mod small;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::internal::output::{self, OutputFile};
use burncam::record::{LabelRecord, Record, Summary, TargetRecord};
use burncam_graph::card::Task;
use rayon::prelude::*;

use rows::{Card, Data, Found, Table, View};

/// Up to this many maps the page embeds their pictures, as JPEGs of about 15 kB each. A larger page would be slow to
/// open, so it loads files as they scroll into view.
const MOST_EMBEDDED: usize = 200;

/// A page under construction.
#[derive(Debug)]
pub(crate) struct Page {
    title: String,
    /// Whether the model gives values instead of classes.
    numbers: bool,
    /// Whether it gives a class for each pixel, whose shares are shown.
    shares: bool,
    task: Option<&'static str>,
    methods: Table<String>,
    layers: Table<String>,
    /// Class index and name.
    classes: Table<(usize, String)>,
    /// Warnings and findings.
    notes: Table<String>,
    entries: Vec<Entry>,
    by_path: HashMap<String, usize>,
}

/// A card of the page.
#[derive(Debug)]
enum Entry {
    Picture(Picture),
    Failure { path: String, error: String },
}

#[derive(Debug)]
struct Picture {
    path: String,
    format: String,
    size: (usize, usize),
    label: Option<usize>,
    top: Vec<(usize, f64)>,
    found: Vec<Found>,
    maps: Vec<Map>,
}

/// One target of one record.
#[derive(Debug)]
struct Map {
    view: View<'static>,
    directory: PathBuf,
    /// Kinds and file names.
    files: Vec<(String, String)>,
}

impl Page {
    /// An empty page. `title` is the model's name.
    pub(crate) fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            numbers: false,
            shares: false,
            task: None,
            methods: Table::default(),
            layers: Table::default(),
            classes: Table::default(),
            notes: Table::default(),
            entries: vec![],
            by_path: HashMap::new(),
        }
    }

    /// Adds a record whose files are in `directory`. Records of the same picture share a card.
    pub(crate) fn add(&mut self, record: &Record, directory: &Path) {
        // Of two embeddings the cosine is a number, too.
        self.numbers |= record.is_regression || record.predictions.iter().any(|each| each.number.is_some());
        self.shares |= record.predictions.iter().any(|each| each.share.is_some());
        self.task = self.task.or(record.model.task.map(Task::name));
        let maps: Vec<Map> = (0..record.targets.len()).map(|at| self.map(record, at, directory)).collect();
        let at = match self.by_path.get(&record.input.path) {
            Some(at) => *at,
            None => {
                let picture = self.picture(record);
                self.entries.push(Entry::Picture(picture));
                self.by_path.insert(record.input.path.clone(), self.entries.len() - 1);
                self.entries.len() - 1
            }
        };
        if let Entry::Picture(picture) = &mut self.entries[at] {
            picture.maps.extend(maps);
        }
    }

    /// Adds an input that could not be explained.
    pub(crate) fn fail(&mut self, path: &str, error: &str) {
        self.entries.push(Entry::Failure { path: path.to_owned(), error: error.to_owned() });
    }

    /// Writes the page atomically. `summary` is of the same images.
    ///
    /// # Errors
    /// When the file exists and `overwrite` is off, or cannot be written.
    pub(crate) fn write(&self, to: &Path, overwrite: bool, summary: &Summary) -> Result<()> {
        let document = self.document(to, summary)?;
        let file = OutputFile { path: to.to_path_buf(), bytes: document.into_bytes() };
        Ok(output::write_together(&[file], &[], overwrite)?)
    }

    fn document(&self, to: &Path, summary: &Summary) -> Result<String> {
        let folder = link::folder_of(to).with_context(|| format!("report '{}'", to.display()))?;
        let maps: usize = self
            .entries
            .iter()
            .map(|entry| if let Entry::Picture(picture) = entry { picture.maps.len() } else { 0 })
            .sum();
        let embedded = maps <= MOST_EMBEDDED;
        let cards = self.entries.par_iter().map(|entry| entry.card(&folder, embedded)).collect();
        let data = Data {
            title: &self.title,
            embedded,
            task: self.task,
            numbers: self.numbers,
            shares: self.shares,
            methods: self.methods.all(),
            layers: self.layers.all(),
            classes: self.classes.all(),
            notes: self.notes.all(),
            cards,
        };
        Ok(document::document(&serde_json::to_string(&data)?, &overview::section(summary)?))
    }

    fn picture(&mut self, record: &Record) -> Picture {
        let mut class = |target: usize, name: &str| self.classes.place((target, name.to_owned()));
        Picture {
            path: record.input.path.clone(),
            format: record.input.format.clone(),
            size: (record.input.width, record.input.height),
            label: one_label(record).map(|label| class(label.target, &label.class_name)),
            top: record
                .predictions
                .iter()
                .map(|each| {
                    let shown = each.proba.or(each.share).map(rows::rounded).or(each.number);
                    (class(each.target, &each.class_name), shown.unwrap_or_default())
                })
                .collect(),
            found: record
                .detections
                .iter()
                .map(|each| {
                    let place = [each.left, each.top, each.right, each.bottom];
                    (class(each.target, &each.class_name), rows::rounded(each.proba), place)
                })
                .collect(),
            maps: vec![],
        }
    }

    /// The class that others are compared with; its name is known where it is among the predictions.
    fn rival(&mut self, record: &Record) -> Option<usize> {
        let rival = record.settings.request.as_ref()?.against?;
        let known = record.predictions.iter().find(|each| each.target == rival);
        let name = known.map_or_else(|| rival.to_string(), |each| each.class_name.clone());
        Some(self.classes.place((rival, name)))
    }

    fn map(&mut self, record: &Record, at: usize, directory: &Path) -> Map {
        let target = &record.targets[at];
        let layers: Vec<String> = record
            .layers
            .iter()
            .map(|layer| format!("{} ({}x{}x{})", layer.name, layer.channels, layer.height, layer.width))
            .collect();
        let mut view = View {
            at,
            method: self.methods.place(record.method.clone()),
            layer: (!layers.is_empty()).then(|| self.layers.place(layers.join(", "))),
            class: self.classes.place((target.target, target.class_name.clone())),
            proba: target.proba.or(target.share).map_or(target.score, rows::rounded),
            rank: target.rank,
            number: target.box_number,
            pixels: target.pixels,
            against: self.rival(record),
            blank: None,
            notes: vec![],
            boxes: target.boxes.iter().map(|b| [b.left, b.top, b.right, b.bottom]).collect(),
            ..View::default()
        };
        view.blank = target.finding.clone().map(|finding| self.notes.place(finding));
        view.notes = warnings_of(record).map(|warning| self.notes.place(warning.clone())).collect();
        let files = target.artifacts.iter().map(|file| (file.kind.clone(), file.file.clone())).collect();
        Map { view, directory: directory.to_path_buf(), files }
    }
}

/// The artifact that is the mask of a segmentation's class.
const CLASS_MASK: &str = "mask-of-class";

/// The record's warnings, without those that only repeat a target's finding.
fn warnings_of(record: &Record) -> impl Iterator<Item = &String> {
    record.warnings.iter().filter(|warning| {
        let repeats = |target: &TargetRecord| {
            target.finding.as_ref().is_some_and(|finding| warning.ends_with(finding.as_str()))
        };
        !record.targets.iter().any(repeats)
    })
}

impl Entry {
    /// The card's data; `folder` is the page's.
    fn card(&self, folder: &Path, embedded: bool) -> Card<'_> {
        match self {
            Self::Failure { path, error } => Card { path, error: Some(error), ..Card::default() },
            Self::Picture(picture) => picture.card(folder, embedded),
        }
    }
}

impl Picture {
    fn card(&self, folder: &Path, embedded: bool) -> Card<'_> {
        // A tensor is not a picture, and standard input cannot be read again.
        let file = (self.format != "npy" && self.path != "-").then(|| Path::new(&self.path));
        Card {
            path: &self.path,
            format: Some(&self.format),
            width: self.size.0,
            height: self.size.1,
            label: self.label,
            top: &self.top,
            found: &self.found,
            original: file.filter(|file| file.is_file()).and_then(|file| link::relative(folder, file)),
            thumb: file.filter(|_| embedded).and_then(small::data_uri),
            views: self.maps.iter().map(|map| map.view(folder, embedded)).collect(),
            error: None,
        }
    }
}

impl Map {
    fn view(&self, folder: &Path, embedded: bool) -> View<'_> {
        let link = |name: &str| link::relative(folder, &self.directory.join(name));
        let mask = self.files.iter().find(|(kind, _)| kind == CLASS_MASK).map(|(_, name)| name);
        let shown = rows::SHOWN.iter().find_map(|kind| self.files.iter().find(|(each, _)| each == kind));
        View {
            picture: shown.and_then(|(_, name)| link(name)),
            thumb: shown
                .filter(|_| embedded)
                .and_then(|(_, name)| small::data_uri(&self.directory.join(name))),
            mask: mask.and_then(|name| match embedded {
                true => small::data_uri(&self.directory.join(name)),
                false => link(name),
            }),
            files: self.files.iter().filter_map(|(kind, name)| Some((kind.as_str(), link(name)?))).collect(),
            notes: self.view.notes.clone(),
            boxes: self.view.boxes.clone(),
            ..self.view
        }
    }
}

/// The true class of a picture; of several the one that is predicted, if any.
fn one_label(record: &Record) -> Option<&LabelRecord> {
    let best = record.predictions.first().map(|best| best.target);
    let labels = record.true_classes();
    labels.iter().find(|label| best == Some(label.target)).or(labels.first())
}
