//! What is looked for: a whole directory or a glob, by endings or by `--include` and `--exclude`. `walk.rs` goes through the tree.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::left::{self, Why};
use super::walk::{Catch, Verdict, Way, walk};
use crate::args::InputArgs;

/// Endings of the files that a directory is searched for; a file named outright may be called anything.
pub(super) const ENDINGS: &[&str] = &[
    "apng", "bmp", "gif", "jfif", "jpe", "jpeg", "jpg", "npy", "pam", "pbm", "pgm", "png", "pnm", "ppm",
    "tif", "tiff", "webp",
];

/// As in a shell: `*` ends at a slash, and hidden names are spelled out.
const SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Where paths of a glob begin to vary, and what they look like from there on.
#[derive(Debug)]
pub(super) struct Glob {
    /// The directory before the first wildcard; nothing for the current one.
    pub(super) base: PathBuf,
    rest: Pattern,
    /// `rest`, one directory at a time.
    parts: Vec<Pattern>,
}

impl Glob {
    /// `None` for a path without wildcards, one that exists under that very name, and one that is no glob.
    pub(super) fn parse(path: &Path) -> Option<Self> {
        let varies = |part: &Component| part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        if path.symlink_metadata().is_ok() || !path.to_str()?.contains(['*', '?', '[']) {
            return None;
        }
        let base = path.components().take_while(|part| !varies(part)).collect();
        let rest: Vec<&str> = path
            .components()
            .skip_while(|part| !varies(part))
            .map_while(|part| part.as_os_str().to_str())
            .collect();
        let parts = rest.iter().map(|part| Pattern::new(part)).collect::<Result<_, _>>().ok()?;
        Some(Self { base, rest: Pattern::new(&rest.join("/")).ok()?, parts })
    }

    /// How far below what matches a path lies: 0 for what matches itself, `None` for what lies in nothing that does.
    fn depth(&self, below: &Path) -> Option<usize> {
        let within = below.ancestors().take_while(|above| !above.as_os_str().is_empty());
        within.enumerate().find(|(_, above)| matches(&self.rest, above)).map(|(depth, _)| depth)
    }

    /// Whether something that matches can lie in this directory.
    fn leads_through(&self, below: &Path) -> bool {
        let mut parts = self.parts.iter();
        let mut names = below.iter();
        while let Some(name) = names.next() {
            match parts.next() {
                Some(part) if part.as_str() == "**" => {
                    let hidden = is_hidden(name) || names.any(is_hidden);
                    return !hidden || parts.any(|part| part.as_str().starts_with('.'));
                }
                Some(part) if matches(part, name.as_ref()) => {}
                _ => return false,
            }
        }
        true
    }

    /// `*.dat` asks for these files outright, `*` for whatever looks like a picture.
    fn spells_ending(&self) -> bool {
        let last = self.parts.last().map(Pattern::as_str).unwrap_or_default();
        last.rsplit_once('.').is_some_and(|(_, ending)| !ending.contains(['*', '?', '[']))
    }
}

/// What is looked for, the same in every directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    include: &'a [Pattern],
    exclude: &'a [Pattern],
    recursive: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(args: &'a InputArgs) -> Self {
        Self { include: &args.include, exclude: &args.exclude, recursive: !args.no_recursive }
    }

    /// Files below a directory, as they lie below it, in order of path.
    pub(super) fn directory(self, directory: &Path) -> Catch {
        let depth = if self.recursive { usize::MAX } else { 1 };
        let enters = |below: &Path| if is_hidden_name(below) { Way::PastHidden } else { Way::In };
        walk(directory, depth, enters, |below| self.judge(below, false))
    }

    /// Files that match, and those in directories that do, as they lie below the glob's base, in order of path.
    pub(super) fn glob(self, glob: &Glob) -> Catch {
        let depth = if self.recursive { usize::MAX } else { 1 };
        let enters = |below: &Path| match glob.depth(below) {
            Some(0) => Way::In,
            Some(below_match) if below_match <= depth && !is_hidden_name(below) => Way::In,
            _ if glob.leads_through(below) => Way::In,
            Some(below_match) if below_match <= depth => Way::PastHidden,
            _ => Way::Past,
        };
        let judges = |below: &Path| match glob.depth(below) {
            // A glob spells hidden names out.
            Some(0) => self.judge_shown(below, glob.spells_ending()),
            Some(below_match) if below_match <= depth => self.judge(below, false),
            _ => Verdict::Ignore,
        };
        walk(&glob.base, usize::MAX, enters, judges)
    }

    fn judge(self, below: &Path, outright: bool) -> Verdict {
        match is_hidden_name(below) {
            true if looks_like_picture(below) => Verdict::Leave(Why::Hidden),
            true => Verdict::Ignore,
            false => self.judge_shown(below, outright),
        }
    }

    fn judge_shown(self, below: &Path, outright: bool) -> Verdict {
        let listed = |patterns: &[Pattern]| patterns.iter().any(|pattern| fits(pattern, below));
        let excluded = listed(self.exclude);
        let wanted = match self.include {
            [] => outright || has_known_ending(below),
            patterns => listed(patterns),
        };
        match () {
            () if wanted && !excluded => Verdict::Take,
            () if !wanted && !looks_like_picture(below) => match below.extension() {
                None if self.include.is_empty() && !excluded => Verdict::LookInside,
                _ => Verdict::Ignore,
            },
            () if excluded || !self.include.is_empty() => Verdict::Leave(Why::LeftOut),
            () => Verdict::Leave(Why::NotRead),
        }
    }

    /// What to do where nothing was found.
    pub(super) fn way_out(self) -> &'static str {
        match () {
            () if !self.include.is_empty() || !self.exclude.is_empty() => "check --include and --exclude",
            () if !self.recursive => "leave out --no-recursive to search the directories in it",
            () => "name files outright if their endings are unusual",
        }
    }
}

/// Without a slash a pattern is about the file name. A star stands for hidden names too here, since those that come
/// this far were asked for.
fn fits(pattern: &Pattern, below: &Path) -> bool {
    let text = if pattern.as_str().contains('/') { Some(below.as_os_str()) } else { below.file_name() };
    let options = MatchOptions { require_literal_leading_dot: false, ..SHELL };
    text.is_some_and(|text| pattern.matches_with(&text.to_string_lossy(), options))
}

/// Names that are not text match as they are shown.
fn matches(pattern: &Pattern, path: &Path) -> bool {
    pattern.matches_with(&path.to_string_lossy(), SHELL)
}

pub(super) fn is_hidden_name(path: &Path) -> bool {
    path.file_name().is_some_and(is_hidden)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn looks_like_picture(below: &Path) -> bool {
    has_known_ending(below) || below.extension().is_some_and(left::is_foreign)
}

fn has_known_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
