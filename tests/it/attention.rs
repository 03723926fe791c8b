//! Attention found in graphs, and the methods that read it, against torchcam, OpenVINO XAI and the papers' equations.
//!
//! `fixtures/scripts/attention.py` made the networks and arrays.

use std::path::PathBuf;

use burncam::internal::{MapRequest, Scene};
use burncam::{
    DeviceName, Explainer, Finish, LayerRequest, Method, Model, Options, Request, Score, Smoothing,
};
use burncam_engine::{Heads, Network, Rollout};
use burncam_graph::attention;
use burncam_model::arch;

use crate::onnx::model_of;
use crate::support::{Made, distance, fixture, magnitude, npz, seeded_architecture_of};

/// ONNX file, arrays, tokens before the grid, rows and columns, blocks, and the tokens that the head reads.
type Case = (&'static str, &'static str, usize, [usize; 2], usize, &'static [usize]);

const NETWORKS: [Case; 7] = [
    ("tokens/vit", "vit", 1, [5, 6], 2, &[0]),
    ("tokens/deit_distilled", "deit_distilled", 2, [5, 6], 2, &[0, 1]),
    ("tokens/dinov2_registers", "dinov2_registers", 5, [5, 6], 2, &[0]),
    ("tokens/vit_average", "vit_average", 0, [5, 6], 2, &[]),
    ("attention/torchvision", "torchvision", 1, [5, 5], 3, &[0]),
    ("attention/torchvision_legacy", "torchvision", 1, [5, 5], 3, &[0]),
    ("attention/clip", "clip", 1, [5, 5], 3, &[0]),
];

fn arrays(name: &str) -> PathBuf {
    fixture(&format!("attention/{name}.npz"))
}

fn network(file: &str) -> Made {
    model_of(&format!("{file}.onnx"))
}

/// The raw maps of several classes, on a device.
fn maps(model: &Model, method: &str, device: &str, input: &[f32], classes: &[usize]) -> Vec<Vec<f32>> {
    let method: Method = method.parse().unwrap();
    let layers = match method.info().uses_layer {
        true => vec![model.choose_layer(&LayerRequest::Auto).unwrap().index],
        false => vec![],
    };
    let network = Network::load(model, &layers, &device.parse::<DeviceName>().unwrap()).unwrap();
    let mut scene = Scene::new(&network, input).unwrap();
    let (score, finish, smoothing) = (Score::Logit, Finish::default(), Smoothing::default());
    let request =
        MapRequest { methods: &[method], classes, score, finish, smoothing, options: &Options::default() };
    let maps = scene.class_maps(&request).unwrap().remove(0);
    maps.into_iter()
        .map(|found| {
            assert_eq!(found.finding, None);
            found.map.values().to_vec()
        })
        .collect()
}

#[test]
fn attention_is_found_whatever_the_exporter_made_of_it() {
    for (file, _, prefix, size, blocks, read) in NETWORKS {
        let Made { model, .. } = &network(file);
        let found = model.attentions();
        assert_eq!(found.len(), blocks, "{file}: {found:?}");
        for block in &found {
            let grid = block.grid.unwrap_or_else(|| panic!("{file}: {block:?}"));
            let tokens = prefix + size[0] * size[1];
            assert_eq!((grid.prefix(), [grid.height, grid.width]), (Some(prefix), size), "{file}");
            assert_eq!((block.heads, block.queries, block.keys), (3, tokens, tokens), "{file}");
        }
        let ends: Vec<usize> = found.iter().map(|block| block.output.expect(file)).collect();
        assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "{file}");
        let all: Vec<usize> = (0..size[0] * size[1]).collect();
        let expected = if read.is_empty() { all } else { read.to_vec() };
        assert_eq!(model.tokens_read(*ends.last().unwrap()), expected, "{file}");
    }
}

