//! The page's data for typical records.

use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use serde_json::{Value, json};

use super::packed::tests::unpacked;
use super::*;

mod browser;
mod embedded;

const GRADCAM: &str = "Grad-CAM";

/// A class of the records below.
type Class<'a> = (usize, &'a str, f64);

fn settings() -> Value {
    json!({
        "method": "gradcam", "score": "logit", "aggregate": null, "smooth": [], "signed": false,
        "counterfactual": false, "compat": null,
        "options": { "seed": 0, "samples": null, "noise": null, "patch": null, "stride": null },
        "request": null, "device": "flex", "engine": "native", "precision": "f32", "burncam": "0", "burn": "0",
        "style": {
            "overlay": "alpha", "opacity": 0.6, "colormap": "viridis", "interpolation": "bilinear",
            "threshold": "0.5", "components": "largest",
        },
    })
}

/// A record with `classes` as predictions, the first `targets` of them explained.
pub(super) fn record(path: &Path, method: &str, classes: &[Class<'_>], targets: usize) -> Record {
    let stem = path.file_stem().unwrap().to_string_lossy();
    let class = |(target, name, proba): &Class<'_>| json!({ "target": target, "class_name": name, "proba": proba, "logit": 1.0 });
    let target = |(rank, (target, name, proba)): (usize, &Class<'_>)| {
        json!({
            "target": target, "class_name": name, "score": 1.0, "proba": proba, "logit": 1.0, "rank": rank + 1,
            "heatmap": [[1.0]], "map": { "height": 1, "width": 1, "scale": 1.0 }, "raw": [], "normalization": "",
            "boxes": [{ "left": 10, "top": 20, "right": 40, "bottom": 60, "area": 5, "peak": 1.0, "mean": 0.5 }],
            "finding": null,
            "artifacts": [
                { "kind": "heatmap", "file": format!("{stem}.{method}.{target}.heatmap.png") },
                { "kind": "overlay", "file": format!("{stem}.{method}.{target}.png") },
            ],
        })
    };
    let value = json!({
        "schema_version": 2, "estimator": "net", "description": "", "error": "", "method": method,
        "is_regression": false,
        "targets": classes.iter().take(targets).enumerate().map(target).collect::<Vec<_>>(),
        "input": {
            "path": path.to_string_lossy(), "sha256": "", "format": "jpeg", "width": 120, "height": 90,
            "exif_orientation": 1,
        },
        "network_input": {
            "channels": 3, "height": 1, "width": 1, "preprocess": null,
            "covers": { "left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0 },
        },
        "model": { "name": "net", "file": "net.bpk", "sha256": "", "num_classes": 9, "source": null },
        "layers": [{
            "name": "top", "index": 3, "op": "relu", "channels": 8, "height": 7, "width": 5, "reason": "",
            "alternatives": [],
        }],
        "predictions": classes.iter().map(class).collect::<Vec<_>>(),
        "label": null, "warnings": [],
        "settings": settings(),
    });
    serde_json::from_value(value).unwrap()
}

/// Names of the keys of a card that its rest does not repeat, and their places.
const KEYS: &[(&str, usize)] =
    &[("path", 0), ("error", 1), ("label", 2), ("given", 3), ("agreement", 6), ("outside", 7)];

/// The data as the page's script reads it: what holds for the page, and under `cards` keys and rest of each card together.
fn data(page: Page) -> Value {
    let (head, mut document) = (page.head().unwrap(), vec![]);
    page.document(&head, "", &mut document).unwrap();
    let document = String::from_utf8(document).unwrap();
    let part = |id: &str| {
        let (_, rest) = document.split_once(&format!("<script id=\"{id}\" type=\"text/plain\">")).unwrap();
        rest.split_once("</script>").unwrap().0
    };
    let text = unpacked(part("data"));
    let (head, keys) = text.split_once('\n').unwrap();
    let mut data: Value = serde_json::from_str(head).unwrap();
    let keys: Vec<Value> = serde_json::from_str(keys).unwrap();
    let packs: Vec<String> = part("cards").lines().map(unpacked).collect();
    assert!(
        packs.iter().rev().skip(1).all(|pack| pack.lines().count() == cards::PACK),
        "whole packs but for the last"
    );
    let rests = packs.iter().flat_map(|pack| pack.lines());
    let card = |(keys, rest): (&Value, &str)| {
        let mut card: Value = serde_json::from_str(rest).unwrap();
        for (name, at) in KEYS.iter().filter(|(_, at)| !keys[at].is_null()) {
            card[name] = keys[at].clone();
        }
        card
    };
    data["cards"] = keys.iter().zip(rests).map(card).collect();
    assert_eq!(data["cards"].as_array().unwrap().len(), keys.len());
    data
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/images").join(name)
}

#[test]
fn methods_and_targets_of_a_picture_share_its_card() {
    let mut page = Page::new("net", Path::new("o/report.html")).unwrap();
    let classes = [(4, "cat, feline", 0.75), (2, "dog", 0.2)];
    let mut labelled = record(Path::new("p/a.jpg"), GRADCAM, &classes, 2);
    labelled.label = serde_json::from_value(json!({ "target": 2, "class_name": "dog" })).unwrap();
    page.add(&labelled, Path::new("o/p"), None);
    page.add(&record(Path::new("p/a.jpg"), "LayerCAM", &classes, 1), Path::new("o/p"), None);
    page.add(&record(Path::new("p/b.jpg"), GRADCAM, &classes, 1), Path::new("o/p"), None);
    page.fail("p/c.jpg", "image 'p/c.jpg': the file is empty");
    let data = data(page);
    assert_eq!(data["classes"], json!([[4, "cat, feline"], [2, "dog"]]));
    assert_eq!(data["methods"], json!([GRADCAM, "LayerCAM"]));
    assert_eq!(data["layers"], json!(["top (8x7x5)"]));
    let [a, b, c] = &data["cards"].as_array().unwrap()[..] else { panic!("three cards") };
    assert_eq!(
        (&a["path"], &a["label"], &a["top"]),
        (&json!("p/a.jpg"), &json!(1), &json!([[0, 0.75], [1, 0.2]]))
    );
    let views: Vec<_> =
        a["views"].as_array().unwrap().iter().map(|v| (&v["method"], &v["at"], &v["class"])).collect();
    // A zero is left out where most are one.
    let [zero, one, none] = [json!(0), json!(1), json!(null)];
    assert_eq!(views, [(&none, &none, &zero), (&none, &one, &one), (&one, &none, &zero)]);
    let files = json!([[0, "p/a.Grad-CAM.4.png"], [1, "p/a.Grad-CAM.4.heatmap.png"]]);
    assert_eq!(
        (&a["views"][0]["files"], &data["kinds"]),
        (&files, &json!(["overlay", "heatmap"])),
        "what is shown first"
    );
    assert_eq!(a["views"][0]["shown"], true);
    assert_eq!(a["views"][0]["boxes"], json!([[10, 20, 40, 60]]));
    assert!(a["original"].is_null(), "no link to a photo that is not there");
    assert_eq!(b["views"].as_array().unwrap().len(), 1);
    assert_eq!(c, &json!({ "path": "p/c.jpg", "error": "image 'p/c.jpg': the file is empty" }));
}

#[test]
fn the_method_with_most_heat_outside_of_the_boxes_counts() {
    let mut page = Page::new("net", Path::new("report.html")).unwrap();
    for (path, shares) in
        [("a.jpg", [Some(0.25), Some(0.75)]), ("b.jpg", [None, Some(0.5)]), ("c.jpg", [None; 2])]
    {
        for (method, share) in [GRADCAM, "LayerCAM"].into_iter().zip(shares) {
            page.add(&record(Path::new(path), method, &[(4, "cat", 0.75)], 1), Path::new(""), None);
            page.heat_outside(share);
        }
    }
    let data = data(page);
    let shares = [0, 1, 2].map(|at| data["cards"][at]["outside"].clone());
    assert_eq!(shares, [json!(0.75), json!(0.5), Value::Null]);
}

#[test]
fn a_finding_is_told_once_and_other_warnings_stay() {
    let mut page = Page::new("net", Path::new("report.html")).unwrap();
    let mut record = record(Path::new("a.jpg"), GRADCAM, &[(4, "cat", 0.75)], 1);
    record.targets[0].finding = Some("the map is flat".into());
    record.warnings = vec!["cat: the map is flat".into(), "two tensors were not used".into()];
    page.add(&record, Path::new(""), None);
    let data = data(page);
    assert_eq!(data["notes"], json!(["the map is flat", "two tensors were not used"]));
    assert_eq!(data["cards"][0]["views"][0]["blank"], 0);
    assert_eq!(data["cards"][0]["views"][0]["notes"], json!([1]));
}

#[test]
fn what_a_detector_and_a_segmentation_found_is_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let new_page = || Page::new("net", &folder.path().join("report.html")).unwrap();
    let mut page = new_page();
    let mut boxes = record(Path::new("a.jpg"), GRADCAM, &[(4, "cat", 0.75)], 1);
    boxes.model.task = Some(Task::Detection);
    boxes.targets[0].box_number = Some(1);
    boxes.detections = serde_json::from_value(json!([
        { "number": 1, "target": 4, "class_name": "cat", "proba": 0.75, "left": -2.5, "top": 1.0, "right": 40.0, "bottom": 60.0 },
        { "number": 2, "target": 7, "class_name": "dog", "proba": 0.3, "left": 5.0, "top": 6.0, "right": 7.0, "bottom": 8.0 },
    ]))
    .unwrap();
    page.add(&boxes, folder.path(), None);
    let found = data(page);
    assert_eq!((&found["task"], &found["cards"][0]["views"][0]["box"]), (&json!("detection"), &json!(1)));
    let expected = json!([[0, 0.75, [-2.5, 1.0, 40.0, 60.0]], [1, 0.3, [5.0, 6.0, 7.0, 8.0]]]);
    assert_eq!(found["cards"][0]["found"], expected);

    let mut page = new_page();
    let mut pixels = record(Path::new("b.jpg"), GRADCAM, &[(4, "cat", 0.75)], 1);
    for class in &mut pixels.predictions {
        (class.proba, class.share) = (None, Some(0.25));
    }
    let target = &mut pixels.targets[0];
    (target.proba, target.share, target.score, target.pixels) = (None, Some(0.25), 1234.5, Some(1000));
    let mask = json!({ "kind": "mask-of-class", "file": "b.mask.png" });
    target.artifacts.push(serde_json::from_value(mask).unwrap());
    RgbImage::new(4, 4).save(folder.path().join("b.mask.png")).unwrap();
    page.add(&pixels, folder.path(), None);
    let found = data(page);
    let view = &found["cards"][0]["views"][0];
    // Shares, and not the sum of logits, which would be shown as a probability.
    assert_eq!((&found["shares"], &found["cards"][0]["top"]), (&json!(true), &json!([[0, 0.25]])));
    assert_eq!((&view["proba"], &view["pixels"]), (&json!(0.25), &json!(1000)));
    assert!(view["mask"].as_str().unwrap().starts_with("data:image/"), "{view}");
}

#[test]
fn equal_runs_give_equal_pages_and_nothing_is_overwritten_without_leave() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("deep/report.html");
    let write = |overwrite| {
        let mut page = Page::new("net", &to).unwrap();
        for name in ["coffee.png", "chelsea.png", "rocket.jpg"] {
            page.add(&record(&fixture(name), GRADCAM, &[(4, "cat", 0.75)], 1), folder.path(), None);
        }
        page.write(overwrite, &Summary::new("net", "", 0))
    };
    write(false).unwrap();
    let first = fs::read(&to).unwrap();
    let error = write(false).unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    write(true).unwrap();
    assert_eq!(fs::read(&to).unwrap(), first);
}

