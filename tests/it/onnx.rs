//! ONNX files: numbers as onnxruntime has them, names as the frameworks have them, and files that must be refused.

mod cases;
mod chain;

use std::path::Path;

use burncam::{Error, Model};
use burncam_model::import::{ImportRequest, Imported, ResizeRequest, import};

use crate::support::{Made, difference, files, fixture, made, npz};

/// Largest difference to onnxruntime, relative to the largest logit.
const TOLERANCE: f32 = 1e-4;

/// Those whose reference onnxruntime computed in 16 bits.
const HALF: [&str; 1] = ["half_opset13"];

/// Those that may be refused, for operations that no exporter of a convolutional classifier writes.
const RARE: [&str; 1] = ["rare_opset13"];

/// Imports a file; where it leaves the size open, for the size of its reference.
pub(crate) fn read(path: &Path) -> Result<Imported, Error> {
    let mut request = ImportRequest { source: path.to_path_buf(), ..ImportRequest::default() };
    let reference = path.with_extension("npz");
    if reference.exists() {
        request.adjust.crop = match npz(&reference, "input").0[..] {
            [_, 1 | 3, height, width] | [_, height, width, 1 | 3] => Some([height, width]),
            _ => None,
        };
    }
    import(&request)
}

/// What an import has assumed, a sentence a line.
fn said(imported: &Imported) -> String {
    imported.assumptions.iter().map(|assumption| format!("{assumption}\n")).collect()
}

/// The model of a file in `fixtures`.
pub(crate) fn model_of(file: &str) -> Made {
    let Imported { card, tensors, .. } = read(&fixture(file)).unwrap();
    made(&card, tensors)
}

fn imported(name: &str) -> Made {
    model_of(&format!("onnx/{name}.onnx"))
}

