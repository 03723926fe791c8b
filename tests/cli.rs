//! The command line as data: what is typed, what comes back, and the exit code.
//!
//! Every case in `tests/cmd` runs in one temporary folder in which `fixtures` leads to the real ones, so commands
//! look as a user writes them and may write files. Each case writes below a folder of its own name. After a
//! change that is meant: `TRYCMD=overwrite cargo test --release --test cli`, then read the difference.
#![cfg(all(feature = "cli", feature = "embedded-model", unix))]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as a test does")]

use std::path::Path;

#[test]
fn commands() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(package.join("fixtures"), folder.path().join("fixtures")).unwrap();
    std::fs::create_dir(folder.path().join("empty-folder")).unwrap();
    let list = "fixtures/images/coffee.png\r\n\nmissing.png\nfixtures/images/./coffee.png\n";
    std::fs::write(folder.path().join("list.txt"), list).unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    trycmd::TestCases::new().env("COLUMNS", "80").case(package.join("tests/cmd/*.trycmd")).run();
    assert_eq!(leftovers(folder.path()), Vec::<String>::new(), "temporary files were left behind");
}

/// The records of a run, from its standard output.
fn records(arguments: &[&str]) -> Vec<serde_json::Value> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_burncam"))
        .args(["explain", "--json", "--save", "record", "-o"])
        .arg(folder.path())
        .args([images.join("coffee.png"), images.join("camera.png")])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn greatest(record: &serde_json::Value) -> f64 {
    let rows = record["targets"][0]["heatmap"].as_array().unwrap().iter();
    let values = rows.flat_map(|row| row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()));
    values.fold(0.0, f64::max)
}

#[test]
fn a_shared_scale_is_the_greatest_of_all_pictures() {
    let own = records(&[]);
    let scales: Vec<f64> =
        own.iter().map(|record| record["targets"][0]["map"]["scale"].as_f64().unwrap()).collect();
    assert_eq!([greatest(&own[0]), greatest(&own[1])], [1.0, 1.0]);
    let shared = records(&["--scale", "shared"]);
    let most = scales[0].max(scales[1]);
    for (record, scale) in shared.iter().zip(&scales) {
        assert!((record["targets"][0]["map"]["scale"].as_f64().unwrap() - most).abs() < 1e-6);
        assert!((greatest(record) - scale / most).abs() < 1e-5);
    }
    let raw = records(&["--no-normalize"]);
    for (record, scale) in raw.iter().zip(&scales) {
        assert!(record["targets"][0]["map"]["scale"].is_null());
        assert!((greatest(record) - scale).abs() < 1e-4 * scale);
    }
}

/// Hidden files anywhere below: the temporary names of files that never got their own.
fn leftovers(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(leftovers(&entry.path()));
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            found.push(name);
        }
    }
    found
}
