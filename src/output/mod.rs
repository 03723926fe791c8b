//! Files that appear completely or not at all.
//!
//! Receives bytes, writes files. A file is written under a temporary name in the same directory, as it comes, and then
//! renamed. All are complete before any is renamed: a full disk is found out while nothing has appeared yet. The files
//! of one image are renamed in order, the record last, and records to be replaced are removed first: a record
//! implies that its pictures exist. If one file cannot be written, the new files of the same image are removed.
//!
//! Contents are on disk before the names, and the names before a caller hears of them, unless the caller does without: a machine that
//! loses power keeps what was reported. Several processes may write into one directory: temporary names are their own, and the last of
//! them that writes a file has it whole.

mod relative;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use burncam_graph::digest::hex;
pub use burncam_model::temporary::Leftovers;
use burncam_model::temporary::{self, or_here};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, PathPersistError, TempPath};

pub use self::relative::{relative, relative_text};
use crate::error::{Error, Problem, Result};

/// A file to be written.
#[derive(Debug, Clone)]
pub struct OutputFile {
    /// The final path.
    pub path: PathBuf,
    /// The contents.
    pub bytes: Vec<u8>,
}

/// Refuses paths that already exist, before any work is done.
///
/// # Errors
/// For the first path that exists.
pub fn refuse_existing<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
    match paths.into_iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(Error::exists(path)),
        None => Ok(()),
    }
}

/// Checks that files can be created in a directory, or that it can be created itself. Leaves no files.
///
/// # Errors
/// When it is not a directory, or files cannot be created in it or in its nearest existing parent.
pub fn check_directory(directory: &Path) -> Result<()> {
    let directory = or_here(directory);
    if directory.exists() && !directory.is_dir() {
        return Err(Error::request(
            Problem::new("is a file").expected("a directory").named("output", directory.display()),
        ));
    }
    // The directory is not made here: a run that is refused later leaves no trace.
    let nearest = directory.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    // An unnamed file where the system supports it, so that a kill at this point leaves nothing.
    tempfile::tempfile_in(nearest).map(drop).map_err(Error::write_into(directory))
}

/// Writes the files of one image in order, pictures before records: all of them or none.
///
/// # Errors
/// When one exists and `overwrite` is off, or cannot be written.
pub fn write_together(pictures: &[OutputFile], records: &[OutputFile], overwrite: bool) -> Result<()> {
    if !overwrite {
        refuse_existing(pictures.iter().chain(records).map(|file| &file.path))?;
    }
    let staged = |files: &[OutputFile]| files.iter().map(OutputFile::stage).collect::<Result<Vec<_>>>();
    put_in_place(staged(pictures)?, staged(records)?, Placing { overwrite, sync: true })
}

/// How complete files get their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placing {
    /// Whether they replace others.
    pub(crate) overwrite: bool,
    /// Whether they are on disk before this is reported.
    pub(crate) sync: bool,
}

/// A file that is complete under its temporary name. It disappears when it is dropped.
#[derive(Debug)]
pub struct Staged {
    /// The final path.
    path: PathBuf,
    file: TempPath,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// SHA-256 of its contents, lower-case hexadecimal.
    pub(crate) sha256: String,
}

impl OutputFile {
    /// Creates a file that is going to be `path`, and its directory. It is left over when the program is killed before it is renamed.
    ///
    /// # Errors
    /// When one of them cannot be created.
    fn begin(path: &Path) -> Result<NamedTempFile> {
        let directory = temporary::directory(path);
        std::fs::create_dir_all(directory).map_err(Error::io("create the directory", directory))?;
        temporary::create(path)
    }

