//! ONNX files: numbers as onnxruntime has them, names as the frameworks have them, and files that must be refused.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use burncam::engine::Network;
use burncam::model::import::{ImportRequest, Imported, import};
use burncam::model::{LayerRequest, Model};
use burncam::{DeviceName, Error};

use crate::support::{Made, fixture, made};

/// Largest difference to onnxruntime, relative to the largest logit.
const TOLERANCE: f32 = 1e-4;

/// Those whose reference onnxruntime computed in 16 bits.
const HALF: [&str; 1] = ["half_opset13"];

/// Those that may be refused, for operations that no exporter of a convolutional classifier writes.
const RARE: [&str; 1] = ["rare_opset13"];

/// Imports a file; where it leaves the size open, for the size of its reference.
fn read(path: &Path) -> Result<Imported, Error> {
    let mut request = ImportRequest { source: path.to_path_buf(), ..ImportRequest::default() };
    let reference = path.with_extension("npz");
    if reference.exists() {
        request.adjust.crop = match array(&reference, "input").0[..] {
            [_, 1 | 3, height, width] | [_, height, width, 1 | 3] => Some([height, width]),
            _ => None,
        };
    }
    import(&request)
}

fn imported(name: &str) -> Made {
    let Imported { card, tensors, .. } = read(&fixture(&format!("onnx/{name}.onnx"))).unwrap();
    made(&card, tensors)
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    files.sort();
    files
}

/// Shape and numbers of one array of an `.npz`.
fn array(path: &Path, name: &str) -> (Vec<usize>, Vec<f32>) {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
    let file = npyz::NpyFile::new(&bytes[..]).unwrap();
    let shape = file.shape().iter().map(|side| *side as usize).collect();
    (shape, file.into_vec().unwrap())
}

/// The input with channels first.
fn picture(model: &Model, path: &Path) -> Vec<f32> {
    let (shape, numbers) = array(path, "input");
    let spec = &model.graph().input;
    if shape == [1, spec.channels, spec.height, spec.width] {
        return numbers;
    }
    assert_eq!(shape, [1, spec.height, spec.width, spec.channels]);
    let pixels = spec.height * spec.width;
    (0..spec.channels)
        .flat_map(|c| (0..pixels).map(move |at| (at, c)))
        .map(|(at, c)| numbers[at * spec.channels + c])
        .collect()
}

/// What the graph's last node gives.
fn output(model: &Model, input: Vec<f32>) -> Vec<f32> {
    let logits = Network::load(model, &[], &DeviceName::default()).unwrap().logits(input).unwrap();
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    match serde_json::to_value(model.output()).unwrap().as_str().unwrap() {
        "softmax" => logits.iter().map(|logit| logit.exp() / sum).collect(),
        "sigmoid" => logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
        "log-softmax" => logits.iter().map(|logit| logit - sum.ln()).collect(),
        _ => logits,
    }
}

#[test]
fn every_tiny_file_gives_what_onnxruntime_gives() {
    let mut wrong = Vec::new();
    let files = files("onnx");
    assert!(files.len() > 30, "{}", files.len());
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Imported { card, tensors, .. } = match read(&path) {
            Ok(imported) => imported,
            Err(error) => {
                if !RARE.contains(&name.as_str()) {
                    wrong.push(error.to_string());
                }
                continue;
            }
        };
        let Made { model, .. } = &made(&card, tensors);
        let reference = path.with_extension("npz");
        let found = output(model, picture(model, &reference));
        let (_, expected) = array(&reference, "logits");
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0.0_f32, |largest, logit| largest.max(logit.abs()));
        let difference =
            found.iter().zip(&expected).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f32::max);
        let limit = if HALF.contains(&name.as_str()) { 2e-3 } else { TOLERANCE };
        // Not `>`: a difference that is not a number must fail too.
        if !(difference <= limit) || found.iter().any(|logit| !logit.is_finite()) {
            wrong.push(format!("{name}: differs by {difference:e}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_imported_is_refused_with_a_reason() {
    let mut accepted = Vec::new();
    for path in files("onnx/hostile") {
        match read(&path) {
            Ok(Imported { card, tensors, .. }) => {
                // Some are only found out when the whole model is put together, still before a file appears.
                let folder = tempfile::tempdir().unwrap();
                let out = folder.path().join("out.bpk");
                match Model::save(&out, &card, tensors, false) {
                    Ok(()) => accepted.push(path.display().to_string()),
                    Err(error) => println!("{error}"),
                }
                assert!(!out.exists() || !accepted.is_empty());
            }
            Err(error) => println!("{error}"),
        }
    }
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}

#[test]
fn layers_have_the_names_of_their_framework() {
    for (file, layer) in [("legacy_opset9", "x"), ("dynamo", "x"), ("keras_opset13", "x")] {
        let Made { model, .. } = &imported(file);
        for layer in model.layers() {
            println!("{file} {} {} {:?} {}", layer.name, layer.op, layer.shape, layer.explainable);
        }
        println!("{file} {layer} {:?}", model.choose_layer(&LayerRequest::Auto).unwrap().name);
    }
}
