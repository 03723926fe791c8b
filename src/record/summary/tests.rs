//! The merged summary of shards equals the summary of the whole run.

use burncam_metrics::localisation::Bounds;
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;
use crate::record::PredictionRecord;

fn failure(path: &str, error: &str) -> Failure {
    Failure { path: path.into(), error: error.into(), kind: Some(ErrorKind::Image), hint: None }
}

/// A target with a map of two cells, hotter on the left.
fn target((target, proba): &(usize, f64)) -> Value {
    json!({
        "target": target, "class_name": format!("class {target}"), "score": 1.0, "proba": proba, "logit": 1.0, "rank": 1,
        "heatmap": [[1.0, proba]], "map": { "height": 1, "width": 2, "scale": 1.0 }, "raw": [], "normalization": "",
        "boxes": [], "finding": null, "artifacts": []
    })
}

/// A record with the fields that a summary reads; the rest is filler.
fn record(path: &str, classes: &[(usize, f64)], label: Option<usize>, num_classes: usize) -> Record {
    let predictions: Vec<Value> = classes
        .iter()
        .map(|(target, proba)| {
            json!({ "target": target, "class_name": format!("class {target}"), "proba": proba, "logit": 1.0 })
        })
        .collect();
    let label = label.map(|target| json!({ "target": target, "class_name": format!("class {target}") }));
    serde_json::from_value(json!({
        "schema_version": 2, "estimator": "made", "description": "", "error": "", "method": "Grad-CAM",
        "is_regression": false, "targets": classes.iter().take(2).map(target).collect::<Vec<_>>(),
        "input": {
            "path": path, "sha256": "0", "format": "png", "width": 8, "height": 8, "exif_orientation": 1
        },
        "label": label,
        "network_input": {
            "channels": 3, "height": 8, "width": 8, "preprocess": null,
            "covers": { "left": 0.0, "top": 0.0, "right": 8.0, "bottom": 8.0 }
        },
        "model": { "name": "made", "file": "made.bpk", "sha256": "0", "num_classes": num_classes, "source": null },
        "layers": [], "predictions": predictions, "warnings": [],
        "settings": {
            "method": "gradcam", "score": "logit", "aggregate": null, "smooth": [], "signed": false,
            "counterfactual": false, "compat": null,
            "options": { "seed": 0, "samples": null, "noise": null, "patch": null, "stride": null },
            "request": null,
            "device": "flex", "engine": "native", "precision": "f32", "burncam": "0", "burn": "0",
            "style": {
                "overlay": "alpha", "opacity": 0.5, "colormap": null, "interpolation": null,
                "threshold": "0.15", "components": "largest"
            }
        }
    }))
    .unwrap()
}

/// Pseudo-random values, 0 to 1.
fn unit(seed: u64) -> f64 {
    let mixed = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11) as f64 / (1_u64 << 53) as f64
}

fn count(summary: &mut Summary, image: u64) {
    let path = format!("photos/{image:05}.png");
    if image % 7 == 3 {
        return summary.fail(failure(&path, "damaged"));
    }
    let class = (unit(image) * 9.0) as usize;
    let second = (class + 1) % 9;
    let label = (!image.is_multiple_of(3)).then_some(if image.is_multiple_of(5) { second } else { class });
    let proba = 0.5 + unit(image * 31) / 2.0;
    let mut record = record(&path, &[(class, proba), (second, 1.0 - proba)], label, 2);
    if image.is_multiple_of(11) {
        record.warnings = vec!["the softmax is saturated".to_owned()];
    }
    let mut other = record.clone();
    other.settings.method = "layercam".to_owned();
    summary.add(&[record, other], &objects(class, second, image));
}

/// The class's object on the right half, another one's on the left, in some images.
fn objects(class: usize, other: usize, image: u64) -> Vec<(LabelRecord, Bounds)> {
    let label = |target: usize| LabelRecord { target, class_name: format!("class {target}") };
    let half = |left: f64| Bounds { left, top: 0.0, right: left + 4.0, bottom: 8.0 };
    if image.is_multiple_of(4) { vec![(label(class), half(4.0)), (label(other), half(0.0))] } else { vec![] }
}

fn new(images: usize, shard: Option<&str>) -> Summary {
    Summary { shard: shard.map(str::to_owned), ..Summary::new("made", "0", images) }
}

/// A round trip through JSON, as between machines.
fn sent(summary: &Summary) -> Summary {
    serde_json::from_str(&summary.to_json().unwrap()).unwrap()
}

