//! `check_picture` agrees with PyTorch on a photograph, and says which stage differs where something was changed.

use std::path::{Path, PathBuf};

use burncam::Model;
use burncam::check::{PictureReport, PictureRequest, Status, check_picture};

use crate::support::fixture;

const MODEL: &str = "models/efficientnet_lite0.bpk";

fn ask(model: Model, reference: Option<PathBuf>) -> burncam::Result<PictureReport> {
    check_picture(model, &PictureRequest { reference, ..PictureRequest::new(&fixture("images/coffee.png")) })
}

fn model() -> Model {
    Model::open(&fixture(MODEL), None).unwrap()
}

/// The model with other preprocessing.
fn changed(folder: &Path, from: &str, to: &str) -> Model {
    let card = model().card().to_json().unwrap();
    assert!(card.contains(from), "{card}");
    let path = folder.join("card.json");
    std::fs::write(&path, card.replacen(from, to, 1)).unwrap();
    Model::open(&fixture(MODEL), Some(&path)).unwrap()
}

fn pytorch() -> Option<PathBuf> {
    Some(fixture("reference/efficientnet_lite0.coffee.json"))
}

#[test]
fn a_photograph_comes_out_as_in_pytorch() {
    let report = ask(model(), pytorch()).unwrap();
    let (input, network, result) = (report.input.unwrap(), report.network.unwrap(), report.result.unwrap());
    assert!(report.passed && report.finding.is_none());
    // Pillow rounds a few pixels of the resized picture the other way.
    assert!(input.levels < 1.01 && input.mean_levels < 0.01, "{input:?}");
    assert!(network.difference < 1e-5 && network.same_top_class, "{network:?}");
    assert!(result.difference < 2e-3 && result.same_top_class, "{result:?}");
    assert_eq!((report.shape, report.predictions[0].target), ([1, 3, 224, 224], 967));
    // As PyTorch's input has it.
    for (channel, mean) in report.channels.iter().zip([0.219_632, -0.371_520, -0.607_970]) {
        assert!((channel.mean - mean).abs() < 1e-4, "{channel:?}");
        assert!(channel.min >= -0.992_188 && channel.max <= 1.0);
    }
}

#[test]
fn without_a_reference_it_says_what_the_network_sees() {
    let report = ask(model(), None).unwrap();
    assert!(report.passed && report.result.is_none() && report.input.is_none());
    assert_eq!((report.channels.len(), report.predictions.len()), (3, 5));
}

#[test]
fn the_stage_that_differs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, words) in [
        (r#""color": "rgb""#, r#""color": "bgr""#, "in the other order (see PreprocessRequest::color)"),
        ("127.0", "120.0", "scale, mean or deviation differ"),
        (r#""size": 256"#, r#""size": 224"#, "resize, crop or filter differ"),
    ] {
        let report = ask(changed(folder.path(), from, to), pytorch()).unwrap();
        let finding = report.finding.unwrap();
        assert!(
            finding.starts_with("the network is the same, the picture is prepared in another way: "),
            "{finding}"
        );
        assert!(finding.contains(words) && !report.passed, "{finding}");
        assert_eq!(report.network.unwrap().status, Status::Ok);
    }
    let reference = folder.path().join("other.json");
    let input = fixture("reference/efficientnet_lite0.coffee.input.npy");
    let text = serde_json::json!({ "input": input, "top": [{ "class": 967, "proba": 0.5 }] });
    std::fs::write(&reference, text.to_string()).unwrap();
    let report = ask(model(), Some(reference)).unwrap();
    assert_eq!(report.finding.unwrap(), "the picture is prepared in the same way, the network differs");
    assert!(!report.passed);
}

#[test]
fn probabilities_may_be_noted_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("top.json");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write(r#"{ "top": [{ "class": "espresso", "proba": 0.95 }, { "class": 968, "proba": 0.02 }] }"#);
    let result = ask(model(), Some(path.clone())).unwrap().result.unwrap();
    assert_eq!((result.status, result.classes, result.same_top_class), (Status::Ok, 2, true));
    for (text, words) in [
        ("{}", "expected one of 'probabilities', 'logits' and 'top'"),
        (r#"{ "logits": [1, 2] }"#, "'logits' has 2 numbers, expected 1000, one per class"),
        (r#"{ "top": [{ "class": "expresso", "proba": 1 }] }"#, "did you mean 'espresso'?"),
        (r#"{ "top": [{ "class": 1000, "proba": 1 }] }"#, "class 1000 is out of range"),
        (r#"{ "top": [{ "class": 1, "proba": 9.5 }] }"#, "expected 0 to 1 (is it a logit?)"),
        (r#"{ "scores": [] }"#, "unknown field 'scores'"),
    ] {
        write(text);
        let error = ask(model(), Some(path.clone())).unwrap_err().to_string();
        assert!(error.starts_with("reference '") && error.contains(words), "{error}");
    }
}
