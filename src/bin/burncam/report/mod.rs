//! `--report`: one HTML page to browse the results of a run.
//!
//! Receives records as they are made, with small pictures where the caller had the pixels at hand, and keeps the few fields that the
//! page shows. Writes one self-contained file with styles, script and data, and with the pictures of a small run. The page's behaviour
//! is in `*.js` in this folder.

mod agreement;
mod cards;
mod document;
mod entries;
mod finished;
mod head;
mod legend;
pub(crate) mod link;
mod overview;
mod packed;
mod rows;
mod second;
pub(crate) mod small;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burncam::internal::output::OutputFile;
use burncam::record::{Artifact, Prediction, Record, Summary, TargetRecord};
use burncam_graph::card::Task;

pub(crate) use self::finished::{page, run};
use agreement::Agreement;
use cards::Cards;
use document::Part;
use head::{Head, Legend, Runs};
use packed::packed;
use rows::{Card, Embedded, Table, View};
use small::{Small, SmallMap};

/// Up to this many maps the page embeds their pictures, as JPEGs of about 15 kB each. A larger page would be slow to
/// open, so it loads files as they scroll into view.
pub(crate) const MOST_EMBEDDED: usize = 200;

/// A page under construction.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it will be.
    path: PathBuf,
    /// The absolute directory of that.
    folder: PathBuf,
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
    /// Kinds of files.
    kinds: Table<String>,
    /// That of the first record, as all have one style.
    legend: Option<Legend>,
    runs: Option<Runs>,
    /// The maps of the last card.
    maps: Agreement,
    cards: Cards,
}

impl Page {
    /// An empty page, to be written to `path`. `title` is the model's name; an empty one is taken from the first record.
    ///
    /// # Errors
    /// When the current directory is unknown.
    pub(crate) fn new(title: &str, path: &Path) -> Result<Self> {
        let folder = link::folder_of(path).with_context(|| format!("report '{}'", path.display()))?;
        Ok(Self {
            path: path.to_path_buf(),
            folder: folder.clone(),
            title: title.to_owned(),
            numbers: false,
            shares: false,
            task: None,
            methods: Table::default(),
            layers: Table::default(),
            classes: Table::default(),
            notes: Table::default(),
            kinds: Table::default(),
            legend: None,
            runs: None,
            maps: Agreement::default(),
            cards: Cards::new(folder),
        })
    }

    /// Adds a record whose files are in `directory`, and its small pictures where they are made already. Records of one
    /// picture come one after the other, and share a card.
    pub(crate) fn add(&mut self, record: &Record, directory: &Path, small: Option<&Small>) {
        // Of two embeddings the cosine is a number, too.
        self.numbers |= record.is_regression || record.predictions.iter().any(|each| each.number.is_some());
        self.shares |= record.predictions.iter().any(|each| each.share.is_some());
        if self.title.is_empty() {
            self.title.clone_from(&record.model.name);
        }
        self.task = self.task.or(record.model.task.map(Task::name));
        self.legend = self.legend.take().or_else(|| legend::of(record));
        let small_map = |at: usize| small.and_then(|small| small.maps.get(at));
        let views: Vec<View> =
            (0..record.targets.len()).map(|at| self.view(record, at, directory, small_map(at))).collect();
        if !self.cards.last_is(&record.input.path) {
            let card = self.card(record, directory, small);
            self.cards.push(card);
            self.maps = Agreement::default();
        }
        self.maps.add(record);
        self.cards.extend(views, self.maps.least());
    }

    /// Adds how much of a record's heat is outside of the boxes of its objects, to the card of the last record.
    pub(crate) fn heat_outside(&mut self, share: Option<f64>) {
        self.cards.heat_outside(share.map(rows::rounded));
    }

    /// Adds an input that could not be explained.
    pub(crate) fn fail(&mut self, path: &str, error: &str) {
        let error = Some(error.to_owned());
        self.cards.push(Card { path: path.to_owned(), error, ..Card::default() });
    }

    /// Writes the page atomically. `summary` is of the same images.
    ///
    /// # Errors
    /// When the file exists and `overwrite` is off, or cannot be written.
    pub(crate) fn write(self, overwrite: bool, summary: &Summary) -> Result<()> {
        let (overview, head) = (overview::section(summary)?, self.head()?);
        let path = self.path.clone();
        let page = OutputFile::staged(path, |out| {
            let mut out = BufWriter::new(out);
            self.document(&head, &overview, &mut out)?;
            out.flush()
        })?;
        Ok(OutputFile::put_in_place(vec![page], vec![], overwrite)?)
    }

    fn document(self, head: &str, overview: &str, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = self.cards.lines()?;
        document::write(out, overview, |part, out| match part {
            Part::Data => packed(out, |out| {
                writeln!(out, "{head}")?;
                cards::write_keys(&mut *lines, out)
            }),
            Part::Cards => cards::write_rests(&mut *lines, out),
        })
    }

