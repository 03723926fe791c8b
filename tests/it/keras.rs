//! Keras models: numbers as Keras has them, in the forms of both generations, and files that must be refused.

use burncam::Model;
use burncam_graph::card::{ColorOrder, OutputKind};
use burncam_model::import::{ImportRequest, Imported, import};

use crate::messages::has_heading;
use crate::onnx::{model_of, read};
use crate::support::{Made, difference, distance, evidence, files, fixture, made, magnitude, npz, picture};

/// Largest difference to Keras, relative to the largest output.
const TOLERANCE: f32 = 2e-6;

const ENDINGS: [&str; 2] = ["keras", "h5"];

fn imported(name: &str) -> Made {
    model_of(&format!("keras/{name}"))
}

fn names(model: &Model) -> Vec<String> {
    model.layers().into_iter().map(|layer| layer.name).collect()
}

#[test]
fn every_tiny_model_gives_what_keras_gives() {
    let files = files("keras", &ENDINGS);
    assert!(files.len() > 35, "{}", files.len());
    let mut wrong = Vec::new();
    for path in files {
        match read(&path) {
            Ok(imported) => wrong.extend(difference(&imported, &path, "output", TOLERANCE)),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn layers_keep_their_names_also_inside_of_other_models() {
    for file in ["nested.keras", "nested_h5.h5", "keras2_nested_h5.h5", "new_format.h5"] {
        let Made { model, .. } = &imported(file);
        let found = names(model);
        let expected =
            ["conv", "inner/inner_conv/conv2d", "inner/inner_conv", "inner/norm", "inner/norm_1", "twice"];
        for name in expected.iter().chain(&["tail/conv_tail", "tail/pool_tail", "scores"]) {
            assert!(found.iter().any(|other| other == name), "{file}: {name} is not among {found:?}");
        }
        assert_eq!(model.output().gives, OutputKind::Softmax, "{file}");
        assert!(model.has_activation(), "{file}: the softmax is the network's own");
    }
}

#[test]
fn layers_over_a_signal_are_maps_of_one_row() {
    for file in ["signals.keras", "signals_h5.h5", "keras2_signals.h5"] {
        let Made { model, .. } = &imported(file);
        assert!(model.graph().input.is_signal(), "{file}");
        for (name, steps) in [("stem_relu", 40), ("halves", 20), ("block", 20), ("last", 10)] {
            let layer = model.layers().into_iter().find(|layer| layer.name == name);
            let layer = layer.unwrap_or_else(|| panic!("{file}: {name} is not there"));
            let grid = layer.grid.unwrap_or_else(|| panic!("{file}: {name} is no map, {:?}", layer.shape));
            assert!(layer.explainable && [grid.height, grid.width] == [1, steps], "{file}: {name} {grid}");
        }
        // Two layers read what the pool gives, one of them without its axis of rows: the name is the node's that both read.
        let pool = model.layers().into_iter().find(|layer| layer.name == "halves").unwrap();
        assert_eq!(pool.op, "max_pool2d", "{file}");
    }
}

/// Before ReLU, for class 1, from TensorFlow's gradients.
#[test]
fn grad_cam_equals_tensorflows() {
    let Made { model, .. } = &imported("convolutions.keras");
    let reference = fixture("keras/convolutions.npz");
    let input = picture(model, &reference);
    for layer in ["stem", "last"] {
        let found = evidence(model, layer, 1, &input, "flex");
        let cells = found.activations.height * found.activations.width;
        let channels = found.activations.values.chunks(cells).zip(found.gradients.values.chunks(cells));
        let mut map = vec![0.0; cells];
        for (activations, gradients) in channels {
            let weight = gradients.iter().sum::<f32>() / cells as f32;
            map.iter_mut().zip(activations).for_each(|(sum, activation)| *sum += weight * activation);
        }
        let (shape, expected) = npz(&reference, &format!("cam_{layer}"));
        assert_eq!(shape, [found.activations.height, found.activations.width]);
        let difference = distance(&map, &expected) / magnitude(&expected);
        assert!(difference < TOLERANCE, "{layer}: differs by {difference:e}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let table = [
        ("custom.keras", "'Twice' (1 layer, first 'mine')"),
        ("digits.keras", "its input 'digit' is a picture without an axis of channels"),
        ("lambda.keras", "'Lambda' (1 layer, first 'code')"),
        ("monte_carlo.h5", "node 'always' (Dropout): is called with training=True"),
        ("only.weights.h5", "holds the weights of a Keras model without the network"),
        (
            "table.keras",
            "its input 'numbers' has the shape [null,8], expected [batch, height, width, channels]",
        ),
        ("two_inputs.keras", "has 2 inputs (picture, second), expected one picture"),
    ];
    assert_eq!(table.len(), files("keras/refused", &ENDINGS).len());
    for (file, expected) in table {
        let error = read(&fixture(&format!("keras/refused/{file}"))).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        assert!(has_heading(&error), "docs/troubleshooting.md has no heading for {error}");
    }
}

#[test]
fn what_is_no_whole_model_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read(&path).unwrap_err().to_string()
    };
    let whole = std::fs::read(fixture("keras/convolutions_h5.h5")).unwrap();
    let error = refused("a.h5", &whole[..whole.len() / 2]);
    assert!(error.contains("was it copied or downloaded to its end?"), "{error}");
    let error = refused("b.h5", &whole[..16]);
    assert!(error.contains("has a structure that ends too early"), "{error}");
    let whole = std::fs::read(fixture("keras/convolutions.keras")).unwrap();
    let error = refused("c.keras", &whole[..whole.len() / 2]);
    assert!(error.contains("model 'c.keras'"), "{error}");
}

#[test]
fn a_model_of_keras_3_that_rescales_its_input_is_read() {
    let Made { model, .. } = &model_of("cases/import/keras3.keras");
    assert_eq!((model.num_classes(), model.output().gives), (5, OutputKind::Softmax));
    let found = names(model);
    for name in ["rescaling", "batch_normalization", "separable_conv2d", "max_pooling2d", "dense"] {
        assert!(found.iter().any(|other| other == name), "{name} is not among {found:?}");
    }
}

#[test]
fn how_pictures_are_prepared_is_said_or_assumed_out_loud() {
    let source = fixture("keras/norms.keras");
    let said = |request: &ImportRequest| {
        let Imported { card, assumptions, .. } = import(request).unwrap();
        let said: String = assumptions.iter().map(|assumption| format!("{assumption}\n")).collect();
        (card.preprocess, said)
    };
    let request = ImportRequest { source, ..ImportRequest::default() };
    let (own, reason) = said(&request);
    assert_eq!((own.scale, own.mean.len()), (1.0, 0));
    assert!(reason.contains("the graph normalises its input itself: preset 'raw'"), "{reason}");
    let source = fixture("keras/merges.keras");
    let mut request = ImportRequest { source, ..ImportRequest::default() };
    let (usual, reason) = said(&request);
    assert_eq!((usual.scale, &usual.mean[..]), (1.0 / 127.5, &[1.0; 3][..]));
    assert!(reason.contains("a Keras file does not say how pictures are prepared: preset 'tf'"), "{reason}");
    request.adjust.preset = Some("keras-caffe".parse().unwrap());
    let (caffe, reason) = said(&request);
    assert_eq!((caffe.color, caffe.scale), (ColorOrder::Bgr, 1.0));
    assert!(!reason.contains("preset"), "{reason}");
}

#[test]
fn an_inner_layer_can_be_the_output() {
    let source = fixture("keras/sequential.keras");
    let request = ImportRequest { source, output_name: Some("hidden".into()), ..ImportRequest::default() };
    let Imported { card, tensors, .. } = import(&request).unwrap();
    assert_eq!(made(&card, tensors).model.num_classes(), 6);
    let wrong = ImportRequest { output_name: Some("hiden".into()), ..request };
    let error = import(&wrong).unwrap_err().to_string();
    assert!(
        error.contains("has no output 'hiden' (did you mean 'hidden'?); its outputs are score"),
        "{error}"
    );
}
