//! Files that are written line by line under their own names, so that they can be followed and a kill costs the last line alone.
//!
//! Receives a path; gives an open file. What is in it is the caller's.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};

/// Creates a file, with its directory. One that is in the way is refused, or with `overwrite` removed: another process that writes it
/// goes on in the old one, and what else is called like it stays. A pipe or a device is opened as it is.
///
/// # Errors
/// When a file is in the way, the path is a link, or the system refuses.
pub(crate) fn create(path: &Path, overwrite: bool) -> Result<File> {
    let about = || format!("cannot write '{}'", path.display());
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot create the directory '{}'", parent.display()))?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    // It has no contents to lose.
    if path.metadata().is_ok_and(|data| !data.is_file()) {
        return options.open(path).with_context(about);
    }
    // In a directory of several users it may be planted, and lead to any file of the one who runs this.
    if path.is_symlink() {
        bail!(
            "output '{}' is a link (name the file that it leads to, or - for standard output)",
            path.display()
        );
    }
    if overwrite
        && let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error).with_context(about);
    }
    // `create_new` does not follow a link that has appeared since.
    options.create_new(true).open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow!("output '{}' already exists (use --force to replace it)", path.display())
        }
        _ => anyhow!(error).context(about()),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_and_what_is_replaced_stays_under_its_other_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("mine"), "precious").unwrap();
        std::os::unix::fs::symlink(at("mine"), at("planted.csv")).unwrap();
        std::os::unix::fs::symlink(at("nothing"), at("dangling.csv")).unwrap();
        for name in ["planted.csv", "dangling.csv"] {
            let error = create(&at(name), true).unwrap_err().to_string();
            assert!(error.contains(" is a link (name the file that it leads to"), "{error}");
        }
        std::fs::hard_link(at("mine"), at("other.csv")).unwrap();
        assert!(create(&at("other.csv"), false).unwrap_err().to_string().contains("already exists"));
        create(&at("other.csv"), true).unwrap().write_all(b"new").unwrap();
        assert_eq!(std::fs::read_to_string(at("mine")).unwrap(), "precious");
        assert_eq!(std::fs::read_to_string(at("other.csv")).unwrap(), "new");
        create(Path::new("/dev/null"), false).unwrap();
    }
}
