//! The command as a process, from its start to its last file: `cargo bench --bench process`.
//!
//! One photograph, and all of a directory, overlay only. With the embedded network and the fixtures, or with the model file
//! that `BURNCAM_BENCH_MODEL` and the directory that `BURNCAM_BENCH_PHOTOS` name.

#![expect(clippy::panic, reason = "a benchmark fails as a test does")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use criterion::{Criterion, SamplingMode};

fn main() -> std::io::Result<()> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    let (one, photos) = match std::env::var_os("BURNCAM_BENCH_PHOTOS") {
        Some(photos) => (first_of(Path::new(&photos))?, vec![PathBuf::from(photos)]),
        None => (
            fixtures.join("rocket.jpg"),
            ["camera.png", "chelsea.png", "coffee.png", "rocket.jpg"].map(|name| fixtures.join(name)).into(),
        ),
    };
    let out = tempfile::tempdir()?;
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("process");
    group.sample_size(10).measurement_time(Duration::from_secs(5)).sampling_mode(SamplingMode::Flat);
    group.bench_function("version", |bencher| bencher.iter(|| run(Command::new(burncam()).arg("--version"))));
    group.bench_function("one photo", |bencher| {
        bencher.iter(|| explain(std::slice::from_ref(&one), out.path()));
    });
    group.bench_function("several photos", |bencher| bencher.iter(|| explain(&photos, out.path())));
    group.finish();
    criterion.final_summary();
    Ok(())
}

fn burncam() -> &'static str {
    env!("CARGO_BIN_EXE_burncam")
}

fn first_of(directory: &Path) -> std::io::Result<PathBuf> {
    let files = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let first = files.collect::<std::io::Result<Vec<_>>>()?.into_iter().min();
    first.ok_or_else(|| std::io::Error::other(format!("'{}' is empty", directory.display())))
}

fn explain(inputs: &[PathBuf], out: &Path) {
    let mut command = Command::new(burncam());
    command.args(["explain", "--quiet", "--force", "--save", "overlay", "--out"]).arg(out).args(inputs);
    if let Some(model) = std::env::var_os("BURNCAM_BENCH_MODEL") {
        command.arg("--model").arg(model);
    }
    run(&mut command);
}

fn run(command: &mut Command) {
    match command.output() {
        Ok(output) if output.status.success() => {}
        other => panic!("{command:?}: {other:?}"),
    }
}
