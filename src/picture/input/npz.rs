//! NumPy archives (`.npz`): named arrays in a zip file.
//!
//! Receives a path; gives names and, one at a time, arrays whose shape the caller accepts before any value is read.
//! Reading stops where the accepted shape ends, so a zip bomb cannot expand further.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::file::MAX_FILE_BYTES;
use super::npy::{Npy, count_of};
use crate::error::{Error, Problem, Result, Subject};
use crate::memory::{Part, check_zip};

/// An open archive.
#[derive(Debug)]
pub struct Npz {
    archive: ZipArchive<BufReader<File>>,
    name: String,
}

/// An array of finite values in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values, all finite.
    pub values: Vec<f32>,
}

impl Npz {
    /// Reads the table of contents. Errors call the file `reference 'PATH'`.
    ///
    /// # Errors
    /// [`Io`](crate::error::ErrorKind::Io) when the operating system refuses; [`Request`](crate::error::ErrorKind::Request) when it is no zip
    /// file, is damaged, or is larger than [`MAX_FILE_BYTES`].
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(Error::io("read", path))?;
        let metadata = file.metadata().map_err(Error::io("read", path))?;
        if !metadata.is_file() {
            return Err(refuse(&name, Problem::new("is not a file").expected("a .npz archive")));
        }
        if metadata.len() > MAX_FILE_BYTES {
            let limit = MAX_FILE_BYTES >> 20;
            return Err(refuse(&name, format!("is larger than the limit of {limit} MiB")));
        }
        let mut file = BufReader::new(file);
        check_zip(&mut file).map_err(|problem| refuse(&name, problem))?;
        file.rewind().map_err(Error::io("read", path))?;
        let archive = ZipArchive::new(file).map_err(|error| {
            let what = format!("is not a sound .npz archive: {}", reason(&error));
            refuse(&name, Problem::new(what).hint("numpy.savez writes one"))
        })?;
        Ok(Self { archive, name })
    }

    /// Whether it holds an array of that name.
    #[must_use]
    pub fn has(&self, array: &str) -> bool {
        self.archive.index_for_name(&member(array)).is_some()
    }

    /// The first few names, for messages.
    #[must_use]
    pub fn names(&self) -> String {
        const SHOWN: usize = 8;
        let names = self.archive.file_names().filter_map(std::result::Result::ok);
        let names: Vec<String> = names
            .take(SHOWN)
            // Names come from the file: they may be long, and hold anything.
            .map(|name| name.trim_end_matches(".npy").chars().take(40).flat_map(char::escape_debug).collect())
            .collect();
        match self.archive.len() {
            0 => "nothing".to_owned(),
            count if count > SHOWN => format!("{} and {} more", names.join(", "), count - SHOWN),
            _ => names.join(", "),
        }
    }

    /// Reads one array after `check` has accepted its shape.
    ///
    /// # Errors
    /// [`Request`](crate::error::ErrorKind::Request) when there is no such array, `check` refuses its shape, it holds other than finite
    /// numbers, or the archive is damaged.
    pub fn array(
        &mut self,
        array: &str,
        check: impl FnOnce(&[usize]) -> std::result::Result<(), Problem>,
    ) -> Result<Array> {
        let refuse = |problem: Problem| refuse(&self.name, problem.named("array", array));
        let unread = |problem: Problem| refuse(problem.after("cannot be read: "));
        let mut file = self.archive.by_name(&member(array)).map_err(|error| unread(reason(&error).into()))?;
        let npy = Npy::open(&mut file).map_err(unread)?;
        let shape = npy.shape.clone();
        check(&shape).and_then(|()| Part::Array.check(count_of(&shape))).map_err(refuse)?;
        let values = npy.numbers().map_err(unread)?;
        // The zip reader verifies the checksum only at the end of the member, which the last value may not reach.
        file.read(&mut [0]).map_err(|error| refuse(format!("is damaged: {error}").into()))?;
        Ok(Array { shape, values })
    }
}

fn member(array: &str) -> String {
    format!("{array}.npy")
}

fn refuse(name: &str, problem: impl Into<Problem>) -> Error {
    problem.into().about(Subject::Reference(name.to_owned())).into()
}

fn reason(error: &ZipError) -> String {
    match error {
        ZipError::Io(error) => error.to_string(),
        // "EOCD" is the crate's name for the table of contents and means nothing to users.
        ZipError::InvalidArchive(problem) if problem.contains("EOCD") => {
            "it has no table of contents at its end".to_owned()
        }
        ZipError::InvalidArchive(problem) => problem.to_string(),
        ZipError::UnsupportedArchive(problem) => (*problem).to_owned(),
        other => other.to_string(),
    }
    .to_lowercase()
}

#[cfg(test)]
#[path = "npz_tests.rs"]
mod tests;
