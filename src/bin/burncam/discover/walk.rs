//! Walks a directory tree. Links are followed, cycles are not entered, and unreadable directories are results with
//! their problem, so that they fail like damaged pictures.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use burncam_model::temporary::or_here;
use walkdir::{DirEntry, WalkDir};

use super::left::{self, Left, Why};
use super::own::Own;

/// The results of a search.
#[derive(Debug, Default)]
pub(super) struct Catch {
    /// Paths below the root, with the reason for those that cannot be read.
    pub(super) found: Vec<(PathBuf, Option<String>)>,
    pub(super) left: Left,
}

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Take,
    Leave(Why),
    /// The name does not decide.
    LookInside,
    /// Not a picture, by its name.
    Ignore,
}

/// Whether to enter a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    /// Not entered because its name is hidden; this is counted.
    PastHidden,
    /// Outside the search.
    Past,
}

/// Walks a tree in order of path; `enters` and `judges` receive paths relative to `root`.
pub(super) fn walk(
    root: &Path,
    depth: usize,
    enters: impl Fn(&Path) -> Way,
    judges: impl Fn(&Path) -> Verdict,
) -> Catch {
    let here = or_here(root);
    let below = |path: &Path| path.strip_prefix(here).unwrap_or(path).to_path_buf();
    let (mut catch, mut own) = (Catch::default(), Own::default());
    let mut entries = WalkDir::new(here).follow_links(true).max_depth(depth).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                catch.fail(&error, below, &judges);
                continue;
            }
        };
        let path = below(entry.path());
        if entry.file_type().is_dir() {
            let way = if entry.depth() > 0 { enters(&path) } else { Way::In };
            if way != Way::In {
                entries.skip_current_dir();
            }
            if way == Way::PastHidden {
                catch.left.count_directory();
            }
            continue;
        }
        let verdict = judges(&path);
        catch.file(&entry, path, verdict, &mut own);
    }
    catch
}

impl Catch {
    /// Counts or takes a file, or what is neither a file nor a directory.
    fn file(&mut self, entry: &DirEntry, below: PathBuf, verdict: Verdict, own: &mut Own) {
        let is_file = entry.file_type().is_file();
        match verdict {
            // Opening a pipe or a device would wait, perhaps forever.
            Verdict::Take if !is_file => self.left.count(Why::NoFile, &below),
            Verdict::Take if own.made(entry.path()) => self.left.count(Why::Made, &below),
            Verdict::Take => self.found.push((below, None)),
            Verdict::Leave(why) => self.left.count(why, &below),
            Verdict::LookInside if is_file && left::begins_as_picture(entry.path()) => {
                self.left.count(Why::NotRead, &below);
            }
            Verdict::LookInside | Verdict::Ignore => {}
        }
    }

    fn fail(
        &mut self,
        error: &walkdir::Error,
        below: impl Fn(&Path) -> PathBuf,
        judges: impl Fn(&Path) -> Verdict,
    ) {
        let Some(path) = error.path() else { return log::warn!("{error}") };
        if let Some(above) = error.loop_ancestor() {
            // Its files have already been found.
            let (path, above) = (path.display(), above.display());
            return log::warn!("directory '{path}' links back to '{above}', which contains it; skipped");
        }
        let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
        let name = below(path);
        match () {
            () if error.depth() == 0 => log::warn!("cannot read '{}': {reason}", path.display()),
            () if !path.is_symlink() && is_hidden_name(&name) => self.left.count_directory(),
            () if !path.is_symlink() => {
                self.found
                    .push((name, Some(format!("cannot read the directory '{}': {reason}", path.display()))));
            }
            () => match judges(&name) {
                // A link without an extension may lead to a directory.
                Verdict::Take | Verdict::LookInside => self.found.push((name, Some(dangling(path, &reason)))),
                Verdict::Leave(why) => self.left.count(why, &name),
                Verdict::Ignore => {}
            },
        }
    }
}

fn dangling(path: &Path, reason: &str) -> String {
    let to = std::fs::read_link(path).map_or_else(|_| String::new(), |to| format!(" to '{}'", to.display()));
    format!("image '{}': is a link{to} that cannot be followed: {reason} (mend or remove it)", path.display())
}

/// Whether the name at the end of a path is hidden.
pub(super) fn is_hidden_name(path: &Path) -> bool {
    path.file_name().is_some_and(is_hidden)
}

pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}
