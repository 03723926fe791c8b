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
    std::env::set_current_dir(folder.path()).unwrap();
    trycmd::TestCases::new().env("COLUMNS", "100").case(package.join("tests/cmd/*.trycmd")).run();
    assert_eq!(leftovers(folder.path()), Vec::<String>::new(), "temporary files were left behind");
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
