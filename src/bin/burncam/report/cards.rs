//! The cards of a page under construction: in memory while the page may embed their pictures, then in a temporary file.
//!
//! Receives cards and maps one by one; gives what all of them are filtered and sorted by, and the rest, which the page reads when it draws
//! a card. Memory does not grow with the number of pictures.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Cursor, Seek, Write};
use std::path::PathBuf;

use rayon::prelude::*;

use super::MOST_EMBEDDED;
use super::head::Kinds;
use super::packed::packed;
use super::rows::{Card, Paired, Second, View};

/// Cards whose rest is packed together: as many as a few windows show, so that a page of many unpacks what it shows.
pub(super) const PACK: usize = 256;

/// Cards in the order of the page.
#[derive(Debug)]
pub(super) struct Cards {
    /// The folder of the page, which has room for the page and so for the temporary file.
    folder: PathBuf,
    /// Cards that are not in the file: all of them, or the last one.
    kept: Vec<Card>,
    maps: usize,
    /// What some card has.
    pub(super) kinds: Kinds,
    file: Option<BufWriter<File>>,
    /// Why the file could not be written. The run goes on without a page.
    failure: Option<io::Error>,
}

impl Cards {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, kept: vec![], maps: 0, kinds: Kinds::default(), file: None, failure: None }
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
            self.kinds.add(card, &views);
            card.views.extend(views);
            card.agreement = agreement;
        }
    }

    /// Adds what the second run says of the last card's picture. `maps` are indices of a method and of a target of the first run, with the map of the
    /// second that they belong to.
    pub(super) fn second(&mut self, second: Second, maps: &[((usize, usize), Paired)]) {
        self.maps += second.views.len();
        let Some(card) = self.kept.last_mut() else { return };
        for view in &mut card.views {
            let found = maps.iter().find(|(of, _)| *of == (view.method, view.at));
            view.second = found.map(|(_, map)| *map);
        }
        card.second = Some(second);
    }

    /// Adds the share of the heat outside of boxes to the last card, which has the greatest of all methods.
    pub(super) fn heat_outside(&mut self, share: Option<f64>) {
        if let Some(card) = self.kept.last_mut() {
            card.outside = share.into_iter().chain(card.outside).reduce(f64::max);
        }
    }

    /// A line for each card: its keys, a tab, and the rest.
    ///
    /// # Errors
    /// When they could not be put away.
    pub(super) fn lines(mut self) -> io::Result<Box<dyn Lines>> {
        if self.are_embedded() {
            self.kept.par_iter_mut().for_each(Card::embed);
            let mut lines = vec![];
            write_all(&self.kept, &mut lines)?;
            return Ok(Box::new(Cursor::new(lines)));
        }
        self.put_away();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let Some(file) = self.file else { return Ok(Box::new(Cursor::new(vec![]))) };
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Box::new(BufReader::new(file)))
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
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                std::fs::create_dir_all(&self.folder)?;
                self.file.insert(BufWriter::new(tempfile::tempfile_in(&self.folder)?))
            }
        };
        write_all(cards, file)
    }
}

/// Writes a line for each card.
fn write_all(cards: &[Card], out: &mut dyn Write) -> io::Result<()> {
    cards.iter().try_for_each(|card| {
        writeln!(out, "{}\t{}", serde_json::to_string(&card.keys())?, serde_json::to_string(card)?)
    })
}

/// Lines that are read several times.
pub(super) trait Lines: BufRead + Seek {}

impl<T: BufRead + Seek> Lines for T {}

/// Writes the keys of all cards, as a JSON array.
///
/// # Errors
/// When they cannot be read or written.
pub(super) fn write_keys(lines: &mut dyn Lines, out: &mut dyn Write) -> io::Result<()> {
    lines.rewind()?;
    let mut before = "[";
    each_line(lines, |keys, _| {
        out.write_all(before.as_bytes())?;
        before = ",";
        out.write_all(keys.as_bytes())
    })?;
    out.write_all(if before == "[" { b"[]" } else { b"]" })
}

/// Writes what the keys do not hold, a line for [`PACK`] cards.
///
/// # Errors
/// When it cannot be read or written.
pub(super) fn write_rests(lines: &mut dyn Lines, out: &mut dyn Write) -> io::Result<()> {
    lines.rewind()?;
    let (mut pack, mut count) = (String::new(), 0);
    let mut put = |pack: &mut String| {
        packed(out, |out| out.write_all(pack.as_bytes()))?;
        pack.clear();
        out.write_all(b"\n")
    };
    each_line(lines, |_, rest| {
        pack.push_str(rest);
        pack.push('\n');
        count += 1;
        if count % PACK == 0 { put(&mut pack) } else { Ok(()) }
    })?;
    if pack.is_empty() { Ok(()) } else { put(&mut pack) }
}

/// Gives both parts of each line.
fn each_line(lines: &mut dyn Lines, mut take: impl FnMut(&str, &str) -> io::Result<()>) -> io::Result<()> {
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        let (keys, rest) = line.trim_end_matches('\n').split_once('\t').unwrap_or_default();
        take(keys, rest)?;
        line.clear();
    }
    Ok(())
}
