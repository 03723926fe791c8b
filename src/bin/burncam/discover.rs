//! From what was written on the command line to a sorted list of inputs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam::cam::Method;
use burncam::output;
use walkdir::WalkDir;

/// Endings of the files that a directory is searched for; a file named outright may be called anything.
const ENDINGS: &[&str] =
    &["bmp", "gif", "jpeg", "jpg", "npy", "pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp"];

/// One thing to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// As the caller would write it; `-` is standard input.
    pub(crate) path: PathBuf,
    /// Directory of its outputs below the output directory: where it lay below the directory that was named.
    pub(crate) below: PathBuf,
}

impl Input {
    pub(crate) fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    pub(crate) fn is_tensor(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
    }

    /// File name without its last ending; `stdin` for standard input.
    pub(crate) fn stem(&self) -> String {
        if self.is_stdin() {
            return "stdin".to_owned();
        }
        self.path.file_stem().map_or_else(|| "image".to_owned(), |stem| stem.to_string_lossy().into_owned())
    }
}

/// Files as they are named, directories searched in order of name, each file once. At least one.
pub(crate) fn discover(named: &[PathBuf]) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in named {
        if path.is_dir() {
            inputs.extend(search(path));
        } else {
            inputs.push(Input { path: path.clone(), below: PathBuf::new() });
        }
    }
    let mut seen = HashSet::new();
    inputs.retain(|input| seen.insert(input.path.clone()));
    if inputs.is_empty() {
        let names: Vec<_> = named.iter().map(|path| format!("'{}'", path.display())).collect();
        bail!("no pictures found in {} (name files outright if their endings are unusual)", names.join(", "));
    }
    Ok(inputs)
}

/// Pictures and tensors below a directory; hidden files, what cannot be read, and what burncam itself made are
/// passed over.
fn search(directory: &Path) -> Vec<Input> {
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    WalkDir::new(directory)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name()))
        .filter_map(|entry| entry.map_err(|error| log::warn!("{error}")).ok())
        .filter(|entry| {
            entry.file_type().is_file() && has_known_ending(entry.path()) && !is_our_own(entry.path())
        })
        .map(|entry| {
            let path = entry.into_path();
            let below = path.strip_prefix(directory).ok().and_then(Path::parent).unwrap_or(Path::new(""));
            Input { below: below.to_path_buf(), path }
        })
        .collect()
}

fn has_known_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// `STEM.METHOD[...].png` beside a `STEM.METHOD.json`: an overlay of an earlier run, not a photograph.
fn is_our_own(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let made_by = |method: &Method| {
        let method = method.info().name;
        let mark = name.rfind(&format!(".{method}."));
        mark.is_some_and(|at| path.with_file_name(output::record_name(&name[..at], method)).exists())
    };
    Method::ALL.iter().any(made_by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_made_is_not_explained_again() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a.png",
            "a.gradcam.png",
            "a.gradcam.7.mask.png",
            "a.gradcam.json",
            "b.gradcam.png",
            ".c.png",
            "d.txt",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = discover(&[folder.path().to_path_buf()]).unwrap();
        let names: Vec<_> = found.iter().map(|input| input.path.file_name().unwrap().to_owned()).collect();
        assert_eq!(
            names,
            ["a.png", "b.gradcam.png"],
            "a picture without a record beside it may be anybody's"
        );
    }
}
