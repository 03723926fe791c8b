//! The record against its JSON Schema, and its promises.

use burncam::record::{Artifact, Record};
use burncam::{ArtifactKind, Explainer, Model, Picture, Request, Subject, Target};
use burncam_graph::card::Card;
use serde_json::Value;

use crate::support::fixture;

/// The schema of this name in `docs`.
pub(crate) fn schema(name: &str) -> jsonschema::Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
pub(crate) fn assert_valid(validator: &jsonschema::Validator, value: &Value) {
    let problems: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

fn record(model: Model, picture: &str, targets: Vec<Target>) -> Record {
    let explainer = Explainer::new(model, Request::with(|request| request.targets = targets)).unwrap();
    let picture = Picture::open(&fixture("images").join(picture), [255; 3]).unwrap();
    let subject = Subject::from_picture(picture, "photo", explainer.model()).unwrap();
    let explanation = explainer.explain(&subject).unwrap().remove(0);
    let file = Artifact::new(ArtifactKind::Overlay.name(), "photo.png".to_owned(), b"its bytes");
    let files = vec![vec![file]; explanation.targets.len()];
    explainer.record(&subject, &explanation, files).unwrap()
}

fn squeezenet() -> Model {
    Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap()
}

#[test]
fn real_records_fit_the_schema() {
    let validator = schema("record.schema.json");
    for (model, picture) in [
        (Model::embedded().unwrap(), "coffee.png"),
        (squeezenet(), "camera.png"),
        (squeezenet(), "odd/exif_6.jpg"),
    ] {
        let record = record(model, picture, vec![Target::Top(3), Target::Index(999)]);
        let json: Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
        assert_valid(&validator, &json);
        let line: Value = serde_json::from_str(&record.to_json_line().unwrap()).unwrap();
        assert_eq!(line, json, "the line and the page must say the same");
    }
}

#[test]
fn the_schema_refuses_what_the_format_does_not_know() {
    let validator = schema("record.schema.json");
    let record = record(squeezenet(), "coffee.png", vec![Target::Top(1)]);
    let json: Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
    let mut extra = json.clone();
    extra["surprise"] = true.into();
    assert!(!validator.is_valid(&extra));
    let mut out_of_range = json.clone();
    out_of_range["targets"][0]["proba"] = 1.5.into();
    assert!(!validator.is_valid(&out_of_range));
    let mut missing = json;
    missing.as_object_mut().unwrap().remove("warnings");
    assert!(!validator.is_valid(&missing));
}

#[test]
fn a_record_survives_the_round_trip_and_starts_with_its_version() {
    let record = record(squeezenet(), "coffee.png", vec![Target::Name("espresso".into())]);
    let text = record.to_json().unwrap();
    assert!(text.starts_with("{\n  \"schema_version\": 2,"), "{}", &text[..60]);
    let again: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(again.to_json().unwrap(), text);
}

/// Doubles that a reader which takes shortcuts gets wrong in the last digit, and single floats whose shortest decimals are near the
/// middle between two.
#[test]
fn numbers_that_are_read_back_are_the_numbers_that_were_written() {
    let mut record = record(squeezenet(), "coffee.png", vec![Target::Top(1)]);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..20_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (double, single) = (f64::from_bits(state), f32::from_bits((state >> 16) as u32));
        if !double.is_finite() || !single.is_finite() {
            continue;
        }
        (record.targets[0].score, record.targets[0].heatmap[0][0]) = (double, single);
        let again = Record::from_json(record.to_json_line().unwrap().as_bytes()).unwrap();
        assert_eq!(again.targets[0].score.to_bits(), double.to_bits());
        assert_eq!(again.targets[0].heatmap[0][0].to_bits(), single.to_bits());
    }
}

#[test]
fn a_number_that_is_not_finite_never_leaves() {
    let mut record = record(squeezenet(), "coffee.png", vec![Target::Top(1)]);
    record.targets[0].score = f64::NAN;
    assert!(record.to_json().unwrap_err().to_string().contains("finite"));
    assert!(record.to_json_line().is_err());
}

#[test]
fn it_reads_as_an_eli5_explanation() {
    let record = record(squeezenet(), "coffee.png", vec![Target::Top(1)]);
    let json: Value = serde_json::from_str(&record.to_json().unwrap()).unwrap();
    assert_eq!(json["error"], "");
    assert_eq!(json["method"], "Grad-CAM");
    assert_eq!(json["is_regression"], false);
    assert!(json["estimator"].is_string() && json["description"].is_string());
    let target = &json["targets"][0];
    assert_eq!(target["target"], 967);
    assert!(target["score"].as_f64().unwrap() > 10.0);
    let rows = target["heatmap"].as_array().unwrap();
    let greatest =
        rows.iter().flat_map(|row| row.as_array().unwrap()).filter_map(Value::as_f64).fold(0.0, f64::max);
    assert!((greatest - 1.0).abs() < f64::EPSILON);
}

