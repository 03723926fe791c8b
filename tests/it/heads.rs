//! What networks put out, from the file to the probabilities that are shown: `fixtures/cases/heads`.

use burncam::check::check_output;
use burncam::record::Prediction;
use burncam::{Explainer, Explanation, Predictor, Request, Score, Subject, Target};
use burncam_graph::card::{OutputKind, Task};
use burncam_model::import::{ImportRequest, Imported, import};
use serde_json::Value;

use crate::support::{Made, fixture, made, npz, sigmoid};

/// A file as it is asked for, and what came of it.
struct Head {
    made: Made,
    imported: Imported,
    subject: Subject,
    /// What onnxruntime gives.
    output: Vec<f32>,
}

fn head(name: &str, request: ImportRequest) -> Head {
    let source = fixture(&format!("cases/heads/{name}.onnx"));
    let imported = import(&ImportRequest { source: source.clone(), ..request }).unwrap();
    let made = made(&imported.card, imported.tensors.clone());
    let (_, input) = npz(&source.with_extension("npz"), "input");
    let (_, output) = npz(&source.with_extension("npz"), "output");
    let file = serde_json::from_value(serde_json::json!({
        "path": name, "sha256": "0".repeat(64), "format": "npy", "width": 8, "height": 8, "exif_orientation": 1
    }));
    let subject = Subject {
        picture: image::RgbImage::new(8, 8),
        values: input,
        placement: burncam_picture::input::Placement::whole(8, 8),
        is_tensor: true,
        warnings: vec![],
        file: file.unwrap(),
        labels: vec![],
    };
    Head { made, imported, subject, output }
}

fn plain(name: &str) -> Head {
    head(name, ImportRequest::default())
}

impl Head {
    /// All classes in the order of their indices.
    fn predictions(&self) -> Vec<Prediction> {
        let predictor = Predictor::new(self.made.model.clone(), &burncam::DeviceName::default()).unwrap();
        let mut all = predictor.predict(&self.subject, usize::MAX).unwrap();
        all.sort_by_key(|class| class.target);
        all
    }

    fn probabilities(&self) -> Vec<f64> {
        self.predictions().iter().map(|class| class.proba.unwrap()).collect()
    }

    fn explained(&self, settings: Request) -> Result<(Explanation, Value), burncam::Error> {
        let explainer = Explainer::new(self.made.model.clone(), settings)?;
        let explanation = explainer.explain(&self.subject)?.remove(0);
        let none = vec![vec![]; explanation.targets.len()];
        let record = explainer.record(&self.subject, &explanation, none)?;
        Ok((explanation, serde_json::from_str(&record.to_json().unwrap()).unwrap()))
    }
}

#[track_caller]
fn assert_near(name: &str, found: &[f64], expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f64> = expected.into_iter().collect();
    let near = found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(found.len() == expected.len() && near, "{name}: {found:?}, expected {expected:?}");
}

/// Files that end in probabilities by some road, and whether logits stand behind them.
const PROBABILITIES: [(&str, bool); 17] = [
    ("mean_of_two_softmaxes", false),
    ("mean_of_two_softmax", false),
    ("mean_operator", false),
    ("stacked_mean", false),
    ("pixel_softmax", false),
    ("greatest_of_two", false),
    ("geometric_mean", false),
    ("softmax_then_clip", true),
    ("softmax_reshape_n_c_1_1", true),
    ("spelled_softmax", true),
    ("power_softmax", true),
    ("spelled_sigmoid", true),
    ("complement", true),
    ("binary_squeeze", true),
    ("argmax_last", true),
    ("top_of_probabilities", true),
    ("above_half", true),
];

/// Those whose output is a decision, so that the probabilities before it are shown.
const DECISIONS: [&str; 3] = ["argmax_last", "top_of_probabilities", "above_half"];

