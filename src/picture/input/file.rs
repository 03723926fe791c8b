//! Reading whole files with a size limit, and their SHA-256.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::error::{Error, Problem, Result};
use crate::memory::Part;

/// The largest file read as a picture or tensor, in bytes.
pub const MAX_FILE_BYTES: u64 = Part::File.ceiling();

/// Reads a whole file.
///
/// # Errors
/// [`Io`](crate::error::ErrorKind::Io) when the operating system refuses; [`Image`](crate::error::ErrorKind::Image) for a directory and for
/// more than [`MAX_FILE_BYTES`] or a file's share of memory. The limit applies to the bytes read: a device or a pipe reports no size.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let name = || path.display().to_string();
    let file = File::open(path).map_err(Error::io("read", path))?;
    let metadata = file.metadata().map_err(Error::io("read", path))?;
    if metadata.is_dir() {
        return Err(Error::image(name(), Problem::new("is a directory").expected("a file")));
    }
    Part::File.check(metadata.len()).map_err(|problem| problem.of_image(name()))?;
    let most = Part::File.most();
    // One byte more than the file has, so that the end is found without growing the buffer.
    let mut bytes = Vec::with_capacity(metadata.len().min(most) as usize + 1);
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    check_size(&bytes, name)?;
    Ok(bytes)
}

/// SHA-256 in lower-case hexadecimal, as records show it.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn check_size(bytes: &[u8], name: impl Fn() -> String) -> Result<()> {
    if bytes.is_empty() {
        return Err(Error::image(name(), "the file is empty"));
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES >> 20;
        return Err(Error::image(name(), format!("the file is larger than the limit of {limit} MiB")));
    }
    Part::File.check(bytes.len() as u64).map_err(|problem| problem.of_image(name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn the_fingerprint_is_the_one_of_the_standard() {
        // FIPS 180-4, the example message "abc".
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_missing_file_and_a_directory_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.png");
        let error = read_file(&missing).unwrap_err();
        assert!(error.kind() == ErrorKind::Io, "{error}");
        let error = read_file(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("is a directory, expected a file"), "{error}");
    }

    #[test]
    fn an_empty_file_is_named_as_such() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = read_file(file.path()).unwrap_err();
        assert!(error.to_string().ends_with("': the file is empty"), "{error}");
    }
}
