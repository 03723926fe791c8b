//! Names, disks, pipes, threads and order.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use burncam::record::Record;

use super::{BINARY, Run, args, coffee, files, run, run_after, run_limited, squeezenet};
use crate::support::fixture;

#[test]
fn a_name_that_is_no_text_is_shown_as_well_as_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    let photo = photos.join(OsStr::from_bytes(b"caf\xe9.png"));
    std::fs::copy(fixture("images/odd/rgb.png"), &photo).unwrap();
    for (input, out) in [(photo, "alone"), (photos, "all")] {
        let out = folder.path().join(out);
        let run = run(args!["explain", "-m", squeezenet(), input, "-o", out.clone()]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(String::from_utf8(run.stdout).unwrap().contains("caf\u{fffd}.png: "));
        assert_eq!(files(&out), ["caf\u{fffd}.gradcam.json", "caf\u{fffd}.gradcam.png"]);
        let record = std::fs::read_to_string(out.join("caf\u{fffd}.gradcam.json")).unwrap();
        assert!(record.contains("caf\u{fffd}.png"));
    }
}

#[test]
fn a_folder_that_leads_into_itself_is_walked_once() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    std::fs::copy(fixture("images/odd/rgb.png"), photos.join("a.png")).unwrap();
    std::os::unix::fs::symlink(&photos, photos.join("again")).unwrap();
    let out = folder.path().join("out");
    let run = run_limited(args!["explain", "-m", squeezenet(), photos, "-o", out.clone()]);
    assert!(run.code == Some(0) && run.stderr.contains("links back"), "{run:?}");
    assert_eq!(files(&out), ["a.gradcam.json", "a.gradcam.png"]);
}

#[test]
fn a_run_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.bpk");
    std::fs::write(&cut, &std::fs::read(squeezenet()).unwrap()[..100_000]).unwrap();
    let (photo, text) = (coffee(), fixture("images/odd/not_an_image.jpg"));
    let runs = [
        (2, args!["-m", cut, photo.clone()]),
        (2, args!["-m", squeezenet(), photo.clone(), "--layer", "nowhere"]),
        (2, args!["-m", squeezenet(), photo.clone(), "--target", "unknown"]),
        (2, args!["-m", squeezenet(), photo, "--method", "nohow"]),
        (1, args!["-m", squeezenet(), "missing.png"]),
        (1, args!["-m", squeezenet(), text]),
    ];
    let out = folder.path().join("out");
    for (code, mut words) in runs {
        words.splice(0..0, args!["explain", "-o", out.clone()]);
        let run = run(words);
        assert!(run.code == Some(code) && run.stdout.is_empty() && !run.stderr.is_empty(), "{run:?}");
        assert!(!out.exists(), "{run:?}");
    }
}

#[test]
fn a_place_that_is_taken_and_a_disk_that_is_full_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("taken");
    std::fs::create_dir_all(out.join("coffee.gradcam.json")).unwrap();
    let words = args!["explain", "-m", squeezenet(), coffee(), "-o", out.clone()];
    assert!(run(words.clone()).is_refusal(2));
    let forced: Vec<OsString> = words.into_iter().chain(args!["--force"]).collect();
    let run = run(forced);
    assert!(run.is_refusal(1), "{run:?}");
    assert!(files(&out).is_empty(), "{:?}", files(&out));

    let out = folder.path().join("full");
    let words = args!["explain", "-m", squeezenet(), coffee(), "-o", out.clone()];
    let run = run_after("trap '' XFSZ; ulimit -f 20", words);
    assert!(run.is_refusal(1) && run.stderr.contains("cannot write"), "{run:?}");
    assert!(files(&out).is_empty(), "{:?}", files(&out));
}

#[test]
fn one_bad_input_never_stops_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let bad =
        [fixture("images/odd/truncated.png"), fixture("images/odd/empty.png"), PathBuf::from("missing.png")];
    let [cut, empty, missing] = bad;
    let camera = fixture("images/camera.png");
    let run =
        run(args!["explain", "-m", squeezenet(), cut, coffee(), empty, missing, camera, "-o", out.clone()]);
    let reported = run.stderr.lines().filter(|line| line.starts_with("burncam: ")).count();
    assert_eq!((run.code, reported), (Some(1), 3), "{run:?}");
    assert_eq!(String::from_utf8(run.stdout).unwrap().lines().count(), 2);
    let names = [
        "camera.gradcam.json",
        "camera.gradcam.png",
        "coffee.gradcam.json",
        "coffee.gradcam.png",
        "summary.json",
    ];
    assert_eq!(files(&out), names);
}

