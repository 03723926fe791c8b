//! Small ONNX files that an importer may get wrong: each agrees with onnxruntime on both engines.
//!
//! Every `NAME.onnx` of `fixtures/cases/import` with a `NAME.npz` next to it is a case. The archive holds `input`, one
//! picture or several, and `output`, what the file's output is for them.

use std::path::Path;

use burncam::{Engine, Model, Runtime};
use burncam_engine::Network;
use burncam_model::import::Imported;

use crate::onnx::{array, files, read};
use crate::support::made;

/// Largest difference to onnxruntime, relative to the largest number of the output.
const TOLERANCE: f32 = 1e-4;

/// The same for files that onnxruntime computes in 16 bits, whose names begin with `fp16`.
const HALF: f32 = 2e-3;

/// Each picture of the reference with its channels first.
fn pictures(model: &Model, reference: &Path) -> Vec<Vec<f32>> {
    let (shape, numbers) = array(reference, "input");
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
    let (_, expected) = array(reference, "output");
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
    for path in files("cases/import") {
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
