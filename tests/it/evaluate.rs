//! Metrics of real maps: the figures that other libraries give for the set of shapes, and the format of evaluations.
//!
//! `fixtures/cases/shapes/metrics.json` has the values of pytorch-grad-cam and torchcam, run on the same network and pictures.

use burncam::evaluate::{EvaluationRequest, Evaluator, Metric, Objects};
use burncam::record::{EvaluatedTarget, Evaluation};
use burncam::{Library, Request, Score};
use burncam_graph::card::OutputKind;
use burncam_metrics::localisation::Mask;
use burncam_metrics::{Removal, RoadSettings};
use burncam_model::import::{ImportRequest, PreprocessRequest, ResizeRequest, import};
use burncam_picture::input::ClassMask;
use serde_json::Value;

use crate::support::{Made, fixture, made};

/// The trained network of the set of shapes, with the preprocessing that the libraries were given.
fn shapes() -> Made {
    let adjust = PreprocessRequest {
        mean: Some(vec![0.5; 3]),
        std: Some(vec![1.0; 3]),
        resize: Some(ResizeRequest::None),
        ..PreprocessRequest::default()
    };
    let source = fixture("cases/shapes/network.onnx");
    let output = Some(OutputKind::Sigmoid);
    let imported = import(&ImportRequest { source, output, adjust, ..ImportRequest::default() }).unwrap();
    made(&imported.card, imported.tensors)
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
    let picture = |at: usize| fixture(&format!("cases/shapes/pictures/s{at:02}.png"));
    let mask = |at: usize| {
        let mask = ClassMask::open(&fixture(&format!("cases/shapes/masks/s{at:02}.png"))).unwrap();
        Objects::Mask(Mask::new(mask.height, mask.width, mask.values).unwrap())
    };
    let one = |at: usize| {
        let subject = evaluator.explainer().read(picture(at)).unwrap();
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
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/evaluation.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let evaluation = evaluated(Library::Torchcam, |request| {
        request.explain.score = Some(Score::Prob);
        request.metrics = Some(Metric::all().collect());
    });
    let text = evaluation.to_json().unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(serde_json::from_str::<Evaluation>(&text).unwrap(), evaluation);
    let mut extra = json;
    extra["rows"][0]["surprise"] = true.into();
    assert!(!validator.is_valid(&extra));
}
