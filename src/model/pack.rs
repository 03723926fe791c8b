//! Burnpack files: tensors by name, and the card in the pack's own metadata.
//!
//! Receives a path or bytes; gives names, shapes and [`Weights`]. Opening only reads the header. All bytes are verified with the checksum that
//! `burncam import` wrote, so that a flipped bit is an error and not a wrong picture: before any value is returned, or while values are
//! read, for a caller that asks before it uses what came of them ([`Weights::ahead`]). Memory never holds more of the file than the values
//! in use.

mod checksum;
mod format;
mod seal;
mod source;
mod tensor;
mod weights;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::digest::{Pending, hex};
use crate::error::{Action, Error, Hint, Phrase, Problem, Result};
use checksum::{CARD_KEY, CHECKSUM_KEY};
use format::{Description, Entry};
use seal::Seal;
use source::Source;
pub use tensor::{BoolStore, DType, Quantised, StoredTensor};
pub use weights::Weights;
pub(crate) use write::{publish, write};

/// A burnpack whose header has been read.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    source: Source,
    /// The card's JSON text, if the pack contains one.
    pub(crate) card: Option<String>,
    /// The checksum written by `burncam import`, if any; all [`Weights`] share what is known of it.
    seal: Option<Arc<Seal>>,
    /// Shapes of the stored tensors, by name.
    pub(crate) shapes: BTreeMap<String, Vec<usize>>,
    entries: Arc<BTreeMap<String, Entry>>,
    /// The verified values, where some are not those of the file.
    replaced: Option<Weights>,
    /// SHA-256 of the whole file, lower-case hexadecimal.
    sha256: Arc<Pending>,
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
        let source = Source::open(path).map_err(Error::io("read", path))?;
        let hashed = source.clone();
        let sha256 = Pending::new(move || sha256(&hashed).map_err(|error| hashed.lost(&error)));
        Self::read(source, &path.display().to_string(), sha256)
    }

    /// Reads the header of the pack in the program, whose SHA-256 was computed when that was built.
    #[cfg(feature = "embedded-model")]
    pub(crate) fn embedded(name: &'static str, bytes: &'static [u8], sha256: &str) -> Result<Self> {
        Self::read(Source::Memory { name, bytes: source::Static(bytes) }, name, Pending::known(sha256))
    }

    /// `called` is the name in errors: before a file is known to be a model, its whole path.
    fn read(source: Source, called: &str, sha256: Pending) -> Result<Self> {
        let Description { mut metadata, entries } =
            format::read(&source).map_err(|problem| unreadable(called, problem))?;
        let shapes = entries.iter().map(|(name, entry)| (name.clone(), entry.shape.clone())).collect();
        let (card, checksum) = (metadata.remove(CARD_KEY), metadata.remove(CHECKSUM_KEY));
        let seal = checksum.map(|stored| Arc::new(Seal::new(stored, card.clone().unwrap_or_default())));
        let (entries, sha256) = (Arc::new(entries), Arc::new(sha256));
        Ok(Self { card, seal, shapes, entries, replaced: None, source, sha256 })
    }

    /// File name without directories, or the name of an embedded model.
    pub(crate) fn name(&self) -> String {
        self.source.name()
    }

    /// Size of the whole pack in bytes.
    pub(crate) fn byte_len(&self) -> Result<u64> {
        self.source.len().map_err(|error| self.source.lost(&error))
    }

    /// Element types of the stored tensors.
    pub(crate) fn dtypes(&self) -> impl Iterator<Item = DType> {
        self.entries.values().map(|entry| entry.dtype)
    }

    /// Verifies all bytes with the checksum, if any.
    pub(crate) fn weights(&self) -> Result<Weights> {
        let weights = self.lazy_weights();
        weights.verify()?;
        Ok(weights)
    }

    /// As [`Pack::weights`], verified when a value is read.
    pub(crate) fn lazy_weights(&self) -> Weights {
        if let Some(weights) = &self.replaced {
            return weights.clone();
        }
        let (source, entries) = (self.source.clone(), Arc::clone(&self.entries));
        let (seal, sha256) = (self.seal.clone(), Arc::clone(&self.sha256));
        Weights { source, entries, replaced: BTreeMap::new(), seal, is_ahead: false, sha256 }
    }

    /// The same pack with other values of some tensors, in memory. The file is verified once, for this pack and those made of it.
    ///
    /// # Errors
    /// As [`Pack::weights`] and [`Weights::replacing`].
    pub(crate) fn replacing(&self, values: BTreeMap<String, Vec<f32>>) -> Result<Self> {
        Ok(Self { replaced: Some(self.weights()?.replacing(values)?), ..self.clone() })
    }
}

fn sha256(source: &Source) -> io::Result<String> {
    let mut hash = Sha256::new();
    source.each_chunk(0, source.len()?, |chunk| hash.update(chunk))?;
    Ok(hex(&hash.finalize()))
}

fn unreadable(name: &str, problem: Problem) -> Error {
    let error = problem.clone().of_model(name);
    if matches!(error.hint(), Some(Hint::Raise(_))) {
        return error;
    }
    let hint = Phrase::from("`").action(Action::Import).text("` makes one");
    problem.after("is not a readable burnpack file: ").hint(hint).of_model(name)
}