#[test]
fn attention_is_found_in_architectures() {
    let Made { model, .. } = &seeded_architecture_of("timm:vit_tiny_patch16_224", 48);
    let found = model.attentions();
    assert_eq!(found.len(), 12);
    for block in &found {
        let grid = block.grid.unwrap();
        assert_eq!((grid.prefix(), grid.height, grid.width, block.heads), (Some(1), 3, 3, 3));
        assert!(block.output.is_some());
    }
    // Bigger ones are looked at without weights.
    for (name, blocks, whole) in [("vit_b_16", 12, 12), ("swin_t", 12, 2), ("resnet18", 0, 0)] {
        let built = arch::build(name, 10, Some([224, 224])).unwrap();
        let found = {
            let stored = built.parameters.iter().cloned().collect();
            let shapes = burncam_graph::shapes::infer(&built.graph, &stored).unwrap();
            attention::attentions(&built.graph, &shapes, built.graph.nodes.len() - 1)
        };
        assert_eq!(found.len(), blocks, "{name}");
        // Swin's last stage has as many cells as a window.
        assert_eq!(found.iter().filter(|block| block.grid.is_some()).count(), whole, "{name}");
    }
}

#[test]
fn attention_is_what_pytorch_computes() {
    for (file, name, ..) in NETWORKS {
        let Made { model, .. } = &network(file);
        let input = npz(&arrays(name), "input").1;
        let expected = npz(&arrays(name), "attention").1;
        for device in ["flex", "ndarray"] {
            let network = Network::load(model, &[], &device.parse::<DeviceName>().unwrap()).unwrap();
            let found: Vec<f32> = network
                .attention(input.clone())
                .unwrap()
                .into_iter()
                .flat_map(|block| block.values)
                .collect();
            let far = distance(&found, &expected);
            assert!(far < 1e-5, "{file} on {device}: {far:e}");
        }
    }
}

#[test]
fn maps_of_attention_are_those_of_the_papers_and_libraries() {
    for (file, name, ..) in NETWORKS {
        let Made { model, .. } = &network(file);
        let input = npz(&arrays(name), "input").1;
        for (array_of, method) in
            [("legrad", "legrad"), ("rollout", "rollout"), ("chefer", "genericattention")]
        {
            let expected = npz(&arrays(name), array_of).1;
            for device in ["flex", "ndarray"] {
                let found = maps(model, method, device, &input, &[1]).remove(0);
                let far = distance(&found, &expected) / magnitude(&expected);
                assert!(far < 1e-4, "{method} of {file} on {device}: {far:e}");
            }
        }
    }
}

/// Rollout by whole matrices, from the attention `[blocks, heads, tokens, tokens]` that PyTorch computed.
fn rolled_out(attention: &[f32], heads: usize, tokens: usize, read: &[usize], rollout: &str) -> Vec<f64> {
    let rollout: Rollout = rollout.parse().unwrap();
    let cells = tokens * tokens;
    let mut joined: Vec<f64> = (0..cells).map(|at| f64::from(u8::from(at % (tokens + 1) == 0))).collect();
    for block in attention.chunks(heads * cells).skip(rollout.from - 1) {
        let head = |head: usize, at: usize| f64::from(block[head * cells + at]);
        let fused = |at: usize| {
            let all = (0..heads).map(|number| head(number, at));
            match rollout.heads {
                Heads::Mean => all.sum::<f64>() / heads as f64,
                Heads::Max => all.fold(f64::MIN, f64::max),
                Heads::Min => all.fold(f64::MAX, f64::min),
            }
        };
        let mut weights: Vec<f64> = (0..cells).map(fused).collect();
        let mut sorted = weights.clone();
        sorted.sort_by(f64::total_cmp);
        let count = (rollout.discard * cells as f64) as usize;
        let least = if count == 0 { f64::MIN } else { sorted[count - 1] };
        weights.iter_mut().skip(1).filter(|weight| **weight <= least).for_each(|weight| *weight = 0.0);
        (0..tokens).for_each(|token| weights[token * (tokens + 1)] += 1.0);
        let sum = |row: usize| weights[row * tokens..][..tokens].iter().sum::<f64>();
        let cell = |row: usize, column: usize| {
            (0..tokens).map(|k| weights[row * tokens + k] / sum(row) * joined[k * tokens + column]).sum()
        };
        joined = (0..cells).map(|at| cell(at / tokens, at % tokens)).collect();
    }
    let mean =
        |column: usize| read.iter().map(|row| joined[row * tokens + column]).sum::<f64>() / read.len() as f64;
    (0..tokens).map(mean).collect()
}

