//! Arrays in chunks: found by a B-tree, unpacked, and put where they belong.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::cursor::Cursor;
use super::file::Hdf5;
use super::kind;
use super::marks::RESAVE;
use super::tree;
use crate::error::Problem;

/// A step from a chunk's bytes in the file to its values, the last step of writing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Deflate,
    /// The first bytes of all elements, then the second ones, and so on.
    Shuffle,
    /// Four bytes of a checksum at the end.
    Checksum,
}

impl Filter {
    /// Reads a filter pipeline, in the order of writing.
    pub(super) fn list(bytes: &[u8]) -> Result<Vec<Self>, Problem> {
        let mut cursor = Cursor::new(bytes);
        let version = cursor.version("filter pipeline", &[1, 2])?;
        let count = cursor.u8()?;
        cursor.skip(if version == 1 { 6 } else { 0 })?;
        let mut filters = Vec::new();
        for _ in 0..count {
            let id = cursor.u16()?;
            let name = if version == 1 || id >= 256 { usize::from(cursor.u16()?) } else { 0 };
            cursor.skip(2)?;
            let values = usize::from(cursor.u16()?);
            cursor.skip(if version == 1 { name.next_multiple_of(8) } else { name })?;
            let pad = if version == 1 { values % 2 } else { 0 };
            cursor.skip(4 * (values + pad))?;
            filters.push(match id {
                1 => Self::Deflate,
                2 => Self::Shuffle,
                3 => Self::Checksum,
                _ => {
                    let what = format!("packs its arrays by filter {id}, which is not supported");
                    return Err(Problem::new(what).expected("gzip").hint(RESAVE));
                }
            });
        }
        Ok(filters)
    }

    /// Undoes the filter; the result has at most `most` bytes.
    fn undo(self, bytes: &[u8], size: usize, most: usize) -> Result<Vec<u8>, Problem> {
        Ok(match self {
            Self::Deflate => {
                let mut unpacked = Vec::new();
                // One byte more than fits shows that there are too many.
                let read = ZlibDecoder::new(bytes).take(most as u64 + 1).read_to_end(&mut unpacked);
                read.map_err(|error| Problem::new(format!("has a chunk that does not unpack: {error}")))?;
                unpacked
            }
            Self::Shuffle => {
                let count = bytes.len() / size;
                let place = |at: usize| bytes[at % size * count + at / size];
                (0..count * size).map(place).chain(bytes[count * size..].iter().copied()).collect()
            }
            Self::Checksum => bytes[..bytes.len().saturating_sub(4)].to_vec(),
        })
    }
}

/// The array of `shape`, with elements of `size` bytes, whose chunks have the shape `chunk`.
pub(super) fn join(
    file: &Hdf5,
    index: u64,
    chunk: &[usize],
    filters: &[Filter],
    shape: &[usize],
    size: usize,
) -> Result<Vec<u8>, Problem> {
    let absurd = || Problem::new(format!("has chunks of the absurd shape {chunk:?}"));
    let whole = kind::count(shape)?.checked_mul(size).ok_or_else(absurd)?;
    let piece = kind::count(chunk)?.checked_mul(size).ok_or_else(absurd)?;
    // A chunk may be larger than a small array, but not much larger than a large one.
    if chunk.contains(&0) || piece / 64 > whole.max(1 << 20) {
        return Err(absurd());
    }
    let mut result = vec![0; whole];
    let rank = shape.len();
    // Length, which filters were left out, and an offset for each axis and one for the bytes of an element.
    for leaf in tree::leaves_with_keys(file, index, tree::CHUNKS, 8 + 8 * (rank + 1))? {
        let mut key = Cursor::new(&leaf.key);
        let (length, skipped) = (key.u32()?, key.u32()?);
        let offsets = (0..rank).map(|_| key.size()).collect::<Result<Vec<_>, _>>()?;
        let mut bytes = file.read(leaf.child, u64::from(length))?;
        for (at, filter) in filters.iter().enumerate().rev().filter(|(at, _)| skipped >> at & 1 == 0) {
            bytes = filter.undo(&bytes, size, piece + 4 * at)?;
        }
        if bytes.len() != piece {
            return Err(format!("has a chunk of {} bytes where {piece} belong", bytes.len()).into());
        }
        place(&bytes, &offsets, chunk, &mut result, shape, size);
    }
    Ok(result)
}

/// Copies a chunk row by row, as far as it is inside of the array.
fn place(bytes: &[u8], offsets: &[usize], chunk: &[usize], result: &mut [u8], shape: &[usize], size: usize) {
    let row = chunk.last().copied().unwrap_or(1);
    for (number, values) in bytes.chunks_exact(row * size).enumerate() {
        let (mut rest, mut at, mut step, mut inside) = (number, 0, 1, true);
        for axis in (0..shape.len()).rev() {
            let own = if axis + 1 == shape.len() { 0 } else { rest % chunk[axis] };
            if axis + 1 < shape.len() {
                rest /= chunk[axis];
            }
            let place = offsets[axis].saturating_add(own);
            inside &= place < shape[axis];
            at += if inside { place * step } else { 0 };
            step *= shape[axis];
        }
        if inside {
            let first = offsets.last().copied().unwrap_or(0);
            let count = row.min(shape.last().copied().unwrap_or(1) - first);
            result[at * size..(at + count) * size].copy_from_slice(&values[..count * size]);
        }
    }
}
