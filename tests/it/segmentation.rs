//! Segmentations and embeddings: the score of a target is a number made of many outputs.
//!
//! `fixtures/cases/tasks/seg_mask_LAYER_CLASS.npy` are torch's raw Grad-CAM maps of `seg_raw.onnx` for the logits of a class summed
//! over the pixels where it wins.

use std::path::Path;

use burncam::{
    ArtifactKind, ClassExplanation, Explainer, LayerRequest, Method, Model, Over, Reading, Request, Scale,
    Score, Style, Subject, Target,
};
use burncam_engine::Network;
use burncam_graph::card::Task;
use burncam_model::OutputForm;
use burncam_model::import::{ImportRequest, PreprocessRequest, ResizeRequest, import};

use crate::support::{Made, card, distance, embedding, fixture, made, magnitude};

const PICTURE: &str = "cases/tasks/shapes.png";

fn segmentation() -> Made {
    let adjust = PreprocessRequest {
        scale: Some(1.0 / 255.0),
        mean: Some(vec![0.5; 3]),
        std: Some(vec![1.0; 3]),
        resize: Some(ResizeRequest::Stretch([64, 64])),
        ..PreprocessRequest::default()
    };
    let source = fixture("cases/tasks/seg_raw.onnx");
    let imported = import(&ImportRequest { source, adjust, ..ImportRequest::default() }).unwrap();
    let assumed: Vec<String> = imported.assumptions.iter().map(ToString::to_string).collect();
    assert!(assumed.iter().any(|said| said.contains("taken for a segmentation")), "{assumed:?}");
    made(&imported.card, imported.tensors)
}

fn npy(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(fixture("cases/tasks").join(name)).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

fn explained(model: Model, change: impl FnOnce(&mut Request)) -> Vec<ClassExplanation> {
    let explainer = Explainer::new(model, Request::with(change)).unwrap();
    let subject = explainer.read(fixture(PICTURE)).unwrap();
    explainer.explain(&subject).unwrap().remove(0).targets
}

fn refusal(model: Model, change: impl FnOnce(&mut Request)) -> String {
    let explainer = match Explainer::new(model, Request::with(change)) {
        Ok(explainer) => explainer,
        Err(error) => return error.to_string(),
    };
    let subject = explainer.read(fixture(PICTURE)).unwrap();
    explainer.explain(&subject).unwrap_err().to_string()
}

#[test]
fn the_map_of_a_class_is_that_of_its_logits_summed_where_it_wins() {
    let Made { model, .. } = &segmentation();
    assert_eq!(model.output().task, Task::Segmentation);
    assert_eq!((model.output().form, model.num_classes()), (OutputForm::Pixels { height: 64, width: 64 }, 5));
    for layer in ["l3", "up2"] {
        let name = model.graph().nodes.iter().rfind(|node| node.name.contains(&format!("{layer}.")));
        let targets = explained(model.clone(), |request| {
            request.layers = vec![LayerRequest::Name(name.unwrap().name.clone())];
            request.targets = (1..5).map(Target::Index).collect();
            request.options.signed = true;
            request.scale = Scale::Raw;
        });
        for (class, target) in (1..).zip(&targets) {
            let expected = npy(&format!("seg_mask_{layer}_{class}.npy"));
            let far = distance(target.map.values(), &expected) / magnitude(&expected).max(1.0);
            assert!(far < 1e-4, "{layer}, class {class}: {far}");
        }
    }
}

/// A network whose output is its input in two channels: `x` and `1 - x`.
fn plain() -> Made {
    let nodes = r#"{ "name": "double", "op": "mul", "scalar": 2.0, "inputs": ["input"] },
        { "name": "negative", "op": "mul", "scalar": -1.0, "inputs": ["double"] },
        { "name": "other", "op": "add", "scalar": 1.0, "inputs": ["negative"] },
        { "name": "both", "op": "concat", "axis": 1, "inputs": ["double", "other"] }"#;
    made(&card(2, 3, nodes, "both"), vec![])
}

/// Pixels as shares of white: the first class wins where `2 x > 1 - 2 x`.
const PIXELS: [u8; 6] = [255, 0, 0, 102, 51, 204];

fn on_pixels(change: impl FnOnce(&mut Request)) -> Result<(ClassExplanation, f64), String> {
    let Made { model, .. } = plain();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("six.png");
    image::GrayImage::from_raw(3, 2, PIXELS.to_vec()).unwrap().save(&path).unwrap();
    let request = Request::with(|request| {
        request.layers = vec![LayerRequest::Name("double".into())];
        request.targets = vec![Target::Index(0)];
        change(request);
    });
    let explainer = Explainer::new(model, request).map_err(|error| error.to_string())?;
    let subject = explainer.read(&path).map_err(|error| error.to_string())?;
    let found = explainer.explain(&subject).map_err(|error| error.to_string())?;
    let target = found[0].targets[0].clone();
    let share = target.class.share.unwrap();
    Ok((target, share))
}

#[test]
fn a_class_is_summed_where_it_wins_everywhere_at_a_point_or_in_a_mask() {
    // x is 1, 0, 0, 0.4, 0.2, 0.8 after the division by 255.
    let x: Vec<f64> = PIXELS.iter().map(|value| f64::from(*value) / 255.0).collect();
    let sum = |inside: [bool; 6]| (0..6).filter(|at| inside[*at]).map(|at| 2.0 * x[at]).sum::<f64>();
    let wins = [true, false, false, true, false, true];
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-5, "{found}, {expected}");

    let (target, share) = on_pixels(|_| {}).unwrap();
    near(target.score, sum(wins));
    near(share, 0.5);
    assert_eq!(target.pixels, Some(3));
    let won: Vec<bool> = target.mask.unwrap().values().iter().map(|value| *value == 1.0).collect();
    assert_eq!(won, wins);

    near(on_pixels(|request| request.over = Over::Everywhere).unwrap().0.score, sum([true; 6]));
    let point = on_pixels(|request| request.over = Over::Point { x: 1.5, y: 1.2 }).unwrap().0;
    near(point.score, 2.0 * x[4]);
    assert_eq!(point.pixels, Some(1));
    let outside = on_pixels(|request| request.over = Over::Point { x: 3.0, y: 0.0 }).unwrap_err();
    assert!(outside.contains("the point 3,0 is outside"), "{outside}");

    let folder = tempfile::tempdir().unwrap();
    let mask = |name: &str, width: u32, pixels: &[u8]| {
        let path = folder.path().join(name);
        image::GrayImage::from_raw(width, 2, pixels.to_vec()).unwrap().save(&path).unwrap();
        Over::Mask(path)
    };
    let given = mask("mask.png", 3, &[255, 255, 0, 0, 0, 200]);
    let inside = [true, true, false, false, false, true];
    near(on_pixels(|request| request.over = given).unwrap().0.score, sum(inside));
    let small = mask("small.png", 2, &[255; 4]);
    let refused = on_pixels(|request| request.over = small).unwrap_err();
    assert!(refused.contains("is of 2x2 pixels, expected 3x2, as the photo"), "{refused}");
}

