//! The JSON data of the page's cards, and the tables that keep it short.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::path::PathBuf;

use burncam::record::{LabelRecord, Prediction, Record, TargetRecord};
use serde::Serialize;

use super::small::data_uri;

/// The artifacts that a card can show, best first.
pub(super) const SHOWN: &[&str] =
    &["overlay", "boxes", "side-by-side", "cut-out", "heatmap", "mask", "grey", "grey16"];

/// What filters and orders look at: path, error, true class and its probability, predicted class and what is said of it, agreement, share of the heat
/// outside of boxes, notes, and of a second run the class, what is said of it, whether the class changed, and how alike the maps are.
pub(super) type Keys<'a> = (
    &'a str,
    Option<&'a str>,
    Option<usize>,
    Option<f64>,
    Option<usize>,
    Option<f64>,
    Option<f64>,
    Option<f64>,
    BTreeSet<usize>,
    Option<(Option<usize>, Option<f64>, bool, Option<f64>)>,
);

/// A picture with its maps, or an input with an `error`. What is not serialised are its keys.
#[derive(Debug, Default, Serialize)]
pub(super) struct Card {
    #[serde(skip)]
    pub(super) path: String,
    #[serde(skip)]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) width: usize,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) height: usize,
    /// The true class.
    #[serde(skip)]
    pub(super) label: Option<usize>,
    /// Probability of the true class.
    #[serde(skip)]
    pub(super) given: Option<f64>,
    /// Rank of the true class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<usize>,
    /// The least rank correlation between the maps of two methods.
    #[serde(skip)]
    pub(super) agreement: Option<f64>,
    /// Share of the heat outside of the boxes of the explained class.
    #[serde(skip)]
    pub(super) outside: Option<f64>,
    /// Classes with probabilities or shares, the greatest first; or values in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) top: Vec<(usize, f64)>,
    /// A detector's boxes, the surest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) found: Vec<Found>,
    /// URL of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original: Option<String>,
    #[serde(skip_serializing_if = "Embedded::is_none", rename = "thumb")]
    pub(super) small: Embedded,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) views: Vec<View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) second: Option<Second>,
}

/// What the second run says of a picture.
#[derive(Debug, Default, Serialize)]
pub(super) struct Second {
    /// As of the card.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) top: Vec<(usize, f64)>,
    /// Whether it predicts another class.
    #[serde(skip)]
    pub(super) changed: bool,
    /// Whether it is right, where the true class is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) right: Option<bool>,
    /// Mean rank correlation between the maps of both runs of one class.
    #[serde(skip)]
    pub(super) alike: Option<f64>,
    pub(super) views: Vec<View>,
}

/// A small version of a picture.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Embedded {
    /// As a data URI.
    pub(super) data: Option<String>,
    /// The file that it is made from where there is no data.
    #[serde(skip)]
    pub(super) file: Option<PathBuf>,
}

impl Embedded {
    fn is_none(&self) -> bool {
        self.data.is_none()
    }

    /// Makes the data from the file, if it is missing.
    fn complete(&mut self) {
        if self.data.is_none() {
            self.data = self.file.take().as_deref().and_then(data_uri);
        }
    }
}

impl Card {
    pub(super) fn keys(&self) -> Keys<'_> {
        let best = |top: &[(usize, f64)]| (top.first().map(|best| best.0), top.first().map(|best| best.1));
        let (predicted, amount) = best(&self.top);
        let second = self.second.as_ref().map(|second| {
            let (class, amount) = best(&second.top);
            (class, amount, second.changed, second.alike)
        });
        let notes =
            self.views.iter().flat_map(|view| view.blank.iter().chain(&view.notes)).copied().collect();
        let error = self.error.as_deref();
        (
            &self.path,
            error,
            self.label,
            self.given,
            predicted,
            amount,
            self.agreement,
            self.outside,
            notes,
            second,
        )
    }

    /// For a page that embeds its pictures.
    pub(super) fn embed(&mut self) {
        self.small.complete();
        for view in self.all_views() {
            view.small.complete();
            view.small_mask.complete();
            view.mask = view.small_mask.data.take();
        }
    }

    /// For a page that loads its pictures from their files.
    pub(super) fn link(&mut self) {
        self.small = Embedded::default();
        for view in self.all_views() {
            view.small = Embedded::default();
        }
    }

    /// The maps of both runs.
    fn all_views(&mut self) -> impl Iterator<Item = &mut View> {
        self.views.iter_mut().chain(self.second.iter_mut().flat_map(|second| &mut second.views))
    }
}

/// A box that a detector found: its class, its probability, and left, top, right and bottom in pixels of the picture.
pub(super) type Found = (usize, f64, [f64; 4]);

/// The number of a map of the second run, and its rank correlation with one of the first.
pub(super) type Paired = (usize, Option<f64>);

/// A map of a picture.
#[derive(Debug, Default, Serialize)]
pub(super) struct View {
    /// Index of the target in its record.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) at: usize,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) method: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) layer: Option<usize>,
    pub(super) class: usize,
    pub(super) proba: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rank: Option<usize>,
    /// Number of the box that is explained, from 1, instead of a class.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<usize>,
    /// Number of the network's pixels that the score is a sum over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pixels: Option<usize>,
    /// The class whose logit is subtracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) against: Option<usize>,
    /// Why the map is blank, as a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blank: Option<usize>,
    /// Warnings, as notes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<usize>,
    /// Left, top, right and bottom in pixels of the picture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) boxes: Vec<[usize; 4]>,
    /// The map of the second run that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) second: Option<Paired>,
    /// Whether the first file is a picture of the map.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) shown: bool,
    #[serde(skip_serializing_if = "Embedded::is_none", rename = "thumb")]
    pub(super) small: Embedded,
    /// Where the class wins in a segmentation: URL of its mask; its data URI once pictures are embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mask: Option<String>,
    #[serde(skip)]
    pub(super) small_mask: Embedded,
    /// Kinds and URLs, what cards show first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<(usize, String)>,
}

/// Distinct values in order of first use.
#[derive(Debug)]
pub(super) struct Table<T> {
    all: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { all: vec![], places: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    /// The index of a value, which is added if it is new.
    pub(super) fn place(&mut self, thing: T) -> usize {
        *self.places.entry(thing).or_insert_with_key(|thing| {
            self.all.push(thing.clone());
            self.all.len() - 1
        })
    }

    pub(super) fn all(&self) -> &[T] {
        &self.all
    }
}

/// What is said of a class: its probability, its share of the picture, or the number that the model gives.
pub(super) fn amount(prediction: &Prediction) -> f64 {
    prediction.proba.or(prediction.share).map(rounded).or(prediction.number).unwrap_or_default()
}

/// The record's warnings, without those that only repeat a target's finding.
pub(super) fn warnings_of(record: &Record) -> impl Iterator<Item = &String> {
    record.warnings.iter().filter(|warning| {
        let repeats = |target: &TargetRecord| {
            target.finding.as_ref().is_some_and(|finding| warning.ends_with(finding.as_str()))
        };
        !record.targets.iter().any(repeats)
    })
}

/// The true class of a picture; of several the one that is predicted, if any.
pub(super) fn one_label(record: &Record) -> Option<&LabelRecord> {
    let best = record.predictions.first().map(|best| best.target);
    let labels = record.true_classes();
    labels.iter().find(|label| best == Some(label.target)).or(labels.first())
}

/// A probability rounded to the digits that are shown.
pub(super) fn rounded(probability: f64) -> f64 {
    // Six digits are more than the page shows, and shorter than the shortest text of most numbers.
    (probability * 1e6).round() / 1e6
}

pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
