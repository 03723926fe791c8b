//! Files before they are complete, models and all others: their names, and what killed programs left of them.
//!
//! Receives the path of a file to come; gives an open file in the same directory. Its name says which file it is going to be, which
//! process writes it, and where that runs, with a random part behind: two processes never write the same one, and the next run finds out
//! which of them no process is going to complete.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempDir};

use crate::digest::hex;
use crate::error::{Error, Result};

const PREFIX: &str = ".burncam-";

/// Letters of a hash in a name. The final name itself may already be at the file system's limit.
const HASH: usize = 16;

/// A file that has not changed for so long is not being written, wherever its process is: writing the files of an image takes seconds.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// Creates a file that is going to be `path`, in its directory.
///
/// # Errors
/// When it cannot be created.
pub fn create(path: &Path) -> Result<NamedTempFile> {
    let prefix = prefix(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The mode of ordinary files, before the user's umask; temporary files are private by default.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let directory = directory(path);
    builder.tempfile_in(directory).map_err(Error::write_into(directory))
}

/// Creates a directory for a file that is going to be `path`, next to it.
///
/// # Errors
/// When it cannot be created.
pub(crate) fn create_directory(path: &Path) -> Result<TempDir> {
    let directory = directory(path);
    let created = tempfile::Builder::new().prefix(&prefix(path)).tempdir_in(directory);
    created.map_err(Error::write_into(directory))
}

/// Waits until the names in a directory are on disk. Other systems than Unix have no such call.
///
/// # Errors
/// When they cannot be written.
pub fn sync_names(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::File::open(directory)?.sync_all()?;
    let _ = directory;
    Ok(())
}

/// The directory of a file.
#[must_use]
pub fn directory(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(Path::new("")))
}

/// The empty path means the current directory, but the operating system does not accept it.
#[must_use]
pub fn or_here(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}

/// How the names of this process's temporary files of a path begin.
fn prefix(path: &Path) -> String {
    format!("{PREFIX}{}-{}-", mark(path), process())
}

/// What the names of all temporary files of a path have.
fn mark(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    hash(name.as_encoded_bytes())
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))[..HASH].to_owned()
}

/// Where this process runs, and its number.
fn process() -> &'static str {
    static PROCESS: OnceLock<String> = OnceLock::new();
    PROCESS.get_or_init(|| format!("{}-{}", place(), std::process::id()))
}

/// The start of this machine, and the part of it that shares numbers of processes: containers have their own. Zeros where the
/// system does not say it.
fn place() -> String {
    let start = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let numbers = std::fs::read_link("/proc/self/ns/pid");
    match (start, numbers) {
        (Ok(start), Ok(numbers)) => hash(format!("{start}{}", numbers.display()).as_bytes()),
        _ => "0".repeat(HASH),
    }
}

/// Temporary files in a directory, and directories of such.
#[derive(Debug, Default)]
pub struct Leftovers(Vec<Leftover>);

#[derive(Debug)]
struct Leftover {
    path: PathBuf,
    /// What [`mark`] gives for the file that it was going to be.
    mark: String,
    /// Place and number of the process that made it.
    process: String,
    modified: Option<SystemTime>,
    is_directory: bool,
}

impl Leftovers {
    /// Those in a directory, not below it; none where it cannot be read.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        let entries = std::fs::read_dir(or_here(directory)).into_iter().flatten().flatten();
        Self(entries.filter_map(|entry| Leftover::of(&entry)).collect())
    }

    /// The files that were going to be `path`. A record among them belongs to pictures that are complete, or that never will be.
    pub fn before<'a>(&'a self, path: &Path) -> impl Iterator<Item = &'a Path> + use<'a> {
        let mark = if self.0.is_empty() { String::new() } else { mark(path) };
        self.0
            .iter()
            .filter(move |left| left.mark == mark && !left.is_directory)
            .map(|left| left.path.as_path())
    }

    /// Removes those in a directory that no process is going to complete: of processes of this machine that are no more, and those that are a day old.
    /// Links are left alone, and so is what cannot be removed.
    pub fn sweep(directory: &Path) {
        let Self(all) = Self::of(directory);
        if all.is_empty() {
            return;
        }
        // By the clock that gave the others their times, which on a shared directory is not this machine's.
        let now = tempfile::tempfile_in(or_here(directory)).and_then(|file| file.metadata()?.modified()).ok();
        for left in all.iter().filter(|left| left.is_abandoned(now)) {
            log::debug!("removing '{}', which a run left that did not end", left.path.display());
            // Another run may be doing the same.
            let _ = if left.is_directory {
                std::fs::remove_dir_all(&left.path)
            } else {
                std::fs::remove_file(&left.path)
            };
        }
    }
}

