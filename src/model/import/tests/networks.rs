//! Tests of the networks that weights are fitted to: architectures with Burn's names, and cards.

use super::*;
use crate::card::Filter;

/// A record as Burn 0.13 wrote it, in half precision and full of zeros, for an architecture in Burn's names.
fn write_record(path: &Path, arch: &str, classes: usize, rename: impl Fn(&str) -> String) {
    let mut item = serde_json::json!({});
    for (name, shape) in arch::build(arch, classes, None).unwrap().parameters {
        let mut place = &mut item;
        for part in rename(&name).split('.') {
            place = &mut place[part];
        }
        let zeros = vec![0; shape.iter().product()];
        *place = serde_json::json!({ "id": "a", "param": { "value": zeros, "shape": shape } });
    }
    let record = format!(r#"{{"metadata":{{"float":"half::binary16::f16"}},"item":{item}}}"#);
    std::fs::write(path, record).unwrap();
}

#[test]
fn a_record_fits_an_architecture_under_burns_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("squeeze.json");
    write_record(&path, "squeezenet1_1", 2, |name| format!("model.{name}"));
    let imported = import(&request(&path, "squeezenet1_1")).unwrap();
    assert!(imported.diagnosis.is_clean());
    assert_eq!(imported.tensors.len(), 52);

    let error = import(&request(&path, "squeezenet1_0")).unwrap_err().to_string();
    assert!(error.ends_with("(the weights fit ImportRequest::arch = squeezenet1_1)"), "{error}");
}

#[test]
fn modules_that_a_port_calls_otherwise_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port.json");
    write_record(&path, "squeezenet1_1", 2, |name| name.replacen("features.", "features.layers.", 1));
    let error = import(&request(&path, "squeezenet1_1")).unwrap_err().to_string();
    let expected = "'features.3.expand1x1.bias' [64] (did you mean 'features.layers.3.expand1x1.bias'?)";
    assert!(error.contains(expected), "{error}");
    assert!(error.ends_with("Modules with other names need a card, see ImportRequest::card)"), "{error}");
}

/// One pixel of three colours through a 1x1 convolution, a linear layer and three classes.
fn small_card() -> Card {
    let text = r#"{ "schema_version": 1, "name": "small", "graph": {
        "input": { "name": "input", "channels": 3, "height": 1, "width": 1 },
        "nodes": [
            { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "conv.weight" } },
            { "name": "flat", "op": "flatten", "inputs": ["conv"] },
            { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc.weight" } }],
        "output": "fc" }, "preprocess": { "resize": { "policy": "none" } }, "classes": ["a", "b", "c"],
        "source": { "license": "CC0-1.0" } }"#;
    Card::from_json(text).unwrap()
}

fn request_with(source: &str, card: Card) -> ImportRequest {
    let source = Path::new(FIXTURES).join(source);
    ImportRequest { source, card: Some(card), ..ImportRequest::default() }
}

