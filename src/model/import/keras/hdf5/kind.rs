//! Datatypes and dataspaces: what an array is made of, and its shape.

use super::cursor::Cursor;
use crate::error::Problem;

/// What elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// IEEE numbers of 2, 4 or 8 bytes, little-endian.
    Real(usize),
    /// Whole numbers of this many bytes.
    Whole(usize),
    /// Texts of a fixed length, padded.
    Text(usize),
    /// References to texts of any length in the global heap.
    LongText,
    /// Anything else.
    Other,
}

impl Kind {
    /// Bytes of an element in the file.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Real(bytes) | Self::Whole(bytes) | Self::Text(bytes) => bytes,
            // Length, address of the collection, index in it.
            Self::LongText => 16,
            Self::Other => 0,
        }
    }

    /// Reads a datatype.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        /// Exponent's place and size, and mantissa's, of the three IEEE formats.
        const IEEE: [(usize, [u8; 4]); 3] = [(2, [10, 5, 0, 10]), (4, [23, 8, 0, 23]), (8, [52, 11, 0, 52])];
        let mut cursor = Cursor::new(bytes);
        let class = cursor.u8()? & 0x0f;
        let bits = cursor.number(3)?;
        let size = cursor.u32()? as usize;
        Ok(match class {
            0 if bits & 1 == 0 => Self::Whole(size),
            1 if bits & 0x41 == 0 => {
                cursor.skip(4)?;
                let parts = cursor.take(4)?;
                match IEEE.iter().any(|(bytes, known)| *bytes == size && known == parts) {
                    true => Self::Real(size),
                    false => Self::Other,
                }
            }
            3 => Self::Text(size),
            9 if bits & 0x0f == 1 && size == 16 => Self::LongText,
            _ => Self::Other,
        })
    }
}

/// Reads a dataspace: the extents, none for a single element; `None` for a space without elements.
pub(super) fn shape(bytes: &[u8]) -> Result<Option<Vec<usize>>, Problem> {
    let mut cursor = Cursor::new(bytes);
    let version = cursor.version("dataspace", &[1, 2])?;
    let (rank, _flags, class) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    cursor.skip(if version == 1 { 4 } else { 0 })?;
    if version == 2 && class == 2 {
        return Ok(None);
    }
    (0..rank).map(|_| cursor.size()).collect::<Result<_, _>>().map(Some)
}

/// The number of elements.
pub(super) fn count(shape: &[usize]) -> Result<usize, Problem> {
    let product = shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
    product.ok_or_else(|| Problem::new(format!("has an array of the absurd shape {shape:?}")))
}