#[test]
fn what_ends_in_probabilities_shows_the_networks_own() {
    for (name, has_logits) in PROBABILITIES {
        let head = plain(name);
        let spec = head.made.model.output();
        assert_eq!(spec.has_logits(), has_logits, "{name}: {spec}");
        assert!(spec.assumed.is_none(), "{name}: {spec:?}");
        let said = head
            .imported
            .assumptions
            .iter()
            .filter(|note| note.to_string().contains("is a decision"))
            .count();
        assert_eq!(said, usize::from(DECISIONS.contains(&name)), "{name}: {:?}", head.imported.assumptions);
        assert_eq!(check_output(&head.made.model).unwrap(), Default::default(), "{name}");
        let classes = head.predictions();
        assert!(classes.iter().all(|class| class.logit.is_some() == has_logits), "{name}: {classes:?}");
        if !DECISIONS.contains(&name) {
            let expected = head.output.iter().map(|value| f64::from(*value));
            assert_near(name, &head.probabilities(), expected);
        }
    }
    assert!((plain("mean_of_two_softmaxes").probabilities()[0] - 0.9618).abs() < 1e-4);
}

#[test]
fn a_decision_gives_way_to_the_scores_that_it_is_made_of() {
    let head = plain("argmax_last");
    let best = head.predictions().into_iter().max_by(|a, b| a.proba.unwrap().total_cmp(&b.proba.unwrap()));
    assert_eq!(best.unwrap().target as f32, head.output[0]);
    let head = plain("top_of_probabilities");
    let mut ranked = head.probabilities();
    ranked.sort_by(|a, b| b.total_cmp(a));
    assert_near("top", &ranked[..2], head.output.iter().map(|value| f64::from(*value)));
    let head = plain("above_half");
    assert_eq!(f32::from(u8::from(head.probabilities()[0] > 0.5)), head.output[0]);
}

#[test]
fn one_output_is_the_logit_of_a_yes() {
    for name in ["one_logit", "one_logit_squeezed", "single_logit", "row_of_one", "one_by_one"] {
        let head = plain(name);
        assert_eq!(head.made.model.output().task, Task::Binary, "{name}");
        let assumed = head.imported.assumptions.iter().any(|note| note.to_string().contains("its sigmoid"));
        assert!(assumed, "{name}: {:?}", head.imported.assumptions);
        assert_near(name, &head.probabilities(), [sigmoid(head.output[0])]);
        let (explanation, record) = head.explained(Request::default()).unwrap();
        assert!((explanation.targets[0].score - f64::from(head.output[0])).abs() < 1e-4, "{name}");
        assert_eq!(record["model"]["task"], "binary");
    }
}

#[test]
fn both_sides_of_one_output_can_be_explained_when_they_have_names() {
    let classes = vec!["cat".to_owned(), "dog".to_owned()];
    for name in ["one_logit", "one_logit_squeezed", "binary_squeeze"] {
        let head = head(name, ImportRequest { classes: classes.clone(), ..ImportRequest::default() });
        let yes = if name == "binary_squeeze" { f64::from(head.output[0]) } else { sigmoid(head.output[0]) };
        assert_near(name, &head.probabilities(), [1.0 - yes, yes]);
        let targets = vec![Target::Name("cat".into()), Target::Index(1)];
        let (explanation, _) = head.explained(Request::with(|request| request.targets = targets)).unwrap();
        let [no, yes] = &explanation.targets[..] else { panic!("two targets expected") };
        assert_eq!(no.score, -yes.score, "{name}");
        let sum = |target: &burncam::ClassExplanation| f64::from(target.raw[0].mean);
        assert!(
            (sum(no) + sum(yes)).abs() < 1e-6,
            "{name}: what speaks for one side speaks against the other"
        );
    }
}

#[test]
fn labels_that_do_not_exclude_each_other_have_a_sigmoid_each() {
    let task = ImportRequest { task: Some(Task::MultiLabel), ..ImportRequest::default() };
    let output = ImportRequest { output: Some(OutputKind::Sigmoid), ..ImportRequest::default() };
    for request in [task, output] {
        let head = head("multi_label_logits", request);
        assert_near("labels", &head.probabilities(), head.output.iter().map(|logit| sigmoid(*logit)));
        assert_eq!(head.made.model.output().task, Task::MultiLabel);
        let settings = Request::with(|request| request.score = Some(Score::Prob));
        let (explanation, _) = head.explained(settings).unwrap();
        let target = &explanation.targets[0];
        assert!((target.score - target.class.proba.unwrap()).abs() < 1e-12);
    }
}

