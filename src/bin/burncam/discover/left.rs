//! Counts files that a search did not use, by kind: nothing that looks like a picture is dropped silently.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;

use burncam::record::NotTaken;

use crate::text;

/// Extensions of picture formats that burncam does not read.
const FOREIGN: &[&str] = &[
    "ai", "arw", "avif", "bpg", "cr2", "cr3", "crw", "cur", "dcm", "dcr", "dds", "dib", "dicom", "djvu",
    "dng", "emf", "eps", "erf", "exr", "fits", "flif", "gpr", "hdr", "heic", "heics", "heif", "hif", "icns",
    "ico", "iiq", "j2c", "j2k", "jng", "jp2", "jpf", "jpg2", "jpm", "jpx", "jxr", "k25", "kdc", "mef", "mng",
    "mos", "mrw", "nef", "nii", "nrw", "orf", "pbf", "pct", "pcx", "pdf", "pef", "pfm", "pic", "pict", "ps",
    "psb", "psd", "qoi", "raf", "ras", "raw", "rw2", "rwl", "sgi", "sr2", "srf", "srw", "svg", "svgz", "svs",
    "tga", "wbmp", "wdp", "wmf", "x3f", "xbm", "xcf", "xpm",
];

/// Why a file was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// burncam cannot read this format.
    NotRead,
    /// Excluded by `--include` or `--exclude`.
    LeftOut,
    /// Its name starts with a dot.
    Hidden,
    /// A pipe, a socket or a device.
    NoFile,
    /// Written by burncam.
    Made,
}

/// Numbers of files by reason and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Left(BTreeMap<(Why, String), usize>);

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::NotRead => "not read",
            Self::LeftOut => "left out",
            Self::Hidden => "hidden",
            Self::NoFile => "not a file",
            Self::Made => "made by burncam",
        }
    }
}

impl Left {
    /// Counts a file by its extension.
    pub(super) fn count(&mut self, why: Why, below: &Path) {
        let ending = below.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        self.count_kind(
            why,
            ending.map_or_else(|| "without ending".to_owned(), |ending| format!(".{ending}")),
        );
    }

    pub(super) fn count_directory(&mut self) {
        self.count_kind(Why::Hidden, "directory".to_owned());
    }

    fn count_kind(&mut self, why: Why, kind: String) {
        *self.0.entry((why, kind)).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: Self) {
        for (key, count) in other.0 {
            *self.0.entry(key).or_default() += count;
        }
    }

    /// `12 .heic, 3 .svg not read; 2 .png left out; 1 directory hidden`; `None` if every file was used.
    pub(crate) fn line(&self) -> Option<String> {
        let reasons = [Why::NotRead, Why::LeftOut, Why::NoFile, Why::Hidden, Why::Made];
        let clauses: Vec<String> = reasons.into_iter().filter_map(|why| self.clause(why)).collect();
        (!clauses.is_empty()).then(|| clauses.join("; "))
    }

    fn clause(&self, why: Why) -> Option<String> {
        let kinds = self.0.iter().filter(|((of, _), _)| *of == why);
        let counts: Vec<String> = kinds.map(|((_, kind), count)| format!("{count} {kind}")).collect();
        (!counts.is_empty()).then(|| format!("{} {}", counts.join(", "), why.words()))
    }

    /// For the summary. Files written by burncam are not included: a second run finds more of them than the first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = NotTaken> {
        let entries = self.0.iter().filter(|((why, _), _)| *why != Why::Made);
        entries.map(|((why, kind), count)| NotTaken {
            kind: kind.clone(),
            reason: why.words().to_owned(),
            count: *count,
        })
    }
}

/// Reports on one line what was not used.
pub(crate) fn report(left: &Left) {
    if let Some(line) = left.line() {
        text::note(&format!("not taken: {line}"));
    }
}

/// Whether an extension belongs to a picture format that burncam does not read.
pub(super) fn is_foreign(ending: &OsStr) -> bool {
    FOREIGN.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Whether a file without an extension starts like a picture that burncam can read.
pub(super) fn begins_as_picture(path: &Path) -> bool {
    let mut start = Vec::new();
    // Sixteen bytes are enough for every signature that `guess_format` knows.
    let read = std::fs::File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_ok() && image::guess_format(&start).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_taken_is_one_line() {
        let mut left = Left::default();
        assert_eq!(left.line(), None);
        for name in ["a.heic", "b.HEIC", "c.svg", "d"] {
            left.count(Why::NotRead, Path::new(name));
        }
        left.count(Why::LeftOut, Path::new("x/e.png"));
        left.count(Why::Made, Path::new("e.gradcam.png"));
        left.count_directory();
        let expected = "2 .heic, 1 .svg, 1 without ending not read; 1 .png left out; 1 directory hidden; 1 .png made by burncam";
        assert_eq!(left.line().as_deref(), Some(expected));
        assert_eq!(left.entries().map(|entry| entry.count).sum::<usize>(), 6);
    }

    #[test]
    fn no_ending_is_both_read_and_foreign() {
        assert!(super::super::search::ENDINGS.iter().all(|known| !is_foreign(OsStr::new(known))));
        assert!(FOREIGN.is_sorted(), "easy to look through");
    }
}