/// The summary of three pictures of two classes, one of them with markup in its name.
fn summary_of_three() -> Summary {
    let label = |target: usize, name: &str| json!({ "target": target, "class_name": name });
    let mut whole: Value = serde_json::from_str(&Summary::new("net", "", 3).to_json().unwrap()).unwrap();
    whole["explained"] = json!(3);
    whole["labels"] = json!([
        { "label": label(1, "cat"), "count": 2, "correct": 1 }, { "label": label(2, "<b>dog"), "count": 1, "correct": 1 }
    ]);
    whole["confusion"] = json!([{ "label": label(1, "cat"), "predicted": label(2, "<b>dog"), "count": 1 }]);
    let mut mean = vec![vec![0.0; 14]; 14];
    mean[3][4] = 0.5;
    whole["heat"] = json!([{
        "method": "gradcam", "maps": 3, "border": 0.125, "border_area": 0.36, "centre": [0.25, 0.75],
        "objects": { "maps": 2, "energy": 0.5, "area": 0.25, "missed": 1 },
        "classes": [{ "target": 2, "class_name": "<b>dog", "maps": 3, "border": 0.125, "centre": [0.25, 0.75], "mean": mean }],
        "wrong_reasons": [{ "explained": label(2, "<b>dog"), "on": label(1, "cat"), "count": 1, "energy": 0.0, "area": 0.25 }]
    }]);
    serde_json::from_value(whole).unwrap()
}