#[test]
fn heads_discarded_attention_and_the_first_block_of_rollout_are_as_by_hand() {
    for (file, name, prefix, size, _, read) in NETWORKS {
        let Made { model, .. } = &network(file);
        let (input, attention) = (npz(&arrays(name), "input").1, npz(&arrays(name), "attention").1);
        let tokens = prefix + size[0] * size[1];
        let all: Vec<usize> = (0..tokens).collect();
        let read = if read.is_empty() { &all } else { read };
        for rollout in ["mean", "max", "min", "max,discard=0.9", "mean,discard=0.5,from=2", "min,from=2"] {
            let network = Network::load(model, &[], &DeviceName::default()).unwrap();
            let mut options = Options::default();
            options.rollout = Some(rollout.parse().unwrap());
            let (score, finish, smoothing) = (Score::Logit, Finish::default(), Smoothing::default());
            let methods = &[Method::AttentionRollout];
            let request = MapRequest { methods, classes: &[1], score, finish, smoothing, options: &options };
            let found =
                Scene::new(&network, &input).unwrap().class_maps(&request).unwrap().remove(0).remove(0);
            let expected = rolled_out(&attention, 3, tokens, read, rollout);
            let expected: Vec<f32> = expected[prefix..].iter().map(|value| *value as f32).collect();
            let far = distance(found.map.values(), &expected) / magnitude(&expected);
            assert!(far < 1e-4, "{rollout} of {file}: {far:e}, {:?}", found.finding);
        }
    }
}

#[test]
fn rollout_from_a_block_that_is_not_there_is_refused() {
    let refused = |text: &str, method: &str| {
        let request = Request::with(|request| {
            request.methods = vec![method.parse().unwrap()];
            request.options.rollout = Some(text.parse().unwrap());
        });
        Explainer::new(network("tokens/vit").model, request).unwrap_err().to_string()
    };
    assert_eq!(
        refused("max,from=3", "rollout"),
        "rollout begins at block 3, expected 1 to 2 (change Options::rollout)"
    );
    assert!(refused("max", "gradcam").contains("is of no use to gradcam"));
}

#[test]
fn torchcam_and_openvino_xai_give_the_same_maps() {
    let Made { model, .. } = &network("attention/torchvision");
    let input = npz(&arrays("torchvision"), "input").1;
    let theirs = npz(&arrays("torchvision"), "torchcam").1;
    let far = distance(&maps(model, "legrad", "flex", &input, &[1])[0], &theirs) / magnitude(&theirs);
    assert!(far < 1e-4, "torchcam: {far:e}");
    // The library has the scores, ours are above the least of them.
    let theirs = npz(&arrays("torchvision"), "vitreciprocam").1;
    let least = theirs.iter().copied().fold(f32::INFINITY, f32::min);
    let theirs: Vec<f32> = theirs.into_iter().map(|score| score - least).collect();
    let far = distance(&maps(model, "vitreciprocam", "flex", &input, &[1])[0], &theirs) / magnitude(&theirs);
    assert!(far < 1e-4, "OpenVINO XAI: {far:e}");
}

