//! The search criteria: a directory or a glob, by extensions or by `--include` and `--exclude`. `walk.rs` walks the
//! tree.

use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::left::{self, Why};
use super::walk::{Catch, Verdict, Way, is_hidden, is_hidden_name, walk};
use crate::args::InputArgs;

/// Extensions that a search accepts; a file named explicitly may have any.
pub(super) const ENDINGS: &[&str] = &[
    "apng", "bmp", "gif", "jfif", "jpe", "jpeg", "jpg", "jxl", "npy", "pam", "pbm", "pgm", "png", "pnm",
    "ppm", "tif", "tiff", "webp",
];

/// As in a shell: `*` stops at a slash, and hidden names must be spelled out.
const SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A glob, split at its first wildcard.
#[derive(Debug)]
pub(super) struct Glob {
    /// The directory before the first wildcard; empty for the current one.
    pub(super) base: PathBuf,
    rest: Pattern,
    /// `rest`, one pattern per directory level.
    parts: Vec<Pattern>,
}

impl Glob {
    /// `None` for a path without wildcards, an existing file of that very name, and an invalid glob.
    pub(super) fn parse(path: &Path) -> Option<Self> {
        let varies = |part: &Component| part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        // A file may have brackets in its name; a shell passes both on as they are.
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

    /// Depth of a path below the match: 0 for the match itself, `None` when it is not inside a match.
    fn depth(&self, below: &Path) -> Option<usize> {
        let within = below.ancestors().take_while(|above| !above.as_os_str().is_empty());
        within.enumerate().find(|(_, above)| matches(&self.rest, above)).map(|(depth, _)| depth)
    }

    /// Whether this directory may contain matches.
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

    /// `*.dat` asks for these files explicitly, `*` for files that look like pictures.
    fn spells_ending(&self) -> bool {
        let last = self.parts.last().map(Pattern::as_str).unwrap_or_default();
        last.rsplit_once('.').is_some_and(|(_, ending)| !ending.contains(['*', '?', '[']))
    }
}

/// The criteria, the same for every directory.
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

    /// Files below a directory, as relative paths in order.
    pub(super) fn directory(self, directory: &Path) -> Catch {
        let depth = if self.recursive { usize::MAX } else { 1 };
        let enters = |below: &Path| if is_hidden_name(below) { Way::PastHidden } else { Way::In };
        walk(directory, depth, enters, |below| self.judge(below, false))
    }

    /// Files that match, and those in matching directories, as paths relative to the glob's base, in order.
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
        // Depth counts from a match and not from the base, so `enters` limits it.
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
                // Only these are opened: a look into every file of a tree would take longer than the search.
                None if self.include.is_empty() && !excluded => Verdict::LookInside,
                _ => Verdict::Ignore,
            },
            () if excluded || !self.include.is_empty() => Verdict::Leave(Why::LeftOut),
            () => Verdict::Leave(Why::NotRead),
        }
    }

    /// The hint for an empty search.
    pub(super) fn way_out(self) -> &'static str {
        match () {
            () if !self.include.is_empty() || !self.exclude.is_empty() => "check --include and --exclude",
            () if !self.recursive => "leave out --no-recursive to search the directories in it",
            () => "name files outright if their endings are unusual",
        }
    }
}

/// A pattern without a slash applies to the file name. A star also matches hidden names here, because hidden files
/// have already been filtered.
fn fits(pattern: &Pattern, below: &Path) -> bool {
    let text = if pattern.as_str().contains('/') { Some(below.as_os_str()) } else { below.file_name() };
    let options = MatchOptions { require_literal_leading_dot: false, ..SHELL };
    text.is_some_and(|text| pattern.matches_with(&text.to_string_lossy(), options))
}

/// Names that are not valid text match as they are displayed.
fn matches(pattern: &Pattern, path: &Path) -> bool {
    pattern.matches_with(&path.to_string_lossy(), SHELL)
}

fn looks_like_picture(below: &Path) -> bool {
    has_known_ending(below) || below.extension().is_some_and(left::is_foreign)
}

fn has_known_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}
