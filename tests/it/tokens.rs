//! Transformers: layers whose cells are tokens, against pytorch-grad-cam with its `reshape_transform`.
//!
//! `fixtures/scripts/tokens.py` made the networks and ran the library.

use burncam::internal::{MapRequest, Scene};
use burncam::{Finish, LayerRequest, Library, Method, Model, Options, Score, Smoothing};
use burncam_engine::Network;
use burncam_model::Form;

use crate::onnx::{array, read};
use crate::support::{Made, distance, fixture, made};

/// Name, form, and rows and columns.
const NETWORKS: [(&str, Form, [usize; 2]); 4] = [
    ("vit", Form::Tokens { prefix: 1 }, [5, 6]),
    ("deit_distilled", Form::Tokens { prefix: 2 }, [5, 6]),
    ("dinov2_registers", Form::Tokens { prefix: 5 }, [5, 6]),
    ("vit_average", Form::Tokens { prefix: 0 }, [5, 6]),
];

/// The methods whose maps the library made.
const METHODS: [&str; 6] = ["gradcam", "gradcampp", "layercam", "hirescam", "xgradcam", "scorecam"];

fn network(name: &str) -> Made {
    let imported = read(&fixture(&format!("tokens/{name}.onnx"))).unwrap();
    made(&imported.card, imported.tensors)
}

fn map(model: &Model, method: Method, input: &[f32], options: &Options) -> Vec<f32> {
    let layer = model.choose_layer(&LayerRequest::Auto).unwrap();
    let network = Network::load(model, &[layer.index], &burncam::DeviceName::default()).unwrap();
    let mut scene = Scene::new(&network, input).unwrap();
    let (methods, classes, score) = (&[method], &[1], Score::Logit);
    let (finish, smoothing) = (Finish::default(), Smoothing::default());
    let request = MapRequest { methods, classes, score, finish, smoothing, options };
    scene.class_maps(&request).unwrap()[0][0].map.values().to_vec()
}

#[test]
fn the_layer_and_its_grid_are_found_without_being_asked_for() {
    for (name, form, [height, width]) in NETWORKS {
        let Made { model, .. } = &network(name);
        let layer = model.choose_layer(&LayerRequest::Auto).unwrap();
        assert!(layer.name.contains("blocks.1.norm1"), "{name}: {layer:?}");
        let grid = model.grid(layer.index).unwrap();
        assert_eq!((grid.form, grid.height, grid.width), (form, height, width), "{name}");
    }
}

#[test]
fn maps_of_tokens_are_those_of_pytorch_grad_cam() {
    let mut options = Options::default();
    options.library = Some(Library::PytorchGradCam);
    for (name, ..) in NETWORKS {
        let Made { model, .. } = &network(name);
        let arrays = fixture(&format!("tokens/{name}.npz"));
        let input = array(&arrays, "input").1;
        for method in METHODS {
            let found = map(model, method.parse().unwrap(), &input, &options);
            let far = distance(&found, &array(&arrays, method).1);
            assert!(far < 1e-4, "{name}, {method}: {far}");
        }
    }
}

/// Methods that the library cannot run on tokens, or that are not in it, give a map of the grid's size.
#[test]
fn every_method_of_a_layer_works_on_tokens() {
    let Made { model, .. } = &network("deit_distilled");
    let input = array(&fixture("tokens/deit_distilled.npz"), "input").1;
    let mut options = Options::default();
    options.samples = Some(2);
    // The first needs a linear head, the second several layers, the third ReLUs.
    let others = ["cam", "refinecam", "guidedgradcam"];
    let is_tried = |method: &&Method| method.info().uses_layer && !others.contains(&method.info().name);
    let mut marked = 0;
    for method in Method::ALL.iter().filter(is_tried) {
        let found = map(model, *method, &input, &options);
        assert_eq!(found.len(), 30, "{}", method.info().name);
        marked += usize::from(found.iter().any(|value| *value != 0.0));
    }
    assert!(marked > 10, "only {marked} maps are not blank");
}