#[test]
fn percent_are_numbers_and_no_logits() {
    let head = plain("percent");
    assert_eq!(head.made.model.output().task, Task::Numbers);
    let said = head.imported.assumptions.iter().any(|note| note.to_string().contains("such as percent"));
    assert!(said, "{:?}", head.imported.assumptions);
    let numbers: Vec<f64> = head.predictions().iter().map(|class| class.number.unwrap()).collect();
    for (found, expected) in numbers.iter().zip(&head.output) {
        assert!((found - f64::from(*expected)).abs() < 1e-3, "{numbers:?}, expected {:?}", head.output);
    }
}

#[test]
fn numbers_have_no_probability() {
    let request = ImportRequest { output: Some(OutputKind::Numbers), ..ImportRequest::default() };
    let head = head("three_numbers", request);
    let (explanation, record) =
        head.explained(Request::with(|request| request.targets = vec![Target::Index(2)])).unwrap();
    assert!((explanation.targets[0].score - f64::from(head.output[2])).abs() < 1e-4);
    assert_eq!(record["is_regression"], true);
    assert_eq!(record["settings"]["score"], "number");
    for name in ["proba", "logit", "rank"] {
        assert_eq!(record["targets"][0][name], Value::Null, "{name}");
    }
    let listed: Vec<f64> =
        record["predictions"].as_array().unwrap().iter().map(|n| n["number"].as_f64().unwrap()).collect();
    assert_near("numbers", &listed, head.output.iter().map(|value| f64::from(*value)));
    for score in [Score::Prob, Score::LogProb, Score::Logit] {
        let error = head.explained(Request::with(|request| request.score = Some(score))).unwrap_err();
        assert!(error.to_string().contains("the model gives numbers"), "{error}");
    }
}

#[test]
fn scores_of_probabilities_without_logits_are_the_probabilities() {
    let head = plain("mean_of_two_softmaxes");
    let (explanation, record) = head.explained(Request::default()).unwrap();
    let target = &explanation.targets[0];
    assert_eq!((target.score, target.class.logit), (target.class.proba.unwrap(), None));
    assert_eq!(record["settings"]["score"], "prob");
    let settings = Request::with(|request| request.score = Some(Score::LogProb));
    let (explanation, _) = head.explained(settings).unwrap();
    assert!((explanation.targets[0].score - target.class.proba.unwrap().ln()).abs() < 1e-9);
    for score in [Score::Logit, Score::Margin, Score::Rest] {
        let error = head.explained(Request::with(|request| request.score = Some(score))).unwrap_err();
        assert!(error.to_string().contains("use Request::score = prob"), "{error}");
    }
}

#[test]
fn noise_pictures_show_probabilities_that_the_graph_does_not_prove() {
    let assumed = plain("grouped_classes");
    let found = check_output(&assumed.made.model).unwrap();
    assert_eq!((found.evident, found.contradictions.len()), (Some(OutputKind::Probabilities), 0));
    let said =
        |output| head("grouped_classes", ImportRequest { output: Some(output), ..ImportRequest::default() });
    let own = said(OutputKind::Probabilities);
    assert_near("own", &own.probabilities(), own.output.iter().map(|value| f64::from(*value)));
    let found = check_output(&said(OutputKind::Logits).made.model).unwrap();
    assert!(found.contradictions[0].to_string().contains("add up to 1"), "{found:?}");
    let wrong = head(
        "three_numbers",
        ImportRequest { output: Some(OutputKind::Probabilities), ..ImportRequest::default() },
    );
    let found = check_output(&wrong.made.model).unwrap();
    assert!(found.contradictions[0].to_string().contains("outside of 0 to 1"), "{found:?}");
}
