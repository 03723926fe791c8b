//! Datasets: the values of an array, in one piece or in chunks.

use half::{bf16, f16};

use super::attribute;
use super::chunks::{self, Filter};
use super::cursor::Cursor;
use super::file::Hdf5;
use super::header::{DATASPACE, DATATYPE, FILTERS, LAYOUT, Messages};
use super::kind::{self, Kind};
use super::marks::{RESAVE, UNDEFINED};
use crate::error::Problem;
use crate::import::decode::{decode, decode_halves};

/// Bytes that unpacking may give beyond a hundred times the file, which no weights reach.
const SLACK: u64 = 64 << 20;

/// An array of real numbers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::import::keras) struct Array {
    /// Extents, outermost first; empty for a single number.
    pub(in crate::import::keras) shape: Vec<usize>,
    /// The last axis fastest. Doubles are rounded to the nearest `f32`.
    pub(in crate::import::keras) values: Vec<f32>,
}

/// The values of a dataset, as `f32`.
pub(super) fn array(file: &Hdf5, object: &Messages) -> Result<Array, Problem> {
    let missing = |what: &str| Problem::new(format!("has no {what}")).expected("an array of numbers");
    let shape = kind::shape(object.only(DATASPACE)?.ok_or_else(|| missing("shape"))?)?;
    let shape = shape.ok_or_else(|| missing("values"))?;
    let kind = Kind::read(object.only(DATATYPE)?.ok_or_else(|| missing("type"))?)?;
    // Keras keeps bfloat16 as two bytes of an opaque type, with an attribute that says so.
    let is_brain = attribute::texts(file, object, "dtype")?.is_some_and(|texts| texts == ["bfloat16"]);
    let size = match kind {
        Kind::Real(size) => size,
        Kind::Whole(2) | Kind::Other if is_brain => 2,
        Kind::Whole(size @ (1 | 4 | 8)) => size,
        _ => return Err(Problem::new("is made of something else").expected("real numbers")),
    };
    let bytes = kind::count(&shape)?.checked_mul(size).ok_or("is too large for this machine")?;
    let limit = file.length().saturating_mul(100) + SLACK;
    if bytes as u64 > limit {
        return Err(format!("would unpack to {bytes} bytes, which no weights need").into());
    }
    let raw = raw(file, object, &shape, size, bytes)?;
    let values = match (kind, size) {
        (_, 2) if is_brain => decode_halves(raw.as_chunks().0, bf16::from_le_bytes),
        (Kind::Real(_), 2) => decode_halves(raw.as_chunks().0, f16::from_le_bytes),
        (Kind::Real(_), 4) => decode(&raw, f32::from_le_bytes),
        (Kind::Real(_), _) => decode(&raw, |bytes| f64::from_le_bytes(bytes) as f32),
        (_, 1) => decode(&raw, |bytes| f32::from(i8::from_le_bytes(bytes))),
        (_, 4) => decode(&raw, |bytes| i32::from_le_bytes(bytes) as f32),
        (_, _) => decode(&raw, |bytes| i64::from_le_bytes(bytes) as f32),
    };
    Ok(Array { shape, values })
}

/// The dataset's bytes, in order.
fn raw(
    file: &Hdf5,
    object: &Messages,
    shape: &[usize],
    size: usize,
    bytes: usize,
) -> Result<Vec<u8>, Problem> {
    let layout = object.only(LAYOUT)?.ok_or("has an array without a place")?;
    let mut cursor = Cursor::new(layout);
    let version = cursor.version("data layout", &[3, 4])?;
    match (cursor.u8()?, version) {
        (0, _) => {
            let length = usize::from(cursor.u16()?);
            Ok(exact(cursor.take(length)?.to_vec(), bytes)?)
        }
        (1, _) => {
            let (address, length) = (cursor.u64()?, cursor.u64()?);
            // Space is reserved when values are first written; before that they are zero.
            if address == UNDEFINED {
                return Ok(vec![0; bytes]);
            }
            exact(file.read(address, length)?, bytes)
        }
        (2, 3) => {
            let rank = usize::from(cursor.u8()?);
            let index = cursor.u64()?;
            let sides = (0..rank).map(|_| Ok(cursor.u32()? as usize)).collect::<Result<Vec<_>, Problem>>()?;
            let [chunk @ .., element] = &sides[..] else { return Err("has chunks without a shape".into()) };
            if chunk.len() != shape.len() || *element != size {
                return Err("has chunks that do not fit its array".into());
            }
            let filters = object.only(FILTERS)?.map_or(Ok(vec![]), Filter::list)?;
            chunks::join(file, index, chunk, &filters, shape, size)
        }
        _ => Err(Problem::new("has chunks in an order that is not supported").hint(RESAVE)),
    }
}

fn exact(bytes: Vec<u8>, expected: usize) -> Result<Vec<u8>, Problem> {
    match bytes.len() == expected {
        true => Ok(bytes),
        false => Err(format!("has {} bytes of values where its shape needs {expected}", bytes.len()).into()),
    }
}
