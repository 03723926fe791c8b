//! Detects pictures written by burncam, so that a second run over the same directory skips them. What counts is the
//! record next to a file, which has its name, size and hash; photographs may have any name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burncam::internal::output::Leftovers;
use burncam::record::Artifact;
use burncam::{Method, Names};
use burncam_graph::memory::{Part, read_text};
use serde::Deserialize;

/// The fields of a record, of any version, that name files.
#[derive(Debug, Deserialize)]
struct MadeFiles {
    schema_version: u32,
    targets: Vec<Shown>,
    #[serde(default)]
    grid: Option<Made>,
}

#[derive(Debug, Deserialize)]
struct Shown {
    artifacts: Vec<Made>,
}

#[derive(Debug, Deserialize)]
struct Made {
    kind: String,
    file: String,
    #[serde(default)]
    bytes: Option<u64>,
    #[serde(default)]
    sha256: Option<String>,
}

/// Records of the current directory, each read once.
#[derive(Debug, Default)]
pub(super) struct Own {
    directory: PathBuf,
    records: HashMap<String, Option<MadeFiles>>,
    left: Leftovers,
}

impl Own {
    /// Whether a record next to the file says that burncam wrote it.
    pub(super) fn made(&mut self, path: &Path) -> bool {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        let directory = path.parent().unwrap_or(Path::new(""));
        if directory != self.directory {
            // The walk goes through one directory after the other, so records of the last one are not asked for
            // again.
            let left = Leftovers::of(directory);
            *self = Self { directory: directory.to_path_buf(), records: HashMap::new(), left };
        }
        // Methods, classes and kinds follow the stem after dots, and a photo's own name may have dots as well.
        let stems = || name.match_indices('.').map(|(at, _)| &name[..at]).filter(|stem| !stem.is_empty());
        stems().any(|stem| self.names(&format!("{stem}.json"), name, path))
            || name.strip_suffix(".grid.png").is_some_and(|stem| self.has_old_record(stem))
    }

    fn names(&mut self, record: &str, name: &str, path: &Path) -> bool {
        let Some(record) = self.record(record) else { return false };
        let files = record.targets.iter().flat_map(|target| &target.artifacts).chain(&record.grid);
        let mut files = files.filter(|made| made.file == name);
        files.any(|made| made.is(path))
    }

    /// Records of version 1 do not name the sheet.
    fn has_old_record(&mut self, stem: &str) -> bool {
        Method::ALL.iter().any(|method| {
            let record = self.record(&Names::new("", stem).record(*method));
            record.is_some_and(|record| record.schema_version == 1)
        })
    }

    /// The record, or the temporary file of a run that was killed before it was renamed.
    fn record(&mut self, name: &str) -> Option<&MadeFiles> {
        let path = self.directory.join(name);
        let left = &self.left;
        let read = || read(&path).or_else(|| left.before(&path).find_map(read));
        self.records.entry(name.to_owned()).or_insert_with(read).as_ref()
    }
}

impl Made {
    /// A record without size and hash is trusted.
    fn is(&self, path: &Path) -> bool {
        if self.bytes.is_none() || self.sha256.is_none() {
            return true;
        }
        let (kind, file) = (self.kind.clone(), self.file.clone());
        let artifact = Artifact { kind, file, bytes: self.bytes, sha256: self.sha256.clone() };
        // The size first: hashing every picture of a directory takes longer than the walk.
        let is_of_size = path.metadata().is_ok_and(|data| Some(data.len()) == self.bytes);
        is_of_size && std::fs::read(path).is_ok_and(|bytes| artifact.is(&bytes) == Some(true))
    }
}

fn read(path: &Path) -> Option<MadeFiles> {
    serde_json::from_slice(&read_text(path, Part::Text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u32, artifact: &str) -> String {
        format!(
            r#"{{ "schema_version": {version}, "targets": [{{ "artifacts": [{artifact}] }}], "newer": 1 }}"#
        )
    }

    #[test]
    fn a_file_is_ours_if_a_record_next_to_it_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
        let named = |file: &str, bytes: &[u8]| {
            let artifact = Artifact::new("overlay", file.to_owned(), bytes);
            record(2, &serde_json::to_string(&artifact).unwrap())
        };
        write("a.gradcam.png", "overlay");
        write("a.gradcam.json", &named("a.gradcam.png", b"overlay"));
        write("b.c.png", "named by --out");
        write("b.json", &named("b.c.png", b"named by --out"));
        write("old.gradcam.png", "anything");
        write("old.gradcam.json", &record(1, r#"{ "kind": "overlay", "file": "old.gradcam.png" }"#));
        write("old.grid.png", "a sheet");
        write("killed.gradcam.png", "renamed in time");
        // Named as `src/output` names a record that is not there yet.
        let hash = &burncam_picture::input::sha256_hex(b"killed.gradcam.json")[..16];
        let left = at(&format!(".burncam-{hash}-{hash}-7-random"));
        std::fs::write(left, named("killed.gradcam.png", b"renamed in time")).unwrap();
        for (name, text) in [
            ("img.random.png", "a photograph"),
            ("img.jpg", "and another next to it"),
            ("a.layercam.png", "the record of another method"),
            ("changed.gradcam.png", "OVERLAY"),
            ("changed.gradcam.json", &named("changed.gradcam.png", b"overlay")),
            ("a.grid.png", "its record names no sheet"),
            ("label.png", "a photograph"),
            ("label.json", r#"{ "shapes": [], "imagePath": "label.png" }"#),
        ] {
            write(name, text);
        }
        let mut own = Own::default();
        for name in ["a.gradcam.png", "b.c.png", "old.gradcam.png", "old.grid.png", "killed.gradcam.png"] {
            assert!(own.made(&at(name)), "{name}");
        }
        for name in ["img.random.png", "a.layercam.png", "changed.gradcam.png", "a.grid.png", "label.png"] {
            assert!(!own.made(&at(name)), "{name}");
        }
    }
}
