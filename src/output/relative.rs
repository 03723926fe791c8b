//! The way from a directory to a file, so that both can be moved together.

use std::io;
use std::path::{Component, Path, PathBuf};

use burncam_model::temporary::or_here;

/// The path of `file` relative to `folder`, both of them relative to the current directory or absolute. `None` when there is none, for
/// example between drives on Windows, or when the current directory is unknown.
///
/// Links stay as written, because browsers resolve addresses as text; only a link before `..` is resolved, because its parent is that of its
/// target.
#[must_use]
pub fn relative(folder: &Path, file: &Path) -> Option<PathBuf> {
    let (folder, file) = (resolved(folder).ok()?, resolved(file).ok()?);
    let common = folder.components().zip(file.components()).take_while(|(one, other)| one == other).count();
    // Another drive on Windows: there is no relative path.
    if common == 0 {
        return None;
    }
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    Some(up.chain(file.components().skip(common)).collect())
}

/// As [`relative`], as text with `/` between directories.
#[must_use]
pub fn relative_text(folder: &Path, file: &Path) -> Option<String> {
    let path = relative(folder, file)?;
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    Some(parts.join("/"))
}

/// The absolute path without `..`.
///
/// # Errors
/// When the current directory is unknown.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut resolved = PathBuf::new();
    for component in std::path::absolute(or_here(path))?.components() {
        if component == Component::ParentDir {
            // `..` after a link leaves the directory that the link leads to.
            if resolved.is_symlink() {
                resolved = resolved.canonicalize()?;
            }
            resolved.pop();
        } else {
            resolved.push(component);
        }
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_the_directory_to_the_file() {
        let from = |folder: &str, file: &str| relative_text(Path::new(folder), Path::new(file)).unwrap();
        assert_eq!(from("/a/out", "/a/out/cats/1.png"), "cats/1.png");
        assert_eq!(from("/a/out", "/a/photos/1.jpg"), "../photos/1.jpg");
        assert_eq!(from("", "photos/1.jpg"), "photos/1.jpg");
        assert_eq!(from("out/../out", "./photos/../1.jpg"), "../1.jpg");
        assert_eq!(from("out", "out"), "");
    }
}
