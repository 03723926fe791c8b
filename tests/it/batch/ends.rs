//! How runs end: readers that go away, disks that are full, failures inside.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::album::Sizes;
use super::support::Place;
use crate::support::fixture;

#[test]
fn files_are_written_though_the_reader_of_standard_output_goes_away() {
    let place = Place::new(30, Sizes::Small);
    for (out, options) in [("a", ""), ("b", "--json"), ("c", "--jsonl -"), ("d", "--csv -")] {
        let run = format!("explain -m tiny.bpk photos -o {out} {options}");
        let mut child = place.burncam(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "some pictures are broken: {said}");
        assert_eq!(place.records(out).len(), place.album.good.len(), "{options}");
        assert!(!place.summary(&format!("{out}/summary.json")).interrupted);
    }
}

/// `ulimit -f` stands in for a disk that is full: the page is larger than records and pictures are.
#[test]
fn a_report_that_cannot_be_written_does_not_take_the_summary_with_it() {
    let place = Place::new(0, Sizes::Small);
    for name in ["photos/a.png", "photos/b.png"] {
        std::fs::copy(fixture("images/odd/rgb.png"), place.path(name)).unwrap();
    }
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 24; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_burncam")])
        .args(["explain", "-m", "tiny.bpk", "photos", "-o", "out", "--report", "out/report.html"])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("burncam: cannot write 'out/report.html'"), "{said}");
    let summary = place.summary("out/summary.json");
    assert_eq!((summary.explained, summary.failed, summary.interrupted), (2, 0, false));
    assert!(!place.path("out/report.html").exists());
}

#[test]
fn a_list_that_cannot_be_written_ends_the_run_with_a_summary() {
    let place = Place::new(9, Sizes::Small);
    let said = String::from_utf8(place.run("explain -m tiny.bpk photos -o out --jsonl /dev/full", 1).stderr)
        .unwrap();
    assert!(said.contains("burncam: cannot write '/dev/full'"), "{said}");
    assert!(place.summary("out/summary.json").interrupted);
    let said = place.run("explain -m tiny.bpk photos -o none --csv /dev/full", 2).stderr;
    assert!(String::from_utf8(said).unwrap().contains("cannot write '/dev/full'"));
}

#[test]
fn rates_are_of_what_was_done() {
    let place = Place::new(20, Sizes::Small);
    place.run("explain -m tiny.bpk photos -o out", 1);
    let first = place.summary("out/summary.json");
    assert!(first.failed > 0);
    assert_eq!(first.run.explained, first.explained, "what failed was not done");
    let rate = first.explained as f64 / first.run.seconds;
    assert!((first.run.images_per_second / rate - 1.0).abs() < 0.05, "{:?}", first.run);
    place.run("explain -m tiny.bpk photos -o out --resume", 1);
    let second = place.summary("out/summary.json");
    assert_eq!(second.explained, first.explained);
    assert_eq!((second.run.explained, second.run.images_per_second), (0, 0.0), "what was kept was not done");
    place.run("merge out -o merged", 0);
    assert_eq!(place.summary("merged/summary.json").run.explained, second.run.explained);
}

/// A picture that the TIFF decoder fails on inside, and an ONNX file that the importer did.
#[test]
fn a_failure_inside_is_an_error_in_words_and_the_rest_goes_on() {
    let place = Place::new(0, Sizes::Small);
    std::fs::copy(fixture("cases/pictures/tiled_planar.tif"), place.path("a.tif")).unwrap();
    std::fs::copy(fixture("images/odd/rgb.png"), place.path("b.png")).unwrap();
    for run in ["predict -m tiny.bpk a.tif b.png", "explain -m tiny.bpk a.tif b.png -o out"] {
        let output = place.burncam(run).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{run}: {said}");
        assert_eq!(
            output.status.code() == Some(1),
            said.contains("burncam: image 'a.tif': "),
            "{run}: {said}"
        );
        assert!(String::from_utf8(output.stdout).unwrap().contains("b.png:"), "{run}: {said}");
    }
    let broken = fixture("cases/import/concat_of_vector_and_scalar.onnx");
    let said = place.run(&format!("import {} -o broken.bpk", broken.display()), 2).stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with("burncam: ") && said.lines().count() == 1, "{said}");
    assert!(!place.path("broken.bpk").exists());
}