#[test]
fn gradients_and_perturbations_see_the_same_score() {
    // The sum of 2 x where the class wins: each of these pixels counts 2.
    let gradient = on_pixels(|request| {
        request.methods = vec![Method::Gradient];
        request.layers = vec![LayerRequest::Auto];
        request.scale = Scale::Raw;
        request.options.signed = true;
    });
    assert_eq!(gradient.unwrap().0.map.values(), [2.0, 0.0, 0.0, 2.0, 0.0, 2.0]);
    let (alone, _) = on_pixels(|request| {
        request.methods = vec![Method::ReciproCam];
        request.scale = Scale::Raw;
    })
    .unwrap();
    // Each position alone, over the pixels where the class wins in the whole picture: 2 x there, 0 elsewhere.
    let expected = [2.0, 0.0, 0.0, 0.8, 0.0, 1.6];
    assert!(distance(alone.map.values(), &expected) < 1e-6, "{:?}", alone.map);
}

#[test]
fn a_class_of_a_segmentation_is_compared_with_another_over_its_own_pixels() {
    // The other class is 1 - 2 x: over the pixels where the first wins the difference is 4 x - 1 each.
    let against = |request: &mut Request| request.against = Some(Target::Index(1));
    let (target, _) = on_pixels(against).unwrap();
    let expected: f64 = [255.0, 102.0, 204.0].map(|pixel: f64| 4.0 * pixel / 255.0 - 1.0).iter().sum();
    assert!((target.score - expected).abs() < 1e-5, "{} {expected}", target.score);
    let gradient = on_pixels(|request| {
        against(request);
        request.methods = vec![Method::Gradient];
        request.layers = vec![LayerRequest::Auto];
        request.scale = Scale::Raw;
        request.options.signed = true;
    });
    assert_eq!(gradient.unwrap().0.map.values(), [4.0, 0.0, 0.0, 4.0, 0.0, 4.0]);
    // At a point that both share it is the plain difference there.
    let (point, _) = on_pixels(|request| {
        against(request);
        request.over = Over::Point { x: 1.5, y: 1.2 };
    })
    .unwrap();
    assert!((point.score - (4.0 * 51.0 / 255.0 - 1.0)).abs() < 1e-5, "{}", point.score);
    let refused = refusal(embedding([1; 4]).model, |request| {
        request.like = Some("a.png".into());
        request.against = Some(Target::Index(0));
    });
    assert!(refused.contains("is of no use to a network whose task is 'embedding'"), "{refused}");
}

