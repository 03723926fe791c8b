//! Records and lists lead to their files from any directory, and a page is made of them later.

use burncam::record::Record;

use super::album::Sizes;
use super::support::{Place, unpacked};

const RUN: &str = "explain -m tiny.bpk photos -o out --labels labels.csv --quiet";

fn labelled() -> Place {
    let place = Place::new(4, Sizes::Small);
    let mut labels = csv::Writer::from_path(place.path("labels.csv")).unwrap();
    labels.write_record(["path", "class"]).unwrap();
    for path in place.files("photos") {
        labels.write_record([format!("photos/{}", path.display()), "1".to_owned()]).unwrap();
    }
    labels.flush().unwrap();
    place
}

#[test]
fn lists_lead_to_records_pictures_and_what_was_drawn() {
    let place = labelled();
    std::fs::create_dir(place.path("lists")).unwrap();
    place.run(&format!("{RUN} --csv lists/run.csv --jsonl lists/run.jsonl --csv-raw"), 0);
    let exists = |file: &str| assert!(place.path("lists").join(file).is_file(), "{file} leads nowhere");
    let mut table = csv::Reader::from_path(place.path("lists/run.csv")).unwrap();
    let names = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let cell = |name: &str| &row[names.iter().position(|each| each == name).unwrap()];
        exists(cell("record"));
        exists(cell("picture"));
        cell("artifacts").split(';').for_each(exists);
        let (rank, right) = (cell("label_rank"), cell("correct"));
        assert_eq!(rank == "1", right == "true", "{rank} {right}");
        assert!((0.0..=1.0).contains(&cell("label_proba").parse::<f64>().unwrap()));
    }
    for line in std::fs::read_to_string(place.path("lists/run.jsonl")).unwrap().lines() {
        let listed = Record::from_list(line.as_bytes()).unwrap();
        // What is not below the list's directory is not opened by readers; its name is in the line all the same.
        assert!(listed.targets[0].artifacts.is_empty() && line.contains("\"../out/"), "{line}");
        exists(listed.file.as_ref().unwrap());
        exists(listed.input.file.as_ref().unwrap());
        let path = place.path("lists").join(listed.file.unwrap());
        let own = Record::from_json(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((own.label_rank, own.label_proba), (listed.label_rank, listed.label_proba));
        assert!(path.with_file_name(own.input.file.unwrap()).is_file());
        assert!(path.with_file_name(own.file.unwrap()).is_file());
    }
}

#[test]
fn a_list_next_to_the_directory_is_compared_as_the_directory_is() {
    let place = labelled();
    place.run(&format!("{RUN} --jsonl run.jsonl"), 0);
    let list = std::fs::read_to_string(place.path("run.jsonl")).unwrap();
    let listed = Record::from_list(list.lines().next().unwrap().as_bytes()).unwrap();
    assert!(place.path(&listed.targets[0].artifacts[0].file).is_file());
    assert!(
        Record::from_json(list.lines().next().unwrap().as_bytes()).is_err(),
        "records name neighbours only"
    );
}

#[test]
fn pages_are_made_of_records_from_any_directory() {
    let place = labelled();
    place.run(RUN, 0);
    place.run("report out", 0);
    let page = std::fs::read_to_string(place.path("out/report.html")).unwrap();
    assert!(unpacked(&page, "cards").contains("\"original\":\"../photos/"));
    assert!(page.contains("How well each class is recognised"));
    assert!(String::from_utf8(place.run("report out", 2).stderr).unwrap().contains("already exists"));
    // From elsewhere, and without the summary, as after a run that was killed.
    std::fs::remove_file(place.path("out/summary.json")).unwrap();
    let other = place.path("photos");
    let output = place.burncam("report ../out --force").current_dir(other).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_to_string(place.path("out/report.html")).unwrap(), page);
    for (arguments, reason) in [("report photos -o p.html", "no records"), ("report out photos", "--out")] {
        let said = String::from_utf8(place.run(arguments, 2).stderr).unwrap();
        assert!(said.contains(reason) && said.lines().count() == 1, "{arguments}: {said}");
    }
    assert!(!place.path("p.html").exists());
}
