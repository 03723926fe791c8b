//! Burnpack files: tensors by name, and the card in the pack's own metadata.
//!
//! Receives a path or bytes; gives names, shapes and [`Weights`]. Opening only reads the header. Before any value is
//! returned, all bytes are verified with the checksum that `burncam import` wrote, so that a flipped bit is an error
//! and not a wrong picture. The verification uses a small buffer: memory never holds more of the file than the values
//! in use.

mod checksum;
mod format;
mod source;
mod tensor;
mod weights;
mod write;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::digest::{Pending, hex};
use crate::error::{Action, Error, Phrase, Problem, Result};
use checksum::{CARD_KEY, CHECKSUM_KEY, Checksum};
use format::{Description, Entry};
use source::Source;
pub use tensor::{BoolStore, DType, Quantised, StoredTensor};
pub use weights::Weights;
pub(crate) use write::{folder, publish, write};

/// A burnpack whose header has been read.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    source: Source,
    /// The card's JSON text, if the pack contains one.
    pub(crate) card: Option<String>,
    /// The checksum written by `burncam import`.
    checksum: Option<String>,
    /// Shapes of the stored tensors, by name.
    pub(crate) shapes: BTreeMap<String, Vec<usize>>,
    entries: Arc<BTreeMap<String, Entry>>,
    /// The verified values, where some are not those of the file.
    replaced: Option<Weights>,
}

impl Pack {
    /// Reads the header of a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
        if metadata.is_dir() {
            return Err(Error::model(
                path.display().to_string(),
                Problem::new("is a directory").expected("a .bpk file"),
            ));
        }
        Self::read(Source::open(path).map_err(Error::io("read", path))?, &path.display().to_string())
    }

    /// Reads the header of the pack in the program.
    #[cfg(feature = "embedded-model")]
    pub(crate) fn embedded(name: &'static str, bytes: &'static [u8]) -> Result<Self> {
        Self::read(Source::Memory { name, bytes: source::Static(bytes) }, name)
    }

    /// `called` is the name in errors: before a file is known to be a model, its whole path.
    fn read(source: Source, called: &str) -> Result<Self> {
        let Description { mut metadata, entries } =
            format::read(&source).map_err(|problem| unreadable(called, problem))?;
        let shapes = entries.iter().map(|(name, entry)| (name.clone(), entry.shape.clone())).collect();
        let (card, checksum) = (metadata.remove(CARD_KEY), metadata.remove(CHECKSUM_KEY));
        Ok(Self { card, checksum, shapes, entries: Arc::new(entries), replaced: None, source })
    }

    /// File name without directories, or the name of an embedded model.
    pub(crate) fn name(&self) -> String {
        self.source.name()
    }

    /// Size of the whole pack in bytes.
    pub(crate) fn byte_len(&self) -> Result<u64> {
        self.source.len().map_err(|error| self.lost(&error))
    }

    /// Element types of the stored tensors.
    pub(crate) fn dtypes(&self) -> impl Iterator<Item = DType> {
        self.entries.values().map(|entry| entry.dtype)
    }

    /// Verifies all bytes with the checksum, if any, and starts to hash them on another thread.
    pub(crate) fn weights(&self) -> Result<Weights> {
        if let Some(weights) = &self.replaced {
            return Ok(weights.clone());
        }
        let pack = self.clone();
        // First, so that the hash is computed while the checksum is: both read the whole file, which the system then
        // has in its cache.
        let sha256 = Arc::new(Pending::begin(move || pack.sha256())?);
        self.check()?;
        let (source, entries) = (self.source.clone(), self.entries.clone());
        Ok(Weights { source, entries, replaced: BTreeMap::new(), sha256 })
    }

    /// The same pack with other values of some tensors, in memory. The file is verified once, for this pack and those made of it.
    ///
    /// # Errors
    /// As [`Pack::weights`] and [`Weights::replacing`].
    pub(crate) fn replacing(&self, values: BTreeMap<String, Vec<f32>>) -> Result<Self> {
        Ok(Self { replaced: Some(self.weights()?.replacing(values)?), ..self.clone() })
    }

    fn sha256(&self) -> Result<String> {
        let mut hash = Sha256::new();
        let read = self.source.each_chunk(0, self.byte_len()?, |chunk| hash.update(chunk));
        read.map_err(|error| self.lost(&error))?;
        Ok(hex(&hash.finalize()))
    }

    fn check(&self) -> Result<()> {
        let Some(stored) = &self.checksum else { return Ok(()) };
        let of_tensor = |(name, entry): (&String, &Entry)| {
            let mut sum = Checksum::of_head(name, &entry.shape);
            let read = self.source.each_chunk(entry.start, entry.length as u64, |stretch| {
                sum.update(stretch);
            });
            read.map_err(|error| self.lost(&error)).map(|()| sum)
        };
        // One sum per tensor, on all threads; they are combined in order of name below.
        let sums: Vec<Checksum> = self.entries.par_iter().map(of_tensor).collect::<Result<_>>()?;
        let found = Checksum::of_card(self.card.as_deref().unwrap_or_default()).finish(&sums);
        if *stored != found {
            let problem =
                format!("is damaged: its checksum is {found}, expected {stored} (copy or import it again)");
            return Err(Error::model(self.name(), problem));
        }
        Ok(())
    }

    /// The file was readable when it was opened.
    fn lost(&self, error: &std::io::Error) -> Error {
        Error::model(
            self.name(),
            Problem::new(format!("cannot be read any more: {error}")).hint("was the file changed?"),
        )
    }
}

fn unreadable(name: impl Into<String>, problem: Problem) -> Error {
    let hint = Phrase::from("`").action(Action::Import).text("` makes one");
    problem.after("is not a readable burnpack file: ").hint(hint).of_model(name)
}
