//! `burncam compare`: what moved between two runs, what fails a release, and what is said of records that cannot be read.

use burncam::record::{Comparison, Record};
use serde_json::{Value, json};

use super::album::Sizes;
use super::support::{Place, unpacked};
use crate::record::{assert_valid, schema};
use crate::support::fixture;

/// Three photographs explained twice: `old` with labels, `new` without.
fn two_runs(new: &str) -> Place {
    let place = Place::new(0, Sizes::Small);
    for (at, name) in ["coffee.png", "camera.png", "chelsea.png"].iter().enumerate() {
        std::fs::copy(fixture("images").join(name), place.path(&format!("photos/{at}.png"))).unwrap();
    }
    std::fs::write(place.path("labels.csv"), "path,label\n0.png,0\n1.png,1\n").unwrap();
    place.run("explain -m tiny.bpk photos -o old --save overlay,record,npy --labels labels.csv", 0);
    place.run(&format!("explain -m tiny.bpk photos -o new {new}"), 0);
    place
}

fn comparison(place: &Place, arguments: &str, code: i32) -> Comparison {
    let output = place.run(&format!("compare {arguments} --json"), code);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn equal_runs_agree_in_everything_and_keep_every_limit() {
    let place = two_runs("--save overlay,record,npy");
    let limits = "--max-drop accuracy=0,agreement=0,similarity=0,pictures=0";
    let found = comparison(&place, &format!("old new {limits}"), 0);
    assert_eq!((found.both, found.agreement, found.passed), (3, Some(1.0), true));
    assert!(found.only_first.is_empty() && found.only_second.is_empty() && found.differences.is_empty());
    let accuracy = found.accuracy.unwrap();
    // The second run has no labels and is judged by the first's.
    assert_eq!((accuracy.labelled, accuracy.first), (2, accuracy.second));
    let maps = &found.maps[0];
    assert_eq!((maps.first.as_str(), maps.pairs, maps.other_class), ("gradcam", 3, 0));
    assert!((maps.spearman.unwrap() - 1.0).abs() < 1e-9 && (maps.iou.unwrap() - 1.0).abs() < 1e-9);
    assert!(found.pictures.iter().all(|picture| picture.maps[0].source == "npy"));
    let said = String::from_utf8(place.run("compare old new", 0).stdout).unwrap();
    assert!(said.contains("no picture moved") && said.contains("nothing in models and settings"), "{said}");
}

#[test]
fn other_settings_move_maps_and_a_limit_fails() {
    let place = two_runs("--counterfactual -t 2 --signed");
    let found = comparison(&place, "old new --max-drop similarity=0.1", 1);
    let names: Vec<&str> = found.differences.iter().map(|found| found.name.as_str()).collect();
    assert!(names.contains(&"settings.counterfactual") && names.contains(&"settings.signed"), "{names:?}");
    // The network and so its classes are the same, the explained class need not be.
    assert_eq!(found.agreement, Some(1.0));
    let maps = &found.maps[0];
    assert_eq!(maps.pairs + maps.other_class, 3);
    assert!(!found.limits[0].passed && !found.passed);
    // Arrays of one run alone are of no use.
    assert!(found.pictures.iter().all(|picture| picture.maps[0].source == "record"));
}

#[test]
fn methods_are_compared_by_name_and_two_alone_with_each_other() {
    let place = two_runs("--method layercam,eigencam");
    let error = place.run("compare old new", 2).stderr;
    let error = String::from_utf8(error).unwrap();
    assert!(error.contains("have no method in common, got gradcam and eigencam, layercam"), "{error}");
    place.run("explain -m tiny.bpk photos -o single --method layercam", 0);
    let found = comparison(&place, "old single", 0);
    assert_eq!((found.maps[0].first.as_str(), found.maps[0].second.as_str()), ("gradcam", "layercam"));
    assert!(found.maps[0].spearman.unwrap() <= 1.0);
    assert!(found.differences.iter().any(|found| found.name == "settings.method"));
}

#[test]
fn pictures_of_one_run_alone_are_listed_and_can_fail() {
    let place = two_runs("");
    std::fs::remove_file(place.path("new/0.gradcam.json")).unwrap();
    let found = comparison(&place, "old new --max-drop pictures=0.3", 1);
    assert_eq!((found.both, found.only_first), (2, vec!["photos/0.png".to_owned()]));
    assert!((found.limits[0].drop.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(comparison(&place, "new old --max-drop pictures=0", 0).only_second.len(), 1);
}

#[test]
fn the_files_fit_their_schema_and_the_page_shows_both_overlays() {
    let place = two_runs("");
    place.run("compare old new -o both --max-drop agreement=0", 0);
    let validator = schema("comparison.schema.json");
    let bytes = std::fs::read(place.path("both/comparison.json")).unwrap();
    let mut value: Value = serde_json::from_slice(&bytes).unwrap();
    assert_valid(&validator, &value);
    value["surprise"] = true.into();
    assert!(!validator.is_valid(&value));
    let page = std::fs::read_to_string(place.path("both/comparison.html")).unwrap();
    assert_eq!(page.matches("<img ").count(), 6);
    assert!(page.contains("href=\"../old/0.gradcam.png\"") && page.contains("href=\"../new/0.gradcam.png\""));
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("<script"));
    // Existing files are only replaced on request.
    let error = String::from_utf8(place.run("compare old new -o both", 2).stderr).unwrap();
    assert!(error.contains("comparison.json"), "{error}");
    place.run("compare old new -o both --force", 0);
}

#[test]
fn a_record_that_cannot_be_read_is_one_error_and_the_others_are_compared() {
    let place = two_runs("");
    let broken = place.path("new/0.gradcam.json");
    std::fs::write(&broken, "{ \"schema_version\": 9 }").unwrap();
    let output = place.run("compare old new", 1);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("a record is not compared") && error.contains("0.gradcam.json"), "{error}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("2 in both, 1 only in the first run"));
    for (runs, words) in [
        ("old missing", "run 'missing': expected a directory"),
        ("old photos", "run 'photos': has no record that can be read"),
    ] {
        let error = String::from_utf8(place.run(&format!("compare {runs}"), 2).stderr).unwrap();
        assert!(error.contains(words) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn records_of_version_1_are_compared() {
    let place = two_runs("");
    let old = place.path("first-release");
    std::fs::create_dir(&old).unwrap();
    std::fs::copy(fixture("records/burncam_0.1.gradcam.json"), old.join("photo.gradcam.json")).unwrap();
    let found = comparison(&place, "first-release first-release", 0);
    assert_eq!((found.both, found.pictures[0].maps[0].source.as_str()), (1, "record"));
    // Without a size and a hash of the picture in common there is nothing to compare.
    let error = String::from_utf8(place.run("compare first-release new", 2).stderr).unwrap();
    assert!(error.contains("have no picture in common"), "{error}");
    let record = std::fs::read(old.join("photo.gradcam.json")).unwrap();
    assert_eq!(Record::from_json(&record).unwrap().schema_version, 1);
}

#[test]
fn a_list_of_records_is_compared_as_their_directory_is() {
    let place = two_runs("--jsonl new/all.jsonl");
    // A picture that failed has a line, too, and is no record.
    std::fs::write(place.path("photos/broken.png"), "no picture").unwrap();
    place.run("explain -m tiny.bpk photos -o again --jsonl again.jsonl", 1);
    let whole = comparison(&place, "old new", 0);
    for list in ["new/all.jsonl", "again.jsonl"] {
        let found = comparison(&place, &format!("old {list}"), 0);
        assert_eq!((found.both, found.second.records, found.second.unreadable), (3, 3, 0), "{list}");
        assert_eq!((found.agreement, &found.maps), (whole.agreement, &whole.maps), "{list}");
    }
    std::fs::write(place.path("cut.jsonl"), "{\"schema_version\": 2,\n").unwrap();
    let error = String::from_utf8(place.run("compare old cut.jsonl", 2).stderr).unwrap();
    assert!(error.contains("record at byte 0 of 'cut.jsonl'"), "{error}");
}

#[test]
fn a_report_has_another_run_next_to_it() {
    let place = two_runs("-l conv -t top2");
    std::fs::remove_file(place.path("new/2.gradcam.json")).unwrap();
    place.run("report old --against new -o both.html --quiet", 0);
    let page = std::fs::read_to_string(place.path("both.html")).unwrap();
    let (data, cards) = (unpacked(&page, "data"), unpacked(&page, "cards"));
    let (head, keys) = data.split_once('\n').unwrap();
    let head: Value = serde_json::from_str(head).unwrap();
    assert_eq!(head["runs"], json!({ "first": "old", "second": "new", "both": 2, "only_second": 0 }));
    let keys: Vec<Value> = serde_json::from_str(keys).unwrap();
    let cards: Vec<Value> = cards.lines().map(|card| serde_json::from_str(card).unwrap()).collect();
    assert!(
        keys.len() == 3 && keys[2][9].is_null() && cards[2]["second"].is_null(),
        "the second run has no record of it"
    );
    let compared = comparison(&place, "old new", 0);
    let mut moved = 0;
    for (keys, card) in keys.iter().zip(&cards).take(2) {
        let picture = compared.pictures.iter().find(|picture| keys[0] == picture.path.as_str()).unwrap();
        let other = &card["second"];
        // One network, so that it predicts what it did; the maps are of another layer.
        assert_eq!((&keys[9][0], &keys[9][2]), (&keys[4], &json!(false)));
        assert_eq!(other["top"][0][0], keys[4]);
        let maps = other["views"].as_array().unwrap();
        assert!(
            maps.len() == 2
                && maps.iter().all(|map| map["files"][0][1].as_str().unwrap().starts_with("new/"))
        );
        // A constant map ranks nothing.
        assert_eq!(keys[9][3].as_f64().is_some(), picture.similarity.is_some());
        if let (Some(alike), Some(similarity)) = (keys[9][3].as_f64(), picture.similarity) {
            assert!((alike - similarity).abs() < 1e-6 && alike < 0.9999, "{alike} {similarity}");
            moved += 1;
        }
        assert_eq!(card["views"][0]["second"], json!([0, keys[9][3]]), "the map of the same class");
    }
    assert!(moved > 0, "{compared:?}");
    let error = String::from_utf8(place.run("report old new --against new -o three.html", 2).stderr).unwrap();
    assert!(error.contains("run 'new': stands next to one run, got 2 directories"), "{error}");
    let error = String::from_utf8(place.run("report old --against photos -o no.html", 2).stderr).unwrap();
    assert!(error.contains("run 'photos': has no record that can be read"), "{error}");
}
