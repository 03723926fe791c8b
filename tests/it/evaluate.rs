//! Metrics of real maps: the figures that other libraries give for the set of shapes, and the format of evaluations.
//!
//! `fixtures/cases/shapes/metrics.json` has the values of pytorch-grad-cam and torchcam, run on the same network and pictures.

use burncam::evaluate::{EvaluationRequest, Evaluator, Metric, Objects};
use burncam::record::{EvaluatedTarget, Evaluation};
use burncam::{Library, Request, Score};
use burncam_graph::card::OutputKind;
use burncam_metrics::localisation::Mask;
use burncam_metrics::{Removal, RoadSettings};
use burncam_model::import::ResizeRequest;
use burncam_picture::input::ClassMask;
use serde_json::Value;

use crate::record::{assert_valid, schema};
use crate::support::{Made, fixture, picture_of_shapes};

/// The trained network of the set of shapes, with the preprocessing that the libraries were given.
fn shapes() -> Made {
    crate::support::shapes(|request| {
        request.output = Some(OutputKind::Sigmoid);
        request.adjust.resize = Some(ResizeRequest::None);
    })
}

const METHODS: [&str; 2] = ["gradcam", "layercam"];

fn evaluated(library: Library, change: impl FnOnce(&mut EvaluationRequest)) -> Evaluation {
    let made = shapes();
    let mut explain = Request::default();
    explain.methods = METHODS.map(|name| name.parse().unwrap()).to_vec();
    explain.layers = vec!["l3.1.2".parse().unwrap()];
    explain.options.library = Some(library);
    let mut request = EvaluationRequest::new(explain);
    change(&mut request);
    let evaluator = Evaluator::new(made.model, request).unwrap();
    let mask = |at: usize| {
        let mask = ClassMask::open(&fixture(&format!("cases/shapes/masks/s{at:02}.png"))).unwrap();
        Objects::Mask(Mask::new(mask.height, mask.width, mask.values).unwrap())
    };
    let one = |at: usize| {
        let subject = evaluator.explainer().read(picture_of_shapes(at)).unwrap();
        evaluator.evaluate(&subject, Some(&mask(at))).unwrap().remove(0)
    };
    evaluator.summarise((0..24).map(one).collect()).unwrap()
}

/// Largest difference of a metric to a library's value, for each picture whose map is not blank.
fn differences(evaluation: &Evaluation, metric: &str, field: &str) -> Vec<(usize, usize, f64)> {
    let text = std::fs::read_to_string(fixture("cases/shapes/metrics.json")).unwrap();
    let known: Value = serde_json::from_str(&text).unwrap();
    let at = evaluation.metrics.iter().position(|one| one.name == metric).unwrap();
    let mut found = Vec::new();
    for (row, method) in METHODS.iter().enumerate() {
        for (picture, target) in evaluation.targets.iter().enumerate() {
            let known = &known[method][picture];
            assert_eq!(known["class"].as_u64().unwrap() as usize, target.target, "picture {picture}");
            if let Some(value) = target.rows[row].values.get(at) {
                found.push((row, picture, (value.unwrap() - known[field].as_f64().unwrap()).abs()));
            }
        }
    }
    found
}

#[track_caller]
fn assert_near(evaluation: &Evaluation, metric: &str, field: &str, except: &[(usize, usize)]) {
    let far = differences(evaluation, metric, field);
    let far: Vec<_> = far.into_iter().filter(|(.., difference)| *difference > 1e-4).collect();
    let pictures: Vec<_> = far.iter().map(|(row, picture, _)| (*row, *picture)).collect();
    assert_eq!(pictures, except, "{metric}: {far:?}");
}

/// Metrics, and their names in the file.
const FIGURES_OF_PYTORCH_GRAD_CAM: [(&str, &str); 9] = [
    ("energy", "energy"),
    ("drop", "drop_prob_pgc"),
    ("increase", "increase_prob"),
    ("road", "road"),
    ("morf", "road_morf"),
    ("lerf", "road_lerf"),
    ("arcc", "arcc"),
    ("coherency", "coherency"),
    ("complexity", "complexity"),
];

#[test]
fn the_set_of_shapes_has_the_figures_of_pytorch_grad_cam() {
    let kept = Removal::KeptPercentiles(vec![20.0, 40.0, 60.0, 80.0]);
    let evaluation = evaluated(Library::PytorchGradCam, |request| {
        request.metrics = Some(
            FIGURES_OF_PYTORCH_GRAD_CAM.map(|(name, _)| name).map(|name| name.parse().unwrap()).to_vec(),
        );
        request.road = Some(RoadSettings { removal: kept, noise: 0.0, seed: 0 });
    });
    assert!(evaluation.rows.iter().all(|row| row.blank == 0));
    for (metric, field) in FIGURES_OF_PYTORCH_GRAD_CAM {
        let except: &[(usize, usize)] = match metric {
            // Its probability is 1 - 8e-7 with and without the map: whether it rose is a matter of the last digit.
            "increase" => &[(0, 2)],
            // Two pixels have the value of the 40th percentile; which are removed is a matter of the last digit, and changes 4e-4.
            "road" | "morf" | "arcc" => &[(0, 9)],
            _ => &[],
        };
        assert_near(&evaluation, metric, field, except);
    }
}

