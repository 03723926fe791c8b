//! The JSON data of the page, and the tables that keep it short.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;

use serde::Serialize;

use super::small::data_uri;

/// The artifacts that a card can show, best first.
pub(super) const SHOWN: &[&str] =
    &["overlay", "boxes", "side-by-side", "cut-out", "heatmap", "mask", "grey", "grey16"];

/// The page's data but for its cards. Methods, layers, classes and notes are indices into these tables.
#[derive(Debug, Serialize)]
pub(super) struct Head<'a> {
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
    /// Kinds of files.
    pub(super) kinds: &'a [String],
    /// What the colours mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) legend: Option<&'a Legend>,
}

/// What the colours of the overlays mean.
#[derive(Debug, Serialize)]
pub(super) struct Legend {
    /// Data URI of the colours, from the least to the greatest value.
    pub(super) bar: String,
    /// Whether zero is in the middle.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) diverging: bool,
    /// Where colours end, when the network sees a part of the picture only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crop: Option<&'static str>,
}

/// A picture with its maps, or an input with an `error`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Card {
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) width: usize,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) height: usize,
    /// The true class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<usize>,
    /// Probability of the true class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) given: Option<f64>,
    /// Rank of the true class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<usize>,
    /// The least rank correlation between the maps of two methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agreement: Option<f64>,
    /// Share of the heat outside of the boxes of the explained class.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// For a page that embeds its pictures.
    pub(super) fn embed(&mut self) {
        self.small.complete();
        for view in &mut self.views {
            view.small.complete();
            view.small_mask.complete();
            view.mask = view.small_mask.data.take();
        }
    }

    /// For a page that loads its pictures from their files.
    pub(super) fn link(&mut self) {
        self.small = Embedded::default();
        for view in &mut self.views {
            view.small = Embedded::default();
        }
    }
}

/// A box that a detector found: its class, its probability, and left, top, right and bottom in pixels of the picture.
pub(super) type Found = (usize, f64, [f64; 4]);

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
