//! Burnpack files: tensors by name, and the card in the pack's own metadata.
//!
//! Receives a path or bytes, hands on names, shapes and numbers. Opening reads only the header; the tensors'
//! bytes are read when the numbers are asked for, and then checked against the checksum that `burncam import`
//! wrote, so a flipped bit is an error and not a wrong picture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn_pack::{Bytes, DType, Reader, Tensor, Writer};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::error::{Error, Result};

const CARD_KEY: &str = "burncam";
const CHECKSUM_KEY: &str = "burncam.crc32";

/// A burnpack of which only the header has been read.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    origin: Origin,
    /// The card's JSON text, when the pack carries one.
    pub(crate) card: Option<String>,
    /// Shapes of the stored tensors, by name.
    pub(crate) shapes: BTreeMap<String, Vec<usize>>,
    /// Element types of the stored tensors, by name.
    pub(crate) dtypes: BTreeMap<String, DType>,
}

#[derive(Debug, Clone)]
enum Origin {
    File(PathBuf),
    #[cfg(feature = "embedded-model")]
    Memory {
        name: &'static str,
        bytes: &'static [u8],
    },
}

/// The numbers of a pack, and the hash of the bytes that they came from.
#[derive(Debug)]
pub(crate) struct Weights {
    tensors: BTreeMap<String, Tensor>,
    /// SHA-256 of the whole file, lower-case hexadecimal.
    pub(crate) sha256: String,
    origin: String,
}

impl Pack {
    /// Reads the header of a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
        if metadata.is_dir() {
            return Err(Error::model(path.display().to_string(), "is a directory, expected a .bpk file"));
        }
        let reader =
            Reader::from_file_exact(path).map_err(|error| unreadable(path.display().to_string(), &error))?;
        Self::from_reader(reader, Origin::File(path.to_path_buf()))
    }

    /// Reads the header of a pack that is compiled into the program.
    #[cfg(feature = "embedded-model")]
    pub(crate) fn embedded(name: &'static str, bytes: &'static [u8]) -> Result<Self> {
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(bytes.to_vec()))
            .map_err(|error| unreadable(name, &error))?;
        Self::from_reader(reader, Origin::Memory { name, bytes })
    }

    fn from_reader(reader: Reader, origin: Origin) -> Result<Self> {
        let card = reader.metadata().get(CARD_KEY).cloned();
        let tensors = reader.into_tensors().map_err(|error| unreadable(origin.name(), &error))?;
        let shapes = tensors.iter().map(|tensor| (tensor.name.clone(), tensor.shape.to_vec())).collect();
        let dtypes = tensors.iter().map(|tensor| (tensor.name.clone(), tensor.dtype)).collect();
        Ok(Self { origin, card, shapes, dtypes })
    }

    /// File name without directories, or the name of an embedded model.
    pub(crate) fn name(&self) -> String {
        self.origin.name()
    }

    /// Size of the whole pack in bytes.
    pub(crate) fn byte_len(&self) -> Result<u64> {
        match &self.origin {
            Origin::File(path) => Ok(std::fs::metadata(path).map_err(Error::io("read", path))?.len()),
            #[cfg(feature = "embedded-model")]
            Origin::Memory { bytes, .. } => Ok(bytes.len() as u64),
        }
    }

    /// Reads all bytes, checks the checksum if there is one, and hashes them.
    pub(crate) fn weights(&self) -> Result<Weights> {
        let bytes = match &self.origin {
            Origin::File(path) => std::fs::read(path).map_err(Error::io("read", path))?,
            #[cfg(feature = "embedded-model")]
            Origin::Memory { bytes, .. } => bytes.to_vec(),
        };
        std::thread::scope(|scope| {
            let bytes = Bytes::from_bytes_vec(bytes).shared();
            let view = bytes.clone();
            let hash = scope.spawn(move || hex(&Sha256::digest(&*view)));
            let reader = Reader::from_bytes(bytes).map_err(|error| unreadable(self.name(), &error))?;
            let stored = reader.metadata().get(CHECKSUM_KEY).cloned();
            let card = reader.metadata().get(CARD_KEY).cloned().unwrap_or_default();
            let tensors = reader.into_tensors().map_err(|error| unreadable(self.name(), &error))?;
            if let Some(stored) = stored {
                let found = checksum(&card, &tensors).map_err(|error| unreadable(self.name(), &error))?;
                if stored != found {
                    return Err(Error::model(
                        self.name(),
                        format!(
                            "is damaged: its checksum is {found}, expected {stored} (copy or import it again)"
                        ),
                    ));
                }
            }
            let sha256 = hash.join().map_err(|_| Error::internal("the hashing thread failed"))?;
            let tensors = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
            Ok(Weights { tensors, sha256, origin: self.name() })
        })
    }
}

impl Origin {
    fn name(&self) -> String {
        match self {
            Self::File(path) => {
                path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
            }
            #[cfg(feature = "embedded-model")]
            Self::Memory { name, .. } => (*name).to_owned(),
        }
    }
}

impl Weights {
    /// The tensors as they are stored, by name.
    pub(crate) fn into_tensors(self) -> BTreeMap<String, Tensor> {
        self.tensors
    }

    /// The numbers of one tensor as 32-bit floats, row-major, with its shape.
    pub(crate) fn floats(&self, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        let problem = |text: String| Error::model(&*self.origin, format!("tensor '{name}' {text}"));
        let tensor = self.tensors.get(name).ok_or_else(|| problem("is missing".into()))?;
        let bytes = tensor.to_bytes().map_err(|error| problem(format!("cannot be read: {error}")))?;
        let values: Vec<f32> = match tensor.dtype {
            DType::F32 => bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
            DType::F16 => widen_f16(&bytes),
            DType::BF16 => {
                bytes.as_chunks().0.iter().map(|two| half::bf16::from_le_bytes(*two).to_f32()).collect()
            }
            DType::F64 => bytes.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32).collect(),
            other => {
                return Err(problem(format!("has element type {other:?}, expected f32, f16, bf16 or f64")));
            }
        };
        if values.iter().any(|value| !value.is_finite()) {
            return Err(problem("holds numbers that are not finite (was the training run sound?)".into()));
        }
        Ok((values, tensor.shape.to_vec()))
    }
}

fn widen_f16(bytes: &[u8]) -> Vec<f32> {
    use half::slice::HalfFloatSliceExt as _;
    let halves: Vec<half::f16> =
        bytes.as_chunks().0.iter().map(|two| half::f16::from_le_bytes(*two)).collect();
    halves.to_f32_vec()
}

/// Writes a pack with its card and checksum, to a temporary name first.
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

/// CRC-32 over the card and every tensor's name, shape and bytes in order of name, in hexadecimal.
fn checksum(card: &str, tensors: &[Tensor]) -> std::result::Result<String, burn_pack::Error> {
    let mut order: Vec<&Tensor> = tensors.iter().collect();
    order.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(card.as_bytes());
    for tensor in order {
        hasher.update(format!("\n{}{:?}", tensor.name, tensor.shape.to_vec()).as_bytes());
        hasher.update(&tensor.to_bytes()?);
    }
    Ok(format!("{:08x}", hasher.finalize()))
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
    Error::model(name, format!("is not a readable burnpack file: {reason} (`burncam import` makes one)"))
}
