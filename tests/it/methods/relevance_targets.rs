//! Relevance of targets that are no classes of a picture: places of segmentations, classes and boxes of detectors, embeddings.
//!
//! Without biases the rules lose nothing: the map sums to the score.

use std::sync::Arc;

use burncam::{ClassExplanation, DeviceName, Explainer, Method, Model, Over, Request, Scale, Score, Target};
use burncam_engine::{Greatest, Network, Reduction};
use burncam_graph::card::{Card, Task};
use burncam_model::StoredTensor;

use crate::onnx::read;
use crate::support::{Made, card, distance, embedding, fixture, made, tensor};

/// The network of a file without biases and means, so that a picture of zeros gives zeros.
fn silent(file: &str, task: Option<Task>) -> Made {
    let mut imported = read(&fixture(file)).unwrap();
    imported.card.task = task.or(imported.card.task);
    let tensors = without_biases(&imported.card, imported.tensors);
    made(&imported.card, tensors)
}

fn without_biases(card: &Card, tensors: Vec<StoredTensor>) -> Vec<StoredTensor> {
    let nodes = &card.graph.as_ref().unwrap().nodes;
    let of = |role: &str| nodes.iter().filter_map(|node| node.params.get(role)).cloned().collect::<Vec<_>>();
    let names: Vec<String> = ["bias", "beta", "running_mean"].into_iter().flat_map(of).collect();
    let silenced = |stored: StoredTensor| match names.contains(&stored.name) {
        true => tensor(&stored.name, &stored.shape, &vec![0.0; stored.shape.iter().product()]),
        false => stored,
    };
    tensors.into_iter().map(silenced).collect()
}

fn explained(model: &Model, picture: &str, change: impl Fn(&mut Request)) -> Vec<ClassExplanation> {
    let request = Request::with(|request| {
        request.methods = vec![Method::Lrp];
        request.options.signed = true;
        request.scale = Scale::Raw;
        change(request);
    });
    let explainer = Explainer::new(model.clone(), request).unwrap();
    let subject = explainer.read(fixture(picture)).unwrap();
    explainer.explain(&subject).unwrap().remove(0).targets
}

#[track_caller]
fn adds_up(what: &str, target: &ClassExplanation, score: f64) {
    let sum: f64 = target.map.values().iter().map(|value| f64::from(*value)).sum();
    assert!((sum - score).abs() < 1e-3 * score.abs().max(1e-3), "{what}: {sum} of {score}");
}

#[test]
fn a_detectors_class_and_box_are_handed_back_whole() {
    for name in ["yolov5", "yolox", "yolox_decoded", "yolov8", "end_to_end", "rtdetr", "detr", "retinanet"] {
        let Made { model, .. } = &silent(&format!("cases/detectors/{name}.onnx"), None);
        let mut targets = vec![Target::Index(0), Target::Index(1)];
        if name != "retinanet" {
            targets.push(Target::Box(1));
        }
        for method in [Method::Lrp, Method::LayerLrp] {
            let found = explained(model, "images/coffee.png", |request| {
                request.targets = targets.clone();
                request.methods = vec![method];
                request.layers = match method {
                    Method::LayerLrp => vec!["backbone.silu".parse().unwrap()],
                    _ => request.layers.clone(),
                };
            });
            for target in found {
                adds_up(
                    &format!("{} of {name}, {:?}", method.info().name, target.class),
                    &target,
                    target.score,
                );
            }
        }
    }
}

#[test]
fn a_segmentations_class_is_handed_back_whole_from_the_places_that_count() {
    let Made { model, .. } = &silent("cases/tasks/seg_raw.onnx", Some(Task::Segmentation));
    for over in [Over::Wins, Over::Everywhere, Over::Point { x: 20.0, y: 30.0 }] {
        for against in [None, Some(Target::Index(2))] {
            let found = explained(model, "cases/tasks/shapes.png", |request| {
                request.targets = vec![Target::Top(1)];
                request.over = over.clone();
                // The last layer is a convolution: of a negative logit z-plus has nothing to hand back to.
                request.options.composite = Some("epsilon".parse().unwrap());
                request.against = against.clone();
            });
            adds_up(&format!("{over:?}, {against:?}"), &found[0], found[0].score);
        }
    }
}

#[test]
fn a_cosine_is_handed_back_whole() {
    let Made { model, .. } = &embedding([0; 4]);
    for like in ["images/coffee.png", "cases/tasks/shapes.png"] {
        let found = explained(model, "cases/tasks/shapes.png", |request| request.like = Some(fixture(like)));
        // With itself: the gradient is zero, the relevance is not.
        adds_up(like, &found[0], found[0].score);
    }
}

#[test]
fn a_sum_over_places_a_greatest_value_and_a_cosine_by_hand() {
    // Two pixels (3, 4) in two rows, z = (2 x, -x): (6, 8) and (-3, -4).
    let nodes = r#"{ "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "w" } },
        { "name": "list", "op": "reshape", "shape": [0, 4], "inputs": ["conv"] }"#;
    let tensors = vec![tensor("w", &[2, 1, 1, 1], &[2.0, -1.0])];
    let made = made(&card(1, 2, nodes, "list"), tensors);
    let network = Network::load(&made.model, &[], &DeviceName::default()).unwrap();
    let relevance = |reduction: Reduction, score: Score, target: usize| {
        let sweep = network.sweep_precisely(vec![3.0, 4.0]).unwrap().reduced(&reduction).unwrap();
        sweep.relevance(score, target, "epsilon".parse().unwrap()).unwrap()
    };
    let weights = vec![0.0, 1.0, 1.0, 1.0].into();
    let sums = |rival| Reduction::Sums { weights: Arc::clone(&weights), targets: 2, rival };
    let (first, classes, anchors, by_share) = (0, 2, 2, false);
    let of_values = |rival| Greatest { first, classes, anchors, by_share, picked: vec![2].into(), rival };
    let greatest = Reduction::Greatest(of_values(None));
    // Lengths: sqrt(36 + 64 + 9 + 16), and one: the third value alone.
    let cosine = Reduction::Cosine { like: vec![0.0, 0.0, 1.0, 0.0].into() };
    for (reduction, score, target, expected) in [
        (sums(None), Score::Logit, 0, [0.0, 8.0]),
        (sums(None), Score::Logit, 1, [-3.0, -4.0]),
        // 8 - (-4), at the second pixel.
        (sums(Some(1)), Score::Difference(1), 0, [0.0, 12.0]),
        // The greatest of each class, then the third value alone.
        (greatest.clone(), Score::Logit, 0, [0.0, 8.0]),
        (greatest.clone(), Score::Logit, 1, [-3.0, 0.0]),
        (greatest, Score::Logit, 2, [-3.0, 0.0]),
        (cosine, Score::Cosine, 0, [-3.0 / 125.0_f32.sqrt(), 0.0]),
    ] {
        let found = relevance(reduction.clone(), score, target);
        assert!(distance(&found, &expected) < 1e-5, "{reduction:?}, {target}: {found:?}");
    }
}
