//! What the page's script reads: the JSON in the page, and the tables that keep it short.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// The artifacts that a card can show, the best first.
pub(super) const SHOWN: &[&str] =
    &["overlay", "boxes", "side-by-side", "cut-out", "heatmap", "mask", "grey", "grey16"];

/// All that the page knows. Methods, layers, classes and notes are referred to by their place in these tables.
#[derive(Debug, Serialize)]
pub(super) struct Data<'a> {
    pub(super) title: &'a str,
    /// Small pictures are in the page.
    pub(super) embedded: bool,
    /// The model gives numbers, which stand in the places of probabilities.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) numbers: bool,
    pub(super) methods: &'a [String],
    pub(super) layers: &'a [String],
    pub(super) classes: &'a [(usize, String)],
    pub(super) notes: &'a [String],
    pub(super) cards: Vec<Card<'a>>,
}

/// A picture with its maps, or, with `error`, an input without any.
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
    /// Classes and probabilities, most probable first; or numbers in their order.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) top: &'a [(usize, f64)],
    /// Address of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original: Option<String>,
    /// The picture itself, small, as a data URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thumb: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) views: Vec<View<'a>>,
}

/// A map of a picture.
#[derive(Debug, Default, Serialize)]
pub(super) struct View<'a> {
    /// Place of the target in its record.
    pub(super) at: usize,
    pub(super) method: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) layer: Option<usize>,
    pub(super) class: usize,
    pub(super) proba: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rank: Option<usize>,
    /// Why there is nothing on it, a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blank: Option<usize>,
    /// Warnings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<usize>,
    /// Left, top, right and bottom in pixels of the picture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) boxes: Vec<[usize; 4]>,
    /// Address of the file that shows it best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<String>,
    /// The same, small, as a data URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thumb: Option<String>,
    /// Kinds and addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<(&'a str, String)>,
}

/// Things that many cards name, each once, in the order in which they came.
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
    /// Where a thing stands; it is added if it is new.
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

/// A probability with as many digits as anybody reads.
pub(super) fn rounded(probability: f64) -> f64 {
    (probability * 1e6).round() / 1e6
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
