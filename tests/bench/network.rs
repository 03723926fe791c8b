//! The trunk and a whole Grad-CAM inside one process: `cargo bench --bench network [-- trunk | gradcam | MODEL]`.
//!
//! On the embedded network and SqueezeNet, or on the model files that `BURNCAM_BENCH_MODELS` lists, separated as in
//! `PATH`. `BURNCAM_BENCH_ENGINE` chooses the engine, `RAYON_NUM_THREADS` the threads.

use std::path::Path;
use std::time::Duration;

use burncam::{LayerRequest, Model};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};

mod support;

use burncam::Runtime;
use support::Result;

const BATCHES: [usize; 2] = [1, 16];

fn main() -> Result<()> {
    let engine = std::env::var("BURNCAM_BENCH_ENGINE").unwrap_or_else(|_| "auto".to_owned());
    let runtime = support::runtime(&engine, None)?;
    let mut criterion = Criterion::default().configure_from_args();
    let models = models()?;
    trunk(&mut criterion, &runtime, &models)?;
    gradcam(&mut criterion, &runtime, &models)?;
    criterion.final_summary();
    Ok(())
}

fn trunk(criterion: &mut Criterion, runtime: &Runtime, models: &[Model]) -> Result<()> {
    let mut group = criterion.benchmark_group("trunk");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).sampling_mode(SamplingMode::Flat);
    for model in models {
        let network = support::network(runtime, model, &LayerRequest::Auto)?;
        for batch in BATCHES {
            let values = support::noise(model, batch);
            support::trunk(&network, &values)?;
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new(model.name(), batch), |bencher| {
                bencher.iter(|| support::trunk(&network, &values));
            });
        }
    }
    group.finish();
    Ok(())
}

fn gradcam(criterion: &mut Criterion, runtime: &Runtime, models: &[Model]) -> Result<()> {
    let mut group = criterion.benchmark_group("gradcam");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).sampling_mode(SamplingMode::Flat);
    for model in models {
        let explainer = support::explainer(runtime, model.clone(), |_| {})?;
        for batch in BATCHES {
            let subjects = support::subjects(model, &support::noise(model, batch));
            support::explained(&explainer, &subjects)?;
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new(model.name(), batch), |bencher| {
                bencher.iter(|| support::explained(&explainer, &subjects));
            });
        }
    }
    group.finish();
    Ok(())
}

fn models() -> Result<Vec<Model>> {
    let Some(listed) = std::env::var_os("BURNCAM_BENCH_MODELS") else {
        let squeezenet = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/models/squeezenet1_1.bpk");
        return Ok(vec![Model::embedded()?, Model::open(Path::new(squeezenet), None)?]);
    };
    let models: Vec<Model> = std::env::split_paths(&listed)
        .map(|path| Model::open(&path, None))
        .collect::<burncam::Result<_>>()?;
    if models.is_empty() { Err("BURNCAM_BENCH_MODELS lists no model".into()) } else { Ok(models) }
}
