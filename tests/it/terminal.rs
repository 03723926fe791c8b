//! Names out of a model file and out of a directory never steer a terminal, and a line stays a line: every command, both streams.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use image::RgbImage;
use serde_json::Value;

use crate::support::fixture;

/// File names that a directory may hold: colours, a title, a second line, a turned ending, a formula, and an ordinary one.
const PICTURES: [&str; 6] = [
    "\u{1b}[31mred.png",
    "\u{1b}]0;title\u{7}.png",
    "two\nlines.png",
    "cat\u{202e}gpj.png",
    "=1+1.png",
    "Größe 東京 👩\u{200d}🔬.png",
];

/// A directory with these pictures and a model whose names are as bad.
struct Place(tempfile::TempDir);

/// What a command said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::copy(fixture("cases/hostile/hostile_names.bpk"), place.path().join("m.bpk")).unwrap();
        fs::create_dir(place.path().join("photos")).unwrap();
        for (at, name) in PICTURES.iter().enumerate() {
            let picture =
                RgbImage::from_fn(8, 8, |x, y| image::Rgb([x as u8 * 30, y as u8 * 30, at as u8 * 40]));
            picture.save(place.path().join("photos").join(name)).unwrap();
        }
        fs::write(place.path().join("photos/broken\u{1b}[2J.png"), b"no picture").unwrap();
        Self(place)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command, and holds both streams to what this file is about.
    #[track_caller]
    fn burncam(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
        let output =
            command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        for text in [&out, &err] {
            let bad = text.chars().find(|character| steers(*character));
            assert_eq!(bad, None, "{arguments:?}: {text:?}");
        }
        Said { code: output.status.code(), out, err }
    }
}

fn steers(character: char) -> bool {
    let turns =
        matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    (character.is_control() && character != '\n') || turns
}

fn classes() -> Vec<String> {
    let model = burncam::Model::open(&fixture("cases/hostile/hostile_names.bpk"), None).unwrap();
    (0..model.num_classes()).map(|class| model.class_name(class)).collect()
}

#[test]
fn commands_about_a_model_spell_its_names_out() {
    let place = Place::new();
    let classes = classes();
    let listed = place.burncam(&["info", "m.bpk", "--classes"]).out;
    assert_eq!(listed.lines().count(), classes.len(), "one line per class: {listed}");
    for spelt in [
        r"\x1b]0;TITLE\x07\x1b[31mred\x1b[2J",
        r"a\nb",
        r"\u{202e}gnp.exe",
        r"\u{9b}31mC1",
        r"tab\tin",
        r"\r=1+1",
    ] {
        assert!(listed.contains(spelt), "{spelt}");
    }
    let info = place.burncam(&["info", "m.bpk"]).out;
    assert!(info.contains(r"\x1b[33mnote") && info.contains(r"\x1b]8;;http://x\x07L"), "{info}");
    let card: Value = serde_json::from_str(&place.burncam(&["info", "m.bpk", "--card"]).out).unwrap();
    assert_eq!(card["classes"], serde_json::to_value(&classes).unwrap(), "JSON keeps the values");

    let layers = place.burncam(&["layers", "-m", "m.bpk"]).out;
    assert!(layers.contains(r"c\x1b[32m"), "{layers}");
    let starts: Vec<Option<usize>> =
        layers.lines().take(3).map(|line| line.find("conv2d").or(line.find("op"))).collect();
    assert_eq!(starts[0], starts[1], "columns stand where names are spelt out: {layers}");
    for line in place.burncam(&["layers", "-m", "m.bpk", "--json"]).out.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert_eq!(place.burncam(&["check", "m.bpk"]).code, Some(0));
    place.burncam(&["check", "m.bpk", "--json"]);
}