#[test]
fn a_dash_is_standard_output_and_nothing_else_goes_there() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: Vec<OsString>| {
        let mut command = Command::new(BINARY);
        command.args(["explain", "-m"]).arg(squeezenet()).args(words).current_dir(folder.path());
        Run::from(command.stdin(std::fs::File::open(coffee()).unwrap()).output().unwrap())
    };
    let picture = run(args![coffee(), "-o", "-"]);
    assert!(picture.code == Some(0) && picture.stderr.is_empty(), "{picture:?}");
    assert!(picture.stdout.ends_with(b"IEND\xaeB`\x82"), "something follows the picture");
    assert_eq!(image::load_from_memory(&picture.stdout).unwrap().into_rgb8().dimensions(), (600, 400));

    let record = run(args![coffee(), "--json", "-o", "-"]);
    assert!(record.code == Some(0) && record.stderr.is_empty(), "{record:?}");
    let parsed: Record = serde_json::from_slice(&record.stdout).unwrap();
    assert_eq!(parsed.targets[0].class_name, "espresso");

    let piped = run(args!["-", "-o", "-"]);
    assert!(piped.stdout == picture.stdout, "a picture from a pipe is explained in another way");
    assert!(files(folder.path()).is_empty());
    assert_eq!(run(args!["-"]).code, Some(0));
    assert_eq!(files(folder.path()), ["stdin.gradcam.json", "stdin.gradcam.png"]);
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let commands = [
        args!["methods"],
        args!["man"],
        args!["completions", "bash"],
        args!["layers", "-m", squeezenet()],
        args!["info", squeezenet(), "--classes"],
        args!["info", squeezenet(), "--card"],
        args!["predict", "-m", squeezenet(), coffee()],
        args!["predict", "-m", squeezenet(), coffee(), fixture("images/camera.png"), "--json"],
        args!["explain", "-m", squeezenet(), coffee(), "-o", "-"],
        args!["explain", "-m", squeezenet(), coffee(), "-o", out, "--json"],
        args!["--help"],
    ];
    for words in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(BINARY)
            .args(&words)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output();
        let run = Run::from(output.unwrap());
        assert!(run.code == Some(0) && run.stderr.is_empty(), "{words:?}: {run:?}");
    }
}

#[test]
fn standard_output_that_is_full_is_a_failure_in_one_line() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    for words in
        [args!["layers", "-m", squeezenet()], args!["explain", "-m", squeezenet(), coffee(), "-o", "-"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(BINARY).args(&words).stdout(full).stderr(Stdio::piped()).output();
        let run = Run::from(output.unwrap());
        assert!(
            run.is_orderly() && run.code != Some(0) && run.stderr.lines().count() == 1,
            "{words:?}: {run:?}"
        );
        assert!(run.stderr.contains("standard output"), "{run:?}");
    }
}

#[test]
fn a_crowd_of_threads_is_refused_or_soon_done() {
    let script = "ulimit -t 10; exec \"$0\" \"$@\"";
    let words = args!["predict", "-m", squeezenet(), coffee(), "--threads", "60000"];
    let output = Command::new("sh").args(["-c", script, BINARY]).args(words).output().unwrap();
    let run = Run::from(output);
    assert!(run.is_orderly(), "{run:?}");
}

#[test]
fn equal_runs_give_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (coffee(), fixture("images/camera.png"));
    let forwards = args![first.clone(), second.clone()];
    let backwards = args![second, first];
    let mut expected: Option<Vec<Vec<u8>>> = None;
    let variants = [
        ("once", &forwards, args![]),
        ("again", &forwards, args![]),
        ("other order", &backwards, args![]),
        ("one thread", &forwards, args!["--threads", "1"]),
        ("two threads", &backwards, args!["--threads", "2"]),
    ];
    for (what, inputs, more) in variants {
        let out = folder.path().join(what);
        let mut words =
            args!["explain", "-t", "top2", "--save", "record,overlay,npy,mask", "-o", out.clone()];
        words.extend(inputs.iter().cloned().chain(more));
        let run = run(words);
        assert_eq!(run.code, Some(0), "{what}: {run:?}");
        // It contains the duration of the run.
        let names: Vec<_> = files(&out).into_iter().filter(|name| name != "summary.json").collect();
        assert_eq!(names.len(), 2 * (1 + 2 * 3), "{names:?}");
        let bytes: Vec<_> = names.iter().map(|name| std::fs::read(out.join(name)).unwrap()).collect();
        let expected = expected.get_or_insert_with(|| bytes.clone());
        for ((name, bytes), expected) in names.iter().zip(&bytes).zip(expected) {
            assert!(bytes == expected, "{what}: '{name}' differs");
        }
    }
}
