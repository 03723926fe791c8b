//! A burnpack without a card, as Burn itself saves it, and what is read of a model when.

mod both;

use std::path::Path;
use std::process::Command;

use burn_pack::{Bytes, DType, Tensor, Writer};
use burncam::{DeviceName, Model};
use burncam_engine::Network;
use burncam_model::StoredTensor;
use burncam_model::import::{ImportRequest, import};

use crate::support::{card, fixture};

const NODES: &str = r#"
    { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "conv.weight" } },
    { "name": "pool", "op": "global_avg_pool", "inputs": ["conv"] },
    { "name": "flat", "op": "flatten", "inputs": ["pool"] }"#;

fn burn_tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tensor::new(name.to_owned(), DType::F32, shape.to_vec(), None, Bytes::from_bytes_vec(bytes))
}

/// Two channels, `x` and `-x`; the logits are plus and minus the picture's mean.
fn save_plain(path: &Path) {
    let tensors =
        vec![burn_tensor("conv.weight", &[2, 1, 1, 1], &[1.0, -1.0]), burn_tensor("extra", &[1], &[0.0])];
    Writer::new(tensors).write_to_file(path).unwrap();
}

fn logits(model: &Model) -> Vec<f32> {
    Network::load(model, &[], &DeviceName::default()).unwrap().logits(vec![1.0, 2.0, 3.0, 4.0]).unwrap()
}

#[test]
fn a_plain_pack_takes_its_card_from_spec_or_from_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let [pack, spec, neighbour] = ["net.bpk", "card.json", "net.json"].map(|name| folder.path().join(name));
    save_plain(&pack);
    let error = Model::open(&pack, None).unwrap_err().to_string();
    assert!(error.contains("carries no model card") && error.contains("'net.json'"), "{error}");
    let text = card(2, 2, NODES, "flat").to_json().unwrap();
    std::fs::write(&spec, &text).unwrap();
    let model = Model::open(&pack, Some(&spec)).unwrap();
    assert_eq!(logits(&model), [2.5, -2.5]);
    assert!(model.warnings()[0].contains("'extra'"), "{:?}", model.warnings());
    std::fs::write(&neighbour, &text).unwrap();
    assert_eq!(logits(&Model::open(&pack, None).unwrap()), [2.5, -2.5]);
}

#[test]
fn a_card_that_wants_other_tensors_is_met_with_a_diagnosis() {
    let folder = tempfile::tempdir().unwrap();
    let [pack, spec] = ["net.bpk", "card.json"].map(|name| folder.path().join(name));
    save_plain(&pack);
    let text = card(2, 2, &NODES.replace("conv.weight", "cnov.weight"), "flat").to_json().unwrap();
    std::fs::write(&spec, text).unwrap();
    let error = Model::open(&pack, Some(&spec)).unwrap_err().to_string();
    assert!(error.contains("0 of 1 tensors fit, 1 missing"), "{error}");
    assert!(error.contains("'cnov.weight' (did you mean 'conv.weight'?)"), "{error}");
}

#[test]
fn a_plain_pack_and_its_card_become_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let [pack, whole] = ["net.bpk", "whole.bpk"].map(|name| folder.path().join(name));
    save_plain(&pack);
    let card = card(2, 2, NODES, "flat");
    let request = ImportRequest { source: pack, card: Some(card), half: true, ..ImportRequest::default() };
    let error = import(&request).unwrap_err().to_string();
    assert!(error.contains("1 of 1 tensors fit, 1 unused"), "{error}");
    let request = ImportRequest { allow_unused: true, ..request };
    let imported = import(&request).unwrap();
    assert_eq!(imported.warnings, ["tensor 'extra' of the file is not used"]);
    Model::save(&whole, &imported.card, imported.tensors, false).unwrap();
    let model = Model::open(&whole, None).unwrap();
    assert_eq!(logits(&model), [2.5, -2.5]);
    assert_eq!(model.element_types().into_iter().collect::<Vec<_>>(), [("f16".to_owned(), 1)]);
    assert_eq!(model.card().source.as_ref().unwrap().file.as_deref(), Some("net.bpk"));
}

#[test]
fn a_damaged_pack_is_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("harmed.bpk");
    let mut bytes = std::fs::read(fixture("models/squeezenet1_1.bpk")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let arch = Some("squeezenet1_1".into());
    let error = import(&ImportRequest { source: path, arch, ..ImportRequest::default() }).unwrap_err();
    assert!(error.to_string().contains("is damaged: its checksum is"), "{error}");
}

#[test]
fn looking_at_a_model_reads_no_weights_and_running_it_checks_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("harmed.bpk");
    let mut bytes = std::fs::read(fixture("models/squeezenet1_1.bpk")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let model = Model::open(&path, None).unwrap();
    assert_eq!(model.layers().len(), model.graph().nodes.len());
    assert_eq!(model.num_classes(), 1000);
    let error = Network::load(&model, &[], &DeviceName::default()).unwrap_err().to_string();
    assert!(error.contains("is damaged: its checksum is"), "{error}");
}

/// Of one picture, weights are read with the picture; of several before the first. Neither may leave anything behind.
fn is_the_models_fault(folder: &Path, wanted: &str) {
    for (command_name, pictures) in [("explain", 1), ("explain", 2), ("predict", 1), ("predict", 2)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burncam"));
        command.args([command_name, "--model", "net.bpk"]).current_dir(folder);
        if command_name == "explain" {
            command.args(["--out", "out"]);
        }
        for picture in ["a.png", "b.png"].into_iter().take(pictures) {
            image::GrayImage::from_pixel(2, 2, image::Luma([7])).save(folder.join(picture)).unwrap();
            command.arg(picture);
        }
        let output = command.output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with(&format!("burncam: model 'net.bpk': {wanted}")), "{error}");
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
        assert!(output.stdout.is_empty() && !folder.join("out").exists());
    }
}

#[test]
fn weights_that_are_not_finite_are_the_models_fault_however_many_pictures_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = vec![burn_tensor("conv.weight", &[2, 1, 1, 1], &[1.0, f32::NAN])];
    Writer::new(tensors).write_to_file(folder.path().join("net.bpk")).unwrap();
    std::fs::write(folder.path().join("net.json"), card(2, 2, NODES, "flat").to_json().unwrap()).unwrap();
    is_the_models_fault(folder.path(), "tensor 'conv.weight' holds");
}

#[test]
fn a_flipped_bit_is_found_before_anything_that_came_of_it_is_said_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.bpk");
    let tensors = vec![StoredTensor::floats("conv.weight", vec![2, 1, 1, 1], vec![1.0, -1.0])];
    Model::save(&path, &card(2, 2, NODES, "flat"), tensors, false).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // A weight of -1 becomes one of -1.0000001.
    let weight = bytes.windows(4).rposition(|four| four == (-1.0_f32).to_le_bytes()).unwrap();
    bytes[weight] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    is_the_models_fault(folder.path(), "is damaged: its checksum is");
}
