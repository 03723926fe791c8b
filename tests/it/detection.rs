//! A detector without post-processing: targets, boxes, and the layers that `auto` takes.

mod against;

use burncam::check::{CheckRequest, OutputCheck, check, check_output};
use burncam::record::Record;
use burncam::{ClassExplanation, Explainer, Explanation, LayerRequest, Model, Request, Scale, Target};
use burncam_engine::Network;
use burncam_graph::card::{Card, Task};
use burncam_model::{FinalActivation, OutputForm};

use crate::support::{Made, distance, fixture, made, seeded, sigmoid, tensor};

const PICTURE: &str = "images/coffee.png";

/// Two scales, each with a convolution for boxes and one for two classes, joined as YOLO's exports do.
fn detector() -> Made {
    let mut nodes = vec![
        r#"{ "name": "c1", "op": "conv2d", "stride": [2, 2], "padding": [1, 1, 1, 1], "inputs": ["input"], "params": { "weight": "w1" } }"#.to_owned(),
        r#"{ "name": "f1", "op": "silu", "inputs": ["c1"] }"#.to_owned(),
        r#"{ "name": "c2", "op": "conv2d", "stride": [2, 2], "padding": [1, 1, 1, 1], "inputs": ["f1"], "params": { "weight": "w2" } }"#.to_owned(),
        r#"{ "name": "f2", "op": "silu", "inputs": ["c2"] }"#.to_owned(),
    ];
    for (scale, cells) in [(1, 64), (2, 16)] {
        for (kind, rows) in [("box", 4), ("class", 2)] {
            nodes.push(format!(
                r#"{{ "name": "{kind}{scale}", "op": "conv2d", "inputs": ["f{scale}"], "params": {{ "weight": "{kind}{scale}" }} }},
                {{ "name": "{kind}{scale}.list", "op": "reshape", "shape": [0, {rows}, {cells}], "inputs": ["{kind}{scale}"] }}"#
            ));
        }
    }
    for kind in ["box", "class"] {
        nodes.push(format!(
            r#"{{ "name": "{kind}", "op": "concat", "axis": 2, "inputs": ["{kind}1.list", "{kind}2.list"] }},
            {{ "name": "{kind}.unit", "op": "sigmoid", "inputs": ["{kind}"] }}"#
        ));
    }
    nodes.push(r#"{ "name": "box.pixels", "op": "mul", "scalar": 16.0, "inputs": ["box.unit"] }"#.to_owned());
    nodes.push(
        r#"{ "name": "out", "op": "concat", "axis": 1, "inputs": ["box.pixels", "class.unit"] }"#.to_owned(),
    );
    let text = format!(
        r#"{{ "schema_version": 1, "name": "detector", "classes": ["cup", "spoon"], "graph": {{
            "input": {{ "name": "input", "channels": 3, "height": 16, "width": 16 }}, "nodes": [{}], "output": "out" }},
            "preprocess": {{ "resize": {{ "policy": "stretch", "height": 16, "width": 16 }}, "scale": 0.00392156862745098 }} }}"#,
        nodes.join(",")
    );
    let shapes = [
        ("w1", vec![6, 3, 3, 3]),
        ("w2", vec![6, 6, 3, 3]),
        ("box1", vec![4, 6, 1, 1]),
        ("box2", vec![4, 6, 1, 1]),
        ("class1", vec![2, 6, 1, 1]),
        ("class2", vec![2, 6, 1, 1]),
    ];
    let weights = shapes.map(|(name, shape)| {
        let values: Vec<f32> =
            seeded(&format!("{name}.weight"), &shape).iter().map(|value| 3.0 * value).collect();
        tensor(name, &shape, &values)
    });
    made(&Card::from_json(&text).unwrap(), weights.into())
}

fn explained(model: &Model, change: impl FnOnce(&mut Request)) -> (Explanation, Record) {
    let explainer = Explainer::new(model.clone(), Request::with(change)).unwrap();
    let subject = explainer.read(fixture(PICTURE)).unwrap();
    let explanation = explainer.explain(&subject).unwrap().remove(0);
    let artifacts = explanation.targets.iter().map(|_| vec![]).collect();
    let record = explainer.record(&subject, &explanation, artifacts).unwrap();
    (explanation, record)
}

