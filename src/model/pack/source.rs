//! The bytes of a pack: an open file, or a constant of the program.
//!
//! Receives a path or bytes, gives any range of them. Files are read at positions, a chunk at a time, and never
//! mapped: truncating a mapped file kills the process, a failed read is an error.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Problem};

/// Bytes at positions. Clones share the open file.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The file that the path named when it was opened; replacing it later has no effect.
    File { path: PathBuf, file: Arc<File> },
    #[cfg(feature = "embedded-model")]
    Memory { name: &'static str, bytes: Static },
}

/// Bytes of the program. `Debug` prints only their length.
#[cfg(feature = "embedded-model")]
#[derive(Clone, Copy)]
pub(super) struct Static(pub(super) &'static [u8]);

#[cfg(feature = "embedded-model")]
impl std::fmt::Debug for Static {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

/// Chunk size for sequential reads, in bytes: it fits a second-level cache, so a chunk is hashed from there.
const CHUNK: usize = 1 << 18;

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::File { path: path.to_path_buf(), file: Arc::new(File::open(path)?) })
    }

    /// File name without directories, or the name of an embedded model.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File { path, .. } => {
                path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
            }
            #[cfg(feature = "embedded-model")]
            Self::Memory { name, .. } => (*name).to_owned(),
        }
    }

    /// The error of a file that was readable when it was opened.
    pub(super) fn lost(&self, error: &io::Error) -> Error {
        let problem = Problem::new(format!("cannot be read any more: {error}"));
        Error::model(self.name(), problem.hint("was the file changed?"))
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> io::Result<u64> {
        match self {
            Self::File { file, .. } => Ok(file.metadata()?.len()),
            #[cfg(feature = "embedded-model")]
            Self::Memory { bytes, .. } => Ok(bytes.0.len() as u64),
        }
    }

    /// Fills `out` with the bytes from `start` on.
    ///
    /// # Errors
    /// When there are fewer bytes, or they cannot be read.
    pub(super) fn read(&self, start: u64, out: &mut [u8]) -> io::Result<()> {
        match self {
            Self::File { file, .. } => read_at(file, start, out),
            #[cfg(feature = "embedded-model")]
            Self::Memory { bytes, .. } => {
                let from = usize::try_from(start).ok().and_then(|start| bytes.0.get(start..));
                let found = from.and_then(|rest| rest.get(..out.len()));
                out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    /// Passes `length` bytes from `start` on to `see`, chunk by chunk, through a small buffer.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(super) fn each_chunk(&self, start: u64, length: u64, mut see: impl FnMut(&[u8])) -> io::Result<()> {
        #[cfg(feature = "embedded-model")]
        if let Self::Memory { bytes, .. } = self {
            let (start, end) = (start as usize, start.saturating_add(length) as usize);
            see(bytes.0.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
            return Ok(());
        }
        let mut buffer = vec![0; CHUNK.min(length as usize)];
        let mut done = 0;
        while done < length {
            let chunk = &mut buffer[..CHUNK.min((length - done) as usize)];
            self.read(start + done, chunk)?;
            see(chunk);
            done += chunk.len() as u64;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_at(file: &File, start: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, start)
}

#[cfg(windows)]
fn read_at(file: &File, start: u64, out: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < out.len() {
        match std::os::windows::fs::FileExt::seek_read(file, &mut out[done..], start + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => done += count,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_replaced_stays_what_it_was_and_one_that_is_cut_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let bytes: Vec<u8> = (0..2 * CHUNK + 77).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let source = Source::open(&path).unwrap();
        std::fs::write(&other, b"something else").unwrap();
        std::fs::rename(&other, &path).unwrap();
        let mut seen = Vec::new();
        source.each_chunk(3, bytes.len() as u64 - 3, |chunk| seen.extend_from_slice(chunk)).unwrap();
        assert!(seen == bytes[3..]);

        let source = Source::open(&path).unwrap();
        std::fs::write(&path, b"some").unwrap();
        let error = source.read(2, &mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
