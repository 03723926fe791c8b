//! Lists of inputs, `--files-from`, as written by `find`, `git ls-files`, a database or by hand.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burncam_graph::Error;
use burncam_graph::memory::{self, Part};

use crate::decode;

/// The paths in a list, in order; `-` is standard input.
pub(super) fn read(list: &Path) -> Result<Vec<PathBuf>> {
    let about = || format!("list '{}'", list.display());
    let bytes = if list == Path::new("-") {
        let read = memory::read_from(std::io::stdin().lock(), 0, Part::Text)
            .context("cannot read standard input")?;
        let bytes = read.map_err(Error::from).with_context(about)?;
        memory::allow(memory::of_lines(&bytes)).map_err(Error::from).with_context(about)?;
        bytes
    } else {
        let bytes = memory::read(list, Part::Text)?;
        memory::allow(memory::of_lines(&bytes)).map_err(Error::from).with_context(about)?;
        bytes
    };
    let paths = paths(&decode::text(bytes).with_context(about)?).with_context(about)?;
    if paths.is_empty() {
        // An empty list is more likely a failed query than a wish for nothing.
        bail!("list '{}' names no files (write one path a line)", list.display());
    }
    Ok(paths)
}

/// A NUL anywhere means NUL separators, because no path contains one; otherwise lines, with Unix or Windows line
/// ends.
fn paths(bytes: &[u8]) -> Result<Vec<PathBuf>> {
    let separator = if bytes.contains(&0) { 0 } else { b'\n' };
    bytes
        .split(|byte| *byte == separator)
        .map(|name| if separator == b'\n' { name.strip_suffix(b"\r").unwrap_or(name) } else { name })
        .enumerate()
        .filter(|(_, name)| !name.is_empty())
        .map(|(at, name)| path(name).with_context(|| format!("line {}", at + 1)))
        .collect()
}

#[cfg(unix)]
pub(crate) fn path(name: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(name)))
}

#[cfg(not(unix))]
pub(crate) fn path(name: &[u8]) -> Result<PathBuf> {
    Ok(PathBuf::from(std::str::from_utf8(name).context("the path is not UTF-8")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8]) -> Vec<String> {
        paths(bytes).unwrap().iter().map(|path| path.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn lines_may_end_as_on_windows_and_may_be_empty() {
        assert_eq!(names(b"a.jpg\r\n\r\n\nb c.jpg\n d.jpg"), ["a.jpg", "b c.jpg", " d.jpg"]);
        assert!(names(b"\n\r\n").is_empty());
    }

    #[test]
    fn with_a_nul_in_it_only_nuls_separate() {
        assert_eq!(names(b"a.jpg\0two\nlines.jpg\0\0c\r\0"), ["a.jpg", "two\nlines.jpg", "c\r"]);
    }

    #[cfg(unix)]
    #[test]
    fn names_need_not_be_text() {
        use std::os::unix::ffi::OsStrExt as _;
        let found = paths(b"caf\xE9.jpg\n").unwrap();
        assert_eq!(found[0].as_os_str().as_bytes(), b"caf\xE9.jpg");
    }

    #[test]
    fn an_empty_list_and_a_missing_one_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        assert!(read(&list).unwrap_err().to_string().starts_with("cannot read '"));
        std::fs::write(&list, "\n").unwrap();
        assert!(read(&list).unwrap_err().to_string().ends_with("names no files (write one path a line)"));
    }
}
