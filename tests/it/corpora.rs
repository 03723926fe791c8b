//! The corpora of the fuzz targets, replayed: what was once found, and what reached each branch.
//!
//! `tests/fuzz` has the targets and the corpora. That of the kernels is replayed by their own tests, next to the reference.

use std::path::Path;
use std::process::Command;

#[path = "../fuzz/targets/mod.rs"]
#[allow(unreachable_pub, reason = "the fuzz programs use it")]
#[expect(clippy::expect_used, reason = "a target fails by a panic")]
pub(crate) mod targets;

/// In a process of its own, because the targets set a limit on memory that other tests do not keep.
#[test]
fn corpora_are_replayed() {
    let program = std::env::current_exe().unwrap();
    let name = "corpora::what_the_fuzzer_kept_is_refused_or_read_without_a_fault";
    let run = Command::new(program).args(["--exact", name, "--ignored"]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
#[ignore = "`corpora_are_replayed` runs it"]
fn what_the_fuzzer_kept_is_refused_or_read_without_a_fault() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, _) in targets::ALL {
        let folder = corpora.join(name);
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "'{}' is empty", folder.display());
        for file in files {
            targets::run(name, &std::fs::read(&file).unwrap());
        }
    }
}