#[test]
fn behind_a_pooling_by_attention_relevance_starts_from_its_weights() {
    let Made { model, .. } = &network("attention/pooled");
    let pooling = |model: &Model| attention::pooling(model.graph(), model.shapes(), model.scores());
    let found = pooling(model).unwrap();
    assert_eq!((found.heads, found.queries, found.keys), (2, 1, 30));
    let input = npz(&arrays("pooled"), "input").1;
    for (array_of, method) in [("rollout", "rollout"), ("chefer", "genericattention"), ("legrad", "legrad")] {
        let expected = npz(&arrays("pooled"), array_of).1;
        for device in ["flex", "ndarray"] {
            let found = maps(model, method, device, &input, &[1]).remove(0);
            let far = distance(&found, &expected) / magnitude(&expected);
            assert!(far < 1e-4, "{method} on {device}: {far:e}");
        }
    }
    for (file, ..) in NETWORKS {
        assert_eq!(pooling(&network(file).model), None, "{file}");
    }
}

#[test]
fn a_query_before_the_pictures_of_a_batch_is_told_from_them() {
    let Made { model, .. } = &network("attention/siglip");
    let (input, expected) = (npz(&arrays("siglip"), "input").1, npz(&arrays("siglip"), "logits").1);
    let network = Network::load(model, &[], &DeviceName::default()).unwrap();
    let far = distance(&network.logits(input).unwrap(), &expected) / magnitude(&expected);
    assert!(far < 1e-5, "{far:e}");
    let found = attention::pooling(model.graph(), model.shapes(), model.scores()).unwrap();
    assert_eq!((found.heads, found.queries, found.keys), (2, 1, 16));
}

#[test]
fn auto_takes_the_maps_before_a_pooling_by_attention_and_no_projection_of_their_cells() {
    let Made { model, .. } = &network("attention/pooled_maps");
    let found = model.choose_layer(&LayerRequest::Auto).unwrap();
    assert_eq!(found.name, "1");
    assert!(found.branches.is_empty(), "{:?}", found.branches);
}

#[test]
fn class_attention_is_refused_by_name() {
    let Made { model, .. } = &network("attention/cait");
    for method in ["legrad", "rollout", "genericattention"] {
        let request = Request::with(|request| request.methods = vec![method.parse().unwrap()]);
        let error = Explainer::new(model.clone(), request).unwrap_err().to_string();
        let found = "got attention of 1 to 26 at 'blocks_token_only.0.attn.softmax', from one token, as in class attention";
        assert!(
            error.starts_with(&format!("{method} follows attention")) && error.contains(found),
            "{error}"
        );
    }
}

#[test]
fn classes_asked_together_get_the_maps_that_they_get_alone() {
    let Made { model, .. } = &network("tokens/deit_distilled");
    let input = npz(&arrays("deit_distilled"), "input").1;
    for method in ["legrad", "rollout", "genericattention", "vitreciprocam"] {
        let together = maps(model, method, "flex", &input, &[0, 1, 3]);
        for (class, map) in [0, 1, 3].into_iter().zip(&together) {
            assert_eq!(*map, maps(model, method, "flex", &input, &[class])[0], "{method}, class {class}");
        }
        let of_class = method != "rollout";
        assert_eq!(together[0] != together[1], of_class, "{method}");
    }
}

#[test]
fn networks_without_attention_between_all_tokens_are_refused_in_words() {
    let swin = network("attention/swin");
    let convolutional = network("parity/residual");
    for method in ["legrad", "rollout", "genericattention"] {
        let refused = |model: &Model| {
            let request = Request::with(|request| request.methods = vec![method.parse().unwrap()]);
            Explainer::new(model.clone(), request).unwrap_err().to_string()
        };
        assert_eq!(
            refused(&convolutional.model),
            format!(
                "{method} reads attention, and the network has none, expected a softmax between queries times keys and \
                 its product with values (use gradcam)"
            )
        );
        let error = refused(&swin.model);
        let expected =
            format!("{method} follows attention through all blocks, expected each between all tokens");
        assert!(error.starts_with(&expected), "{error}");
        assert!(error.contains("attention of 4 to 4 at '"), "{error}");
    }
}
