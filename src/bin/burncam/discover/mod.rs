//! From the command line to a list of inputs.
//!
//! Named inputs keep their order, searched ones are sorted by path, and each file appears once. Receives the
//! arguments; gives inputs, which may turn out to be unreadable. `search.rs` and `walk.rs` search directories,
//! `own.rs` detects burncam's own pictures, `left.rs` counts what is not used, `list.rs` reads lists, `names.rs`
//! names outputs, `shard.rs` divides.

mod input;
mod left;
pub(crate) mod list;
mod names;
mod own;
mod search;
mod shard;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burncam_model::temporary::or_here;

pub(crate) use self::input::Input;
pub(crate) use self::left::{Left, report};
pub(crate) use self::shard::Shard;

use self::search::{Glob, Search};
use self::walk::Catch;
use crate::args::InputArgs;

/// The inputs of a run.
#[derive(Debug)]
pub(crate) struct Found {
    /// The inputs of this shard. Not empty, unless a shard was requested.
    pub(crate) inputs: Vec<Input>,
    /// Whether anything was searched or listed: a directory, a glob, a list.
    pub(crate) searched: bool,
    /// Number of inputs in all shards.
    pub(crate) total: usize,
    /// Files that searches did not use, in all shards.
    pub(crate) left: Left,
    /// Canonical paths of the files of all shards.
    pub(crate) places: HashSet<PathBuf>,
}

/// Finds the inputs.
///
/// # Errors
/// For a directory, a glob or a list without pictures, for a list that cannot be read, and for standard input used
/// twice.
pub(crate) fn discover(args: &InputArgs) -> Result<Found> {
    let mut gathered = Gathered::new(Search::new(args), args.search_listed);
    for path in &args.inputs {
        gathered.take(path)?;
        gathered.argument += 1;
    }
    if let Some(list) = &args.files_from {
        gathered.take_list(list)?;
    }
    Ok(gathered.finish(args.shard))
}

/// The inputs collected so far.
struct Gathered<'a> {
    search: Search<'a>,
    /// Whether directories in lists are searched.
    search_listed: bool,
    inputs: Vec<Input>,
    /// Index of the current argument.
    argument: usize,
    searched: bool,
    left: Left,
    seen: HashSet<PathBuf>,
    /// Directories as written, with their canonical paths.
    places: HashMap<PathBuf, PathBuf>,
}

impl<'a> Gathered<'a> {
    fn new(search: Search<'a>, search_listed: bool) -> Self {
        Self {
            search,
            search_listed,
            inputs: vec![],
            argument: 0,
            searched: false,
            left: Left::default(),
            seen: HashSet::new(),
            places: HashMap::new(),
        }
    }

    /// Adds a command line argument: a directory, a file, or a glob.
    fn take(&mut self, path: &Path) -> Result<()> {
        let (root, catch, verb) = if path.is_dir() {
            (path.to_path_buf(), self.search.directory(path), "found in")
        } else if let Some(glob) = Glob::parse(path) {
            let catch = self.search.glob(&glob);
            (glob.base, catch, "match")
        } else {
            self.push(Input::named(path));
            return Ok(());
        };
        if catch.found.is_empty() {
            let left = catch.left.line().map_or_else(String::new, |line| format!(": {line}"));
            bail!("no pictures {verb} '{}'{left} ({})", path.display(), self.search.way_out());
        }
        self.searched = true;
        self.push_catch(&root, catch);
        Ok(())
    }

    fn take_list(&mut self, list: &Path) -> Result<()> {
        // Checked before reading, so that the user does not type a list in vain, and after, because a list may
        // contain `-`.
        self.refuse_stdin_twice(list)?;
        for path in list::read(list)? {
            self.take_listed(&path);
            self.argument += 1;
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

    /// Adds a path from a list. Lists are often written by programs, so paths are not globs, directories are only
    /// searched on request, and a wrong line does not stop the run.
    fn take_listed(&mut self, path: &Path) {
        if !path.is_dir() {
            self.push(Input::listed(path));
            return;
        }
        let problem = |what: &str| Some(format!("image '{}': is {what}", path.display()));
        let is_root = path.canonicalize().is_ok_and(|real| real.parent().is_none());
        let problem = match self.search_listed {
            _ if is_root => {
                problem("the root directory, which is not searched (is the list what it should be?)")
            }
            false => problem("a directory, which lists may not name (search it with --search-listed)"),
            true => None,
        };
        if problem.is_some() {
            self.push(Input { problem, ..Input::listed(path) });
            return;
        }
        let catch = self.search.directory(path);
        if catch.found.is_empty() {
            log::warn!("no pictures found in '{}' ({})", path.display(), self.search.way_out());
        }
        self.push_catch(path, catch);
    }

    fn push_catch(&mut self, root: &Path, catch: Catch) {
        self.left.add(catch.left);
        for (below, problem) in catch.found {
            self.push_searched(root, &below, problem);
        }
    }

    fn push(&mut self, input: Input) {
        let place = match (input.is_stdin(), input.path.parent(), input.path.file_name()) {
            (false, Some(parent), Some(name)) => self.place(parent).join(name),
            _ => input.path.clone(),
        };
        if self.seen.insert(place) {
            self.inputs.push(Input { argument: self.argument, ..input });
        }
    }

    /// A file has one path below a root, even if links inside the root lead to it in several ways.
    fn push_searched(&mut self, root: &Path, below: &Path, problem: Option<String>) {
        let place = self.place(root).join(below);
        if self.seen.insert(place) {
            let argument = self.argument;
            self.inputs.push(Input { argument, problem, ..Input::searched(root, below) });
        }
    }

    fn place(&mut self, directory: &Path) -> &Path {
        let here = or_here(directory);
        self.places
            .entry(directory.to_path_buf())
            // A missing file is reported when it is read.
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
        names::assign(&mut self.inputs);
        let total = self.inputs.len();
        if let Some(shard) = shard {
            self.inputs.retain(|input| shard.has(&input.relative()));
        }
        let Self { inputs, searched, left, seen, .. } = self;
        Found { inputs, searched, total, left, places: seen }
    }
}
