//! Small files that ask for much memory or time: each costs itself alone, and little.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Run, args, files, run_after};
use crate::support::fixture;

fn case(name: &str) -> PathBuf {
    fixture("cases/hostile").join(name)
}

/// In two seconds of processor time, and 600 MB of address space, of which the program and its stacks take more than half.
fn run_small(args: Vec<OsString>) -> Run {
    run_after("ulimit -v 600000; ulimit -t 2", args)
}

#[test]
fn models_that_ask_for_much_are_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.bpk");
    let import = |name: &str| args!["import", case(name), "-o", output.clone()];
    let spec = folder.path().join("spec.json");
    std::fs::write(&spec, super::cards::sound().to_string()).unwrap();
    let cases = [
        (import("bomb-40.onnx"), "too large for a file of its size"),
        (import("concat_vector_scalar.onnx"), "joins values of rank 1 and 0"),
        (
            [import("names_2000x1MB.mpk.gz"), args!["--spec", spec]].concat(),
            "the name of a tensor has 1048577 bytes",
        ),
        (args!["info", case("pool4096.bpk")], "read too many values"),
        (args!["info", case("net-m5.bpk")], "reads padding alone"),
    ];
    for (args, expected) in cases {
        let run = run_small(args.clone());
        assert!(run.is_refusal(2) && run.stderr.contains(expected), "{args:?}: {run:?}");
    }
    assert!(!output.exists());
}

#[test]
fn pictures_that_ask_for_much_do_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let [pictures, output] = ["pictures", "out"].map(|name| folder.path().join(name));
    std::fs::create_dir(&pictures).unwrap();
    for name in ["gif_8x8_screen_19000_frame.gif", "thin_1x50M.png"] {
        std::fs::copy(case(name), pictures.join(name)).unwrap();
    }
    for at in 0..50 {
        std::fs::copy(fixture("images/odd/rgb.png"), pictures.join(format!("sound{at:02}.png"))).unwrap();
    }
    let model = case("stretch224.bpk");
    let run = run_small(args!["explain", "-m", model, pictures, "-o", output.clone(), "--threads", "2"]);
    assert!(run.is_orderly() && run.code == Some(1), "{run:?}");
    assert!(run.stderr.contains("1x50000000") && run.stderr.contains("19000x19000"), "{run:?}");
    let records = files(&output).into_iter().filter(|name| name.ends_with(".gradcam.json"));
    assert_eq!(records.count(), 50);
}

#[test]
fn what_takes_more_than_the_stated_memory_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let (small, model) = (fixture("images/odd/rgb.png"), case("stretch224.bpk"));
    let large = fixture("images/chelsea.png");
    let limited = |megabytes: &str| {
        run_small(args![
            "explain",
            "-m",
            model.clone(),
            small.clone(),
            large.clone(),
            "-o",
            output.clone(),
            "--force",
            "--memory-limit",
            megabytes,
            "--jobs",
            "1"
        ])
    };
    assert_eq!(limited("20M").code, Some(0), "{:?}", limited("20M"));
    let run = limited("1M");
    let said = "takes 2 MiB of memory, expected at most 1 MiB for one file (raise --memory-limit)";
    assert!(
        run.code == Some(1) && run.stderr.contains("chelsea.png") && run.stderr.contains(said),
        "{run:?}"
    );
    assert!(files(&output).contains(&"rgb.gradcam.json".to_owned()));
    assert!(
        run_small(args!["info", model.clone(), "--memory-limit", "lots"])
            .stderr
            .contains("a size such as 2G or 500M")
    );
}

#[test]
fn lists_labels_and_records_are_held_by_the_stated_memory() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let many = 200_000;
    std::fs::write(at("list"), "a\n".repeat(many)).unwrap();
    std::fs::write(at("labels.csv"), "a,b\n".repeat(many)).unwrap();
    std::fs::write(at("labels.json"), format!("[{}]", vec!["{}"; many].join(","))).unwrap();
    std::fs::create_dir(at("run")).unwrap();
    std::fs::write(at("run/summary.json"), format!("[{}]", vec!["{}"; many].join(","))).unwrap();
    std::fs::write(at("lines.jsonl"), format!("{{\"a\":[{}]}}", vec!["{}"; many].join(","))).unwrap();
    let picture = fixture("images/odd/rgb.png");
    let explain = |more: Vec<OsString>| {
        [args!["explain", "-m", case("stretch224.bpk"), "-o", at("out")], more].concat()
    };
    for (what, words) in [
        ("a list", explain(args!["--files-from", at("list")])),
        ("labels", explain(args![picture.clone(), "--labels", at("labels.csv")])),
        ("labels as JSON", explain(args![picture, "--labels", at("labels.json")])),
        ("a summary", args!["merge", at("run"), "-o", at("merged")]),
        ("records", args!["compare", at("lines.jsonl"), at("lines.jsonl")]),
    ] {
        let run = run_small([words, args!["--memory-limit", "20M"]].concat());
        assert!(
            run.is_refusal(2) && run.stderr.contains("of memory, expected at most 20 MiB for one file"),
            "{what}: {run:?}"
        );
    }
}
