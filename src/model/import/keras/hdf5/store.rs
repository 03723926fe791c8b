//! The bytes of an HDF5 file, with limits on what a file may make its reader do.
//!
//! Receives a file, or a part of one, or bytes in memory; gives ranges of bytes. Knows nothing of their meaning.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use crate::error::Problem;

/// Reads of one file. The largest of Keras's own applications takes some tens of thousands; a file whose structures
/// lead in circles would never end.
const MAX_READS: u64 = 4_000_000;
/// Bytes that may be read beyond eight times the file: nodes of trees and heaps are read again for each name.
const SLACK: u64 = 256 << 20;

/// Bytes to read from.
#[derive(Debug)]
pub(in crate::import::keras) struct Store {
    bytes: Bytes,
    length: u64,
    reads: Cell<u64>,
    taken: Cell<u64>,
}

#[derive(Debug)]
enum Bytes {
    /// From an offset of a file.
    File(File, u64),
    Memory(Vec<u8>),
}

impl Store {
    /// `length` bytes of a file from `start` on.
    pub(in crate::import::keras) fn of_file(file: File, start: u64, length: u64) -> Self {
        Self::new(Bytes::File(file, start), length)
    }

    /// Bytes in memory.
    pub(in crate::import::keras) fn of_memory(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self::new(Bytes::Memory(bytes), length)
    }

    fn new(bytes: Bytes, length: u64) -> Self {
        Self { bytes, length, reads: Cell::new(0), taken: Cell::new(0) }
    }

    /// Number of bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// `count` bytes at `at`.
    ///
    /// # Errors
    /// When they are not there, or the file has been read too often.
    pub(super) fn read(&self, at: u64, count: u64) -> Result<Vec<u8>, Problem> {
        let end = at.checked_add(count).filter(|end| *end <= self.length);
        if end.is_none() {
            let what = format!("refers to {count} bytes at {at}, but it has only {}", self.length);
            return Err(Problem::new(what).hint("was it copied or downloaded to its end?"));
        }
        self.reads.set(self.reads.get() + 1);
        self.taken.set(self.taken.get().saturating_add(count));
        if self.reads.get() > MAX_READS || self.taken.get() > self.length.saturating_mul(8) + SLACK {
            return Err("has structures that overlap or lead in circles".into());
        }
        let (first, size) = (usize::try_from(at), usize::try_from(count));
        let (Ok(first), Ok(size)) = (first, size) else { return Err("is too large for this machine".into()) };
        match &self.bytes {
            Bytes::Memory(bytes) => Ok(bytes[first..first + size].to_vec()),
            Bytes::File(file, start) => {
                let mut buffer = vec![0; size];
                let mut file = file;
                let read = file.seek(SeekFrom::Start(start + at)).and_then(|_| file.read_exact(&mut buffer));
                read.map_err(|error| Problem::new(error.to_string()))?;
                Ok(buffer)
            }
        }
    }
}
