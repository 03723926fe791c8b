//! D-RISE on small detectors, against the paper's equations in NumPy, and what it refuses.

use burncam::{Method, Scale};

use super::*;
use crate::support::subject;

fn request(change: impl FnOnce(&mut Request)) -> Request {
    Request::with(|request| {
        request.methods = vec![Method::DRise];
        request.targets = vec![Target::Index(1)];
        request.options.samples = Some(200);
        request.options.signed = true;
        request.scale = Scale::Raw;
        change(request);
    })
}

fn maps(case: &Case, change: impl FnOnce(&mut Request)) -> Vec<Vec<f32>> {
    let explainer = Explainer::new(case.made.model.clone(), request(change)).unwrap();
    let found = explainer.explain(&subject(32, 32, case.picture())).unwrap().remove(0);
    found.targets.into_iter().map(|target| target.map.values().to_vec()).collect()
}

#[test]
fn maps_are_those_of_the_papers_equations() {
    // Boxes as a centre and a size, with objectness and without, and as shares of the input.
    for name in ["yolov5", "yolov8", "rtdetr"] {
        let expected = npz(&fixture("cases/detectors/d_rise.npz"), name).1;
        let found = maps(&Case::of(name), |_| {}).remove(0);
        let gap = distance(&found, &expected) / magnitude(&expected);
        assert!(gap < 1e-5, "{name}: {gap:e}");
    }
}

#[test]
fn the_surest_box_of_a_class_and_the_class_have_one_map() {
    let case = Case::of("yolov5");
    let all = vec![Target::Box(1), Target::Index(0), Target::Index(1), Target::Index(2)];
    let found = maps(&case, |request| request.targets = all);
    assert!(found[1..].iter().any(|class| *class == found[0]));
    // Classes share the passes, and each has the map that it has alone.
    assert_eq!(found[2], maps(&case, |_| {})[0]);
    let against = maps(&case, |request| request.options.counterfactual = true).remove(0);
    assert!(found[2].iter().zip(against).all(|(a, b)| *a == -b));
}

#[test]
fn other_networks_and_scores_are_refused_with_a_way_out() {
    let refused = |name: &'static str, change: fn(&mut Request)| {
        Explainer::new(Case::of(name).made.model, request(change)).unwrap_err().to_string()
    };
    let without = refused("retinanet", |_| {});
    assert_eq!(
        without,
        "drise compares boxes, expected a detector that gives boxes, got a detector whose graph gives no boxes (use rise)"
    );
    let of_score = refused("yolov8", |request| request.score = Some(Score::Prob));
    assert!(of_score.contains("is of no use to drise (drop it)"), "{of_score}");
    let against = refused("yolov8", |request| request.against = Some(Target::Index(0)));
    assert!(against.contains("is of no use to drise (drop it)"), "{against}");
    let classifier = crate::support::seeded_architecture("squeezenet1_1").model;
    let error = Explainer::new(classifier, request(|_| {})).unwrap_err().to_string();
    assert!(error.ends_with("got a network whose task is 'classification' (use rise)"), "{error}");
}
