//! Small ONNX files that an importer may get wrong: each agrees with onnxruntime on both engines.
//!
//! Every `NAME.onnx` of `fixtures/cases/import` with a `NAME.npz` next to it is a case. The archive holds `input`, one
//! picture or several, and `output`, what the file's output is for them.

use std::path::Path;

use burncam::{DeviceName, Engine, Model, Runtime, Score};
use burncam_engine::{Network, Rule, Visits};
use burncam_model::import::Imported;

use crate::onnx::read;
use crate::support::{Made, distance, files, fixture, made, magnitude, npz};

/// Largest difference to onnxruntime, relative to the largest number of the output.
const TOLERANCE: f32 = 1e-4;

/// The same for files that onnxruntime computes in 16 bits, whose names begin with `fp16`.
const HALF: f32 = 2e-3;

/// Each picture of the reference with its channels first.
fn pictures(model: &Model, reference: &Path) -> Vec<Vec<f32>> {
    let (shape, numbers) = npz(reference, "input");
    let spec = &model.graph().input;
    let size = spec.channels * spec.height * spec.width;
    // Signals have no axis of rows in the file.
    let sides = &[spec.height, spec.width][usize::from(spec.is_signal() && shape.len() == 3)..];
    let last = shape[1..] != [&[spec.channels], sides].concat();
    if last {
        assert_eq!(shape[1..], [sides, &[spec.channels]].concat());
    }
    let turned = |picture: &[f32]| {
        let channel = |channel: usize| picture.iter().skip(channel).step_by(spec.channels).copied();
        (0..spec.channels).flat_map(channel).collect()
    };
    numbers.chunks(size).map(|picture| if last { turned(picture) } else { picture.to_vec() }).collect()
}

/// The largest relative difference of an engine's outputs.
fn difference(model: &Model, engine: Engine, reference: &Path) -> f32 {
    let network = Network::load_whole(model, Runtime { engine, ..Runtime::default() }).unwrap();
    let (_, expected) = npz(reference, "output");
    let inputs = pictures(model, reference);
    // The smallest probabilities are as far from 0 as the rounding of a sigmoid, so probabilities are measured against 1.
    let probabilities = expected.iter().all(|number| (0.0..=1.0).contains(number));
    let least = if probabilities { 1.0_f32 } else { 0.0 };
    let mut worst = 0.0_f32;
    for (input, expected) in inputs.iter().zip(expected.chunks(expected.len() / inputs.len())) {
        let found = network.logits(input.clone()).unwrap();
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(least, |largest, number| largest.max(number.abs()));
        for (a, b) in found.iter().zip(expected) {
            // A number that is not finite differs by more than any limit.
            let gap = (a - b).abs() / largest;
            worst = if gap.is_finite() { worst.max(gap) } else { f32::INFINITY };
        }
    }
    worst
}

#[test]
fn every_case_gives_what_onnxruntime_gives_on_both_engines() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for path in files("cases/import", &["onnx"]) {
        let (name, reference) = (path.file_stem().unwrap().to_string_lossy(), path.with_extension("npz"));
        if !reference.exists() {
            continue;
        }
        cases += 1;
        let Imported { card, tensors, .. } = match read(&path) {
            Ok(imported) => imported,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        let model = made(&card, tensors);
        for engine in [Engine::Burn, Engine::Native(None)] {
            let difference = difference(&model.model, engine, &reference);
            let limit = if name.starts_with("fp16") { HALF } else { TOLERANCE };
            if difference > limit {
                wrong.push(format!("{name} on {engine}: differs by {difference:e}"));
            }
        }
    }
    assert!(cases > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn networks_on_integers_differ_from_onnxruntime_by_no_more_than_their_own_rounding() {
    for name in ["integers_static", "integers_signed", "integers_dynamic"] {
        let path = fixture(&format!("cases/import/{name}.onnx"));
        let imported = read(&path).unwrap();
        let said: Vec<String> = imported.assumptions.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|said| said.contains("rounds to 8 bits")), "{said:?}");
        let Made { model, .. } = &made(&imported.card, imported.tensors);
        let reference = path.with_extension("npz");
        let network = Network::load_whole(model, Runtime::default()).unwrap();
        let inputs = pictures(model, &reference);
        let found: Vec<f32> = inputs.into_iter().flat_map(|input| network.logits(input).unwrap()).collect();
        let [rounded, real] = ["rounded", "real"].map(|name| npz(&reference, name).1);
        // What the quantisation changed in all, by rounding the weights and every tensor. burncam has the weights as the file has them,
        // and leaves out the rounding of tensors, which is a part of it.
        let error = distance(&rounded, &real);
        let difference = distance(&found, &rounded);
        assert!(difference < error && error < 0.05, "{name}: {difference} of {error}");
        assert!(difference > 1e-4, "{name}: was something rounded here?");
    }
}

#[test]
fn the_gradient_goes_through_computed_places_as_in_torch() {
    for name in ["grid_sample_computed", "top_queries"] {
        agrees_with_torch(&fixture(&format!("cases/import/{name}.onnx")));
    }
}

/// The gradient of the first number, down to the pictures.
fn agrees_with_torch(path: &Path) {
    let imported = read(path).unwrap();
    let Made { model, .. } = &made(&imported.card, imported.tensors);
    let reference = path.with_extension("npz");
    let (_, expected) = npz(&reference, "gradient");
    for device in ["flex", "ndarray"] {
        let network = Network::load_whole(model, &device.parse::<DeviceName>().unwrap()).unwrap();
        let back = |input: Vec<f32>| {
            let sweep = network.sweep(input, Visits::Everything).unwrap();
            sweep.back(&Score::Logit, 0, Rule::Plain, &mut |_| Ok(())).unwrap()
        };
        let found: Vec<f32> = pictures(model, &reference).into_iter().flat_map(back).collect();
        let difference = distance(&found, &expected) / magnitude(&expected);
        assert!(difference < 1e-4, "{} on {device}: {difference}", path.display());
    }
}
