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