#[test]
fn the_overview_has_means_mistakes_and_wrong_reasons_and_takes_names_as_text() {
    let summary = summary_of_three();
    let section = overview::section(&summary).unwrap();
    for expected in [
        "All 3 pictures together",
        "<td>12.5 % <span class=\"quiet\">of 36.0 %</span></td><td>0.25, 0.75</td>",
        "<td>50.0 % <span class=\"quiet\">of 25.0 %</span></td><td>1 <span class=\"quiet\">of 2</span></td>",
        "<tr><th>cat</th><td><button type=\"button\" data-label=\"1\">2</button></td><td>50.0 %</td>\
         <td><button type=\"button\" data-label=\"1\" data-only=\"mistakes\">1</button></td><td>100.0 %</td>\
         <td class=\"text\">&lt;b&gt;dog <button type=\"button\" data-label=\"1\" data-predicted=\"2\">1</button></td></tr>",
        "<td>100.0 %</td><td></td><td>50.0 %</td><td class=\"text\"></td></tr>",
        "<tr><th>1. cat</th><td class=\"right\"><button type=\"button\" data-label=\"1\" data-predicted=\"1\">1</button></td>\
         <td><button type=\"button\" data-label=\"1\" data-predicted=\"2\">1</button></td><td></td>",
        "<tr><th>2. &lt;b&gt;dog</th><td></td><td class=\"right\"><button",
        "<tr><th>&lt;b&gt;dog</th><td class=\"text\">cat</td><td>1</td>",
    ] {
        assert!(section.contains(expected), "{expected} in {section}");
    }
    assert!(!section.contains("<b>"));
    let (_, picture) = section.split_once("data:image/png;base64,").unwrap();
    let bytes = data_encoding::BASE64.decode(picture.split_once('"').unwrap().0.as_bytes()).unwrap();
    let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
    let inferno = |value: f32| burncam_picture::render::Colormap::Inferno.color(value);
    assert_eq!(
        (picture.dimensions(), picture[(4, 3)].0, picture[(3, 4)].0),
        ((14, 14), inferno(1.0), inferno(0.0))
    );
    assert_eq!(
        overview::section(&Summary { explained: 1, ..summary }).unwrap(),
        "",
        "one picture has no overview"
    );
}
