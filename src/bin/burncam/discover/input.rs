//! An input and the names of its outputs.

use std::path::{Component, Path, PathBuf};

/// An input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// The path as the caller would write it; `-` is standard input.
    pub(crate) path: PathBuf,
    /// The path below the searched directory, or the path in a list.
    pub(crate) below: PathBuf,
    /// Directory of its outputs, relative to the output directory.
    pub(crate) place: PathBuf,
    /// Prefix of the names of its outputs.
    pub(crate) name: String,
    /// Index of the argument it comes from.
    pub(super) argument: usize,
    /// Whether it was found by a search rather than named.
    pub(crate) searched: bool,
    /// Whether no other input, of any shard, has this file name.
    pub(crate) sole_of_its_name: bool,
    /// Why it cannot be read, if that is already known.
    pub(crate) problem: Option<String>,
}

impl Input {
    fn new(path: PathBuf, below: PathBuf, searched: bool) -> Self {
        let name = stem(&path);
        let place = below.clone();
        Self { path, below, place, name, argument: 0, searched, sole_of_its_name: false, problem: None }
    }

    pub(super) fn named(path: &Path) -> Self {
        Self::new(path.to_path_buf(), PathBuf::new(), false)
    }

    pub(super) fn listed(path: &Path) -> Self {
        Self::new(path.to_path_buf(), directories(path), false)
    }

    pub(super) fn searched(root: &Path, below: &Path) -> Self {
        Self::new(root.join(below), below.parent().unwrap_or(Path::new("")).to_path_buf(), true)
    }

    pub(crate) fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    pub(crate) fn is_tensor(&self) -> bool {
        self.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
    }

    /// A path that does not depend on the location of the searched directory: relative to it for found files, else as
    /// named.
    pub(crate) fn relative(&self) -> PathBuf {
        if self.searched {
            self.below.join(self.path.file_name().unwrap_or_default())
        } else {
            self.path.components().filter(|part| *part != Component::CurDir).collect()
        }
    }

    /// The whole file name; `stdin` for standard input.
    pub(super) fn file_name(&self) -> String {
        match self.path.file_name() {
            Some(name) if !self.is_stdin() => name.to_string_lossy().into_owned(),
            _ => self.name.clone(),
        }
    }
}

/// The directories in a path, without `..` and the root.
pub(super) fn directories(path: &Path) -> PathBuf {
    let above = path.parent().unwrap_or(Path::new("")).components();
    above.filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// File name without its last extension; `stdin` for standard input.
fn stem(path: &Path) -> String {
    if path == Path::new("-") {
        return "stdin".to_owned();
    }
    path.file_stem().map_or_else(|| "image".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
