//! Files that appear completely or not at all.
//!
//! Receives bytes, writes files. A file is written under a temporary name in the same directory, as it comes, and then
//! renamed. All are complete before any is renamed: a full disk is found out while nothing has appeared yet. The files
//! of one image are renamed in order, the record last, and records to be replaced are removed first: a record
//! implies that its pictures exist. If one file cannot be written, the new files of the same image are removed.
//!
//! The temporary name is derived from the final one, so that the leftover of a killed program is overwritten by the
//! next one that writes the same file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use burncam_graph::digest::hex;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, PathPersistError, TempPath};

use crate::error::{Error, Problem, Result};
use crate::input::sha256_hex;

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
    put_in_place(staged(pictures)?, staged(records)?, overwrite)
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

    /// Gives files their names in order, pictures before records: all of them or none.
    ///
    /// # Errors
    /// When one cannot be renamed, or exists and `overwrite` is off.
    pub fn put_in_place(pictures: Vec<Staged>, records: Vec<Staged>, overwrite: bool) -> Result<()> {
        put_in_place(pictures, records, overwrite)
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
        let file = create(&path)?;
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
        let mut file = create(&path)?;
        let copied = File::open(&self.file).and_then(|mut from| std::io::copy(&mut from, file.as_file_mut()));
        copied.map_err(Error::io("write", &path))?;
        Ok(Self { path, file: file.into_temp_path(), size: self.size, sha256: self.sha256.clone() })
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
/// When one cannot be renamed, or exists and `overwrite` is off.
pub(crate) fn put_in_place(pictures: Vec<Staged>, records: Vec<Staged>, overwrite: bool) -> Result<()> {
    // Old records go first. Killed from here on, a run leaves pictures without a record, which `--resume` redoes.
    for record in records.iter().filter(|record| record.path.is_file()) {
        std::fs::remove_file(&record.path).map_err(Error::io("replace", &record.path))?;
    }
    let mut fresh: Vec<PathBuf> = Vec::new();
    for Staged { path, file, .. } in pictures.into_iter().chain(records) {
        let is_new = !path.exists();
        // A file that appeared since the check is not replaced.
        let result = if overwrite { file.persist(&path) } else { file.persist_noclobber(&path) };
        if let Err(error) = result {
            for path in fresh {
                // The error below is the one to report; a leftover file is the lesser problem.
                let _ = std::fs::remove_file(path);
            }
            return Err(not_persisted(error, &path));
        }
        // What was replaced cannot be brought back; only new files are taken away after a failure.
        if is_new {
            fresh.push(path);
        }
    }
    Ok(())
}

fn create(path: &Path) -> Result<NamedTempFile> {
    let directory = or_here(path.parent().unwrap_or(Path::new("")));
    std::fs::create_dir_all(directory).map_err(Error::io("create the directory", directory))?;
    let name = temporary_name(path);
    match builder(&name).tempfile_in(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            // Left by a program that was killed.
            std::fs::remove_file(directory.join(&name)).map_err(Error::write_into(directory))?;
            builder(&name).tempfile_in(directory)
        }
        other => other,
    }
    .map_err(Error::write_into(directory))
}

/// The path of a file before it is renamed. A record left there belongs to pictures that are complete, or that never
/// will be.
#[must_use]
pub fn temporary_path(path: &Path) -> PathBuf {
    path.with_file_name(temporary_name(path))
}

/// Fixed length: the real name may already be at the file-system limit.
fn temporary_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".burncam-{}", &sha256_hex(name.as_encoded_bytes())[..16])
}

fn builder(name: &str) -> tempfile::Builder<'_, '_> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(name).rand_bytes(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The mode of ordinary files, before the user's umask; temporary files are private by default.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// The empty path means the current directory, but the operating system does not accept it.
fn or_here(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}

fn not_persisted(error: PathPersistError, path: &Path) -> Error {
    if error.error.kind() == std::io::ErrorKind::AlreadyExists {
        return Error::exists(path);
    }
    Error::io("write", path)(error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(directory: &Path, name: &str) -> OutputFile {
        OutputFile { path: directory.join(name), bytes: name.as_bytes().to_vec() }
    }

    #[test]
    fn nothing_is_overwritten_without_leave() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (file(directory.path(), "a"), file(directory.path(), "b"));
        write_together(&[], std::slice::from_ref(&second), false).unwrap();
        let error =
            write_together(std::slice::from_ref(&first), std::slice::from_ref(&second), false).unwrap_err();
        assert!(error.to_string().contains("already exists"), "{error}");
        assert!(!first.path.exists(), "a file of a failed image was left behind");
        write_together(&[first], &[second], true).unwrap();
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            2,
            "temporary files were left behind"
        );
    }

    #[test]
    fn what_a_killed_program_left_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let file = file(directory.path(), "a");
        let left = temporary_path(&file.path);
        std::fs::write(&left, "half").unwrap();
        write_together(std::slice::from_ref(&file), &[], false).unwrap();
        assert!(!left.exists());
        assert_eq!(std::fs::read(&file.path).unwrap(), b"a");
    }

    #[test]
    fn a_place_taken_by_a_directory_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (file(directory.path(), "a"), file(directory.path(), "b"));
        std::fs::create_dir(&second.path).unwrap();
        assert!(write_together(std::slice::from_ref(&first), &[second], true).is_err());
        assert!(!first.path.exists());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
