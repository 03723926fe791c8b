//! One run over a small album: every good picture explained, every bad one named, and the same bytes however it is done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burncam::record::Record;
use serde_json::Value;

use super::album::Sizes;
use super::support::Place;
use crate::record::{assert_valid, schema};
use crate::support::fixture;

const IMAGES: usize = 60;

/// The record of a photograph in an output directory.
fn record_of(photograph: &Path) -> PathBuf {
    photograph.with_file_name(format!("{}.gradcam.json", photograph.file_stem().unwrap().to_string_lossy()))
}

fn lines(text: &[u8]) -> Vec<Value> {
    String::from_utf8(text.to_vec())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_good_picture_is_explained_and_every_bad_one_named() {
    let place = Place::new(IMAGES, Sizes::Small);
    let output = place.run("explain -m tiny.bpk photos -o out --jsonl lines.jsonl", 1);
    let tree = place.tree("out");
    assert_eq!(place.records("out").len(), place.album.good.len());
    let records: BTreeSet<PathBuf> =
        tree.0.keys().filter(|path| path.to_string_lossy().ends_with(".gradcam.json")).cloned().collect();
    let expected: BTreeSet<PathBuf> = place.album.good.iter().map(|path| record_of(path)).collect();
    assert_eq!(records, expected);
    assert_eq!(tree.0.len(), 2 * expected.len() + 1, "an overlay and a record each, and the summary");

    let said = String::from_utf8(output.stderr).unwrap();
    for bad in &place.album.bad {
        let name = format!("photos/{}", bad.display());
        assert!(said.lines().any(|line| line.contains(&name)), "'{name}' is not named in:\n{said}");
    }

    let jsonl = lines(&std::fs::read(place.path("lines.jsonl")).unwrap());
    let paths: Vec<_> = jsonl.iter().map(|line| line["input"]["path"].as_str().unwrap()).collect();
    let all: Vec<String> =
        place.album.all().iter().map(|path| format!("photos/{}", path.display())).collect();
    assert_eq!(paths, all, "one line per image, in input order");
    let failed: Vec<&str> = jsonl
        .iter()
        .filter(|line| line["error"] != "")
        .map(|line| line["input"]["path"].as_str().unwrap().strip_prefix("photos/").unwrap())
        .collect();
    let bad: Vec<String> = place.album.bad.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(failed, bad);
    for (line, path) in jsonl.iter().zip(place.album.all()).filter(|(line, _)| line["error"] == "") {
        let record = Record::from_json(&tree.0[&record_of(&path)]).unwrap();
        let directory = Path::new("out").join(path.parent().unwrap());
        let written = record.listed(directory.to_str().unwrap()).to_json_line().unwrap();
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(*line, written, "the line of '{}' is not its record", path.display());
    }

    let summary = place.summary("out/summary.json");
    assert_eq!((summary.images, summary.failed), (IMAGES, bad.len()));
    assert_eq!(summary.explained, place.album.good.len());
    assert!(!summary.interrupted && summary.shard.is_none());
    let failures: Vec<&str> =
        summary.failures.iter().map(|failure| failure.path.strip_prefix("photos/").unwrap()).collect();
    assert_eq!(failures, bad);
    let counted: usize = summary.classes.ranked().iter().map(|class| class.count).sum();
    assert_eq!(counted, summary.explained);
}

#[test]
fn summaries_fit_their_schema() {
    let place = Place::new(9, Sizes::Small);
    place.run("explain -m tiny.bpk photos -o out", 1);
    let validator = schema("summary.schema.json");
    let summary: Value =
        serde_json::from_slice(&std::fs::read(place.path("out/summary.json")).unwrap()).unwrap();
    assert_valid(&validator, &summary);
    let mut extra = summary;
    extra["surprise"] = true.into();
    assert!(!validator.is_valid(&extra));
}

/// With a network whose kernels work on several pictures at once.
#[test]
fn the_bytes_do_not_depend_on_jobs_nor_on_the_batch() {
    let place = Place::new(IMAGES, Sizes::Small);
    let model = fixture("models/squeezenet1_1.bpk");
    let run = |name: &str, jobs: usize, batch: usize| {
        let options =
            format!("--jobs {jobs} --batch-size {batch} --jsonl {name}/lines.jsonl --csv {name}/table.csv");
        let model = model.to_str().unwrap();
        place.run(&format!("explain -m {model} photos -o {name} --method gradcam,layercam {options}"), 1);
        place.tree(name).timeless()
    };
    let one = run("one", 1, 1);
    assert_eq!(place.records("one").len(), 2 * place.album.good.len());
    for (jobs, batch) in [(2, 3), (4, 8), (1, 8), (4, 1)] {
        run(&format!("out-{jobs}-{batch}"), jobs, batch)
            .assert_is(&one, &format!("--jobs {jobs} --batch-size {batch}"));
    }
}
