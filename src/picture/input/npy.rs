//! NumPy arrays from a byte stream: first the header, then the values once the caller has accepted the shape.
//!
//! Receives untrusted bytes; gives a shape, then values as `f32` in C order. Callers decide which shape they accept,
//! and name the file in errors.

use std::io::{Chain, Cursor, Read};

use half::f16;
use npyz::{DType, Deserialize, NpyFile, Order, TypeChar};

use crate::error::Problem;

/// The longest header that NumPy itself reads, in bytes.
const MAX_HEADER: usize = 10_000;

/// Deeper nesting than any numeric header has. The header parser recurses, so unlimited nesting would overflow the
/// stack.
const MAX_NESTING: usize = 16;

/// Words before what is wrong with the file's form.
const UNSOUND: &str = "not a sound .npy file: ";

/// An array of which only the header has been read.
pub(super) struct Npy<R: Read> {
    file: NpyFile<Chain<Cursor<Vec<u8>>, R>>,
    /// Length of each axis.
    pub(super) shape: Vec<usize>,
}

impl<R: Read> Npy<R> {
    /// Reads the header.
    pub(super) fn open(mut reader: R) -> Result<Self, Problem> {
        let header = read_header(&mut reader).map_err(|problem| problem.after(UNSOUND))?;
        let file =
            NpyFile::new(Cursor::new(header).chain(reader)).map_err(|error| format!("{UNSOUND}{error}"))?;
        let shape = file.shape().iter().map(|side| *side as usize).collect();
        Ok(Self { file, shape })
    }

    /// All values in C order, all finite. Allocates what the shape claims, so callers check the shape first.
    pub(super) fn numbers(self) -> Result<Vec<f32>, Problem> {
        let fortran = self.file.order() == Order::Fortran;
        let mut values = numbers(self.file)?;
        if fortran {
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

/// Reads up to the first value, and checks the claimed length before allocating it.
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
    // The parser of `npyz` is recursive: brackets in brackets would overflow the stack.
    let opened = header[start..].iter().filter(|byte| b"([{".contains(*byte)).count();
    if opened > MAX_NESTING {
        return Err(Problem::new(format!("its header has {opened} brackets"))
            .expected(format!("at most {MAX_NESTING}")));
    }
    Ok(header)
}

/// All values as `f32`, in file order.
fn numbers(file: NpyFile<impl Read>) -> Result<Vec<f32>, Problem> {
    let DType::Plain(kind) = file.dtype() else {
        return Err(Problem::new("holds records").expected("one number a cell"));
    };
    match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 2) => halves(file, kind.endianness() == npyz::Endianness::Big),
        (TypeChar::Float, 4) => widen::<f32>(file, |value| value),
        (TypeChar::Float, 8) => widen::<f64>(file, |value| value as f32),
        (TypeChar::Uint, 1) => widen::<u8>(file, f32::from),
        (TypeChar::Uint, 2) => widen::<u16>(file, f32::from),
        (TypeChar::Uint, 4) => widen::<u32>(file, |value| value as f32),
        (TypeChar::Uint, 8) => widen::<u64>(file, |value| value as f32),
        (TypeChar::Int, 1) => widen::<i8>(file, f32::from),
        (TypeChar::Int, 2) => widen::<i16>(file, f32::from),
        (TypeChar::Int, 4) => widen::<i32>(file, |value| value as f32),
        (TypeChar::Int, 8) => widen::<i64>(file, |value| value as f32),
        _ => Err(Problem::new(format!("holds numbers of type '{kind}'"))
            .expected("float16 to float64 or integers")),
    }
}

fn cut_short() -> Problem {
    Problem::new("ends before its last number").hint("is it whole?")
}

fn widen<T: Deserialize>(file: NpyFile<impl Read>, convert: impl Fn(T) -> f32) -> Result<Vec<f32>, Problem> {
    let values = file.data::<T>().map_err(|error| format!("{UNSOUND}{error}"))?;
    values.map(|value| value.map(&convert).map_err(|_| cut_short())).collect()
}

/// `npyz` reads 16-bit floats only with an extra feature, and converting two bytes is simpler.
fn halves(file: NpyFile<impl Read>, big_endian: bool) -> Result<Vec<f32>, Problem> {
    let wanted = file.len() * 2;
    let mut bytes = Vec::new();
    file.into_inner().take(wanted).read_to_end(&mut bytes).map_err(|_| cut_short())?;
    if bytes.len() as u64 != wanted {
        return Err(cut_short());
    }
    let half = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if big_endian { f16::from_be_bytes(pair) } else { f16::from_le_bytes(pair) }
    };
    Ok(bytes.chunks_exact(2).map(|pair| half(pair).to_f32()).collect())
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
