//! What the benchmarks share: the engine, threads, models, inputs, and what is timed.

use std::num::NonZero;

use burncam::record::InputRecord;
use burncam::{Explainer, Explanation, LayerRequest, Model, Request, Runtime, Subject};
use burncam_engine::{Network, Trunk};
use burncam_picture::input::Placement;
use image::RgbImage;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Burn's own threads, and the runtime of a network. Works once a process.
pub(crate) fn runtime(engine: &str, threads: Option<usize>) -> Result<Runtime> {
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    Ok(Runtime { engine: engine.parse()?, threads: threads.and_then(NonZero::new), ..Runtime::default() })
}

pub(crate) fn network(runtime: &Runtime, model: &Model, layer: &LayerRequest) -> Result<Network> {
    Ok(Network::load(model, &[model.choose_layer(layer)?.index], runtime)?)
}

/// An explainer whose request differs from the default by the runtime and `change`.
pub(crate) fn explainer(
    runtime: &Runtime,
    model: Model,
    change: impl FnOnce(&mut Request),
) -> Result<Explainer> {
    let runtime = runtime.clone();
    Ok(Explainer::new(
        model,
        Request::with(|request| {
            request.runtime = runtime;
            change(request);
        }),
    )?)
}

/// What "trunk" times: one pass over a batch. It takes its numbers, as the callers in the library hand them over.
pub(crate) fn trunk(network: &Network, values: &[f32]) -> Result<Trunk> {
    Ok(network.trunk(values.to_vec())?)
}

/// Maps of a batch of pictures, all there at once.
pub(crate) fn explained(explainer: &Explainer, subjects: &[Subject]) -> Result<Vec<Explanation>> {
    let explained = subjects.iter().map(|subject| explainer.explain(subject));
    Ok(explained.collect::<burncam::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Numbers for a batch of pictures, the same in every run, about as large as normalised pixels.
pub(crate) fn noise(model: &Model, batch: usize) -> Vec<f32> {
    let input = &model.graph().input;
    let count = batch * input.channels * input.height * input.width;
    (0..count).map(|index| 2.0 * (index as f32 * 12.9898).sin()).collect()
}

/// Pictures of which only the numbers matter.
pub(crate) fn subjects(model: &Model, values: &[f32]) -> Vec<Subject> {
    let input = &model.graph().input;
    let (width, height) = (input.width, input.height);
    let subject = |values: &[f32]| Subject {
        picture: RgbImage::new(width as u32, height as u32),
        values: values.to_vec(),
        placement: Placement::whole(width, height),
        is_tensor: true,
        file: InputRecord {
            path: "noise".to_owned(),
            file: None,
            sha256: String::new(),
            format: "npy".to_owned(),
            width,
            height,
            exif_orientation: 1,
            profile: None,
            reduced: None,
        },
        labels: vec![],
        warnings: vec![],
    };
    values.chunks_exact(input.channels * height * width).map(subject).collect()
}