#[test]
fn every_tiny_file_gives_what_onnxruntime_gives() {
    let mut wrong = Vec::new();
    let files = files("onnx", &["onnx"]);
    assert!(files.len() > 30, "{}", files.len());
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let imported = match read(&path) {
            Ok(imported) => imported,
            Err(error) => {
                if !RARE.contains(&name.as_str()) {
                    wrong.push(error.to_string());
                }
                continue;
            }
        };
        let limit = if HALF.contains(&name.as_str()) { 2e-3 } else { TOLERANCE };
        wrong.extend(difference(&imported, &path, "logits", limit));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_imported_is_refused_with_a_reason() {
    let files = files("onnx/hostile", &["onnx"]);
    assert!(files.len() > 50, "{}", files.len());
    let started = std::time::Instant::now();
    for path in files {
        let Err(error) = read(&path) else { panic!("{} was imported", path.display()) };
        let error = error.to_string();
        assert!(!error.contains('\n') && error.len() < 500, "{error}");
    }
    // Each is a few bytes; none may make the importer work for long.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

/// How the time grows is `cargo bench --bench import`'s to show.
#[test]
fn a_graph_of_12_000_nodes_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("long.onnx");
    std::fs::write(&source, chain::classifier(750)).unwrap();
    assert!(750 * chain::BLOCK[0] + chain::AROUND > 12_000);
    let Imported { card, .. } = read(&source).unwrap();
    let nodes = card.graph.unwrap().nodes;
    assert_eq!(nodes.len(), 750 * chain::BLOCK[1] + chain::AROUND);
    let kinds: std::collections::BTreeSet<String> = nodes.iter().map(|node| node.op.name()).collect();
    let expected =
        ["add", "batch_norm", "conv2d", "flatten", "gelu", "global_avg_pool", "hard_swish", "linear", "relu"];
    assert!(kinds.iter().eq(&expected), "{kinds:?}");
}

fn names(model: &Model) -> Vec<String> {
    model.layers().into_iter().map(|layer| layer.name).collect()
}

#[test]
fn both_of_pytorchs_exporters_give_the_modules_own_names() {
    let [legacy, dynamo] = ["legacy_open_sizes", "dynamo_open_sizes"].map(imported);
    // One writes a chunk as slices, the other as a split that it says nothing about.
    let common = |made: &Made| {
        let mut names = names(&made.model);
        names.retain(|name| !name.contains("slice") && !name.contains("split"));
        names
    };
    assert_eq!(common(&legacy), common(&dynamo));
    let found = names(&legacy.model);
    for name in [
        "stem.0",
        "layer1.0.conv",
        "layer1.0.se.3",
        "layer1.0.add",
        "layer2.0.norm",
        "layer2.0.mlp.1",
        "groups",
        "head.1",
    ] {
        assert!(found.iter().any(|other| other == name), "{name} is not among {found:?}");
    }
    let op = |name: &str| legacy.model.layers().into_iter().find(|layer| layer.name == name).unwrap().op;
    // What the exporter took apart is one operation again.
    for (name, expected) in [
        ("layer1.0.act", "hard_swish"),
        ("layer2.0.norm", "layer_norm"),
        ("layer2.0.mlp.1", "gelu"),
        ("groups", "group_norm"),
    ] {
        assert_eq!(op(name), expected, "{name}");
    }
}

#[test]
fn keras_layers_keep_their_names_and_channels_come_first() {
    let Made { model, .. } = &imported("keras_opset9");
    let found = names(model);
    for name in [
        "rescaling",
        "normalization",
        "conv1",
        "conv1_relu",
        "block1_bn",
        "block1_add",
        "mixed",
        "block2_dw",
        "predictions",
    ] {
        assert!(found.iter().any(|other| other == name), "{name} is not among {found:?}");
    }
    assert!(!model.layers().iter().take(12).any(|layer| layer.op == "transpose"), "{found:?}");
    let layout = |model: &Model| serde_json::to_value(model.graph().input.layout).unwrap();
    assert_eq!(layout(model), "channels-last");
    assert_eq!(layout(&imported("keras_named_opset15").model), "channels-last");
    assert_eq!(layout(&imported("keras_named_first_opset15").model), "channels-first");
}

#[test]
fn values_with_channels_last_are_maps_too() {
    let Made { model, .. } = &imported("dynamo");
    let layers = model.layers();
    let find = |name: &str| layers.iter().find(|layer| layer.name == name).unwrap();
    // [1, 5, 5, 8] inside a ConvNeXt block, and [1, 8, 5, 5] around it.
    let grid =
        |name: &str| find(name).grid.map(|grid| (grid.channels, grid.height, grid.width, grid.is_certain));
    assert_eq!(grid("layer2.0.add"), Some((8, 5, 5, true)));
    let [_, height, width, channels] = find("layer2.0.mlp.1").shape[..] else { panic!("four axes") };
    assert_eq!(grid("layer2.0.mlp.1"), Some((channels, height, width, true)));
    assert!(find("layer2.0.mlp.1").explainable && find("layer2.0.add").explainable);
}

#[test]
fn what_the_file_does_not_say_is_assumed_out_loud() {
    let assumed = |name: &str| said(&read(&fixture(&format!("onnx/{name}.onnx"))).unwrap());
    assert!(assumed("legacy_fixed_batch").contains("preset 'imagenet'"), "{}", assumed("legacy_fixed_batch"));
    assert!(assumed("keras_opset9").contains("the graph normalises its input itself: preset 'raw'"));
    // What the converter calls nodes by is all that the file says of Keras.
    let named = assumed("keras_named_opset15");
    assert!(
        named.contains("a model in it is called 'resnet50v2': preset 'tf' (stretched to 12x10"),
        "{named}"
    );
    let named = assumed("keras_named_first_opset15");
    assert!(named.contains("a model in it is called 'resnet50': preset 'caffe' (stretched"), "{named}");
    let request =
        ImportRequest { source: fixture("onnx/legacy_open_sizes.onnx"), ..ImportRequest::default() };
    let open = said(&import(&request).unwrap());
    assert!(open.contains("224x224 is assumed"), "{open}");
}

#[test]
fn preprocessing_is_what_was_asked_for() {
    let mut request =
        ImportRequest { source: fixture("onnx/legacy_open_sizes.onnx"), ..ImportRequest::default() };
    request.adjust.preset = Some("caffe".parse().unwrap());
    request.adjust.crop = Some([32, 48]);
    request.adjust.resize = Some(ResizeRequest::ShortestSide(40));
    request.adjust.mean = Some(vec![1.0, 2.0, 3.0]);
    let Imported { card, assumptions, .. } = import(&request).unwrap();
    assert!(assumptions.iter().all(|sentence| !sentence.to_string().contains("preset")), "{assumptions:?}");
    let expected = r#"{ "resize": { "policy": "shortest-side", "size": 40 }, "crop": { "policy": "center", "height": 32, "width": 48 },
        "color": "bgr", "scale": 1.0, "mean": [1.0, 2.0, 3.0] }"#;
    assert_eq!(card.preprocess, serde_json::from_str(expected).unwrap());
    let input = &card.graph.unwrap().input;
    assert_eq!([input.height, input.width], [32, 48]);
}