#[test]
fn the_cards_of_both_models_fit_the_cards_schema() {
    let validator = schema("card.schema.json");
    for model in [Model::embedded().unwrap(), squeezenet()] {
        let card: Value = serde_json::from_str(&model.card().to_json().unwrap()).unwrap();
        assert_valid(&validator, &card);
    }
}

/// Operations that no committed model uses, read and written again.
#[test]
fn the_cards_schema_and_the_reader_know_the_same_operations() {
    let validator = schema("card.schema.json");
    let norm = r#""params": { "gamma": "g", "beta": "b" }"#;
    let nodes = [
        format!(r#""op": "layer_norm", "epsilon": 1e-6, {norm}"#),
        format!(r#""op": "group_norm", "groups": 2, {norm}"#),
        r#""op": "group_norm", "groups": 1"#.to_owned(),
        r#""op": "local_response_norm", "size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2"#.to_owned(),
        r#""op": "log_sigmoid""#.to_owned(),
        r#""op": "log""#.to_owned(),
        r#""op": "abs""#.to_owned(),
        r#""op": "erf""#.to_owned(),
        r#""op": "sin""#.to_owned(),
        r#""op": "cos""#.to_owned(),
        r#""op": "pow", "exponent": -0.5"#.to_owned(),
        r#""op": "minimum", "scalar": 6"#.to_owned(),
        r#""op": "maximum", "params": { "other": "o" }"#.to_owned(),
        r#""op": "resize", "output_size": [7, 9], "mode": "bilinear", "align_corners": true"#.to_owned(),
        r#""op": "reduce_min", "axes": [1], "keep_dims": true"#.to_owned(),
        r#""op": "reduce_l2", "axes": [2, 3]"#.to_owned(),
    ];
    let nodes: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(at, fields)| format!(r#"{{ "name": "n{at}", "inputs": ["input"], {fields} }}"#))
        .collect();
    let text = format!(
        r#"{{ "schema_version": 1, "name": "all", "graph": {{
            "input": {{ "name": "input", "channels": 3, "height": 8, "width": 8, "layout": "channels-last" }},
            "nodes": [{}], "output": "n0" }}, "preprocess": {{ "resize": {{ "policy": "none" }} }} }}"#,
        nodes.join(", ")
    );
    let read = Card::from_json(&text).unwrap();
    assert_valid(&validator, &serde_json::from_str(&text).unwrap());
    let written = read.to_json().unwrap();
    assert_valid(&validator, &serde_json::from_str(&written).unwrap());
    assert!(written.contains(r#""layout": "channels-last""#));
    assert_eq!(Card::from_json(&written).unwrap(), read);
}

/// What burncam 0.1 wrote is read; what it does not say is unknown, not made up.
#[test]
fn a_record_of_version_1_is_read_and_one_of_a_later_version_is_told_apart() {
    let old = std::fs::read(fixture("records/burncam_0.1.gradcam.json")).unwrap();
    let record = Record::from_json(&old).unwrap();
    assert_eq!((record.schema_version, record.targets[0].target), (1, 967));
    assert_eq!(record.targets[0].score.to_string(), "28.357725143432617");
    assert_eq!((&record.settings.request, record.settings.revision, &record.grid), (&None, None, &None));
    let artifact = &record.targets[0].artifacts[0];
    assert_eq!(
        (artifact.file.as_str(), artifact.bytes, &artifact.sha256),
        ("photo.gradcam.png", None, &None)
    );
    assert!(!record.settings.makes_the_same_as(&record.settings), "what is unknown cannot be the same");

    let refusal = |from: &str, to: &str| {
        let text = String::from_utf8(old.clone()).unwrap().replacen(from, to, 1);
        Record::from_json(text.as_bytes()).unwrap_err().to_string()
    };
    let later = refusal("\"schema_version\": 1", "\"schema_version\": 3");
    assert_eq!(later, "has version 3, expected 1 to 2 (a newer burncam may read it)");
    let newer = refusal("\"estimator\"", "\"surprise\": 1, \"estimator\"");
    assert!(newer.starts_with("is not a record of burncam, version 1: unknown field `surprise`"), "{newer}");
    assert!(refusal("{", "").starts_with("is not a record of burncam: "));
}

#[test]
fn a_record_names_no_files_outside_of_its_directory() {
    let bytes = std::fs::read_to_string(fixture("records/photo.gradcam.json")).unwrap();
    assert!(Record::from_json(bytes.as_bytes()).is_ok());
    for name in ["../photo.gradcam.png", "/etc/passwd", "a/photo.png", "..", ".", "", "photo.png/"] {
        let other = bytes.replace("\"file\": \"photo.gradcam.png\"", &format!("\"file\": \"{name}\""));
        assert_ne!(other, bytes);
        let error = Record::from_json(other.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, format!("names the file '{name}', expected the plain name of one next to it"));
    }
}