#[test]
fn a_card_gives_pytorch_weights_their_network() {
    let asked = ImportRequest { allow_unused: true, ..request_with("state-dicts/zip.pth", small_card()) };
    let imported = import(&asked).unwrap();
    let fc = imported.tensors.iter().find(|tensor| tensor.name == "fc.weight").unwrap();
    assert_eq!(fc.shape.to_vec(), [2, 3], "turned from [3, 2]");
    let bytes: Vec<u8> = [0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(fc.to_bytes().unwrap()[..], bytes);
    assert_eq!(imported.warnings, ["2 tensors of the file are not used, for example 'norm.bias'"]);
    assert_eq!(imported.card.source.unwrap().license.as_deref(), Some("CC0-1.0"));

    let asked = ImportRequest {
        name: Some("other".into()),
        classes: ["x", "y", "z"].map(String::from).to_vec(),
        license: Some("MIT".into()),
        allow_unused: true,
        ..request_with("state-dicts/zip.pth", small_card())
    };
    let card = import(&asked).unwrap().card;
    assert_eq!((card.name.as_str(), card.classes[0].as_str()), ("other", "x"));
    assert_eq!(card.source.unwrap().license.as_deref(), Some("MIT"));
}

#[test]
fn a_card_that_does_not_fit_is_refused_before_anything_is_written() {
    let refused = |card: Card| {
        let asked = ImportRequest { allow_unused: true, ..request_with("state-dicts/zip.pth", card) };
        import(&asked).unwrap_err().to_string()
    };
    let mut card = small_card();
    card.classes.pop();
    assert_eq!(refused(card), "model 'zip.pth': its card names 2 classes, expected 3, one for each output");
    let mut card = small_card();
    card.graph.as_mut().unwrap().nodes[2].params.insert("bias".into(), "fc.bias".into());
    let error = refused(card);
    assert!(error.contains("the weights do not fit the card: 2 of 3 tensors fit, 1 missing"), "{error}");
    let mut card = small_card();
    card.graph.as_mut().unwrap().input.channels = 1;
    let error = refused(card);
    assert!(
        error.contains("node 'conv' (conv2d): its weight has shape [2, 3, 1, 1], which does not fit"),
        "{error}"
    );

    let asked = ImportRequest { num_classes: Some(3), ..request_with("state-dicts/zip.pth", small_card()) };
    let error = import(&asked).unwrap_err().to_string();
    assert_eq!(error, "number of classes: 3 was asked for, but the card's graph has its own (leave it out)");
}

#[test]
fn the_options_for_pictures_change_what_a_card_says() {
    let adjusted = |adjust: PreprocessRequest| {
        let base = request_with("state-dicts/zip.pth", small_card());
        import(&ImportRequest { allow_unused: true, adjust, ..base })
    };
    let imported = adjusted(PreprocessRequest::default()).unwrap();
    assert_eq!(imported.card.preprocess, small_card().preprocess);
    let about_pictures = imported.assumptions.iter().any(|line| line.to_string().contains("pictures"));
    assert!(!about_pictures, "the card says it");
    let changed = PreprocessRequest {
        color: Some(ColorOrder::Bgr),
        scale: Some(1.0),
        mean: Some(vec![1.0, 2.0, 3.0]),
        std: Some(vec![4.0, 5.0, 6.0]),
        ..PreprocessRequest::default()
    };
    let preprocess = adjusted(changed).unwrap().card.preprocess;
    assert_eq!((preprocess.color, preprocess.crop, preprocess.scale), (ColorOrder::Bgr, None, 1.0));
    assert_eq!((preprocess.mean, preprocess.std), (vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]));
    let resized = PreprocessRequest {
        resize: Some(ResizeRequest::ShortestSide(2)),
        filter: Some(Filter::Lanczos),
        ..PreprocessRequest::default()
    };
    let preprocess = adjusted(resized).unwrap().card.preprocess;
    assert_eq!(preprocess.resize, Resize::ShortestSide { size: 2, filter: Filter::Lanczos });
    assert_eq!(preprocess.output_size(), Some([1, 1]), "the graph's input is cut from it");
    let preset = PreprocessRequest { preset: Some(Preset::Caffe), ..PreprocessRequest::default() };
    assert_eq!(adjusted(preset).unwrap().card.preprocess.mean, [103.939, 116.779, 123.68]);
    let error = adjusted(PreprocessRequest { crop: Some([2, 2]), ..PreprocessRequest::default() })
        .unwrap_err()
        .to_string();
    assert_eq!(error, "input size: 2x2 was asked for, but the card's graph takes 1x1 (leave it out)");
}

#[test]
fn a_card_may_name_an_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lite.safetensors");
    write_weights(&path, "squeezenet1_1", 2, "", |_| 0.0);
    let card = Card {
        arch: Some("squeezenet1_1".into()),
        graph: None,
        classes: vec!["no".into(), "yes".into()],
        preprocess: Preprocess {
            color: ColorOrder::Bgr,
            ..arch::find("squeezenet1_1").unwrap().preprocess(None)
        },
        ..small_card()
    };
    let request = ImportRequest { source: path, card: Some(card), ..ImportRequest::default() };
    let card = import(&request).unwrap().card;
    assert_eq!((card.name.as_str(), card.classes.len(), card.arch), ("small", 2, None));
    assert!(card.graph.is_some() && card.preprocess.color == ColorOrder::Bgr);
}

#[test]
fn weights_need_one_network_that_is_known() {
    let source = Path::new(FIXTURES).join("state-dicts/zip.pth");
    let error = import(&ImportRequest { source, ..ImportRequest::default() }).unwrap_err().to_string();
    assert_eq!(
        error,
        "model 'zip.pth': its tensors are those of no architecture that is known here (export the network to \
         ONNX and import that, or describe it with ImportRequest::card = CARD.json)"
    );
    let both =
        ImportRequest { arch: Some("resnet18".into()), ..request_with("state-dicts/zip.pth", small_card()) };
    assert!(import(&both).unwrap_err().to_string().contains("both an architecture and a card were given"));
}