/// Boxes and logits, `[4 + 2, 80]`, of the picture.
fn output(model: &Model) -> Vec<f32> {
    let network = Network::load(model, &[], &burncam::DeviceName::default()).unwrap();
    let explainer = Explainer::new(model.clone(), Request::default()).unwrap();
    network.logits(explainer.read(fixture(PICTURE)).unwrap().values).unwrap()
}

/// The native kernels and Burn add in different orders.
#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found}, {expected}");
}

#[test]
fn boxes_and_sigmoids_side_by_side_are_a_detector_and_the_logits_are_explained() {
    let Made { model, .. } = &detector();
    let spec = model.output();
    assert_eq!((spec.task, spec.activation), (Task::Detection, FinalActivation::Sigmoid));
    let OutputForm::Anchors(form) = spec.form else { panic!("{spec:?}") };
    assert_eq!((form.anchors, form.first(), form.classes, model.num_classes()), (80, 4, 2, 2));
    assert!(spec.assumed.as_ref().unwrap().to_string().contains("taken for a detector's"));
    let whole = Network::load_whole(model, &burncam::DeviceName::default()).unwrap();
    let explainer = Explainer::new(model.clone(), Request::default()).unwrap();
    let probabilities = whole.logits(explainer.read(fixture(PICTURE)).unwrap().values).unwrap();
    let logits = output(model);
    assert!(distance(&probabilities[..320], &logits[..320]) < 1e-4, "the boxes are the network's");
    for (found, logit) in probabilities[320..].iter().zip(&logits[320..]) {
        assert!((f64::from(*found) - sigmoid(*logit)).abs() < 1e-6);
    }
}

#[test]
fn a_class_is_its_greatest_logit_and_a_box_its_own() {
    let Made { model, .. } = &detector();
    let output = output(model);
    let (explanation, record) = explained(model, |request| {
        request.targets = vec![Target::Index(0), Target::Index(1), Target::Box(1), Target::Box(2)];
    });
    let greatest =
        |class: usize| output[320 + 80 * class..][..80].iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for class in 0..2 {
        near(explanation.targets[class].score, f64::from(greatest(class)));
        near(record.targets[class].proba.unwrap(), sigmoid(greatest(class)));
    }
    // The surest box has the greatest logit of all.
    let first = &explanation.targets[2];
    near(first.score, f64::from(greatest(0).max(greatest(1))));
    assert_eq!((first.box_number, first.rank, record.targets[2].box_number), (Some(1), None, Some(1)));
    let boxes = &record.detections;
    assert!(boxes.len() >= 2 && boxes.windows(2).all(|pair| pair[0].proba >= pair[1].proba), "{boxes:?}");
    assert_eq!(record.targets[3].proba, Some(boxes[1].proba));
    assert_eq!(record.targets[3].class_name, boxes[1].class_name);
}

#[test]
fn a_box_is_in_pixels_of_the_photo() {
    let Made { model, .. } = &detector();
    let output = output(model);
    let (_, record) = explained(model, |_| {});
    let first = &record.detections[0];
    let (class, anchor) = (0..160).map(|at| (at / 80, at % 80)).fold((0, 0), |best, at| {
        let logit = |(class, anchor): (usize, usize)| output[320 + 80 * class + anchor];
        if logit(at) > logit(best) { at } else { best }
    });
    assert_eq!((first.number, first.target), (1, class));
    let (x, width) = (f64::from(output[anchor]), f64::from(output[160 + anchor]));
    let photo = record.input.width as f64;
    assert!((first.left - (x - width / 2.0) / 16.0 * photo).abs() < 1e-2, "{first:?}");
    assert!((first.right - (x + width / 2.0) / 16.0 * photo).abs() < 1e-2, "{first:?}");
}

#[test]
fn auto_takes_what_the_head_reads_at_every_scale() {
    let Made { model, .. } = &detector();
    let layers = model.choose_layers(&LayerRequest::Auto).unwrap();
    let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["f1", "f2"]);
    assert!(layers[0].reason.contains("8x8, 4x4"), "{}", layers[0].reason);
}

