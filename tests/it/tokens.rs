//! Transformers: layers whose cells are tokens, against pytorch-grad-cam with its `reshape_transform`.
//!
//! `fixtures/scripts/tokens.py` made the networks and ran the library.

use burncam::internal::{MapRequest, Scene};
use burncam::{Explainer, Finish, LayerRequest, Library, Method, Model, Options, Request, Score, Smoothing};
use burncam_engine::Network;
use burncam_graph::card::Task;
use burncam_model::Form;
use burncam_model::import::Imported;

use crate::check::npy;
use crate::onnx::{model_of, read};
use crate::support::{Made, distance, fixture, made, npz};

/// Name, form, rows and columns, and the first norm of the last block.
const NETWORKS: [(&str, Form, [usize; 2], &str); 6] = [
    ("vit", Form::Tokens { prefix: 1 }, [5, 6], "blocks.1.norm1"),
    ("deit_distilled", Form::Tokens { prefix: 2 }, [5, 6], "blocks.1.norm1"),
    ("dinov2_registers", Form::Tokens { prefix: 5 }, [5, 6], "blocks.1.norm1"),
    ("vit_average", Form::Tokens { prefix: 0 }, [5, 6], "blocks.1.norm1"),
    ("swin_torchvision", Form::ChannelsLast, [4, 6], "features.3.1.norm1"),
    ("swin_timm", Form::ChannelsLast, [4, 6], "layers.1.blocks.1.norm1"),
];

/// The methods whose maps the library made.
const METHODS: [&str; 6] = ["gradcam", "gradcampp", "layercam", "hirescam", "xgradcam", "scorecam"];

fn network(name: &str) -> Made {
    model_of(&format!("tokens/{name}.onnx"))
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
    for (name, form, [height, width], norm) in NETWORKS {
        let Made { model, .. } = &network(name);
        let layer = model.choose_layer(&LayerRequest::Auto).unwrap();
        assert!(layer.name.contains(norm), "{name}: {layer:?}");
        assert!(layer.branches.is_empty() && layer.coarse.is_none(), "{name}: {layer:?}");
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
        let input = npz(&arrays, "input").1;
        for method in METHODS {
            let found = map(model, method.parse().unwrap(), &input, &options);
            let far = distance(&found, &npz(&arrays, method).1);
            assert!(far < 1e-4, "{name}, {method}: {far}");
        }
    }
}

/// The score of an image encoder is the cosine with another picture's embedding.
#[test]
fn maps_of_clips_image_encoder_are_those_of_pytorch_grad_cam() {
    let Imported { mut card, tensors, .. } = read(&fixture("tokens/clip.onnx")).unwrap();
    card.task = Some(Task::Embedding);
    let Made { model, .. } = &made(&card, tensors);
    let arrays = fixture("tokens/clip.npz");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let (shape, values) = npz(&arrays, name);
        let path = folder.path().join(name).with_extension("npy");
        let shape: Vec<u64> = shape.iter().map(|side| *side as u64).collect();
        std::fs::write(&path, npy(&shape, &values)).unwrap();
        path
    };
    let input = file("input");
    let request = Request::with(|request| {
        request.like = Some(file("like"));
        request.methods = METHODS.map(|method| method.parse().unwrap()).to_vec();
        request.options.library = Some(Library::PytorchGradCam);
    });
    let explainer = Explainer::new(model.clone(), request).unwrap();
    let [layer] = explainer.layers() else { panic!("one layer expected") };
    assert!(layer.name.contains("layers.1.layer_norm1"), "{layer:?}");
    let grid = model.grid(layer.index).unwrap();
    assert_eq!((grid.form, grid.height, grid.width), (Form::Tokens { prefix: 1 }, 5, 5));
    let explanations = explainer.explain(&explainer.read(&input).unwrap()).unwrap();
    for (explanation, method) in explanations.iter().zip(METHODS) {
        let found = explanation.heatmap(&explanation.targets[0]);
        let far = distance(found.values(), &npz(&arrays, method).1);
        assert!(far < 1e-4, "{method}: {far}");
    }
}

/// Methods that the library cannot run on tokens, or that are not in it, give a map of the grid's size.
#[test]
fn every_method_of_a_layer_works_on_tokens() {
    let Made { model, .. } = &network("deit_distilled");
    let input = npz(&fixture("tokens/deit_distilled.npz"), "input").1;
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
