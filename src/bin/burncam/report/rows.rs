//! The JSON data of the page, and the tables that keep it short.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// The artifacts that a card can show, best first.
pub(super) const SHOWN: &[&str] =
    &["overlay", "boxes", "side-by-side", "cut-out", "heatmap", "mask", "grey", "grey16"];

/// All data of the page. Methods, layers, classes and notes are indices into these tables.
#[derive(Debug, Serialize)]
pub(super) struct Data<'a> {
    pub(super) title: &'a str,
    /// Whether pictures are embedded.
    pub(super) embedded: bool,
    /// What the model does, where its records say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task: Option<&'static str>,
    /// Whether the model gives values, which are shown instead of probabilities.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) numbers: bool,
    /// Whether shares of the picture are shown instead of probabilities.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) shares: bool,
    pub(super) methods: &'a [String],
    pub(super) layers: &'a [String],
    pub(super) classes: &'a [(usize, String)],
    pub(super) notes: &'a [String],
    pub(super) cards: Vec<Card<'a>>,
}

/// A picture with its maps, or an input with an `error`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Card<'a> {
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) width: usize,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) height: usize,
    /// The true class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<usize>,
    /// Classes with probabilities or shares, the greatest first; or values in order.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) top: &'a [(usize, f64)],
    /// A detector's boxes, the surest first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) found: &'a [Found],
    /// URL of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original: Option<String>,
    /// A small version as a data URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thumb: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) views: Vec<View<'a>>,
}

/// A box that a detector found: its class, its probability, and left, top, right and bottom in pixels of the picture.
pub(super) type Found = (usize, f64, [f64; 4]);

/// A map of a picture.
#[derive(Debug, Default, Serialize)]
pub(super) struct View<'a> {
    /// Index of the target in its record.
    pub(super) at: usize,
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
    /// URL of the best artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<String>,
    /// A small version as a data URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thumb: Option<String>,
    /// Where the class wins in a segmentation: URL or data URI of its mask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mask: Option<String>,
    /// Kinds and URLs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<(&'a str, String)>,
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

/// A probability rounded to the digits that are shown.
pub(super) fn rounded(probability: f64) -> f64 {
    // Six digits are more than the page shows, and shorter than the shortest text of most numbers.
    (probability * 1e6).round() / 1e6
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
