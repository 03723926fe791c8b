//! SIGINT, SIGTERM and SIGHUP: what is finished stays, what is not is not there, and the summary says where it stopped.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::album::Sizes;
use super::support::{Place, is_temporary};

const RUN: &str = "explain -m tiny.bpk photos -o out --jsonl out/lines.jsonl --batch-size 2";

/// A run that got the signal when it had written a few files.
fn interrupted(place: &Place, signal: &str) -> (Output, String) {
    const TRIES: usize = 20;
    for _ in 0..TRIES {
        // One job, so that there is time between the first record and the last.
        let slow = format!("{RUN} --jobs 1 --threads 1");
        let child = place.burncam(&slow).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while place.files("out").len() < 8 {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing was written");
            std::thread::sleep(Duration::from_millis(1));
        }
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // 1 is the end of a run that was over before the signal came.
        if output.status.code() != Some(1) {
            return (output, said);
        }
        std::fs::remove_dir_all(place.path("out")).unwrap();
    }
    panic!("the run was over before the signal came, {TRIES} times")
}

fn interrupted_by(signal: &str, number: i32) {
    let place = Place::new(60, Sizes::Small);
    place.run(&format!("{RUN} --quiet"), 1);
    let expected = place.tree("out").timeless();
    std::fs::remove_dir_all(place.path("out")).unwrap();

    let (output, said) = interrupted(&place, signal);
    let how = (output.status.code(), output.status.signal());
    assert!(how == (Some(128 + number), None) || how == (None, Some(number)), "{how:?}: {said}");
    assert!(said.contains("interrupted after") && said.contains("--resume"), "{said}");

    let records = place.records("out");
    let tree = place.tree("out");
    assert!(!tree.0.keys().any(|path| is_temporary(path)), "temporary files were left behind");
    let summary = place.summary("out/summary.json");
    assert!(summary.interrupted);
    assert_eq!(summary.images, 60);
    assert!(summary.explained + summary.failed < 60, "it was not interrupted: {said}");
    assert_eq!(records.len(), summary.explained, "the summary counts what is there");
    let lines = std::fs::read_to_string(place.path("out/lines.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), summary.explained + summary.failed);
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));

    assert_eq!(summary.run.explained, summary.explained);
    place.run(&format!("{RUN} --resume --quiet"), 1);
    place.tree("out").timeless().assert_is(&expected, "resumed");
}

#[test]
fn interrupted_from_the_keyboard() {
    interrupted_by("INT", 2);
}

#[test]
fn told_to_end() {
    interrupted_by("TERM", 15);
}

/// Under `nohup` the tests' own runs ignore it too.
#[test]
fn left_by_its_terminal() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    if ignored & 1 == 0 {
        interrupted_by("HUP", 1);
    }
}

#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let place = Place::new(30, Sizes::Small);
    let run = place.burncam(&format!("{RUN} --quiet --jobs 1"));
    let words = run.get_args().map(|word| word.to_string_lossy().into_owned());
    let mut child = Command::new("nohup")
        .arg(env!("CARGO_BIN_EXE_burncam"))
        .args(words)
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while place.files("out").len() < 4 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let kill = format!("kill -HUP {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1), "some of the photographs are broken");
    assert!(!place.summary("out/summary.json").interrupted);
}
