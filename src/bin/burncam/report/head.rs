//! The JSON data of the page but for its cards.

use serde::Serialize;

use super::rows::{Card, View, is_false};

/// What some card of the page has, which decides on lines of cards and on controls.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Kinds {
    /// Boxes that a detector found.
    found: bool,
    /// A map of something else than what was predicted.
    others: bool,
    /// Most targets of a record.
    targets: usize,
}

impl Kinds {
    /// Takes new maps of a card into account.
    pub(super) fn add(&mut self, card: &Card, views: &[View]) {
        let predicted = card.top.first().map(|(class, _)| *class);
        self.found |= !card.found.is_empty();
        self.others |= views.iter().any(|view| view.number.is_some() || predicted != Some(view.class));
        self.targets = views.iter().map(|view| view.at + 1).fold(self.targets, usize::max);
    }
}

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runs: Option<&'a Runs>,
    #[serde(flatten)]
    pub(super) some: Kinds,
    /// Number of cards whose rest is packed together.
    pub(super) pack: usize,
}

/// Two runs that are shown next to each other.
#[derive(Debug, Serialize)]
pub(crate) struct Runs {
    /// As they were named.
    pub(crate) first: String,
    pub(crate) second: String,
    /// Number of pictures that both have.
    pub(crate) both: usize,
    /// Number of pictures that only the second has.
    pub(crate) only_second: usize,
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
