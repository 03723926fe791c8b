//! Burnpack files: tensors by name, and the card in the pack's own metadata.
//!
//! Receives a path or bytes; gives names, shapes and [`Weights`]. Opening only reads the header. Before any value is
//! returned, all bytes are verified with the checksum that `burncam import` wrote, so that a flipped bit is an error
//! and not a wrong picture. The verification uses a small buffer: memory never holds more of the file than the values
//! in use.

mod source;
mod weights;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn_pack::{Bytes, DType, HEADER_SIZE, Header, Reader, Tensor, Writer};
use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::digest::{Pending, hex};
use crate::error::{Action, Error, Phrase, Problem, Result};
use source::Source;
use weights::Entry;
pub use weights::Weights;

const CARD_KEY: &str = "burncam";
const CHECKSUM_KEY: &str = "burncam.crc32";

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
}

/// Offsets of the tensors in the data section, which Burn's reader does not expose.
#[derive(Deserialize)]
struct Places {
    tensors: BTreeMap<String, Place>,
}

#[derive(Deserialize)]
struct Place {
    data_offsets: (u64, u64),
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
        let reader =
            Reader::from_file_exact(path).map_err(|error| unreadable(path.display().to_string(), &error))?;
        Self::from_reader(reader, Source::open(path).map_err(Error::io("read", path))?)
    }

    /// Reads the header of the pack in the program.
    #[cfg(feature = "embedded-model")]
    pub(crate) fn embedded(name: &'static str, bytes: &'static [u8]) -> Result<Self> {
        let ordinary = Bytes::from_bytes_vec(vec![]).property();
        let reader = Reader::from_bytes(Bytes::from_shared(bytes::Bytes::from_static(bytes), ordinary))
            .map_err(|error| unreadable(name, &error))?;
        Self::from_reader(reader, Source::Memory { name, bytes: source::Static(bytes) })
    }

    fn from_reader(reader: Reader, source: Source) -> Result<Self> {
        let card = reader.metadata().get(CARD_KEY).cloned();
        let checksum = reader.metadata().get(CHECKSUM_KEY).cloned();
        let fault = |error: &burn_pack::Error| unreadable(source.name(), error);
        let tensors = reader.into_tensors().map_err(|error| fault(&error))?;
        let places = places(&source).map_err(|error| fault(&error))?;
        let mut entries = BTreeMap::new();
        for tensor in tensors {
            let (start, length) = (places.get(&tensor.name).copied().unwrap_or_default(), tensor.byte_len());
            let Tensor { name, dtype, shape, param_id, .. } = tensor;
            entries.insert(name, Entry { dtype, shape: shape.to_vec(), param_id, start, length });
        }
        let shapes = entries.iter().map(|(name, entry)| (name.clone(), entry.shape.clone())).collect();
        Ok(Self { card, checksum, shapes, entries: Arc::new(entries), source })
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
        let pack = self.clone();
        let sha256 = Arc::new(Pending::begin(move || pack.sha256())?);
        self.check()?;
        Ok(Weights { source: self.source.clone(), entries: self.entries.clone(), sha256 })
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

/// Offset of every tensor's first byte.
fn places(source: &Source) -> Result<BTreeMap<String, u64>, burn_pack::Error> {
    let lost = |error: std::io::Error| burn_pack::Error::IoError(error.to_string());
    let mut header = [0; HEADER_SIZE];
    source.read(0, &mut header).map_err(lost)?;
    let size = Header::from_bytes(&header)?.metadata_size as usize;
    let mut metadata = vec![0; size];
    source.read(HEADER_SIZE as u64, &mut metadata).map_err(lost)?;
    let places: Places = ciborium::de::from_reader_with_recursion_limit(
        metadata.as_slice(),
        burn_pack::MAX_CBOR_RECURSION_DEPTH,
    )
    .map_err(|error| burn_pack::Error::MetadataDeserializationError(error.to_string()))?;
    let data = burn_pack::aligned_data_section_start(size) as u64;
    let start = |(name, place): (String, Place)| (name, data.saturating_add(place.data_offsets.0));
    Ok(places.tensors.into_iter().map(start).collect())
}

/// Writes a pack with its card and checksum under a temporary name, then renames it.
///
/// # Errors
/// When `path` exists and `overwrite` is off, or it cannot be written.
pub(crate) fn write(path: &Path, card: &str, tensors: Vec<Tensor>, overwrite: bool) -> Result<()> {
    let name = path.display().to_string();
    let failed = |error: burn_pack::Error| match error {
        burn_pack::Error::AlreadyExists(_) => Error::exists(path),
        other => Error::model(&*name, format!("cannot be written: {other}")),
    };
    let checksum = checksum(card, &tensors).map_err(failed)?;
    Writer::new(tensors)
        .with_metadata(CARD_KEY, card)
        .with_metadata(CHECKSUM_KEY, &checksum)
        .auto_extension(false)
        .overwrite(overwrite)
        .write_to_file(path)
        .map_err(failed)
}

/// CRC-32 over the card and every tensor's name, shape and bytes in order of name, in hexadecimal; computed in
/// pieces.
struct Checksum(crc32fast::Hasher);

impl Checksum {
    fn of_card(card: &str) -> Self {
        let mut sum = Self(crc32fast::Hasher::new());
        sum.update(card.as_bytes());
        sum
    }

    fn of_head(name: &str, shape: &[usize]) -> Self {
        let mut sum = Self(crc32fast::Hasher::new());
        sum.update(format!("\n{name}{shape:?}").as_bytes());
        sum
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Combines this checksum with the following pieces.
    fn finish(mut self, pieces: &[Self]) -> String {
        pieces.iter().for_each(|piece| self.0.combine(&piece.0));
        format!("{:08x}", self.0.finalize())
    }
}

fn checksum(card: &str, tensors: &[Tensor]) -> Result<String, burn_pack::Error> {
    let mut order: Vec<&Tensor> = tensors.iter().collect();
    order.sort_by(|a, b| a.name.cmp(&b.name));
    let of_tensor = |tensor: &&Tensor| {
        let mut sum = Checksum::of_head(&tensor.name, &tensor.shape.to_vec());
        sum.update(&tensor.to_bytes()?);
        Ok(sum)
    };
    let sums: Vec<Checksum> = order.iter().map(of_tensor).collect::<Result<_, burn_pack::Error>>()?;
    Ok(Checksum::of_card(card).finish(&sums))
}

fn unreadable(name: impl Into<String>, error: &burn_pack::Error) -> Error {
    let reason = match error {
        burn_pack::Error::IoError(reason) if reason.contains("fill whole buffer") => {
            "it is empty or cut short".into()
        }
        burn_pack::Error::IoError(reason) | burn_pack::Error::ValidationError(reason) => {
            reason.to_lowercase()
        }
        other => other.to_string().to_lowercase(),
    };
    Error::model(
        name,
        Problem::new(format!("is not a readable burnpack file: {reason}"))
            .hint(Phrase::from("`").action(Action::Import).text("` makes one")),
    )
}
