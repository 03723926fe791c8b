//! Detectors of every family, small ones of our own: what PyTorch says of boxes, scores and gradients.

mod d_rise;

use burncam::{Explainer, LayerRequest, Request, Score, Target};
use burncam_engine::{Greatest, Network, Reduction};
use burncam_graph::card::Task;
use burncam_model::{Anchors, Boxes, FinalActivation, OutputForm, Proposal};

use crate::onnx::{model_of, read};
use crate::support::{Made, distance, fixture, magnitude, npz, picture};

const NAMES: [&str; 14] = [
    "yolov5",
    "yolov5_segments",
    "yolox",
    "yolox_decoded",
    "yolov8",
    "yolov8_segments",
    "yolov8_poses",
    "yolov8_one_pose",
    "yolov8_turned",
    "end_to_end",
    "rtdetr",
    "rtdetr_chosen",
    "detr",
    "retinanet",
];

struct Case {
    made: Made,
    name: &'static str,
}

impl Case {
    fn of(name: &'static str) -> Self {
        Self { made: model_of(&format!("cases/detectors/{name}.onnx")), name }
    }

    fn form(&self) -> Anchors {
        match self.made.model.output().form {
            OutputForm::Anchors(form) => form,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    fn npz(&self, which: &str) -> Vec<f32> {
        npz(&fixture(&format!("cases/detectors/{}.npz", self.name)), which).1
    }

    fn picture(&self) -> Vec<f32> {
        picture(&self.made.model, &fixture(&format!("cases/detectors/{}.npz", self.name)))
    }

    fn scores(&self) -> Vec<f32> {
        let network = Network::load(&self.made.model, &[], &burncam::DeviceName::default()).unwrap();
        network.logits(self.picture()).unwrap()
    }

    fn proposals(&self) -> Vec<Proposal> {
        let (form, scores, activation) = (self.form(), self.scores(), self.made.model.output().activation);
        (0..form.anchors).map(|anchor| form.proposal(&scores, activation, anchor, [32, 32])).collect()
    }
}

#[test]
fn a_class_is_the_logit_of_its_probability_in_every_family() {
    for name in NAMES {
        let case = Case::of(name);
        let (form, found) = (case.form(), case.scores());
        assert_eq!(case.made.model.output().task, Task::Detection, "{name}");
        let expected = case.npz("scores");
        let classes = &found[form.first() * form.anchors..];
        assert_eq!(classes.len(), expected.len(), "{name}");
        assert!(distance(classes, &expected) < 2e-5, "{name}: {}", distance(classes, &expected));
        assert_eq!(form.has_objectness, name.starts_with("yolov5") || name.starts_with("yolox"), "{name}");
        let softmax = case.made.model.output().activation == FinalActivation::Softmax;
        assert_eq!((softmax, form.background), (name == "detr", (name == "detr").then_some(3)), "{name}");
    }
}

#[test]
fn boxes_are_those_of_the_family_or_none() {
    for name in NAMES {
        let case = Case::of(name);
        let proposals = case.proposals();
        if name == "retinanet" {
            assert_eq!(case.form().boxes, Boxes::Unknown);
            assert!(proposals.iter().all(|proposal| proposal.corners.is_none()));
            continue;
        }
        let found: Vec<f32> =
            proposals.iter().flat_map(|proposal| proposal.corners.unwrap()).map(|side| side as f32).collect();
        let expected = case.npz("boxes");
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(distance(&found, &expected) < 1e-3, "{name}: {}", distance(&found, &expected));
    }
}

#[test]
fn objectness_is_the_networks_or_one() {
    for name in NAMES {
        let case = Case::of(name);
        let found: Vec<f32> = case.proposals().iter().map(|proposal| proposal.objectness as f32).collect();
        let expected =
            if case.form().has_objectness { case.npz("objectness") } else { vec![1.0; found.len()] };
        assert!(distance(&found, &expected) < 1e-5, "{name}");
    }
}

#[test]
fn gradients_of_a_class_are_those_of_pytorch() {
    for name in NAMES {
        let case = Case::of(name);
        let (form, model) = (case.form(), &case.made.model);
        let by_share = model.output().activation == FinalActivation::Softmax;
        let (first, classes, anchors) = (form.first(), form.classes, form.anchors);
        let picked = vec![].into();
        let reduction =
            Reduction::Greatest(Greatest { first, classes, anchors, by_share, picked, rival: None });
        let taps = ["backbone.silu_1", "backbone.silu_2"].map(|layer| model.graph().position(layer).unwrap());
        let network = Network::load(model, &taps, &burncam::DeviceName::default()).unwrap();
        let trunk = network.trunk(case.picture()).unwrap();
        let mut recording = network.record(&trunk).unwrap().reduced(&reduction).unwrap();
        for (at, evidence) in
            recording.evidence(&Score::Logit, 1.min(classes - 1)).unwrap().iter().enumerate()
        {
            let expected = case.npz(&format!("gradient_{at}"));
            let most = magnitude(&expected).max(1e-3);
            // The gradient at the finer layer also goes through the coarser one.
            let gap = distance(&evidence.gradients.values, &expected) / most;
            assert!(gap < 1e-4, "{name}, layer {at}: {gap}");
        }
    }
}

#[test]
fn auto_takes_the_inputs_of_the_head() {
    for (name, expected) in [
        ("yolov5", &["backbone.silu_1", "backbone.silu_2"][..]),
        ("yolov5_segments", &["backbone.silu_1", "backbone.silu_2"]),
        ("yolov8", &["backbone.silu_1", "backbone.silu_2"]),
        ("yolov8_segments", &["backbone.silu_1", "backbone.silu_2"]),
        ("yolov8_poses", &["backbone.silu_1", "backbone.silu_2"]),
        ("yolov8_turned", &["backbone.silu_1", "backbone.silu_2"]),
        ("end_to_end", &["backbone.silu_1", "backbone.silu_2"]),
        ("retinanet", &["backbone.silu_1", "backbone.silu_2"]),
        ("rtdetr", &["backbone.silu_1", "backbone.silu_2"]),
        ("rtdetr_chosen", &["backbone.silu_1", "backbone.silu_2"]),
        // YOLOX's head begins with a convolution of each scale, which boxes and classes share.
        ("yolox", &["silu", "silu_3"]),
        ("yolox_decoded", &["silu", "silu_3"]),
    ] {
        let case = Case::of(name);
        let layers = case.made.model.choose_layers(&LayerRequest::Auto).unwrap();
        let names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, expected, "{name}");
    }
}

#[test]
fn what_is_assumed_of_a_family_is_said() {
    let assumed = |name: &str| {
        let imported = read(&fixture(&format!("cases/detectors/{name}.onnx"))).unwrap();
        imported.assumptions.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    for (name, words) in [
        ("yolov5", "for each anchor a box, an objectness, and 3 classes"),
        ("yolov5_segments", "[batch, 160, 4 + 1 + 3 + 4]"),
        ("yolov5_segments", "the number behind the box is taken for an objectness"),
        ("yolox", "boxes are taken for YOLOX's"),
        ("end_to_end", "is a choice of boxes (TopK)"),
        ("rtdetr", "as shares of the input"),
        ("rtdetr_chosen", "the outputs are a choice of boxes (TopK)"),
        ("rtdetr_chosen", "as shares of the input"),
        ("yolov8_segments", "[batch, 4 + 3 + 4, 80]"),
        (
            "yolov8_segments",
            "left out of each anchor: the last 4 numbers, perhaps mask coefficients, keypoints or an angle",
        ),
        ("yolov8_poses", "for each anchor a box, and 3 classes; "),
        ("yolov8_one_pose", "[batch, 4 + 1 + 6, 80]"),
        ("yolov8_one_pose", "for each anchor a box, and one class; "),
        ("yolov8_turned", "left out of each anchor: the last number, perhaps"),
        ("detr", "class 3 is taken for the background"),
        ("retinanet", "no boxes are read"),
        ("retinanet", "classes are taken for logits"),
    ] {
        assert!(assumed(name).contains(words), "{name}: {}", assumed(name));
    }
    assert!(!assumed("yolox_decoded").contains("YOLOX"), "{}", assumed("yolox_decoded"));
}

#[test]
fn the_task_and_names_in_a_file_are_read_for_turned_boxes_too() {
    let model = Case::of("yolov8_turned").made.model;
    assert_eq!((model.card().task, model.num_classes()), (Some(Task::Detection), 3));
    assert_eq!(model.class_name(1), "plane");
}

#[test]
fn a_detector_without_boxes_explains_classes_and_refuses_a_box() {
    let case = Case::of("retinanet");
    let explainer = |target: Target| {
        let request = Request::with(|request| request.targets = vec![target]);
        Explainer::new(case.made.model.clone(), request)
    };
    let of_class = explainer(Target::Index(1)).unwrap();
    let subject = of_class.read(fixture("images/coffee.png")).unwrap();
    let found = of_class.explain(&subject).unwrap().remove(0);
    assert!(found.detections.is_empty() && found.targets[0].class.proba.is_some());
    let error = explainer(Target::Box(1)).unwrap_err().to_string();
    assert!(error.contains("the graph gives no boxes"), "{error}");
}

#[test]
fn scores_that_need_all_classes_of_an_anchor_are_refused() {
    let case = Case::of("detr");
    let request = Request::with(|request| request.score = Some(Score::Prob));
    let error = Explainer::new(case.made.model, request).unwrap_err().to_string();
    assert!(error.contains("exclude each other at each anchor"), "{error}");
}
