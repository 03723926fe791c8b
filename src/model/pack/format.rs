//! Burn's pack format: a header, a description of the tensors in CBOR, and their bytes.
//!
//! Receives bytes at positions, or tensors that are to be written; gives checked places of tensors, or the bytes before
//! them. Reads no values.
//!
//! The header is `NRUB`, a version of 16 bits and the description's length of 32 bits. The bytes of tensors, and each
//! tensor in them, start at multiples of 256. Numbers are little-endian.

use std::collections::BTreeMap;
use std::io;

use ciborium::de::Error as Damage;
use serde::{Deserialize, Serialize};

use super::source::Source;
use super::tensor::{DType, StoredTensor};
use crate::error::Problem;
use crate::memory::Part;

/// `BURN` as a number whose lowest byte is first.
const MAGIC: [u8; 4] = *b"NRUB";
const VERSION: u16 = 1;
/// Bytes of magic, version and length.
const HEADER: u64 = 10;
const ALIGNMENT: u64 = 256;

// Burn's own limits, so that a file is readable here exactly if it is there. They bound what a damaged header can
// make a reader allocate, and how deep it recurses.
const MOST_METADATA: u32 = Part::Header.ceiling() as u32;
const MOST_TENSORS: usize = 100_000;
const MOST_DEPTH: usize = 128;
const LARGEST_TENSOR: u64 = Part::Tensor.ceiling();
const LARGEST_FILE: u64 = 100 << 30;

/// The description. Names and order of fields are the format's. Scalars, which newer files may also have, are skipped.
#[derive(Serialize, Deserialize)]
struct Metadata {
    tensors: BTreeMap<String, TensorDescriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct TensorDescriptor {
    dtype: DType,
    shape: Vec<u64>,
    /// First byte and end, from the start of the first tensor.
    data_offsets: (u64, u64),
    #[serde(default, skip_serializing_if = "Option::is_none")]
    param_id: Option<u64>,
}

/// Place and type of a tensor.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) dtype: DType,
    pub(super) shape: Vec<usize>,
    pub(super) param_id: Option<u64>,
    /// First byte, from the start of the file.
    pub(super) start: u64,
    /// In bytes, as many as the shape needs.
    pub(super) length: usize,
}

/// What stands before the tensors' bytes.
#[derive(Debug)]
pub(super) struct Description {
    /// Texts by name.
    pub(super) metadata: BTreeMap<String, String>,
    /// All inside the file.
    pub(super) entries: BTreeMap<String, Entry>,
}

/// Reads and checks everything before the tensors' bytes.
///
/// # Errors
/// A clause, when the file is not a pack, is damaged, cut short, or larger than the format allows.
pub(super) fn read(source: &Source) -> Result<Description, Problem> {
    let available = source.len().map_err(|error| lost(&error))?;
    if available > LARGEST_FILE {
        return Err(
            Problem::new(format!("it has {available} bytes")).expected(format!("at most {LARGEST_FILE}"))
        );
    }
    let mut header = [0; HEADER as usize];
    source.read(0, &mut header).map_err(|error| lost(&error))?;
    let size = metadata_size(header)?;
    // Before memory is allocated for it.
    if available < HEADER + u64::from(size) {
        return Err(lost(&io::ErrorKind::UnexpectedEof.into()));
    }
    Part::Header.check(size.into())?;
    let mut bytes = vec![0; size as usize];
    source.read(HEADER, &mut bytes).map_err(|error| lost(&error))?;
    let Metadata { tensors, metadata } = decode(&bytes)?;
    let data = (HEADER + u64::from(size)).next_multiple_of(ALIGNMENT);
    let place = |(name, descriptor): (String, TensorDescriptor)| {
        let entry = entry(descriptor, data, available).map_err(|problem| problem.after(called(&name)))?;
        Ok((name, entry))
    };
    let entries = tensors.into_iter().map(place).collect::<Result<_, Problem>>()?;
    Ok(Description { metadata, entries })
}

/// Words before a tensor's problem. They are part of the text, because the pack stays what the text is about.
fn called(tensor: &str) -> String {
    format!("its tensor '{tensor}' ")
}

fn lost(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is empty or cut short".into(),
        _ => error.to_string().to_lowercase().into(),
    }
}

fn metadata_size(header: [u8; HEADER as usize]) -> Result<u32, Problem> {
    let [a, b, c, d, version @ .., e, f, g, h] = header;
    if [a, b, c, d] != MAGIC {
        return Err("invalid magic number".into());
    }
    let version = u16::from_le_bytes(version);
    if version > VERSION {
        return Err(
            Problem::new(format!("its format version is {version}")).expected(format!("at most {VERSION}"))
        );
    }
    let size = u32::from_le_bytes([e, f, g, h]);
    if size > MOST_METADATA {
        return Err(Problem::new(format!("its metadata has {size} bytes"))
            .expected(format!("at most {MOST_METADATA}")));
    }
    Ok(size)
}

