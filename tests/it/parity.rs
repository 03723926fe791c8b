//! Numbers computed by PyTorch, torchvision and pytorch-grad-cam themselves (`fixtures/scripts/`), and the two
//! CPU devices against each other.

use std::collections::BTreeMap;

use burncam::{DeviceName, Method, Model};
use burncam_engine::Network;
use serde::Deserialize;

use crate::support::{
    array, device, distance, evidence, fixture, magnitude, seeded, seeded_architecture,
    seeded_architecture_of,
};

/// The worst difference allowed: absolute for small numbers, relative to the greatest magnitude for large ones.
/// (PyTorch's own float32 runs differ from its float64 runs by up to 3e-5 on the seeded networks.)
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Reference {
    logits: Vec<f32>,
}

#[track_caller]
fn agree(what: &str, found: &[f32], expected: &[f32]) {
    let error = error(found, expected);
    assert!(error < TOLERANCE, "{what}: difference {error}");
}

fn error(found: &[f32], expected: &[f32]) -> f32 {
    distance(found, expected) / magnitude(expected).max(1.0)
}

fn logits(model: &Model, input: Vec<f32>, on: &DeviceName) -> Vec<f32> {
    Network::load(model, &[0], on).unwrap().logits(input).unwrap()
}

/// One of each structure. The other members of a family differ in repeats only, and their parameters are held
/// against torchvision's by the architectures' own tests; 500 MB of weights a VGG would make this test crawl.
const NETWORKS: &[&str] = &[
    "resnet18",
    "resnet50",
    "squeezenet1_0",
    "squeezenet1_1",
    "mobilenet_v2",
    "densenet121",
    "alexnet",
    "vgg11_bn",
    "efficientnet_lite0",
    "efficientnet_lite2",
];

#[test]
fn architectures_give_torchvisions_logits() {
    let text = std::fs::read_to_string(fixture("reference/architectures.json")).unwrap();
    let references: BTreeMap<String, Reference> = serde_json::from_str(&text).unwrap();
    let input = seeded("input", &[1, 3, 96, 96]);
    for name in NETWORKS {
        let network = seeded_architecture(name);
        let found = logits(&network.model, input.clone(), &DeviceName::default());
        agree(name, &found, &references[*name].logits);
    }
}

/// One of each further family, from `architecture_digests.py`.
#[test]
fn further_families_give_pytorchs_logits() {
    #[derive(Deserialize)]
    struct Run {
        input: Option<Vec<usize>>,
        #[serde(default)]
        logits: Vec<f32>,
    }
    let text = std::fs::read_to_string(fixture("reference/architecture-digests.json")).unwrap();
    let references: BTreeMap<String, Run> = serde_json::from_str(&text).unwrap();
    let runs = references.iter().filter_map(|(name, run)| Some((name, run.input.as_ref()?, &run.logits)));
    let mut count = 0;
    for (name, shape, expected) in runs {
        let network = seeded_architecture_of(name, shape[3]);
        let found = logits(&network.model, seeded("input", shape), &DeviceName::default());
        agree(name, &found, expected);
        count += 1;
    }
    assert!(count >= 28, "{count} networks");
}

#[test]
fn grad_cam_agrees_with_pytorch_grad_cam_on_seeded_networks() {
    let input = seeded("input", &[1, 3, 96, 96]);
    // At this input one unit of mobilenet_v2's features.16.conv.1.2 is 1e-6 from its ReLU6's kink, and every device rounds it
    // in its own way: to PyTorch's side, to the other, or onto the kink. Inputs this close to each other are on both sides.
    let nearby: &[f32] = &[1.0, 1.0 - 2e-6, 1.0 + 2e-6, 1.0 - 6e-6, 1.0 + 6e-6];
    let cases = [
        ("resnet18", "layer4", &[1.0][..]),
        ("resnet18", "layer3", &[1.0]),
        ("mobilenet_v2", "features.18", &[1.0]),
        ("mobilenet_v2", "features.13", nearby),
    ];
    for (name, layer, factors) in cases {
        let network = seeded_architecture(name);
        let found = logits(&network.model, input.clone(), &device("flex"));
        agree(name, &found, &array(&format!("grad-cam/{name}.logits.npy")));
        for class in [3, 7] {
            let what = format!("{name}.{layer}.{class}");
            let expected = array(&format!("grad-cam/{what}.npy"));
            let of = |factor: &f32| {
                let input: Vec<f32> = input.iter().map(|value| value * factor).collect();
                let evidence = evidence(&network.model, layer, class, &input, "flex");
                error(&Method::GradCam.raw_map(&evidence).unwrap(), &expected)
            };
            let errors: Vec<f32> = factors.iter().map(of).collect();
            assert!(errors.iter().any(|error| *error < TOLERANCE), "{what}: differences {errors:?}");
        }
    }
}

#[test]
fn grad_cam_agrees_with_pytorch_grad_cam_on_trained_networks() {
    let squeezenet = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let input = array("squeezenet1_1.coffee.input.npy");
    agree(
        "squeezenet1_1",
        &logits(&squeezenet, input.clone(), &DeviceName::default()),
        &array("grad-cam/squeezenet1_1.logits.npy"),
    );
    for layer in ["features.12", "classifier.2"] {
        for class in [967, 504] {
            let evidence = evidence(&squeezenet, layer, class, &input, "flex");
            let what = format!("squeezenet1_1.{layer}.{class}");
            let found = Method::GradCam.raw_map(&evidence).unwrap();
            let expected = array(&format!("grad-cam/{what}.npy"));
            assert!(distance(&found, &expected) < TOLERANCE, "{what}: {}", distance(&found, &expected));
            agree(&what, &found, &expected);
        }
    }
    let lite = Model::embedded().unwrap();
    let input = array("efficientnet_lite0.coffee.input.npy");
    let expected = array("efficientnet_lite0.coffee.logits.npy");
    agree("efficientnet_lite0", &logits(&lite, input.clone(), &DeviceName::default()), &expected);
    let evidence = evidence(&lite, "_relu1", 967, &input, "flex");
    let found = Method::GradCam.raw_map(&evidence).unwrap();
    agree("efficientnet_lite0 _relu1", &found, &array("grad-cam/efficientnet_lite0.head.967.npy"));
}

#[test]
fn both_cpu_devices_agree() {
    let lite = (Model::embedded().unwrap(), array("efficientnet_lite0.coffee.input.npy"));
    let squeezenet = Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let squeezenet = (squeezenet, array("squeezenet1_1.coffee.input.npy"));
    for (model, input) in [lite, squeezenet] {
        let [flex, ndarray] = ["flex", "ndarray"].map(|name| logits(&model, input.clone(), &device(name)));
        agree(model.name(), &flex, &ndarray);
        let [flex, ndarray] = ["flex", "ndarray"].map(|name| {
            let evidence = evidence(&model, "auto", 967, &input, name);
            let values = Method::GradCam.raw_map(&evidence).unwrap();
            let most = magnitude(&values);
            values.iter().map(|value| value.max(0.0) / most).collect::<Vec<f32>>()
        });
        let difference = distance(&flex, &ndarray);
        assert!(difference < 1e-4, "{}: {difference}", model.name());
    }
}