#[test]
fn shards_give_the_summary_of_the_whole_run() {
    const IMAGES: u64 = 800;
    let mut whole = new(IMAGES as usize, None);
    (0..IMAGES).for_each(|image| count(&mut whole, image));
    assert!(whole.mean_proba.is_some_and(|mean| (0.7..0.8).contains(&mean)));
    let heat = whole.heat.ranked();
    assert_eq!(heat.iter().map(|heat| heat.method.as_str()).collect::<Vec<_>>(), ["gradcam", "layercam"]);
    let reason = heat[0].wrong_reasons.ranked()[0];
    assert!(reason.count > 10 && reason.on.is_some(), "{reason:?}");
    for shards in [1_u64, 2, 3, 7, 64] {
        // Divided by a hash, and merged in any order.
        let shard_of = |image: &u64| (unit(*image * 17) * shards as f64) as u64;
        let parts = (0..shards).rev().map(|shard| {
            let images: Vec<u64> = (0..IMAGES).filter(|image| shard_of(image) == shard).collect();
            let mut part = new(images.len(), Some(&format!("{}/{shards}", shard + 1)));
            images.iter().for_each(|image| count(&mut part, *image));
            sent(&part)
        });
        let merged = Summary::merge(parts.collect()).unwrap();
        assert_eq!(merged.to_json().unwrap(), whole.to_json().unwrap(), "{shards} shards");
    }
}

#[test]
fn counts_are_of_images_and_come_most_frequent_first() {
    let mut summary = new(5, None);
    let mut seen = |path: &str, class: usize, proba: f64, label: usize| {
        let others = [5, 6, 7, 8].map(|class| (class, 0.01));
        let classes: Vec<(usize, f64)> = std::iter::once((class, proba)).chain(others).collect();
        let record = record(path, &classes, Some(label), 1000);
        summary.add(&[record.clone(), record], &[]);
    };
    seen("a", 2, 0.25, 2);
    seen("b", 1, 0.5, 1);
    seen("c", 1, 0.75, 8);
    seen("d", 1, 0.25, 3);
    summary.fail(failure("e", "the file is empty"));
    let json: Value = serde_json::from_str(&summary.to_json().unwrap()).unwrap();
    assert_eq!((summary.images, summary.explained, summary.failed), (5, 4, 1));
    assert_eq!(json["mean_proba"], 0.4375);
    assert_eq!(
        json["classes"],
        json!([
            { "target": 1, "class_name": "class 1", "count": 3, "mean_proba": 0.5 },
            { "target": 2, "class_name": "class 2", "count": 1, "mean_proba": 0.25 }
        ])
    );
    assert_eq!(
        json["accuracy"],
        json!({ "labelled": 4, "top1_correct": 2, "top5_correct": 3, "top1": 0.5, "top5": 0.75 })
    );
    let class = |target: usize| json!({ "target": target, "class_name": format!("class {target}") });
    assert_eq!(
        json["confusion"],
        json!([
            { "label": class(3), "predicted": class(1), "count": 1 },
            { "label": class(8), "predicted": class(1), "count": 1 }
        ])
    );
    assert_eq!(
        json["failures"],
        json!([{ "path": "e", "error": "the file is empty", "kind": "image", "hint": null }])
    );
}

#[test]
fn records_that_list_fewer_than_five_classes_say_nothing_of_the_first_five() {
    let mut summary = new(1, None);
    summary.add(&[record("a", &[(1, 0.5)], Some(1), 1000)], &[]);
    let accuracy = summary.accuracy.clone().unwrap();
    assert_eq!((accuracy.top1_correct, accuracy.top5_correct), (1, None));
    let mut many = new(1, None);
    many.add(&[record("b", &[1, 2, 3, 4, 5].map(|class| (class, 0.1)), Some(5), 6)], &[]);
    assert_eq!(many.accuracy.clone().unwrap().top5_correct, Some(1));
    assert_eq!(Summary::merge(vec![many, summary]).unwrap().accuracy.unwrap().top5_correct, None);
}

#[test]
fn among_five_classes_or_fewer_the_first_five_are_all_there_are() {
    for classes in [2, 5] {
        let mut few = new(1, None);
        let listed: Vec<(usize, f64)> = (0..classes).map(|class| (class, 0.1)).collect();
        few.add(&[record("a", &listed, Some(1), classes)], &[]);
        let accuracy = few.accuracy.unwrap();
        assert_eq!(
            (accuracy.top1_correct, accuracy.top5_correct, accuracy.top5),
            (0, None, None),
            "{classes}"
        );
    }
}

#[test]
fn numbers_and_single_classes_have_no_most_frequent_class() {
    let mut numbers = new(1, None);
    let mut record_of_numbers = record("a", &[(0, 0.5)], None, 1);
    record_of_numbers.predictions[0].proba = None;
    numbers.add(&[record_of_numbers], &[]);
    assert_eq!((numbers.mean_proba, numbers.classes.ranked().len()), (None, 0));
    let merged = Summary::merge(vec![numbers.clone(), numbers]).unwrap();
    assert_eq!(merged.mean_proba, None);
    let mut single = new(1, None);
    single.add(&[record("a", &[(0, 0.25)], None, 1)], &[]);
    assert_eq!((single.mean_proba, single.classes.ranked().len()), (Some(0.25), 0));
}