#[test]
fn the_set_of_shapes_has_the_figures_of_torchcam_where_its_maps_are_not_blank() {
    // Its documented use explains the probability, whose gradient is zero where it rounds to one: those two maps are blank.
    let evaluation = evaluated(Library::Torchcam, |request| request.explain.score = Some(Score::Prob));
    for row in &evaluation.rows[..2] {
        assert_eq!((row.blank, row.figures[0].count), (2, 22), "{}", row.name);
    }
    let blank = |target: &&EvaluatedTarget| target.rows[0].blank.is_some();
    let blank: Vec<&str> =
        evaluation.targets.iter().filter(blank).map(|target| &target.path[target.path.len() - 7..]).collect();
    assert_eq!(blank, ["s01.png", "s22.png"]);
    assert_near(&evaluation, "drop", "avg_drop_tc", &[]);
    assert_near(&evaluation, "insertion", "insertion_auc", &[]);
    // In these two, pixels whose values differ in the last digit change places.
    assert_near(&evaluation, "deletion", "deletion_auc", &[(0, 18), (0, 19)]);
    assert!(differences(&evaluation, "deletion", "deletion_auc").iter().all(|(.., far)| *far < 1e-3));
}

#[test]
fn evaluations_fit_the_schema_and_come_back() {
    let validator = schema("evaluation.schema.json");
    let evaluation = evaluated(Library::Torchcam, |request| {
        request.explain.score = Some(Score::Prob);
        request.metrics = Some(Metric::all().filter(|metric| !metric.needs_all_pictures()).collect());
        request.agreement = true;
    });
    let text = evaluation.to_json().unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_valid(&validator, &json);
    assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), evaluation);
    let mut extra = json;
    extra["rows"][0]["surprise"] = true.into();
    assert!(!validator.is_valid(&extra));
}

#[test]
fn arcc_is_the_same_whether_road_is_asked_for_or_not() {
    let arcc = |names: &[&str]| {
        let mut explain = Request::default();
        explain.methods = METHODS.map(|name| name.parse().unwrap()).to_vec();
        let mut request = EvaluationRequest::new(explain);
        request.metrics = Some(names.iter().map(|name| name.parse().unwrap()).collect());
        let evaluator = Evaluator::new(shapes().model, request).unwrap();
        let subject = evaluator.explainer().read(picture_of_shapes(3)).unwrap();
        let target = evaluator.evaluate(&subject, None).unwrap().remove(0);
        let last = |row: &burncam::record::TargetFigures| row.values.last().copied().flatten().unwrap();
        target.rows.iter().map(last).collect::<Vec<f64>>()
    };
    assert_eq!(arcc(&["arcc"]), arcc(&["road", "arcc"]));
}

#[test]
fn each_true_class_of_a_picture_is_a_target() {
    let mut explain = Request::default();
    explain.targets = vec!["label".parse().unwrap()];
    let mut request = EvaluationRequest::new(explain);
    request.metrics = Some(vec!["sparseness".parse().unwrap()]);
    let evaluator = Evaluator::new(shapes().model, request).unwrap();
    let read = || evaluator.explainer().read(picture_of_shapes(3)).unwrap();
    let subject = burncam::Subject { labels: vec![2, 0], ..read() };
    let targets = evaluator.evaluate(&subject, None).unwrap();
    assert_eq!(targets.iter().map(|target| target.target).collect::<Vec<_>>(), [2, 0]);
    assert_ne!(targets[0].rows[0].values, targets[1].rows[0].values);
    let evaluation = evaluator.summarise(targets).unwrap();
    assert_eq!((evaluation.rows[0].figures[0].count, evaluation.rows[0].blank), (2, 0));
}

#[test]
fn right_boxes_at_the_paper_s_threshold_are_those_of_the_metric_box_and_the_best_threshold_is_the_figure() {
    let evaluation = evaluated(Library::Torchcam, |request| {
        request.metrics = Some(["box", "maxbox", "heldbox"].map(|name| name.parse().unwrap()).to_vec());
    });
    for row in &evaluation.rows {
        let [at_15, best, held] = [0, 1, 2].map(|at| row.figures[at]);
        let curve = &row.curves[0];
        assert_eq!((curve.metric.as_str(), curve.scores.len(), curve.shares[15]), ("boxes", 100, 0.15));
        assert!((f64::from(curve.scores[15]) - at_15.mean.unwrap()).abs() < 1e-6, "{}", row.name);
        let most = curve.scores.iter().copied().fold(0.0, f32::max);
        assert!((f64::from(most) - best.mean.unwrap()).abs() < 1e-6, "{}", row.name);
        let [low, high] = best.interval.unwrap();
        assert!(low <= best.mean.unwrap() && best.mean.unwrap() <= high);
        assert!(held.mean.unwrap() <= best.mean.unwrap() && held.interval.is_none());
        assert_eq!((best.count, held.count), (at_15.count, at_15.count));
    }
}
