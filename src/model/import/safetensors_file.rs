//! The header of a safetensors file, without the tensors.

use std::fs::File;
use std::io::Read as _;

use safetensors::tensor::Metadata;

use crate::error::Problem;
use crate::memory::Part;

/// The format's own limit on the header.
const LONGEST_HEADER: u64 = 100_000_000;
const LENGTH_FIELD: u64 = 8;

/// Whether a file that starts with `head` is a safetensors file: a length of 8 bytes, then an opening brace.
pub(super) fn is_safetensors(head: &[u8]) -> bool {
    head.get(..8)
        .and_then(|length| length.try_into().ok())
        .is_some_and(|length| u64::from_le_bytes(length) <= LONGEST_HEADER)
        && head.get(8) == Some(&b'{')
}

/// The validated header, and the file offset that its offsets are relative to.
///
/// # Errors
/// A clause that says what is wrong with the file.
pub(super) fn read_list(mut file: &File) -> Result<(Metadata, u64), Problem> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let mut field = [0; 8];
    file.read_exact(&mut field).map_err(|error| error.to_string())?;
    let header = u64::from_le_bytes(field);
    // Before memory is allocated for it.
    if header > LONGEST_HEADER || header > length.saturating_sub(LENGTH_FIELD) {
        return Err(
            format!("its list of tensors claims {header} bytes, but the file has only {length}").into()
        );
    }
    Part::Header.check(header)?;
    let mut text = Vec::new();
    file.take(header).read_to_end(&mut text).map_err(|error| error.to_string())?;
    let list: Metadata = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let start = LENGTH_FIELD + header;
    let expected = start.saturating_add(list.data_len() as u64);
    // Bytes missing or left over mean a file that was cut or joined: offsets may be wrong, too.
    if expected != length {
        return Err(format!("its list of tensors needs {expected} bytes, but the file has {length}").into());
    }
    Ok((list, start))
}