fn decode(bytes: &[u8]) -> Result<Metadata, Problem> {
    let found: Result<Metadata, _> = ciborium::de::from_reader_with_recursion_limit(bytes, MOST_DEPTH);
    let metadata = found.map_err(|damage| match damage {
        Damage::Io(_) => "its metadata ends too early".to_owned(),
        Damage::Syntax(at) => format!("its metadata is not CBOR at byte {at}"),
        // Names of the file may be in it.
        Damage::Semantic(_, reason) => format!("its metadata does not fit: {}", reason.escape_debug()),
        Damage::RecursionLimitExceeded => "its metadata is nested too deeply".to_owned(),
    })?;
    match metadata.tensors.len() {
        count if count > MOST_TENSORS => {
            Err(Problem::new(format!("it has {count} tensors")).expected(format!("at most {MOST_TENSORS}")))
        }
        _ => Ok(metadata),
    }
}

/// The place of a tensor in a file of `available` bytes whose tensors start at `data`.
fn entry(descriptor: TensorDescriptor, data: u64, available: u64) -> Result<Entry, Problem> {
    let TensorDescriptor { dtype, shape, data_offsets: (from, to), param_id } = descriptor;
    // Checked: offsets near the greatest integer would wrap around to a place inside the file.
    let places = data.checked_add(from).zip(data.checked_add(to)).filter(|(start, end)| start <= end);
    let Some((start, end)) = places else {
        return Err(Problem::new(format!("starts at byte {from} and ends at {to}")));
    };
    let length = end - start;
    if length > LARGEST_TENSOR {
        return Err(Problem::new(format!("has {length} bytes")).expected(format!("at most {LARGEST_TENSOR}")));
    }
    fits(dtype, &shape, length)?;
    Part::Tensor.check(length)?;
    if end > available {
        return Err(Problem::new(format!("ends at byte {end}, but the file has {available}")));
    }
    let too_large = |_| Problem::new(format!("has shape {shape:?}, too large for this computer"));
    let extents = shape.iter().map(|extent| usize::try_from(*extent)).collect::<Result<_, _>>();
    let (shape, length) = (extents.map_err(too_large)?, usize::try_from(length).map_err(too_large)?);
    Ok(Entry { dtype, shape, param_id, start, length })
}

/// Refuses a number of bytes that does not follow from shape and type.
fn fits(dtype: DType, shape: &[u64], length: u64) -> Result<(), Problem> {
    // Quantised values and their scales have no fixed size per element; no operation reads them.
    let Some(size) = dtype.size() else { return Ok(()) };
    let needed = shape.iter().try_fold(size, |product, extent| product.checked_mul(*extent));
    if needed == Some(length) {
        return Ok(());
    }
    let needed = needed.map_or_else(|| "more than there can be".to_owned(), |needed| needed.to_string());
    Err(Problem::new(format!("has {length} bytes")).expected(format!("{needed} for {dtype:?} {shape:?}")))
}

/// Everything before the bytes of `tensors`, and where each of them starts, counted from the end of that.
///
/// # Errors
/// A clause, when a name occurs twice, or bytes do not fit a shape.
pub(super) fn lay_out(
    tensors: &[StoredTensor],
    texts: &[(&str, &str)],
) -> Result<(Vec<u8>, Vec<u64>), Problem> {
    let (mut descriptors, mut starts, mut end) = (BTreeMap::new(), Vec::new(), 0_u64);
    for tensor in tensors {
        let StoredTensor { name, dtype, param_id, .. } = tensor;
        let (dtype, param_id, length) = (*dtype, *param_id, tensor.byte_len());
        let shape: Vec<u64> = tensor.shape.iter().map(|extent| *extent as u64).collect();
        fits(dtype, &shape, length).map_err(|problem| problem.after(called(name)))?;
        // As Burn's writer does, so that both write the same bytes.
        let start = end.next_multiple_of(ALIGNMENT);
        end = start + length;
        let descriptor = TensorDescriptor { dtype, shape, data_offsets: (start, end), param_id };
        if descriptors.insert(name.clone(), descriptor).is_some() {
            return Err(Problem::new("occurs twice").after(called(name)));
        }
        starts.push(start);
    }
    let metadata = texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
    let head = head(&Metadata { tensors: descriptors, metadata })?;
    Ok((head, starts))
}

/// Header and description, up to the first tensor.
fn head(metadata: &Metadata) -> Result<Vec<u8>, Problem> {
    let mut encoded = Vec::new();
    ciborium::ser::into_writer(metadata, &mut encoded).map_err(|error| error.to_string())?;
    let size = u32::try_from(encoded.len()).ok().filter(|size| *size <= MOST_METADATA);
    let size = size.ok_or_else(|| {
        Problem::new(format!("its metadata has {} bytes", encoded.len()))
            .expected(format!("at most {MOST_METADATA}"))
    })?;
    let mut head = MAGIC.to_vec();
    head.extend(VERSION.to_le_bytes());
    head.extend(size.to_le_bytes());
    head.append(&mut encoded);
    head.resize(head.len().next_multiple_of(ALIGNMENT as usize), 0);
    Ok(head)
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
