//! `--where`: all images are predicted and some explained, and nothing says more than that. `--dry-run`: nothing happens.

use std::collections::BTreeSet;

use burncam::record::{PredictedRecord, Record};
use serde_json::Value;

use super::album::Sizes;
use super::support::{Place, Tree};
use crate::record::{assert_valid, schema};

const IMAGES: usize = 27;

fn lines(place: &Place, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A line of the run into `some` as the run into `all` writes it.
fn into_all(line: &Value) -> Value {
    serde_json::from_str(&line.to_string().replace("\"some/", "\"all/")).unwrap()
}

/// Labels by which every third image is a mistake, and one image has none.
fn label(place: &Place) -> BTreeSet<String> {
    place.run("predict -m tiny.bpk photos -k 1 --jsonl predicted.jsonl", 1);
    let mut mistakes = BTreeSet::new();
    let mut table = csv::Writer::from_path(place.path("labels.csv")).unwrap();
    table.write_record(["path", "label"]).unwrap();
    let predicted = lines(place, "predicted.jsonl");
    for (at, line) in predicted.iter().filter(|line| line["error"] == "").skip(1).enumerate() {
        let (path, best) =
            (line["path"].as_str().unwrap(), line["predictions"][0]["target"].as_u64().unwrap());
        let label = if at % 3 == 0 { (best + 1) % 4 } else { best };
        if label != best {
            mistakes.insert(path.to_owned());
        }
        table.write_record([path, &label.to_string()]).unwrap();
    }
    table.flush().unwrap();
    mistakes
}

/// The files of some images, and no others: their records, and what these name.
fn of(tree: Tree, images: &BTreeSet<String>) -> Tree {
    let mut files = BTreeSet::new();
    for (path, bytes) in &tree.0 {
        let Ok(record) = Record::from_json(bytes) else { continue };
        if images.contains(&record.input.path) {
            let artifacts = record.targets.iter().flat_map(|target| &target.artifacts);
            files.extend(artifacts.map(|artifact| path.with_file_name(&artifact.file)));
            files.insert(path.clone());
        }
    }
    assert_eq!(files.len(), 2 * images.len(), "an overlay and a record of each");
    tree.without(|path| !files.contains(path))
}

#[test]
fn only_mistakes_are_explained_and_all_images_are_counted() {
    let place = Place::new(IMAGES, Sizes::Small);
    let mistakes = label(&place);
    let run = "explain -m tiny.bpk photos --labels labels.csv";
    place.run(&format!("{run} -o all --jsonl all.jsonl"), 1);
    let lists = "--jsonl some.jsonl --csv some.csv --report some/report.html";
    let output = place.run(&format!("{run} -o some --where label!=top {lists}"), 1);

    let (all, some) = (place.summary("all/summary.json"), place.summary("some/summary.json"));
    assert_eq!(some.selection.as_deref(), Some("label!=top"));
    assert_eq!(some.explained, mistakes.len());
    assert_eq!(some.explained + some.predicted_only, all.explained);
    assert_eq!((&some.accuracy, &some.classes), (&all.accuracy, &all.classes), "of all images");
    assert_eq!((&some.confusion, &some.labels, some.failed), (&all.confusion, &all.labels, all.failed));
    assert_eq!(some.mean_proba, all.mean_proba);
    let summary: Value =
        serde_json::from_slice(&std::fs::read(place.path("some/summary.json")).unwrap()).unwrap();
    assert_valid(&schema("summary.schema.json"), &summary);
    let said = String::from_utf8(output.stderr).unwrap();
    let counted =
        format!("{} explained (label!=top), {} predicted only", some.explained, some.predicted_only);
    assert!(said.contains(&counted), "{said}");

    let written = place.tree("some").without(|path| path.extension().is_some_and(|ending| ending == "html"));
    let written = written.without(|path| path.ends_with("summary.json"));
    written.assert_is(&of(place.tree("all"), &mistakes), "the files of mistakes, as in a run over all");
    let (all, some) = (lines(&place, "all.jsonl"), lines(&place, "some.jsonl"));
    assert_eq!(all.len(), some.len(), "one line per image");
    for (whole, line) in all.iter().zip(&some) {
        if *whole == into_all(line) {
            continue;
        }
        let only: PredictedRecord = serde_json::from_value(line.clone()).unwrap();
        assert!(!mistakes.contains(&only.input.path) && only.description.contains("label!=top"));
        assert_eq!(line["label"], whole["label"]);
        let targets = |line: &Value| -> Vec<Value> {
            line["predictions"].as_array().unwrap().iter().map(|class| class["target"].clone()).collect()
        };
        assert_eq!(targets(line), targets(whole));
    }
    let explained = some.iter().filter(|line| line["targets"] != serde_json::json!([])).count();
    assert_eq!(explained, mistakes.len());
    // The list is read by other commands, which look at what was explained.
    place.run("compare some.jsonl all.jsonl", 0);

    let again = place.run(&format!("{run} -o some --where label!=top --resume"), 1);
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains(&format!("{} images kept from an earlier run", mistakes.len())), "{said}");
}