#[test]
fn a_map_marks_the_cell_of_the_anchor() {
    let Made { model, .. } = &detector();
    let output = output(model);
    // Of a class whose surest anchor is on the coarse scale, the map there is that one cell.
    let map = |class: usize| -> ClassExplanation {
        let (mut explanation, _) = explained(model, |request| {
            request.targets = vec![Target::Index(class)];
            request.layers = vec![LayerRequest::Name("f2".into())];
            request.methods = vec!["hirescam".parse().unwrap()];
            request.options.signed = true;
            request.scale = Scale::Raw;
        });
        explanation.targets.remove(0)
    };
    for class in 0..2 {
        let row = &output[320 + 80 * class..][..80];
        let surest = (0..80).fold(0, |best, at| if row[at] > row[best] { at } else { best });
        let found = map(class);
        let hot: Vec<usize> = (0..16).filter(|cell| found.map.values()[*cell] != 0.0).collect();
        let expected = if surest < 64 { vec![] } else { vec![surest - 64] };
        assert_eq!(hot, expected, "class {class}, anchor {surest}");
        // Element by element the map sums to the logit, because the class convolution has no bias.
        let sum: f32 = found.map.values().iter().sum();
        assert!(surest < 64 || (sum - row[surest]).abs() < 1e-4, "{sum} {}", row[surest]);
    }
}

#[test]
fn a_box_that_was_not_found_is_refused() {
    let Made { model, .. } = &detector();
    let explainer =
        Explainer::new(model.clone(), Request::with(|request| request.targets = vec![Target::Box(999)]));
    let explainer = explainer.unwrap();
    let error = explainer.explain(&explainer.read(fixture(PICTURE)).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("box 999 is to be explained, got"), "{error}");
}

#[test]
fn check_takes_a_class_and_no_coordinate_of_a_box() {
    let Made { model, .. } = &detector();
    let report = check(model, &CheckRequest::default()).unwrap();
    // Boxes are up to 16 pixels, logits far below: the greatest number of all is a coordinate.
    assert!(report.gradients.class.unwrap() < 2, "{:?}", report.gradients);
    assert!(report.passed, "{report:?}");
}

#[test]
fn a_box_is_not_the_rival_of_its_own_class() {
    let Made { model, .. } = &detector();
    let targets = vec![Target::Index(0), Target::Index(1), Target::Box(1)];
    let scored = |score: &str| -> Vec<f64> {
        let (explanation, _) = explained(model, |request| {
            request.targets.clone_from(&targets);
            request.score = Some(score.parse().unwrap());
        });
        explanation.targets.iter().map(|target| target.score).collect()
    };
    let logits = scored("logit");
    let margins = scored("margin");
    near(margins[0], logits[0] - logits[1]);
    near(margins[1], logits[1] - logits[0]);
    // The surest box is of the surer class, and the other class is its rival.
    near(margins[2], (logits[0] - logits[1]).abs());
    let (explanation, _) = explained(model, |request| {
        request.targets.clone_from(&targets);
        request.methods = vec!["finercam".parse().unwrap()];
    });
    assert!(explanation.targets.iter().any(|target| target.finding.is_none()), "{explanation:?}");
}

#[test]
fn the_library_joins_scales_by_their_maximum() {
    let Made { model, .. } = &detector();
    let usual = explained(model, |request| request.methods = vec!["layercam".parse().unwrap()]);
    assert_eq!(usual.1.settings.aggregate.as_deref(), Some("max"));
    let asked = |aggregate: &str| {
        let (explanation, _) = explained(model, |request| {
            request.methods = vec!["layercam".parse().unwrap()];
            request.finish.aggregate = Some(aggregate.parse().unwrap());
        });
        explanation.targets[0].map.values().to_vec()
    };
    assert_eq!(usual.0.targets[0].map.values(), asked("max"));
    assert_ne!(usual.0.targets[0].map.values(), asked("mean"));
}

#[test]
fn boxes_do_not_contradict_probabilities() {
    let Made { model, .. } = &detector();
    assert_eq!(check_output(model).unwrap(), OutputCheck::default());
}
