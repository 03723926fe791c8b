//! A directory compared with the network alone: `cargo bench --bench batch`.
//!
//! `network` is the pass up to the layer, from numbers that are ready, one picture a core at a time on all cores; `directory` is the
//! command on as many photographs of 640x480, from JPEG files to overlays and records, its start included. What the second takes
//! longer is everything else. With the embedded network, or the model file that `BURNCAM_BENCH_MODEL` names.

#![expect(clippy::panic, reason = "a benchmark fails as a test does")]

#[expect(dead_code, reason = "other benchmarks need the rest")]
mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use burncam::{LayerRequest, Model};
use burncam_engine::Network;
use criterion::{Criterion, SamplingMode, Throughput};
use image::imageops::FilterType;
use rayon::prelude::*;

/// Photographs of a run.
const PHOTOS: usize = 256;

fn main() -> support::Result<()> {
    let folder = tempfile::tempdir()?;
    let photos = folder.path().join("photos");
    make(&photos)?;
    let path = std::env::var_os("BURNCAM_BENCH_MODEL");
    let model = match &path {
        Some(path) => Model::open(path.as_ref(), None)?,
        None => Model::embedded()?,
    };
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(10).measurement_time(Duration::from_secs(20)).sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(PHOTOS as u64));
    let runtime = support::runtime("auto", None)?;
    let network = support::network(&runtime_of_one(runtime), &model, &LayerRequest::Auto)?;
    let picture = support::noise(&model, 1);
    group.bench_function("network", |bencher| bencher.iter(|| pass(&network, &picture)));
    group.bench_function("directory", |bencher| {
        bencher.iter(|| explain(&photos, &folder.path().join("out"), path.as_deref()));
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}

fn runtime_of_one(runtime: burncam::Runtime) -> burncam::Runtime {
    burncam::Runtime { threads: std::num::NonZero::new(1), ..runtime }
}

fn make(photos: &Path) -> support::Result<()> {
    std::fs::create_dir(photos)?;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images");
    for (at, name) in ["camera.png", "chelsea.png", "coffee.png", "rocket.jpg"].into_iter().enumerate() {
        let photo = image::open(fixtures.join(name))?.resize_exact(640, 480, FilterType::Triangle).to_rgb8();
        for number in (at..PHOTOS).step_by(4) {
            photo.save(photos.join(format!("{number:03}.jpg")))?;
        }
    }
    Ok(())
}

fn pass(network: &Network, picture: &[f32]) {
    let all = (0..PHOTOS)
        .into_par_iter()
        .try_for_each(|_| support::trunk(network, picture).map(drop).map_err(|_| ()));
    if all.is_err() {
        panic!("the network does not run");
    }
}

fn explain(photos: &Path, out: &Path, model: Option<&std::ffi::OsStr>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
    command.args(["explain", "--quiet", "--force", "--out"]).arg(out).arg(photos);
    if let Some(model) = model {
        command.arg("--model").arg(model);
    }
    match command.output() {
        Ok(output) if output.status.success() => {}
        other => panic!("{command:?}: {other:?}"),
    }
}