impl Leftover {
    fn of(entry: &DirEntry) -> Option<Self> {
        let name = entry.file_name();
        let rest = name.to_str()?.strip_prefix(PREFIX)?;
        let mut parts = rest.split('-');
        let (mark, place, number, random) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hash = |text: &str| text.len() == HASH && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_ours =
            is_hash(mark) && is_hash(place) && is_number && !random.is_empty() && parts.next().is_none();
        // Neither call follows links.
        let kind = if is_ours { entry.file_type().ok()? } else { return None };
        let modified = || entry.metadata().and_then(|data| data.modified()).ok();
        (kind.is_file() || kind.is_dir()).then(|| Self {
            path: entry.path(),
            mark: mark.to_owned(),
            process: format!("{place}-{number}"),
            modified: modified(),
            is_directory: kind.is_dir(),
        })
    }

    fn is_abandoned(&self, now: Option<SystemTime>) -> bool {
        let age = now.zip(self.modified).and_then(|(now, then)| now.duration_since(then).ok());
        age.is_some_and(|age| age > OLD) || self.is_of_the_dead()
    }

    /// Whether its process ran here and is no more.
    fn is_of_the_dead(&self) -> bool {
        let here = process().split('-').next().unwrap_or_default();
        let Some((place, number)) = self.process.split_once('-') else { return false };
        // Without `/proc` nothing is known of others.
        let knows = here.bytes().any(|byte| byte != b'0') && Path::new("/proc/self").exists();
        knows && place == here && !Path::new("/proc").join(number).exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn two_files_of_one_name_are_written_side_by_side() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        let (one, other) = (create(&path).unwrap(), create(&path).unwrap());
        assert_ne!(one.path(), other.path());
        let left = Leftovers::of(directory.path());
        assert_eq!(left.before(&path).count(), 2);
        assert_eq!(left.before(&directory.path().join("b.json")).count(), 0);
        Leftovers::sweep(directory.path());
        assert!(one.path().exists() && other.path().exists(), "they are being written");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_files_that_nobody_completes_are_swept() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        // No process has this number: Linux counts to 4,194,304.
        let dead = format!("{}-9999999", place());
        let hash = mark(Path::new("a.json"));
        let other = "f".repeat(HASH);
        let removed = [format!("{PREFIX}{hash}-{dead}-x1"), format!("{PREFIX}{hash}-{other}-7-old")];
        let kept = [
            format!("{PREFIX}{hash}-{other}-9999999-x2"),
            format!("{PREFIX}{hash}-{dead}"),
            format!("{PREFIX}notes"),
            format!("{PREFIX}{hash}-{dead}-x1-more"),
        ];
        for name in removed.iter().chain(&kept) {
            std::fs::write(at(name), "half").unwrap();
        }
        let long_ago = SystemTime::now() - 2 * OLD;
        for name in [&removed[1], &kept[2]] {
            std::fs::File::options().write(true).open(at(name)).unwrap().set_modified(long_ago).unwrap();
        }
        let folder = at(&format!("{PREFIX}{hash}-{dead}-folder"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("net.bpk"), "half").unwrap();
        let link = format!("{PREFIX}{hash}-{dead}-link");
        std::os::unix::fs::symlink(at(&kept[2]), at(&link)).unwrap();
        Leftovers::sweep(directory.path());
        let mut expected: Vec<String> = kept.into_iter().chain([link]).collect();
        expected.sort();
        assert_eq!(names(directory.path()), expected);
    }
}
