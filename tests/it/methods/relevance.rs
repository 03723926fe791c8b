//! Relevance propagation: by hand, by what the rules conserve, and as zennit computes it.
//!
//! `fixtures/scripts/lrp_parity.py` ran zennit, `attn_lrp.py` has the formulas for transformers.

use burncam::internal::{Finding, Scene};
use burncam::{Aggregate, DeviceName, Method, Score};
use burncam_engine::{Composite, Network};

use super::networks::{Asked, all, loaded, picture};
use crate::cam_parity::arrays;
use crate::onnx::{model_of, read};
use crate::support::{Made, card, distance, fixture, made, magnitude, npz, tensor};

fn relevance(network: &Network, input: &[f32], class: usize, composite: &str) -> Vec<f32> {
    let asked = Asked::new(Method::Lrp, class).but(|asked| {
        asked.options.signed = true;
        asked.options.composite = Some(composite.parse().unwrap());
    });
    asked.map(network, input)
}

fn without_layers(made: &Made) -> Network {
    Network::load(&made.model, &[], &DeviceName::default()).unwrap()
}

#[test]
fn two_layers_by_hand() {
    // x = (2, 1), h = (2 x1 - x2, 3 x2 - x1) = (3, 1), y = h1 + 2 h2 = 5: h gets (3, 2). Each rule divides these.
    let nodes = r#"
        { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "conv" } },
        { "name": "relu", "op": "relu", "inputs": ["conv"] },
        { "name": "flat", "op": "flatten", "inputs": ["relu"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc" } }"#;
    let hand_worked = || {
        vec![
            tensor("conv", &[2, 1, 1, 2], &[2.0, -1.0, -1.0, 3.0]),
            tensor("fc", &[2, 2], &[1.0, 0.0, 2.0, 1.0]),
        ]
    };
    let network = without_layers(&made(&card(1, 2, nodes, "fc"), hand_worked()));
    for (composite, expected) in [
        // (4/3 3 - 2/1 2, -1/3 3 + 3/1 2)
        ("epsilon", [0.0, 5.0]),
        // All of h1 to x1, all of h2 to x2.
        ("epsilon-plus", [3.0, 2.0]),
        // Weights (2.5, -1) and (-1, 3.75): (5/4 3 - 2/1.75 2, -1/4 3 + 3.75/1.75 2)
        ("epsilon-gamma", [41.0 / 28.0, 99.0 / 28.0]),
        // 2 (3, 2) - (2, 3)
        ("epsilon-alpha2-beta1", [4.0, 1.0]),
        // (4/5 3 + 1/10 2, 1/5 3 + 9/10 2)
        ("epsilon-w-square", [2.6, 2.4]),
        // Pixels are 0 to 1: z = (3 + 1, 1 + 1), (4/4 3 + (1 - 2)/2 2, 0 + 3/2 2)
        ("epsilon-plus-box", [2.0, 3.0]),
    ] {
        let found = relevance(&network, &[2.0, 1.0], 0, composite);
        assert!(distance(&found, &expected) < 1e-5, "{composite}: {found:?}");
    }
    // At the layer its two channels in one position: 3 and 2, and 3 and 2 behind the ReLU, for any rule of the first layer.
    let at_layer = |composite: &str| {
        let made = made(&card(1, 2, nodes, "fc"), hand_worked());
        let network = loaded(&made, &["conv", "relu"], &DeviceName::default());
        let sweep = network.sweep_precisely(vec![2.0, 1.0]).unwrap();
        sweep.relevance_of_layers(Score::Logit, 0, composite.parse().unwrap()).unwrap()
    };
    for composite in ["epsilon", "epsilon-plus-box"] {
        for layer in at_layer(composite) {
            assert_eq!([layer.channels, layer.height, layer.width], [2, 1, 1]);
            assert!(distance(&layer.values, &[3.0, 2.0]) < 1e-5, "{composite}: {layer:?}");
        }
    }
    // Half of 5 to each pixel: a flat map, which is reported and not drawn.
    let flat = Asked::new(Method::Lrp, 0).of(&mut Scene::new(&network, &[2.0, 1.0]).unwrap()).unwrap();
    assert_eq!(flat.finding, Some(Finding::Flat));
    assert!(distance(&[flat.raw[0].min, flat.raw[0].max], &[2.5; 2]) < 1e-5);
}

#[test]
fn without_biases_no_relevance_is_lost() {
    for (name, sketch, output) in all() {
        let silent = |values: &mut Vec<f32>| values.fill(0.0);
        let mut sketch = sketch.with(".bias", silent);
        if name != "plain" {
            sketch = sketch.with("running_mean", silent);
        }
        let network = without_layers(&sketch.made(output));
        for class in 0..2 {
            let logit = network.logits(picture()).unwrap()[class];
            for composite in Composite::all().map(|composite| composite.to_string()) {
                let sum: f32 = relevance(&network, &picture(), class, &composite).iter().sum();
                // alpha2-beta1 loses what has no negative part.
                if !composite.contains("alpha2") {
                    assert!(
                        (sum - logit).abs() < 2e-3 * logit.abs(),
                        "{name}, {composite}: {sum} of {logit}"
                    );
                }
            }
        }
    }
}

#[test]
fn at_every_layer_the_relevance_is_the_score() {
    for (name, sketch, output) in all() {
        let silent = |values: &mut Vec<f32>| values.fill(0.0);
        let mut sketch = sketch.with(".bias", silent);
        if name != "plain" {
            sketch = sketch.with("running_mean", silent);
        }
        let made = sketch.made(output);
        for layer in ["c1", "early", "c2", "late"] {
            let network = loaded(&made, &[layer], &DeviceName::default());
            let logit = network.logits(picture()).unwrap()[1];
            let asked = Asked::new(Method::LayerLrp, 1).but(|asked| asked.options.signed = true);
            let sum: f32 = asked.map(&network, &picture()).iter().sum();
            // What goes around the layer is not in it: the gated network's skip.
            let around = name == "gated" && layer == "c2";
            assert_eq!(
                (sum - logit).abs() < 1e-4 * logit.abs(),
                !around,
                "{name}, {layer}: {sum} of {logit}"
            );
        }
        // Several layers are joined as any method's.
        let both = loaded(&made, &["early", "late"], &DeviceName::default());
        let joined =
            Asked::new(Method::LayerLrp, 1).but(|asked| asked.finish.aggregate = Some(Aggregate::Max));
        assert!(magnitude(&joined.map(&both, &picture())) > 0.0, "{name}");
    }
}

#[test]
fn a_gate_gets_nothing_and_a_norm_belongs_to_the_layer_before_it() {
    let [_, _, (_, sketch, output)] = all();
    let made = sketch.made(output);
    let whole = relevance(&without_layers(&made), &picture(), 0, "epsilon-plus-box");
    // An explained convolution keeps its norm behind it as a step of its own.
    let tapped =
        relevance(&loaded(&made, &["c1"], &DeviceName::default()), &picture(), 0, "epsilon-plus-box");
    assert!(distance(&whole, &tapped) < 1e-5 * magnitude(&whole));
}

#[test]
fn relevance_is_that_of_zennit() {
    // docs/parity.md has the differences.
    for name in ["plain", "residual", "dense"] {
        let mut imported = read(&fixture(&format!("parity/{name}.onnx"))).unwrap();
        imported.card.preprocess.mean = vec![0.485, 0.456, 0.406];
        imported.card.preprocess.std = vec![0.229, 0.224, 0.225];
        let network = without_layers(&made(&imported.card, imported.tensors));
        let input = arrays(&fixture(&format!("parity/{name}.pytorch-grad-cam.npz"))).remove("input").unwrap();
        let stored = arrays(&fixture(&format!("parity/{name}.zennit.npz")));
        assert_eq!(stored.len(), 21, "sixteen composites, five of them for a second class");
        for (key, expected) in stored {
            let (composite, class) = key.split_once('/').unwrap();
            let found = relevance(&network, &input, class.parse().unwrap(), composite);
            let gap = distance(&found, &expected) / magnitude(&expected);
            assert!(gap < 2e-6, "{name}, {key}: {gap:e}");
        }
    }
}

#[test]
fn relevance_of_transformers_is_that_of_the_papers_formulas() {
    for (key, expected) in arrays(&fixture("tokens/lrp.npz")) {
        let (name, composite) = key.split_once('/').unwrap();
        let network = without_layers(&model_of(&format!("tokens/{name}.onnx")));
        let input = npz(&fixture(&format!("tokens/{name}.npz")), "input").1;
        let found = relevance(&network, &input, 1, composite);
        let gap = distance(&found, &expected) / magnitude(&expected);
        assert!(gap < 1e-6, "{key}: {gap:e}");
    }
}

#[test]
fn several_classes_share_a_pass_and_evidence_against_one_is_its_negative() {
    let [(_, sketch, output), ..] = all();
    let network = without_layers(&sketch.made(output));
    let asked = Asked::new(Method::Lrp, 0).but(|asked| asked.options.signed = true);
    let input = picture();
    let before = network.passes();
    let mut scene = Scene::new(&network, &input).unwrap();
    let maps = asked.of_classes(&mut scene, &[0, 1, 2]).unwrap();
    assert_eq!(network.passes() - before, 2, "one for the logits, one for all classes");
    let against = asked.but(|asked| asked.options.counterfactual = true).map(&network, &input);
    let negative: Vec<f32> = against.iter().map(|value| -value).collect();
    assert_eq!(maps[0].map.values(), negative);
}
