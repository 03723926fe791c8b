//! The command, run in a directory of its own so that paths in records are the same everywhere, and trees of files.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use burncam::Model;
use burncam::record::{Evaluation, Record, Summary};
use burncam_graph::card::Card;
use rayon::prelude::*;
use serde_json::Value;

use super::album::{Album, Sizes, make, part};
use crate::support::{seeded, tensor};

/// A directory with `photos` in it, and a network of no consequence that runs fast, `tiny.bpk`.
pub(super) struct Place {
    directory: tempfile::TempDir,
    pub(super) album: Album,
}

impl Place {
    pub(super) fn new(count: usize, sizes: Sizes) -> Self {
        Self::with(|photos| make(photos, count, sizes, count as u64))
    }

    /// With as many albums of a hundred, each in its directory, alike in sizes.
    pub(super) fn of_hundreds(hundreds: usize) -> Self {
        let hundred = |photos: &Path, at: usize| make(&photos.join(part(at)), 100, Sizes::All, at as u64);
        Self::with(|photos| {
            Album::of_several((0..hundreds).into_par_iter().map(|at| hundred(photos, at)).collect())
        })
    }

    fn with(album: impl Fn(&Path) -> Album) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let album = album(&directory.path().join("photos"));
        save_tiny(&directory.path().join("tiny.bpk"));
        Self { directory, album }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `burncam` with these arguments, separated by spaces.
    pub(super) fn burncam(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
        command.args(arguments.split_whitespace()).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(super) fn run(&self, arguments: &str, code: i32) -> Output {
        let output = self.burncam(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "burncam {arguments}: {said}");
        output
    }

    /// The files below a directory.
    pub(super) fn tree(&self, name: &str) -> Tree {
        Tree::read(&self.path(name))
    }

    /// The names of the files below a directory, without those that are still being written.
    pub(super) fn files(&self, name: &str) -> Vec<PathBuf> {
        files(&self.path(name)).into_iter().filter(|path| !is_temporary(path)).collect()
    }

    /// The records below a directory, each held against its pictures: they are there, and whole.
    #[track_caller]
    pub(super) fn records(&self, name: &str) -> Vec<Record> {
        let is_record =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json") && !is_summary(path);
        let paths = self.files(name).into_iter().filter(is_record).map(|path| self.path(name).join(path));
        paths.par_bridge().map(|path| whole_record(&path)).collect()
    }

    pub(super) fn summary(&self, name: &str) -> Summary {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub(super) fn evaluation(&self, name: &str) -> Evaluation {
        Evaluation::from_json(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }
}

/// Three channels of 32x32, a convolution, and as many classes as there are photographs behind the album.
fn save_tiny(path: &Path) {
    let card = r#"{ "schema_version": 1, "name": "tiny", "graph": {
        "input": { "name": "input", "channels": 3, "height": 32, "width": 32 },
        "nodes": [
            { "name": "conv", "op": "conv2d", "inputs": ["input"], "stride": [4, 4],
              "params": { "weight": "conv.weight", "bias": "conv.bias" } },
            { "name": "relu", "op": "relu", "inputs": ["conv"] },
            { "name": "pool", "op": "global_avg_pool", "inputs": ["relu"] },
            { "name": "flat", "op": "flatten", "inputs": ["pool"] },
            { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.weight", "bias": "fc.bias" } }
        ], "output": "fc" },
        "preprocess": { "resize": { "policy": "stretch", "height": 32, "width": 32 }, "scale": 0.00392156862745098 },
        "classes": ["cup", "cat", "tripod", "rocket"] }"#;
    let made = |name: &str, shape: &[usize]| tensor(name, shape, &seeded(name, shape));
    let tensors = vec![
        made("conv.weight", &[8, 3, 4, 4]),
        made("conv.bias", &[8]),
        made("fc.weight", &[8, 4]),
        made("fc.bias", &[4]),
    ];
    Model::save(path, &Card::from_json(card).unwrap(), tensors, false).unwrap();
}

#[track_caller]
fn whole_record(path: &Path) -> Record {
    let record: Record = serde_json::from_slice(&std::fs::read(path).unwrap())
        .unwrap_or_else(|error| panic!("'{}' is not a record: {error}", path.display()));
    assert!(!record.targets.is_empty());
    for artifact in record.targets.iter().flat_map(|target| &target.artifacts) {
        let picture = path.with_file_name(&artifact.file);
        let decoded = image::open(&picture).unwrap_or_else(|error| {
            panic!("'{}' has a record, but '{}': {error}", record.input.path, picture.display())
        });
        let size = (decoded.width() as usize, decoded.height() as usize);
        assert_eq!(size, (record.input.width, record.input.height), "{}", picture.display());
    }
    record
}

/// The files below a directory, hidden ones too, relative to it.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(root).unwrap().to_path_buf());
            }
        }
    }
    found
}

/// All files below a directory, hidden ones too, with their bytes.
#[derive(PartialEq, Eq)]
pub(super) struct Tree(pub(super) BTreeMap<PathBuf, Vec<u8>>);

impl Tree {
    fn read(root: &Path) -> Self {
        let read = |name: PathBuf| (name.clone(), std::fs::read(root.join(name)).unwrap());
        Self(files(root).into_iter().map(read).collect())
    }

    /// Without times: `run` in summaries.
    pub(super) fn timeless(mut self) -> Self {
        for (path, bytes) in &mut self.0 {
            if is_summary(path) {
                let mut summary: Value = serde_json::from_slice(bytes).unwrap();
                assert!(summary.as_object_mut().unwrap().remove("run").is_some());
                *bytes = summary.to_string().into_bytes();
            }
        }
        self
    }

    pub(super) fn without(mut self, unwanted: impl Fn(&Path) -> bool) -> Self {
        self.0.retain(|path, _| !unwanted(path));
        self
    }

    /// Says which files differ, where an `assert_eq` would print them.
    #[track_caller]
    pub(super) fn assert_is(&self, expected: &Self, what: &str) {
        let differ = |path: &&PathBuf| self.0.get(*path) != expected.0.get(*path);
        let all = self.0.keys().chain(expected.0.keys().filter(|path| !self.0.contains_key(*path)));
        let differences: Vec<String> = all
            .filter(differ)
            .map(|path| match (self.0.get(path), expected.0.get(path)) {
                (Some(_), Some(_)) => format!("{} differs", path.display()),
                (Some(_), None) => format!("{} should not be there", path.display()),
                _ => format!("{} is missing", path.display()),
            })
            .collect();
        assert!(differences.is_empty(), "{what}: {differences:#?}");
    }
}

/// What a page of a report holds under an id, unpacked line by line, as its script reads it.
pub(super) fn unpacked(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<script id=\"{id}\" type=\"text/plain\">")).unwrap();
    let unpack = |line: &str| {
        let bytes = data_encoding::BASE64.decode(line.as_bytes()).unwrap();
        let mut text = String::new();
        flate2::read::DeflateDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        text
    };
    rest.split_once("</script>").unwrap().0.lines().map(unpack).collect()
}

pub(super) fn is_summary(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name == "summary.json" || name.starts_with("summary.") && name.contains("-of-") && name.ends_with(".json")
}

/// The name under which a file is written before it gets its own.
pub(super) fn is_temporary(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with('.')
}
