//! Walks a tree. Links are followed, a directory that leads back to one it lies in is not entered again, and what cannot be read is found
//! with its problem, so that it fails like a picture that is damaged.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::left::{self, Left, Why};
use super::own::Own;
use super::search::is_hidden_name;

/// What a search gives.
#[derive(Debug, Default)]
pub(super) struct Catch {
    /// Paths below the root, and why what is known to be unreadable is so.
    pub(super) found: Vec<(PathBuf, Option<String>)>,
    pub(super) left: Left,
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Take,
    Leave(Why),
    /// Its name says nothing.
    LookInside,
    /// No picture, as far as its name goes.
    Ignore,
}

/// Whether a directory is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    /// It would be, if its name were not hidden: that is said.
    PastHidden,
    /// The search is not about it.
    Past,
}

/// Goes through a tree in order of path; `enters` and `judges` are asked with the path below `root`.
pub(super) fn walk(
    root: &Path,
    depth: usize,
    enters: impl Fn(&Path) -> Way,
    judges: impl Fn(&Path) -> Verdict,
) -> Catch {
    let here = if root.as_os_str().is_empty() { Path::new(".") } else { root };
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
        let (path, kind) = (below(entry.path()), entry.file_type());
        if kind.is_dir() {
            let way = if entry.depth() > 0 { enters(&path) } else { Way::In };
            if way != Way::In {
                entries.skip_current_dir();
            }
            if way == Way::PastHidden {
                catch.left.count_directory();
            }
            continue;
        }
        match judges(&path) {
            Verdict::Take if !kind.is_file() => catch.left.count(Why::NoFile, &path),
            Verdict::Take if own.made(entry.path()) => catch.left.count(Why::Made, &path),
            Verdict::Take => catch.found.push((path, None)),
            Verdict::Leave(why) => catch.left.count(why, &path),
            Verdict::LookInside if kind.is_file() && left::begins_as_picture(entry.path()) => {
                catch.left.count(Why::NotRead, &path);
            }
            Verdict::LookInside | Verdict::Ignore => {}
        }
    }
    catch
}

impl Catch {
    fn fail(
        &mut self,
        error: &walkdir::Error,
        below: impl Fn(&Path) -> PathBuf,
        judges: impl Fn(&Path) -> Verdict,
    ) {
        let Some(path) = error.path() else { return log::warn!("{error}") };
        if let Some(above) = error.loop_ancestor() {
            // What lies there was found on the way.
            let (path, above) = (path.display(), above.display());
            return log::warn!("directory '{path}' leads back to '{above}', in which it lies; passed over");
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
                // Without an ending it may lead to a directory.
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