    /// Writes a file as its contents come, under its temporary name. [`OutputFile::put_in_place`] gives it its own.
    ///
    /// # Errors
    /// When the directory or the file cannot be written, and when `write` fails.
    pub fn staged(
        path: PathBuf,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<Staged> {
        Staged::new(path, write)
    }

    /// Gives files their names in order, pictures before records: all of them or none. They are on disk before it returns.
    ///
    /// # Errors
    /// When one cannot be written to disk or renamed, or exists and `overwrite` is off.
    pub fn put_in_place(pictures: Vec<Staged>, records: Vec<Staged>, overwrite: bool) -> Result<()> {
        put_in_place(pictures, records, Placing { overwrite, sync: true })
    }

    pub(crate) fn stage(&self) -> Result<Staged> {
        Staged::new(self.path.clone(), |out| out.write_all(&self.bytes))
    }
}

impl Staged {
    /// `write` writes the contents, as they come.
    ///
    /// # Errors
    /// When the directory or the file cannot be written.
    pub(crate) fn new(
        path: PathBuf,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<Self> {
        let file = OutputFile::begin(&path)?;
        let mut hashed = Hashed { file, size: 0, hash: Sha256::new() };
        write(&mut hashed).map_err(Error::io("write", &path))?;
        let Hashed { file, size, hash } = hashed;
        // Closed, because a photo may have more files than a process may have open.
        Ok(Self { path, file: file.into_temp_path(), size, sha256: hex(&hash.finalize()) })
    }

    /// The same contents under another name.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(crate) fn again(&self, path: PathBuf) -> Result<Self> {
        let mut file = OutputFile::begin(&path)?;
        let copied = File::open(&self.file).and_then(|mut from| std::io::copy(&mut from, file.as_file_mut()));
        copied.map_err(Error::io("write", &path))?;
        Ok(Self { path, file: file.into_temp_path(), size: self.size, sha256: self.sha256.clone() })
    }
}

impl Staged {
    /// Waits until the contents are on disk.
    fn sync(&self) -> Result<()> {
        // Opened for writing, because Windows syncs no other.
        let synced = File::options().write(true).open(&self.file).and_then(|file| file.sync_all());
        synced.map_err(Error::io("write", &self.path))
    }

    /// Removes the record that this one replaces, unless it is the same, bytes of its pictures included: then it stays true all the time, and
    /// another process that has just written it does not lose it.
    fn make_way(&self) -> Result<()> {
        let size = self.path.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len());
        let is_same =
            || std::fs::read(&self.path).is_ok_and(|bytes| hex(&Sha256::digest(bytes)) == self.sha256);
        match size {
            None => Ok(()),
            Some(size) if size == self.size && is_same() => Ok(()),
            Some(_) => match std::fs::remove_file(&self.path) {
                // Another process was faster.
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(Error::io("replace", &self.path)(error))
                }
                _ => Ok(()),
            },
        }
    }
}

/// A file whose bytes are counted and hashed on their way: large ones are never in memory as a whole.
struct Hashed {
    file: NamedTempFile,
    size: u64,
    hash: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.as_file_mut().write(bytes)?;
        self.size += count as u64;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Renames complete files in order, pictures before records: all of them or none.
///
/// # Errors
/// When one cannot be written to disk or renamed, or exists and is not to be replaced.
pub(crate) fn put_in_place(pictures: Vec<Staged>, records: Vec<Staged>, how: Placing) -> Result<()> {
    if how.sync {
        pictures.iter().chain(&records).try_for_each(Staged::sync)?;
    }
    // Old records go first. Killed from here on, a run leaves pictures without a record, which `--resume` redoes.
    records.iter().try_for_each(Staged::make_way)?;
    let mut fresh = Vec::new();
    let placed = name_all(pictures.into_iter().chain(records), how, &mut fresh);
    if placed.is_err() {
        fresh.into_iter().for_each(|(path, own)| take_away(&path, own));
    }
    placed
}

/// Gives files their names and waits until these are on disk. `fresh` gets those that replaced nothing: only they can be taken away after a failure.
fn name_all(
    files: impl Iterator<Item = Staged>,
    how: Placing,
    fresh: &mut Vec<(PathBuf, Option<Identity>)>,
) -> Result<()> {
    let mut directories = BTreeSet::new();
    for Staged { path, file, .. } in files {
        let (is_new, own) = (!path.exists(), identity(&file));
        // A file that appeared since the check is not replaced.
        let result = if how.overwrite { file.persist(&path) } else { file.persist_noclobber(&path) };
        result.map_err(|error| not_persisted(error, &path))?;
        directories.insert(temporary::directory(&path).to_path_buf());
        if is_new {
            fresh.push((path, own));
        }
    }
    if how.sync {
        directories
            .iter()
            .try_for_each(|directory| temporary::sync_names(directory).map_err(Error::write_into(directory)))
    } else {
        Ok(())
    }
}

/// Removes a file of an image that failed, unless another process has replaced it. The image's error is the one to report; a leftover file is the
/// lesser problem.
fn take_away(path: &Path, own: Option<Identity>) {
    if identity(path) == own {
        let _ = std::fs::remove_file(path);
    }
}

/// What distinguishes a file from others of the same name.
type Identity = (u64, u64);

/// Device and number of a file, which renaming does not change; `None` where there is no file, or no such number.
fn identity(path: &Path) -> Option<Identity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        path.symlink_metadata().ok().map(|data| (data.dev(), data.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

fn not_persisted(error: PathPersistError, path: &Path) -> Error {
    if error.error.kind() == ErrorKind::AlreadyExists {
        return Error::exists(path);
    }
    Error::io("write", path)(error.error)
}

#[cfg(test)]
mod tests;
