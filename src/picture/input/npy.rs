//! NumPy arrays from a byte stream: first the header, then the values once the caller has accepted the shape.
//!
//! Receives untrusted bytes; gives a shape, then values as `f32` in C order. Callers decide which shape they accept,
//! and name the file in errors.

use std::io::Read;

use half::f16;

use super::npy_header::{Header, Kind, Number, UNSOUND};
use crate::error::Problem;

/// The longest header that NumPy itself reads, in bytes.
const MAX_HEADER: usize = 10_000;

/// More brackets than the header of any array of numbers has.
const MAX_BRACKETS: usize = 16;

/// Bytes that are read at a time: a multiple of every number's size.
const BUFFER: usize = 1 << 16;

/// An array of which only the header has been read.
pub(super) struct Npy<R: Read> {
    reader: R,
    number: Number,
    is_fortran: bool,
    /// Length of each axis.
    pub(super) shape: Vec<usize>,
}

impl<R: Read> Npy<R> {
    /// Reads the header.
    pub(super) fn open(mut reader: R) -> Result<Self, Problem> {
        let text = read_header(&mut reader).map_err(|problem| problem.after(UNSOUND))?;
        let Header { number, is_fortran, shape } = Header::parse(&text)?;
        Ok(Self { reader, number, is_fortran, shape })
    }

    /// All values in C order, all finite. Allocates what the shape claims, so callers check the shape first.
    pub(super) fn numbers(self) -> Result<Vec<f32>, Problem> {
        let mut values = numbers(self.reader, self.number, count_of(&self.shape))?;
        if self.is_fortran {
            values = row_by_row(&values, &self.shape);
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => {
                let place = unravel(at, &self.shape);
                Err(Problem::new(format!("the value at {place:?} is {}", values[at]))
                    .expected("finite numbers"))
            }
            None => Ok(values),
        }
    }
}

/// From channels last to channels first, for each picture. `values` is `[pictures, height, width, channels]`.
pub fn channels_first(values: &[f32], pictures: usize, channels: usize) -> Vec<f32> {
    let size = values.len() / pictures.max(1);
    let plane = |picture: usize, channel: usize| {
        values[picture * size..(picture + 1) * size].iter().skip(channel).step_by(channels).copied()
    };
    (0..pictures).flat_map(|picture| (0..channels).flat_map(move |channel| plane(picture, channel))).collect()
}

/// How many values an array of this shape has.
pub(super) fn count_of(shape: &[usize]) -> u64 {
    shape.iter().fold(1, |count: u64, side| count.saturating_mul(*side as u64))
}

/// Reads up to the first value, checks the claimed length before allocating it, and gives the text.
fn read_header(reader: &mut impl Read) -> Result<Vec<u8>, Problem> {
    let mut header = Vec::new();
    let mut read = |count: usize, header: &mut Vec<u8>| {
        let wanted = header.len() + count;
        // `read_exact` into a buffer would allocate what the header claims.
        let end = reader.take(count as u64).read_to_end(header).map_err(|error| error.to_string())?;
        if end == count && header.len() == wanted {
            Ok(())
        } else {
            Err(Problem::new("its header is cut short"))
        }
    };
    read(10, &mut header)?;
    let claimed = match header[..] {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b] => usize::from(u16::from_le_bytes([a, b])),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b] => {
            read(2, &mut header)?;
            u32::from_le_bytes([a, b, header[10], header[11]]) as usize
        }
        _ => return Err("it does not begin with NumPy's mark".into()),
    };
    if claimed > MAX_HEADER {
        return Err(Problem::new(format!("its header claims {claimed} bytes"))
            .expected(format!("at most {MAX_HEADER}")));
    }
    let start = header.len();
    read(claimed, &mut header)?;
    let opened = header[start..].iter().filter(|byte| b"([{".contains(*byte)).count();
    if opened > MAX_BRACKETS {
        return Err(Problem::new(format!("its header has {opened} brackets"))
            .expected(format!("at most {MAX_BRACKETS}")));
    }
    Ok(header.split_off(start))
}

/// This many values as `f32`, in file order.
fn numbers(reader: impl Read, number: Number, count: u64) -> Result<Vec<f32>, Problem> {
    match number.kind {
        Kind::F16 => widen(reader, number, count, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Kind::F32 => widen(reader, number, count, f32::from_le_bytes),
        Kind::F64 => widen(reader, number, count, |bytes| f64::from_le_bytes(bytes) as f32),
        Kind::U8 => widen(reader, number, count, |[byte]| f32::from(byte)),
        Kind::U16 => widen(reader, number, count, |bytes| f32::from(u16::from_le_bytes(bytes))),
        Kind::U32 => widen(reader, number, count, |bytes| u32::from_le_bytes(bytes) as f32),
        Kind::U64 => widen(reader, number, count, |bytes| u64::from_le_bytes(bytes) as f32),
        Kind::I8 => widen(reader, number, count, |bytes| f32::from(i8::from_le_bytes(bytes))),
        Kind::I16 => widen(reader, number, count, |bytes| f32::from(i16::from_le_bytes(bytes))),
        Kind::I32 => widen(reader, number, count, |bytes| i32::from_le_bytes(bytes) as f32),
        Kind::I64 => widen(reader, number, count, |bytes| i64::from_le_bytes(bytes) as f32),
    }
}

fn cut_short() -> Problem {
    Problem::new("ends before its last number").hint("is it whole?")
}

fn widen<const N: usize>(
    mut reader: impl Read,
    number: Number,
    count: u64,
    convert: impl Fn([u8; N]) -> f32,
) -> Result<Vec<f32>, Problem> {
    let mut left = usize::try_from(count).map_err(|_| cut_short())?;
    let mut values = Vec::with_capacity(left);
    let mut buffer = vec![0; BUFFER.min(left.saturating_mul(N))];
    while left > 0 {
        let part = left.min(buffer.len() / N);
        let bytes = &mut buffer[..part * N];
        reader.read_exact(bytes).map_err(|_| cut_short())?;
        values.extend(bytes.as_chunks_mut::<N>().0.iter_mut().map(|bytes| {
            if number.is_big_endian {
                bytes.reverse();
            }
            convert(*bytes)
        }));
        left -= part;
    }
    Ok(values)
}

/// From Fortran order (first index fastest) to C order (last index fastest).
fn row_by_row(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let source = |at: usize| {
        let index = unravel(at, shape);
        index.iter().zip(shape).rev().fold(0, |linear, (index, side)| linear * side + index)
    };
    (0..values.len()).map(|at| values[source(at)]).collect()
}

/// The index in each axis of the element at `at`, in C order.
fn unravel(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (index, side) in index.iter_mut().zip(shape).rev() {
        *index = at % side;
        at /= side;
    }
    index
}
