//! `predict` over a directory: records that fit their schema, tables, labels and the accuracy; and the environment.

use std::path::Path;

use serde_json::Value;

use super::album::Sizes;
use super::support::Place;
use crate::record::{assert_valid, schema};
use crate::support::fixture;

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_image_has_a_line_that_fits_the_schema() {
    let place = Place::new(30, Sizes::Small);
    let output = place.run("predict -m tiny.bpk photos -k 2 --jsonl lines.jsonl --csv table.csv", 1);
    assert_eq!(output.stdout, b"", "the lists are the results");
    let said = String::from_utf8(output.stderr).unwrap();
    let (good, bad) = (place.album.good.len(), place.album.bad.len());
    assert!(said.contains(&format!("30 images: {good} predicted, {bad} failed, in ")), "{said}");
    let validator = schema("prediction.schema.json");
    let lines = lines(&place.path("lines.jsonl"));
    lines.iter().for_each(|line| assert_valid(&validator, line));
    let paths: Vec<_> = lines.iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    let all: Vec<String> =
        place.album.all().iter().map(|path| format!("photos/{}", path.display())).collect();
    assert_eq!(paths, all, "one line per image, in the order of the inputs");
    let failed = lines.iter().filter(|line| line["error"] != "").count();
    assert_eq!(failed, bad);
    assert!(lines.iter().all(|line| line["correct"].is_null() && line["label"].is_null()));

    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(place.path("table.csv")).unwrap().into_records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2 * good + bad);
    let first = lines.iter().position(|line| line["error"] == "").unwrap();
    let row = rows.iter().find(|row| row[0] == paths[first]).unwrap();
    let class = &lines[first]["predictions"][0];
    assert_eq!((&row[1], &row[3]), ("1", class["class_name"].as_str().unwrap()));
    assert_eq!(row[4].parse::<f64>().unwrap(), class["proba"].as_f64().unwrap());

    let again = place.burncam("predict -m tiny.bpk photos --jsonl lines.jsonl").output().unwrap();
    assert_eq!(again.status.code(), Some(2), "a list that is there is not replaced");
    let to_stdout = place.run("predict -m tiny.bpk photos -k 2 --json --quiet", 1);
    assert_eq!(to_stdout.stdout, std::fs::read(place.path("lines.jsonl")).unwrap());
}

#[test]
fn labels_give_the_accuracy_and_the_rank_of_the_true_class() {
    let place = Place::new(0, Sizes::Small);
    for (at, name) in ["coffee.png", "chelsea.png", "camera.png"].iter().enumerate() {
        std::fs::copy(fixture("images").join(name), place.path(&format!("photos/{at}.png"))).unwrap();
    }
    place.run("predict -m tiny.bpk photos -k 1 --jsonl first.jsonl", 0);
    let first = lines(&place.path("first.jsonl"));
    let best: Vec<u64> =
        first.iter().map(|line| line["predictions"][0]["target"].as_u64().unwrap()).collect();
    // The first is right, the second is not, the third has no label.
    let labels = format!("path,label\n0.png,{}\n1.png,{}\n", best[0], (best[1] + 1) % 4);
    std::fs::write(place.path("labels.csv"), labels).unwrap();
    let run = "predict -m tiny.bpk photos -k 1 --labels labels.csv";
    let said = String::from_utf8(place.run(&format!("{run} --jsonl lines.jsonl"), 0).stderr).unwrap();
    assert!(said.ends_with("right: 50.0 % of 2 labelled images\n"), "{said}");
    let said = String::from_utf8(place.run(run, 0).stderr).unwrap();
    assert!(said.ends_with("right: 50.0 % of 2 labelled images\n"), "with text, too: {said}");
    let lines = lines(&place.path("lines.jsonl"));
    lines.iter().for_each(|line| assert_valid(&schema("prediction.schema.json"), line));
    let correct: Vec<Option<bool>> = lines.iter().map(|line| line["correct"].as_bool()).collect();
    assert_eq!(correct, [Some(true), Some(false), None]);
    assert_eq!(lines[0]["label_rank"], 1);
    assert_eq!(lines[0]["label_proba"], lines[0]["predictions"][0]["proba"]);
    assert!((2..=4).contains(&lines[1]["label_rank"].as_u64().unwrap()), "a rank beyond -k 1");
    assert!(lines[2]["label_rank"].is_null());
}

#[test]
fn the_environment_names_the_model_and_the_threads() {
    let place = Place::new(0, Sizes::Small);
    std::fs::copy(fixture("images/coffee.png"), place.path("photos/a.png")).unwrap();
    let run = |arguments: &str, name: &str, value: &str| {
        let output = place.burncam(arguments).env(name, value).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let named = run("info", "BURNCAM_MODEL", "tiny.bpk");
    assert_eq!(named.0, Some(0));
    assert!(named.1.starts_with("model         tiny\n"), "{}", named.1);
    assert!(run("info", "BURNCAM_MODEL", "").1.contains("efficientnet_lite0"), "an empty one is none");
    assert_eq!(run("predict photos", "BURNCAM_MODEL", "gone.bpk").0, Some(2));
    assert_eq!(
        run("predict -m tiny.bpk photos", "BURNCAM_MODEL", "gone.bpk").0,
        Some(0),
        "-m goes before it"
    );
    assert_eq!(run("predict -m tiny.bpk photos", "BURNCAM_THREADS", "2").0, Some(0));
    let refused = run("predict -m tiny.bpk photos", "BURNCAM_THREADS", "none");
    assert_eq!(refused.0, Some(2));
    let expected = "environment variable BURNCAM_THREADS: expected a number from 1 to 256, got 'none'";
    assert!(refused.1.contains(expected), "{}", refused.1);
}