    /// The page's data but for its cards.
    fn head(&self) -> Result<String> {
        Ok(serde_json::to_string(&Head {
            title: &self.title,
            embedded: self.cards.are_embedded(),
            task: self.task,
            numbers: self.numbers,
            shares: self.shares,
            methods: self.methods.all(),
            layers: self.layers.all(),
            classes: self.classes.all(),
            notes: self.notes.all(),
            kinds: self.kinds.all(),
            legend: self.legend.as_ref(),
            runs: self.runs.as_ref(),
            some: self.cards.kinds,
            pack: cards::PACK,
        })?)
    }

    /// The card of a picture, still without maps.
    fn card(&mut self, record: &Record, directory: &Path, small: Option<&Small>) -> Card {
        let mut class = |target: usize, name: &str| self.classes.place((target, name.to_owned()));
        let label = rows::one_label(record).map(|label| class(label.target, &label.class_name));
        let found = record.detections.iter().map(|each| {
            let place = [each.left, each.top, each.right, each.bottom];
            (class(each.target, &each.class_name), rows::rounded(each.proba), place)
        });
        let found = found.collect();
        let input = &record.input;
        // A tensor is not a picture, and standard input cannot be read again.
        let is_picture = input.format != "npy" && input.path != "-";
        // Records of earlier versions only have the path from the directory in which they were made.
        let near = input.file.as_ref().map(|file| directory.join(file)).filter(|file| file.is_file());
        let file = is_picture.then(|| near.unwrap_or_else(|| PathBuf::from(&input.path)));
        let original = file.as_deref().filter(|file| file.is_file());
        Card {
            path: input.path.clone(),
            error: None,
            format: Some(input.format.clone()),
            width: input.width,
            height: input.height,
            label,
            given: record.label_proba.map(rows::rounded),
            place: record.label_rank,
            top: self.top(record),
            found,
            original: original.and_then(|file| link::relative(&self.folder, file)),
            small: Embedded { data: file.as_ref().and(small).and_then(|small| small.photo.clone()), file },
            views: vec![],
            ..Card::default()
        }
    }

    /// The classes of a record with what is said of each.
    fn top(&mut self, record: &Record) -> Vec<(usize, f64)> {
        let classes = &mut self.classes;
        let of =
            |each: &Prediction| (classes.place((each.target, each.class_name.clone())), rows::amount(each));
        record.predictions.iter().map(of).collect()
    }

    /// The class that others are compared with; its name is known where it is among the predictions.
    fn rival(&mut self, record: &Record) -> Option<usize> {
        let rival = record.settings.request.as_ref()?.against?;
        let known = record.predictions.iter().find(|each| each.target == rival);
        let name = known.map_or_else(|| rival.to_string(), |each| each.class_name.clone());
        Some(self.classes.place((rival, name)))
    }

    fn view(&mut self, record: &Record, at: usize, directory: &Path, small: Option<&SmallMap>) -> View {
        let target = &record.targets[at];
        let layers: Vec<String> = record
            .layers
            .iter()
            .map(|layer| format!("{} ({}x{}x{})", layer.name, layer.channels, layer.height, layer.width))
            .collect();
        let files = self.files(target, directory, small);
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
            boxes: target.boxes.iter().map(|b| [b.left, b.top, b.right, b.bottom]).collect(),
            ..files
        };
        if let Some(link) =
            record.file.as_ref().and_then(|file| link::relative(&self.folder, &directory.join(file)))
        {
            view.files.push((self.kinds.place("record".to_owned()), link));
        }
        view.blank = target.finding.clone().map(|finding| self.notes.place(finding));
        view.notes = rows::warnings_of(record).map(|warning| self.notes.place(warning.clone())).collect();
        view
    }

    /// The pictures of a target, and the addresses of all of its files.
    fn files(&mut self, target: &TargetRecord, directory: &Path, small: Option<&SmallMap>) -> View {
        let of_kind = |kind: &str| target.artifacts.iter().find(|file| file.kind == kind);
        let folder = &self.folder;
        let link = |file: &Artifact| link::relative(folder, &directory.join(&file.file));
        let embedded = |file: Option<&Artifact>, data: Option<&String>| Embedded {
            data: data.cloned(),
            file: file.map(|file| directory.join(&file.file)),
        };
        let shown = rows::SHOWN.iter().find_map(|kind| of_kind(kind));
        let mask = of_kind(CLASS_MASK);
        let others = target.artifacts.iter().filter(|file| Some(*file) != shown);
        let files = shown.into_iter().chain(others);
        let kinds = &mut self.kinds;
        View {
            shown: shown.and_then(link).is_some(),
            small: embedded(shown, small.and_then(|small| small.overlay.as_ref())),
            mask: mask.and_then(link),
            small_mask: embedded(mask, small.and_then(|small| small.mask.as_ref())),
            files: files.filter_map(|file| Some((kinds.place(file.kind.clone()), link(file)?))).collect(),
            ..View::default()
        }
    }
}

/// The artifact that is the mask of a segmentation's class.
const CLASS_MASK: &str = "mask-of-class";