#[test]
fn commands_about_pictures_spell_names_and_paths_out() {
    let place = Place::new();
    let (classes, explained) = (classes(), PICTURES.len());
    let predicted = place.burncam(&["predict", "-m", "m.bpk", "--top-k", "14", "photos"]);
    assert_eq!(predicted.out.lines().count(), explained * (1 + classes.len()), "{}", predicted.out);
    assert_eq!((predicted.code, predicted.err.lines().count()), (Some(1), 1), "{}", predicted.err);
    assert!(predicted.err.contains(r"broken\x1b[2J.png"), "{}", predicted.err);
    assert!(predicted.out.contains(PICTURES[5]), "an ordinary name stays as it is");
    for line in place.burncam(&["predict", "-m", "m.bpk", "--json", "photos"]).out.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let name = Path::new(line["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
        let failed = line["error"] != "";
        assert!(if failed { name == "broken\u{1b}[2J.png" } else { PICTURES.contains(&name) }, "{name:?}");
    }

    let verbose = [
        "explain", "-vv", "-m", "m.bpk", "-o", "out", "photos", "-t", "top14", "--grid", "--report", "r.html",
    ];
    let said = place.burncam(&verbose);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert_eq!(said.out.lines().count(), explained, "one line per picture: {}", said.out);
    assert!(said.err.contains(r"broken\x1b[2J.png"), "{}", said.err);
    let lists = ["explain", "-m", "m.bpk", "-o", "lists", "photos", "--jsonl", "-", "--save", "record"];
    for line in place.burncam(&lists).out.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(
            record["error"] != "" || classes.iter().any(|name| record["targets"][0]["class_name"] == **name)
        );
    }
    let one = place.burncam(&["explain", "-m", "m.bpk", "-o", "one", "--json", "photos/two\nlines.png"]);
    let record: Value = serde_json::from_str(&one.out).unwrap();
    assert_eq!(record["input"]["path"], "photos/two\nlines.png");
    place.burncam(&["merge", "out", "--out", "merged", "--report", "merged/r.html"]);
}

#[test]
fn refusals_spell_out_what_they_repeat() {
    let place = Place::new();
    let escape = "\u{1b}[31m\u{202e}x\ny";
    for arguments in [
        &["explain", "-m", "m.bpk", escape][..],
        &["explain", "-m", "m.bpk", "photos/=1+1.png", "-t", escape],
        &["explain", "-m", "m.bpk", "photos/=1+1.png", "-l", escape],
        &["explain", "-m", escape, "photos/=1+1.png"],
        &["explain", "--method", escape, "photos/=1+1.png"],
        &["explain", "--\u{1b}[31m", "photos/=1+1.png"],
        &["\u{1b}]0;x\u{7}"],
        &["import", escape, "-o", "x.bpk"],
        &["merge", escape, "--out", "merged"],
    ] {
        let said = place.burncam(arguments);
        assert!(said.code == Some(2) || said.code == Some(1), "{arguments:?}: {:?}", said.code);
        assert!(said.err.contains(r"\x1b"), "{arguments:?}: {}", said.err);
    }
}

/// Rows of a table as cells.
fn table(path: &Path) -> Vec<Vec<String>> {
    let reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
    reader.into_records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_table_holds_no_formulas_unless_they_are_asked_for_and_serves_as_labels() {
    let place = Place::new();
    let explain = |list: &[&str]| {
        // From inside the directory, where a path may begin with what a formula does.
        let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
        command
            .current_dir(place.path("photos"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.args([
            "explain", "-m", "../m.bpk", "-o", "../out", "--force", "--save", "record", "-t", "top14",
        ]);
        let status = command.arg("=1+1.png").arg("two\nlines.png").args(list).status().unwrap();
        assert!(status.success());
    };
    explain(&["--csv", "../safe.csv"]);
    explain(&["--csv", "../raw.csv", "--csv-raw"]);
    let (safe, raw) = (table(&place.path("safe.csv")), table(&place.path("raw.csv")));
    let classes = classes();
    let mut quoted = 0;
    for (safe, raw) in safe.iter().zip(&raw) {
        for (safe, raw) in safe.iter().zip(raw) {
            let is_number = safe.parse::<f64>().is_ok();
            assert!(is_number || !safe.starts_with(['=', '+', '-', '@', '\t', '\r']), "{safe:?}");
            assert_eq!(safe.strip_prefix('\'').unwrap_or(safe), raw);
            quoted += usize::from(safe != raw);
        }
    }
    // Five of the fourteen classes and a path that each of its rows has; the score of one is a number below zero.
    assert_eq!(quoted, 2 * 5 + classes.len());
    assert!(safe.iter().any(|row| row[6].starts_with('-')), "a number stays a number");
    for name in &classes {
        assert!(raw.iter().any(|row| row[3] == *name), "{name:?} is as it is, in quotes");
    }
    // Its own predictions, one class a picture, are labels that are all right.
    let best: Vec<&Vec<String>> = safe.iter().filter(|row| row[4] == "1" || row[4] == "rank").collect();
    let mut writer = csv::Writer::from_path(place.path("labels.csv")).unwrap();
    best.iter().for_each(|row| writer.write_record([&row[0], &row[3]].map(String::as_bytes)).unwrap());
    writer.flush().unwrap();
    explain(&["--labels", "../labels.csv"]);
    let summary: Value = serde_json::from_slice(&fs::read(place.path("out/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["accuracy"]["labelled"], 2);
    assert_eq!(summary["accuracy"]["top1_correct"], 2);
}