#[test]
fn a_class_that_wins_nowhere_has_a_blank_map_and_a_way_out() {
    let Made { model, .. } = segmentation();
    let targets = explained(model, |request| request.targets = (0..5).map(Target::Index).collect());
    let total: f64 = targets.iter().map(|target| target.class.share.unwrap()).sum();
    assert!((total - 1.0).abs() < 1e-12, "{total}");
    let absent = targets.iter().find(|target| target.pixels == Some(0)).unwrap();
    assert!(absent.finding.as_ref().unwrap().contains("wins at no pixel"), "{absent:?}");
    assert_eq!(absent.score, 0.0);
}

#[test]
fn what_a_task_cannot_use_is_refused() {
    let of = |change: fn(&mut Request)| refusal(segmentation().model, change);
    assert!(
        of(|request| request.score = Some(Score::Prob))
            .contains("score 'prob' is not of the task 'segmentation'")
    );
    assert!(of(|request| request.methods = vec![Method::FinerCam]).contains("the model gives none"));
    assert!(of(|request| request.like = Some("a.png".into())).contains("is of no use"));
    let of = |change: fn(&mut Request)| refusal(embedding([1; 4]).model, change);
    assert!(
        of(|_| {}).contains("name a picture to compare with: Request::like = REFERENCE"),
        "{}",
        of(|_| {})
    );
    assert!(of(|request| request.over = Over::Everywhere).contains("name a picture"));
    assert!(of(|request| request.artifacts = vec![ArtifactKind::ClassMask]).contains("name a picture"));
}

#[test]
fn an_embedding_is_explained_by_its_cosine_with_another() {
    let Made { model, .. } = &embedding([1; 4]);
    let network = Network::load(model, &[], &burncam::DeviceName::default()).unwrap();
    let vector = |picture: &str| {
        let reading = Reading::default();
        let subject = Subject::open(Path::new(&fixture(picture)), &reading, model).unwrap();
        network.logits(subject.values).unwrap()
    };
    let (a, b) = (vector(PICTURE), vector("images/coffee.png"));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
    let targets = explained(model.clone(), |request| request.like = Some(fixture("images/coffee.png")));
    assert_eq!(targets[0].class.class_name, "like coffee.png");
    assert!((targets[0].score - cosine).abs() < 1e-6, "{} {cosine}", targets[0].score);
    assert_eq!((targets[0].class.number, targets[0].rank), (Some(targets[0].score), None));
    // With itself the cosine is one, its greatest value, where its gradient is zero.
    let own = explained(model.clone(), |request| {
        request.like = Some(fixture(PICTURE));
        request.methods = vec![Method::Gradient];
        request.options.signed = true;
        request.scale = Scale::Raw;
    });
    assert!((own[0].score - 1.0).abs() < 1e-6);
    assert!(magnitude(own[0].map.values()) < 1e-6, "{}", magnitude(own[0].map.values()));
}

#[test]
fn the_mask_of_a_class_has_its_shape_at_any_size() {
    let request = Request::with(|request| request.targets = vec![Target::Index(1)]);
    let explainer = Explainer::new(segmentation().model, request).unwrap();
    let subject = explainer.read(fixture(PICTURE)).unwrap();
    let explanation = &explainer.explain(&subject).unwrap()[0];
    let target = &explanation.targets[0];
    let style = Style::default();
    let canvas = explanation.canvas(target, &subject, &style);
    // The network sees the whole picture on 64 by 64 pixels.
    for times in [1, 3] {
        let picture = canvas.class_mask_at([64 * times, 64 * times]).unwrap();
        let mask = target.mask.as_ref().unwrap();
        for (x, y, pixel) in picture.enumerate_pixels() {
            let won = mask.values()[(y / times * 64 + x / times) as usize];
            assert_eq!(pixel.0, [(won * 255.0) as u8; 3], "{x} {y} of {times}");
        }
    }
}
