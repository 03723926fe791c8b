//! `check` finds nothing wrong with sound models, and something with others.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use burncam::Model;
use burncam::check::{CheckReport, CheckRequest, Status, check};
use burncam_graph::card::{Card, OutputKind};
use npyz::WriterBuilder as _;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::support::{Made, array, card, fixture, made, seeded, seeded_architecture, tensor};

pub(crate) fn npy(shape: &[u64], values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A `.npz` as `numpy.savez_compressed` writes it.
pub(crate) fn npz(folder: &Path, arrays: &[(&str, Vec<u8>)]) -> PathBuf {
    let path = folder.join("reference.npz");
    let mut writer = ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, bytes) in arrays {
        writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn with_reference(model: &Model, arrays: &[(&str, Vec<u8>)]) -> burncam::Result<CheckReport> {
    let folder = tempfile::tempdir().unwrap();
    let reference = Some(npz(folder.path(), arrays));
    check(model, &CheckRequest { reference, ..CheckRequest::default() })
}

/// The coffee cup as PyTorch saw it, and PyTorch's logits moved by `offset` in one place.
fn coffee(offset: f32) -> [(&'static str, Vec<u8>); 2] {
    let mut logits = array("efficientnet_lite0.coffee.logits.npy");
    logits[123] += offset;
    let input = array("efficientnet_lite0.coffee.input.npy");
    [("input", npy(&[1, 3, 224, 224], &input)), ("logits", npy(&[1, 1000], &logits))]
}

/// A batch norm that is folded and a softmax at the end; `gain` scales the convolution.
fn small(gain: f32) -> Made {
    let nodes = r#"
        { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "conv.weight" } },
        { "name": "bn", "op": "batch_norm", "inputs": ["conv"], "params": { "gamma": "bn.weight", "beta": "bn.bias", "running_mean": "bn.running_mean", "running_var": "bn.running_var" } },
        { "name": "act", "op": "tanh", "inputs": ["bn"] },
        { "name": "flat", "op": "flatten", "inputs": ["act"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.weight", "bias": "fc.bias" } },
        { "name": "prob", "op": "softmax", "inputs": ["fc"] }"#;
    let shapes: &[(&str, &[usize])] = &[
        ("conv.weight", &[2, 1, 2, 2]),
        ("bn.weight", &[2]),
        ("bn.bias", &[2]),
        ("bn.running_mean", &[2]),
        ("bn.running_var", &[2]),
        ("fc.weight", &[12, 3]),
        ("fc.bias", &[3]),
    ];
    let values = |name: &str, shape: &[usize]| {
        let gain = if name == "conv.weight" { gain } else { 1.0 };
        seeded(name, shape).iter().map(|value| value * gain).collect::<Vec<_>>()
    };
    let tensors = shapes.iter().map(|(name, shape)| tensor(name, shape, &values(name, shape))).collect();
    made(&card(3, 4, nodes, "prob"), tensors)
}

/// What the small network makes of two pictures: `[input, logits, probabilities]`.
fn small_reference(made: &Made) -> [Vec<f32>; 3] {
    let input = seeded("input", &[2, 1, 3, 4]);
    let run = |picture: &[f32]| {
        let device = burncam::DeviceName::default();
        let network = burncam_engine::Network::load_unfolded(&made.model, &device).unwrap();
        network.logits(picture.to_vec()).unwrap()
    };
    let logits: Vec<f32> = input.chunks(12).flat_map(run).collect();
    let softmax = |row: &[f32]| {
        let sum: f32 = row.iter().map(|logit| logit.exp()).sum();
        row.iter().map(|logit| logit.exp() / sum).collect::<Vec<_>>()
    };
    let probabilities = logits.chunks(3).flat_map(softmax).collect();
    [input, logits, probabilities]
}

#[test]
fn trained_models_pass_with_gradients_that_can_be_judged() {
    let squeezenet = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    for (model, folded) in [(Model::embedded().unwrap(), 49), (squeezenet, 0)] {
        let report = check(&model, &CheckRequest::default()).unwrap();
        assert!(report.passed, "{report:#?}");
        assert!(report.statuses().iter().all(|status| *status == Status::Ok), "{report:#?}");
        assert_eq!(report.devices[0].device, "ndarray");
        assert_eq!(report.folding.folded, folded);
        assert_eq!(report.folding.folded + report.folding.compared, model.scores() + 1);
        assert_eq!(report.gradients.positions, 32);
        assert!(report.gradients.smooth > 16, "{:?}", report.gradients);
        assert_eq!(report, check(&model, &CheckRequest::default()).unwrap());
    }
}

#[test]
fn gradients_are_checked_at_any_layer_and_kinks_are_counted() {
    // alexnet's pools overlap and see many zeros: ties, at which there is no gradient.
    for (name, layer) in
        [("resnet18", "layer3"), ("alexnet", "features.0"), ("densenet121", "features.norm5")]
    {
        let network = seeded_architecture(name);
        let request = CheckRequest { layer: layer.parse().unwrap(), ..CheckRequest::default() };
        let gradients = check(&network.model, &request).unwrap().gradients;
        assert_ne!(gradients.status, Status::Failed, "{name}: {gradients:?}");
        let counted = gradients.smooth + gradients.at_kink + gradients.unsettled;
        assert_eq!((counted, gradients.wrong), (gradients.positions, 0), "{name}: {gradients:?}");
        assert!(gradients.layer.as_deref().unwrap().starts_with(layer));
    }
}

#[test]
fn pytorchs_logits_pass_and_wrong_ones_fail() {
    let model = Model::embedded().unwrap();
    let report = with_reference(&model, &coffee(0.0)).unwrap();
    let reference = &report.references[0];
    assert!(report.passed, "{reference:?}");
    assert_eq!((reference.pictures, reference.same_top_class), (1, 1));
    assert_eq!((reference.node.as_str(), reference.gives), ("_fc", OutputKind::Logits));

    let report = with_reference(&model, &coffee(0.1)).unwrap();
    assert!(!report.passed);
    assert_eq!(report.references[0].status, Status::Failed);
    let difference = report.references[0].difference.unwrap();
    assert!((difference.absolute - 0.1).abs() < 1e-3, "{difference:?}");
    assert_eq!(report.statuses().iter().filter(|status| **status == Status::Failed).count(), 1);
}

#[test]
fn probabilities_are_compared_with_the_last_node_and_logits_with_the_one_before() {
    let network = small(1.0);
    let [input, logits, probabilities] = small_reference(&network);
    let input = ("input", npy(&[2, 1, 3, 4], &input));
    let cases = [
        ("logits", &logits, "fc"),
        ("logits", &probabilities, "prob"),
        ("output", &probabilities, "prob"),
        ("probabilities", &probabilities, "prob"),
    ];
    for (name, values, node) in cases {
        let output = (name, npy(&[2, 3], values));
        let report = with_reference(&network.model, &[input.clone(), output]).unwrap();
        assert!(report.passed, "{name} with {node}: {report:#?}");
        assert_eq!(report.references[0].node, node);
        assert_eq!(report.references[0].same_top_class, 2);
    }
    // The rows exchanged: each picture has to agree with its own.
    let turned = [&logits[3..], &logits[..3]].concat();
    let report = with_reference(&network.model, &[input, ("logits", npy(&[2, 3], &turned))]).unwrap();
    assert!(!report.passed);
}

#[test]
fn channels_last_pictures_are_turned_round() {
    let network = seeded_architecture("squeezenet1_1");
    let first = seeded("input", &[2, 3, 96, 96]);
    let plane = 96 * 96;
    let at = |index: usize| {
        let (picture, rest) = (index / (3 * plane), index % (3 * plane));
        first[picture * 3 * plane + rest % 3 * plane + rest / 3]
    };
    let last: Vec<f32> = (0..first.len()).map(at).collect();
    let device = burncam::DeviceName::default();
    let runner = burncam_engine::Network::load_unfolded(&network.model, &device).unwrap();
    let logits: Vec<f32> =
        first.chunks(3 * plane).flat_map(|picture| runner.logits(picture.to_vec()).unwrap()).collect();
    let output = ("output", npy(&[2, 10], &logits));
    for (shape, values) in [([2, 3, 96, 96], &first), ([2, 96, 96, 3], &last)] {
        let report =
            with_reference(&network.model, &[("input", npy(&shape, values)), output.clone()]).unwrap();
        assert!(report.passed, "{shape:?}: {:?}", report.references);
    }
}

#[test]
fn a_batch_norm_is_folded_unless_its_convolution_is_looked_at() {
    let network = small(1.0);
    for (layer, folded) in [("auto", 1), ("conv", 0)] {
        let request = CheckRequest { layer: layer.parse().unwrap(), ..CheckRequest::default() };
        let report = check(&network.model, &request).unwrap();
        assert!(report.passed, "{report:#?}");
        assert_eq!(report.folding.folded, folded, "{layer}");
        assert_eq!(report.gradients.smooth, 12, "{:?}", report.gradients);
    }
}

#[test]
fn numbers_that_overflow_fail_every_check_that_needs_them() {
    let nodes = r#"
        { "name": "much", "op": "mul", "inputs": ["input"], "scalar": 1e38 },
        { "name": "more", "op": "mul", "inputs": ["much"], "scalar": 1e38 },
        { "name": "flat", "op": "flatten", "inputs": ["more"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.weight" } }"#;
    let over = made(&card(2, 2, nodes, "fc"), vec![tensor("fc.weight", &[4, 2], &[1.0; 8])]);
    let report = check(&over.model, &CheckRequest::default()).unwrap();
    assert!(!report.passed);
    let found = [report.devices[0].status, report.folding.status, report.gradients.status];
    assert_eq!(found, [Status::Failed; 3], "{report:#?}");
    assert_eq!(report.folding.worst.as_deref(), Some("more"));
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains(r#""difference":{"absolute":null,"relative":null},"worst":"more""#), "{text}");
}

#[test]
fn a_score_that_nothing_moves_proves_nothing() {
    let report = check(&small(0.0).model, &CheckRequest::default()).unwrap();
    assert_eq!(report.gradients.status, Status::Ok, "the layer behind a dead filter still moves the score");

    let network = small(1.0);
    let graph = network.model.graph().clone();
    let mut tensors: Vec<_> = ["conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"]
        .iter()
        .zip([&[2, 1, 2, 2][..], &[2], &[2], &[2], &[2]])
        .map(|(name, shape)| tensor(name, shape, &seeded(name, shape)))
        .collect();
    tensors.push(tensor("fc.weight", &[12, 3], &[0.0; 36]));
    tensors.push(tensor("fc.bias", &[3], &[0.1, 0.2, 0.3]));
    let deaf = made(&Card { graph: Some(graph), ..network.model.card().clone() }, tensors);
    let report = check(&deaf.model, &CheckRequest::default()).unwrap();
    assert_eq!(report.gradients.status, Status::NotAvailable);
    assert!(report.gradients.problem.unwrap().starts_with("not conclusive: "));
    assert!(report.passed);
}

#[test]
fn a_model_without_a_layer_to_explain_is_told_so() {
    let nodes = r#"
        { "name": "flat", "op": "flatten", "inputs": ["input"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.weight" } }"#;
    let flat = made(&card(2, 2, nodes, "fc"), vec![tensor("fc.weight", &[4, 2], &[1.0; 8])]);
    let report = check(&flat.model, &CheckRequest::default()).unwrap();
    assert_eq!((report.layers.status, report.layers.explainable), (Status::Failed, 0));
    assert_eq!(report.layers.unexplainable[0].operations, ["flat", "fc"]);
    assert_eq!(report.gradients.status, Status::NotAvailable);
    assert_eq!(report.devices[0].status, Status::Ok);

    let request = CheckRequest { layer: "fc".parse().unwrap(), ..CheckRequest::default() };
    assert!(
        check(&flat.model, &request).unwrap_err().to_string().starts_with("layer 'fc' cannot be explained")
    );
}
