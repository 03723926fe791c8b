//! The cards of a page under construction: in memory while the page may embed their pictures, then in a temporary file.
//!
//! Receives cards and maps one by one; writes them all as elements of a JSON array. Memory does not grow with the number of pictures.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::PathBuf;

use rayon::prelude::*;

use super::MOST_EMBEDDED;
use super::document::harmless;
use super::rows::{Card, View};

/// Cards in the order of the page.
#[derive(Debug)]
pub(super) struct Cards {
    /// The folder of the page, which has room for the page and so for the temporary file.
    folder: PathBuf,
    /// Cards that are not in the file: all of them, or the last one.
    kept: Vec<Card>,
    maps: usize,
    file: Option<BufWriter<File>>,
    /// Why the file could not be written. The run goes on without a page.
    failure: Option<io::Error>,
}

impl Cards {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, kept: vec![], maps: 0, file: None, failure: None }
    }

    /// Whether the page embeds small pictures.
    pub(super) fn are_embedded(&self) -> bool {
        self.maps <= MOST_EMBEDDED
    }

    /// Whether the last card is that of this picture.
    pub(super) fn last_is(&self, path: &str) -> bool {
        self.kept.last().is_some_and(|card| card.path == path && card.error.is_none())
    }

    /// Adds a card.
    pub(super) fn push(&mut self, card: Card) {
        if !self.are_embedded() {
            self.put_away();
        }
        self.kept.push(card);
    }

    /// Adds maps to the last card, and how much its maps agree by now.
    pub(super) fn extend(&mut self, views: Vec<View>, agreement: Option<f64>) {
        self.maps += views.len();
        if let Some(card) = self.kept.last_mut() {
            card.views.extend(views);
            card.agreement = agreement;
        }
    }

    /// Adds the share of the heat outside of boxes to the last card, which has the greatest of all methods.
    pub(super) fn heat_outside(&mut self, share: Option<f64>) {
        if let Some(card) = self.kept.last_mut() {
            card.outside = share.into_iter().chain(card.outside).reduce(f64::max);
        }
    }

    /// Writes all cards, separated by commas.
    ///
    /// # Errors
    /// When they cannot be written, or could not be put away.
    pub(super) fn write(mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.are_embedded() {
            self.kept.par_iter_mut().for_each(Card::embed);
            return write_all(&self.kept, true, out);
        }
        self.put_away();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let Some(file) = self.file else { return Ok(()) };
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        io::copy(&mut file, out).map(|_| ())
    }

    /// Moves all cards to the file.
    fn put_away(&mut self) {
        let mut cards = std::mem::take(&mut self.kept);
        cards.iter_mut().for_each(Card::link);
        if self.failure.is_none()
            && let Err(failure) = self.append(&cards)
        {
            self.failure = Some(failure);
        }
    }

    fn append(&mut self, cards: &[Card]) -> io::Result<()> {
        let is_first = self.file.is_none();
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                std::fs::create_dir_all(&self.folder)?;
                self.file.insert(BufWriter::new(tempfile::tempfile_in(&self.folder)?))
            }
        };
        write_all(cards, is_first, file)
    }
}

/// Writes cards with a comma before each but the page's first.
fn write_all(cards: &[Card], has_first: bool, out: &mut dyn Write) -> io::Result<()> {
    for (at, card) in cards.iter().enumerate() {
        if at > 0 || !has_first {
            out.write_all(b",")?;
        }
        out.write_all(harmless(&serde_json::to_string(card)?).as_bytes())?;
    }
    Ok(())
}