#[test]
fn only_the_first_thousand_failures_are_listed() {
    let mut parts: Vec<Summary> = vec![new(900, None), new(900, None)];
    for image in 0..1800 {
        parts[image % 2].fail(failure(&format!("{image:04}"), "damaged"));
    }
    parts[0].fail(failure("z", "damaged"));
    let whole = Summary::merge(parts).unwrap();
    assert_eq!((whole.failures.len(), whole.failures_omitted, whole.failed), (1000, 801, 1801));
    assert_eq!(whole.failures.last().unwrap().path, "0999");
}

#[test]
fn failures_come_in_the_order_in_which_directories_are_searched() {
    let (mut first, mut second) = (new(2, Some("1/2")), new(1, Some("2/2")));
    first.fail(failure("photos/a/z.png", "damaged"));
    first.fail(failure("photos/b.png", "damaged"));
    second.fail(failure("photos/a.png", "damaged"));
    let whole = Summary::merge(vec![first, second]).unwrap();
    let paths: Vec<&str> = whole.failures.iter().map(|failure| failure.path.as_str()).collect();
    assert_eq!(paths, ["photos/a/z.png", "photos/a.png", "photos/b.png"]);
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let shards = |names: &[Option<&str>]| names.iter().map(|name| new(0, *name)).collect::<Vec<_>>();
    let refused = |parts: Vec<Summary>| Summary::merge(parts).unwrap_err().to_string();
    assert!(refused(vec![]).contains("no summaries"));
    let text = refused(shards(&[Some("1/4"), Some("3/4"), Some("3/4")]));
    assert!(text.contains("2/4, 4/4 are missing") && text.contains("3/4 is there more than once"), "{text}");
    let text = refused(shards(&[Some("1/2"), Some("2/3")]));
    assert!(text.contains("1/2 and 2/3"), "{text}");
    let text = refused(shards(&[Some("1/1"), None]));
    assert!(text.contains("undivided"), "{text}");
    for wrong in ["0/2", "3/2", "1", "a/b", "1/99999999999"] {
        assert!(refused(shards(&[Some(wrong)])).contains(wrong), "{wrong}");
    }
    let text = refused(vec![new(0, None), Summary::new("other", "1", 0)]);
    assert!(text.contains("'made'") && text.contains("'other'"), "{text}");
    let text = refused(vec![new(0, None), Summary { burncam: "9.9.9".to_owned(), ..new(0, None) }]);
    assert!(text.contains("9.9.9"), "{text}");
}

#[test]
fn a_number_that_is_not_finite_never_leaves() {
    let mut summary = new(0, None);
    summary.took(0.0, 1);
    assert!(summary.to_json().is_ok());
    summary.took(f64::NAN, 1);
    assert!(summary.to_json().unwrap_err().to_string().contains("finite"));
}

#[test]
fn the_longest_shard_is_how_long_all_took() {
    let mut parts = vec![new(3, Some("1/2")), new(1, Some("2/2"))];
    for (part, seconds) in parts.iter_mut().zip([4.0, 2.0]) {
        (0..part.images as u64).for_each(|image| count(part, image));
        part.took(seconds, 1);
    }
    let whole = Summary::merge(parts).unwrap();
    assert_eq!(whole.run, RunTime { seconds: 4.0, explained: 2, images_per_second: 0.5 });
}

#[test]
fn images_that_are_predicted_only_count_where_predictions_do() {
    let ranked: Vec<Prediction> = [(0, 0.5), (1, 0.3)]
        .map(|(target, proba)| Prediction {
            proba: Some(proba),
            ..Prediction::new(target, format!("class {target}"))
        })
        .into();
    let label = LabelRecord { target: 1, class_name: "class 1".to_owned() };
    let mut only = Summary::new("made", "0", 2);
    only.selection = Some("label=top".to_owned());
    only.add_predicted(&PredictionRecord::new("made", "a.png", &ranked, &[label], 2), 9);
    only.add(&[record("b.png", &[(0, 0.7)], Some(0), 9)], &[]);
    assert_eq!((only.explained, only.predicted_only, only.mean_proba), (1, 1, Some(0.6)));
    let accuracy = only.accuracy.as_ref().unwrap();
    assert_eq!((accuracy.labelled, accuracy.top1_correct), (2, 1));
    assert_eq!(only.confusion.len(), 1);
    let merged = Summary::merge(vec![only.clone(), only.clone()]).unwrap();
    assert_eq!((merged.predicted_only, merged.mean_proba), (2, Some(0.6)));
    assert_eq!(merged.selection.as_deref(), Some("label=top"));
    let other = Summary { selection: None, ..only.clone() };
    assert_eq!(Summary::merge(vec![only, other]).unwrap().selection, None, "of parts that differ");
}
