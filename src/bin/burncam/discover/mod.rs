//! From what was written on the command line to a list of inputs.
//!
//! What is named comes in the order in which it is named, what is searched in order of path, each file once. Receives
//! the arguments, hands on inputs that may not be readable; reading them is left to others. `search.rs` walks
//! directories, `own.rs` tells photographs from burncam's own pictures, `list.rs` reads lists, `shard.rs` divides.

pub(crate) mod list;
mod own;
mod search;
mod shard;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

pub(crate) use self::shard::Shard;

use self::search::{Glob, Search};
use crate::args::InputArgs;

/// One thing to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// As the caller would write it; `-` is standard input.
    pub(crate) path: PathBuf,
    /// Directory of its outputs below the output directory: where it lay below the directory that was searched, or
    /// where a list says that it lies.
    pub(crate) below: PathBuf,
    /// It was found in a directory, not named.
    pub(crate) searched: bool,
    /// No other input, of any shard, has its file name.
    pub(crate) sole_of_its_name: bool,
}

impl Input {
    fn named(path: &Path) -> Self {
        Self { path: path.to_path_buf(), below: PathBuf::new(), searched: false, sole_of_its_name: false }
    }

    fn listed(path: &Path) -> Self {
        let below = path.parent().unwrap_or(Path::new("")).components();
        let below = below.filter(|part| matches!(part, Component::Normal(_))).collect();
        Self { below, ..Self::named(path) }
    }

    fn searched(root: &Path, below: &Path) -> Self {
        let path = root.join(below);
        let below = below.parent().unwrap_or(Path::new("")).to_path_buf();
        Self { path, below, searched: true, sole_of_its_name: false }
    }

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

    /// What stays the same wherever the searched directory lies: the path below it; otherwise the path as it is named.
    pub(crate) fn relative(&self) -> PathBuf {
        if self.searched {
            self.below.join(self.path.file_name().unwrap_or_default())
        } else {
            self.path.components().filter(|part| *part != Component::CurDir).collect()
        }
    }
}

/// What there is to explain.
#[derive(Debug)]
pub(crate) struct Found {
    /// Those of the shard. At least one, unless a shard was asked for.
    pub(crate) inputs: Vec<Input>,
    /// Something was searched or listed: a directory, a glob, a list.
    pub(crate) searched: bool,
    /// How many there are in all shards.
    pub(crate) total: usize,
}

/// Finds the inputs.
///
/// # Errors
/// For a directory, a glob or a list that gives nothing, for a list that cannot be read, and for standard input used
/// twice.
pub(crate) fn discover(args: &InputArgs) -> Result<Found> {
    let mut gathered = Gathered::new(Search::new(args));
    for path in &args.inputs {
        gathered.take(path)?;
    }
    if let Some(list) = &args.files_from {
        gathered.take_list(list)?;
    }
    Ok(gathered.finish(args.shard))
}

/// Inputs so far.
struct Gathered<'a> {
    search: Search<'a>,
    inputs: Vec<Input>,
    searched: bool,
    seen: HashSet<PathBuf>,
    /// Directories as they were written, and where they really are.
    places: HashMap<PathBuf, PathBuf>,
}

impl<'a> Gathered<'a> {
    fn new(search: Search<'a>) -> Self {
        Self { search, inputs: vec![], searched: false, seen: HashSet::new(), places: HashMap::new() }
    }

    /// What was named on the command line: a directory, a file, or a glob.
    fn take(&mut self, path: &Path) -> Result<()> {
        let (root, found, verb) = if path.is_dir() {
            (path.to_path_buf(), self.search.directory(path), "found in")
        } else if let Some(glob) = Glob::parse(path) {
            let found = self.search.glob(&glob);
            (glob.base, found, "match")
        } else {
            self.push(Input::named(path));
            return Ok(());
        };
        if found.is_empty() {
            bail!("no pictures {verb} '{}' ({})", path.display(), self.search.way_out());
        }
        self.searched = true;
        for below in found {
            self.push_searched(&root, &below);
        }
        Ok(())
    }

    fn take_list(&mut self, list: &Path) -> Result<()> {
        // Asked before, so that nobody waits for a list in vain, and after, because lists can name standard input.
        self.refuse_stdin_twice(list)?;
        for path in list::read(list)? {
            self.take_listed(&path);
        }
        self.refuse_stdin_twice(list)?;
        if self.inputs.is_empty() {
            let way_out = self.search.way_out();
            bail!("no pictures found in the directories that list '{}' names ({way_out})", list.display());
        }
        self.searched = true;
        Ok(())
    }

    fn refuse_stdin_twice(&self, list: &Path) -> Result<()> {
        if list == Path::new("-") && self.inputs.iter().any(Input::is_stdin) {
            bail!("standard input cannot be both a list and a picture (write one of them to a file)");
        }
        Ok(())
    }

    /// What a list names: a directory or a file. A program may have written it, so nothing in it is a glob, and one
    /// directory without pictures is no reason to stop.
    fn take_listed(&mut self, path: &Path) {
        if !path.is_dir() {
            self.push(Input::listed(path));
            return;
        }
        let found = self.search.directory(path);
        if found.is_empty() {
            log::warn!("no pictures found in '{}' ({})", path.display(), self.search.way_out());
        }
        for below in found {
            self.push_searched(path, &below);
        }
    }

    fn push(&mut self, input: Input) {
        let place = match (input.is_stdin(), input.path.parent(), input.path.file_name()) {
            (false, Some(parent), Some(name)) => self.place(parent).join(name),
            _ => input.path.clone(),
        };
        if self.seen.insert(place) {
            self.inputs.push(input);
        }
    }

    /// A file has one place below a root, though links inside of the root may lead to it in other ways.
    fn push_searched(&mut self, root: &Path, below: &Path) {
        let place = self.place(root).join(below);
        if self.seen.insert(place) {
            self.inputs.push(Input::searched(root, below));
        }
    }

    fn place(&mut self, directory: &Path) -> &Path {
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        self.places
            .entry(directory.to_path_buf())
            // What is not there is told of when it is read.
            .or_insert_with(|| here.canonicalize().unwrap_or_else(|_| directory.to_path_buf()))
    }

    fn finish(mut self, shard: Option<Shard>) -> Found {
        let name = |input: &Input| input.path.file_name().map(OsStr::to_owned);
        let mut names: HashMap<Option<OsString>, usize> = HashMap::new();
        for input in &self.inputs {
            *names.entry(name(input)).or_default() += 1;
        }
        for input in &mut self.inputs {
            input.sole_of_its_name = names.get(&name(input)) == Some(&1);
        }
        let total = self.inputs.len();
        if let Some(shard) = shard {
            self.inputs.retain(|input| shard.has(&input.relative()));
        }
        Found { inputs: self.inputs, searched: self.searched, total }
    }
}