#[test]
fn conditions_are_all_met_and_those_that_mean_nothing_refused() {
    let place = Place::new(IMAGES, Sizes::Small);
    let mistakes = label(&place);
    let run = "explain -m tiny.bpk photos --save record --labels labels.csv";
    place.run(&format!("{run} -o a --where mistakes --where label_rank>1"), 1);
    assert_eq!(place.summary("a/summary.json").explained, mistakes.len());
    place.run(&format!("{run} -o b --explain mistakes --where p<0.01"), 1);
    let none = place.summary("b/summary.json");
    assert_eq!((none.explained, none.selection.as_deref()), (0, Some("label!=top and p<0.01")));
    place.run("explain -m tiny.bpk photos --save record -o c --where p>=0", 1);
    assert_eq!(place.summary("c/summary.json").predicted_only, 0);
    for (arguments, message) in [
        ("--where label!=top", "--where 'label!=top' needs to know the true classes (add --labels)"),
        ("--where p<0.6 --scale shared", "--scale shared depends on all images, and --where explains some"),
        ("--where q<1", "expected label!=top, label=top, or p, margin, label_p or label_rank"),
    ] {
        let said = place.run(&format!("explain -m tiny.bpk photos -o d {arguments}"), 2).stderr;
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains(message), "{arguments}: {said}");
    }
    assert!(!place.path("d").exists());
}

#[test]
fn a_dry_run_says_what_would_be_written_and_writes_nothing() {
    let place = Place::new(IMAGES, Sizes::Small);
    let before = place.files("");
    let run = "explain -m tiny.bpk photos -o out --method gradcam,layercam --jsonl lines.jsonl";
    let words = String::from_utf8(place.run(&format!("{run} --dry-run"), 0).stdout).unwrap();
    assert!(words.starts_with("dry run: "), "{words}");
    assert!(words.contains("out/summary.json lines.jsonl"), "{words}");
    let said = place.run(&format!("{run} --dry-run --json"), 0).stdout;
    let facts: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(facts["images"], IMAGES);
    assert_eq!(facts["methods"], serde_json::json!(["gradcam", "layercam"]));
    assert_eq!(facts["files"], 4 * IMAGES, "an overlay and a record for each method, of every image");
    assert!(facts["seconds_per_image"].as_f64().unwrap() > 0.0);
    let bytes: u64 =
        place.album.all().iter().map(|path| place.path("photos").join(path)).map(|path| size(&path)).sum();
    assert_eq!(facts["bytes"].as_u64(), Some(bytes));
    let long = place.run("explain -m tiny.bpk photos -o out --method rise -n --json", 0).stdout;
    let long: Value = serde_json::from_slice(&long).unwrap();
    assert!(long.get("seconds_per_image").is_none(), "a long method is not run for an estimate");
    assert!(long["seconds_per_pass"].as_f64().unwrap() > 0.0);
    let words = place.run("evaluate -m tiny.bpk photos -o out --method gradcam --metrics drop -n", 0).stdout;
    let words = String::from_utf8(words).unwrap();
    assert!(words.contains("metrics   drop") && words.contains("out/evaluation.json"), "{words}");
    assert_eq!(place.files(""), before, "nothing is written");
    place.run("explain -m tiny.bpk photos/gone.png -o out -n", 0);
}

fn size(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}
