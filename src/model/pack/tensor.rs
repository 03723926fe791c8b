//! A tensor as packs hold it: name, element type, shape and bytes.
//!
//! Receives values from an importer, or the place of a tensor in an open file; gives its bytes when they are asked for.
//! Where tensors stand in a file is the format's business.

use std::borrow::Cow;
use std::fmt;
use std::io;

use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde::ser::{Error as _, Serialize, Serializer};

use super::source::Source;

/// The type of a tensor's elements, under the names that burnpack files use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
#[allow(missing_docs)] // The names say it.
pub enum DType {
    F64,
    F32,
    /// Stored as `F32`; Burn may compute with less precision.
    Flex32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    /// Booleans, with their width.
    Bool(BoolStore),
    /// Quantised values, with their scheme.
    QFloat(Quantised),
}

/// How a boolean is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum BoolStore {
    /// One byte, 0 or 1.
    Native,
    /// One byte.
    U8,
    /// Four bytes.
    U32,
}

/// The scheme of quantised values. It is skipped when a file is read, and such tensors are not written: no operation of
/// a model file uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quantised;

impl<'de> Deserialize<'de> for Quantised {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl Serialize for Quantised {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("quantised tensors are not written"))
    }
}

impl DType {
    /// Bytes per element; `None` for quantised values, which are packed with their scales.
    pub(super) fn size(self) -> Option<u64> {
        Some(match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::Flex32 | Self::I32 | Self::U32 | Self::Bool(BoolStore::U32) => 4,
            Self::F16 | Self::BF16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool(BoolStore::Native | BoolStore::U8) => 1,
            Self::QFloat(_) => return None,
        })
    }
}

/// A tensor with its name, as burnpack files hold it. Its values are in memory or still in a file.
#[derive(Clone)]
pub struct StoredTensor {
    /// The full name, for example `layer1.0.conv1.weight`.
    pub name: String,
    /// The type of its elements.
    pub dtype: DType,
    /// Extents, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// The parameter's number in the training run that wrote the file.
    pub(super) param_id: Option<u64>,
    pub(super) values: Values,
}

/// Where the values are.
#[derive(Clone)]
pub(super) enum Values {
    /// Little-endian bytes.
    Bytes(Vec<u8>),
    /// Numbers, which are written without another copy of them.
    Floats(Vec<f32>),
    /// Bytes of a file from `start` on, read when they are asked for.
    Stored { source: Source, start: u64, length: usize },
}

impl StoredTensor {
    /// A tensor of little-endian bytes, last axis fastest. Their number must match shape and type; writing checks it.
    pub fn new(name: impl Into<String>, dtype: DType, shape: Vec<usize>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), dtype, shape, param_id: None, values: Values::Bytes(bytes) }
    }

    /// A tensor of 32-bit floats, last axis fastest.
    ///
    /// ```
    /// let bias = burncam_model::StoredTensor::floats("fc.bias", vec![2], vec![0.5, 1.0]);
    /// assert_eq!(bias.to_bytes().unwrap()[..], [0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f]);
    /// ```
    pub fn floats(name: impl Into<String>, shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self { name: name.into(), dtype: DType::F32, shape, param_id: None, values: Values::Floats(values) }
    }

    /// Number of bytes, known without reading them.
    pub(super) fn byte_len(&self) -> u64 {
        match &self.values {
            Values::Bytes(bytes) => bytes.len() as u64,
            Values::Floats(values) => size_of_val(&values[..]) as u64,
            Values::Stored { length, .. } => *length as u64,
        }
    }

    /// The values as little-endian bytes, read from the file if they are there. Nothing is cached.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub fn to_bytes(&self) -> io::Result<Cow<'_, [u8]>> {
        Ok(match &self.values {
            Values::Bytes(bytes) => bytes.into(),
            // No copy: memory has the bytes as the file wants them.
            Values::Floats(values) if cfg!(target_endian = "little") => bytemuck::cast_slice(values).into(),
            Values::Floats(values) => {
                values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
            }
            Values::Stored { source, start, length } => {
                let mut bytes = vec![0; *length];
                source.read(*start, &mut bytes)?;
                bytes.into()
            }
        })
    }
}

impl fmt::Debug for StoredTensor {
    /// Without the values, which are many.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, dtype, shape, .. } = self;
        write!(formatter, "{name}: {dtype:?} {shape:?}")
    }
}
