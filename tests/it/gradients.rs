//! Gradients against central differences, and identities that need no other library.

use std::collections::BTreeMap;

use burncam::{DeviceName, LayerRequest, Method, Model, Score};
use burncam_engine::Network;
use burncam_graph::card::{InputSpec, Node, Op, ValueId};

use crate::support::{Made, card, distance, evidence, made, magnitude, seeded, tensor, to_unit};

/// A head with everything that makes gradients hard: batch norm, a branch, concat, pools, two linear layers.
fn branching() -> Made {
    let nodes = r#"
        { "name": "stem", "op": "conv2d", "inputs": ["input"], "params": { "weight": "stem.weight" }, "padding": [1, 1, 1, 1] },
        { "name": "tap", "op": "silu", "inputs": ["stem"] },
        { "name": "conv", "op": "conv2d", "inputs": ["tap"], "params": { "weight": "conv.weight" }, "padding": [1, 1, 1, 1], "groups": 2 },
        { "name": "bn", "op": "batch_norm", "inputs": ["conv"], "params": { "gamma": "bn.weight", "beta": "bn.bias", "running_mean": "bn.running_mean", "running_var": "bn.running_var" } },
        { "name": "tanh", "op": "tanh", "inputs": ["bn"] },
        { "name": "sum", "op": "add", "inputs": ["tanh", "tap"] },
        { "name": "cat", "op": "concat", "inputs": ["sum", "tap"] },
        { "name": "pool", "op": "avg_pool2d", "inputs": ["cat"], "kernel": [3, 3], "stride": [2, 2], "padding": [1, 1, 1, 1], "count_include_pad": false },
        { "name": "adaptive", "op": "adaptive_avg_pool2d", "inputs": ["pool"], "output_size": [2, 2] },
        { "name": "flat", "op": "flatten", "inputs": ["adaptive"] },
        { "name": "fc1", "op": "linear", "inputs": ["flat"], "params": { "weight": "fc1.weight", "bias": "fc1.bias" } },
        { "name": "act", "op": "sigmoid", "inputs": ["fc1"] },
        { "name": "fc2", "op": "linear", "inputs": ["act"], "params": { "weight": "fc2.weight", "bias": "fc2.bias" } },
        { "name": "softmax", "op": "softmax", "inputs": ["fc2"] }"#;
    let shapes: &[(&str, &[usize])] = &[
        ("stem.weight", &[4, 1, 3, 3]),
        ("conv.weight", &[4, 2, 3, 3]),
        ("bn.weight", &[4]),
        ("bn.bias", &[4]),
        ("bn.running_mean", &[4]),
        ("bn.running_var", &[4]),
        ("fc1.weight", &[32, 6]),
        ("fc1.bias", &[6]),
        ("fc2.weight", &[6, 3]),
        ("fc2.bias", &[3]),
    ];
    let tensors = shapes.iter().map(|(name, shape)| tensor(name, shape, &seeded(name, shape))).collect();
    made(&card(6, 6, nodes, "softmax"), tensors)
}

/// The same network cut off below `tap`, so that activations can be put in by hand.
fn head_of(model: &Model) -> Made {
    let weights = ["conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];
    let shapes: [&[usize]; 5] = [&[4, 2, 3, 3], &[4], &[4], &[4], &[4]];
    let mut tensors: Vec<_> =
        weights.iter().zip(shapes).map(|(name, shape)| tensor(name, shape, &seeded(name, shape))).collect();
    let dense: [(&str, &[usize]); 4] =
        [("fc1.weight", &[32, 6]), ("fc1.bias", &[6]), ("fc2.weight", &[6, 3]), ("fc2.bias", &[3])];
    tensors.extend(dense.map(|(name, shape)| tensor(name, shape, &seeded(name, shape))));
    // A four-channel input has no colour order, so the head stands behind a convolution that a card can feed:
    // one grey plane of four bands, each band one channel.
    let mut card = model.card().clone();
    let graph = card.graph.as_mut().unwrap();
    let ids: Vec<ValueId> = graph.nodes[2..].iter().flat_map(|node| node.inputs.clone()).collect();
    assert!(ids.iter().all(|id| *id >= ValueId::of_node(1)), "the head reads nothing below the tap");
    graph.input = InputSpec { name: "planes".into(), channels: 1, height: 24, ..graph.input.clone() };
    // Two nodes go and one comes, which stands in the tap's place.
    let moved = |id: ValueId| id.node().map_or(id, |at| ValueId::of_node(at - 1));
    graph.nodes.drain(..2);
    graph.nodes.iter_mut().flat_map(|node| &mut node.inputs).for_each(|id| *id = moved(*id));
    graph.output = moved(graph.output);
    let (name, inputs, op) = ("bands".into(), vec![ValueId::INPUT], Op::Reshape { shape: vec![0, 4, 6, 6] });
    graph.nodes.insert(0, Node { name, inputs, params: BTreeMap::new(), op });
    made(&card, tensors)
}

#[test]
fn gradients_agree_with_central_differences() {
    let network = branching();
    let input = seeded("input", &[1, 1, 6, 6]);
    let head = head_of(&network.model);
    let runner = Network::load(&head.model, &[0], &DeviceName::default()).unwrap();
    for class in 0..3 {
        let evidence = evidence(&network.model, "tap", class, &input, "flex");
        let score = |activations: &[f32]| runner.logits(activations.to_vec()).unwrap()[class];
        const STEP: f32 = 1e-2;
        for (at, gradient) in evidence.gradients.values.iter().enumerate() {
            let mut moved = evidence.activations.values.clone();
            moved[at] += STEP;
            let above = score(&moved);
            moved[at] -= 2.0 * STEP;
            let slope = (above - score(&moved)) / (2.0 * STEP);
            assert!(
                (slope - gradient).abs() < 2e-4,
                "class {class}, activation {at}: {gradient} against {slope}"
            );
        }
    }
}

#[test]
fn gradients_of_every_score_agree_with_central_differences() {
    let network = branching();
    let input = seeded("input", &[1, 1, 6, 6]);
    let head = head_of(&network.model);
    let runner = Network::load(&head.model, &[0], &DeviceName::default()).unwrap();
    let tap = network.model.graph().position("tap").unwrap();
    let loaded = Network::load(&network.model, &[tap], &DeviceName::default()).unwrap();
    let trunk = loaded.trunk(input).unwrap();
    let log_sum = |z: &[f32]| z.iter().map(|z| f64::from(*z).exp()).sum::<f64>().ln();
    type Function = fn(&[f32], f64) -> f64;
    let scores: [(Score, Function); 8] = [
        (Score::Logit, |z, _| f64::from(z[1])),
        (Score::Prob, |z, sum| (f64::from(z[1]) - sum).exp()),
        (Score::LogProb, |z, sum| f64::from(z[1]) - sum),
        (Score::Margin, |z, _| f64::from(z[1]) - f64::from(z[0].max(z[2]))),
        (Score::Sigmoid, |z, _| 1.0 / (1.0 + (-f64::from(z[1])).exp())),
        (Score::LogSigmoid, |z, _| -(1.0 + (-f64::from(z[1])).exp()).ln()),
        (Score::Rest, |z, sum| 2.0 * f64::from(z[1]) - sum),
        (Score::RestSigmoid, |z, _| f64::from(z[1]) - (1.0 + (-f64::from(z[1])).exp()).ln()),
    ];
    for (score, function) in scores {
        let evidence = loaded.record(&trunk).unwrap().evidence(&score, 1).unwrap().remove(0);
        for at in (0..144).step_by(7) {
            let value = |step: f32| {
                let mut moved = evidence.activations.values.clone();
                moved[at] += step;
                let logits = runner.logits(moved).unwrap();
                function(&logits, log_sum(&logits))
            };
            let slope = (value(1e-2) - value(-1e-2)) / 2e-2;
            let gradient = f64::from(evidence.gradients.values[at]);
            assert!(
                (slope - gradient).abs() < 2e-4,
                "{score:?}, activation {at}: {gradient} against {slope}"
            );
        }
    }
}

#[test]
fn a_later_tap_gets_the_same_gradient_as_when_it_is_alone() {
    let network = branching();
    let input = seeded("input", &[1, 1, 6, 6]);
    let position = |name: &str| network.model.graph().position(name).unwrap();
    let taps = [position("cat"), position("tap"), position("bn")];
    let both = Network::load(&network.model, &taps, &DeviceName::default()).unwrap();
    let trunk = both.trunk(input.clone()).unwrap();
    let together = both.record(&trunk).unwrap().evidence(&Score::Logit, 2).unwrap();
    for (name, found) in ["cat", "tap", "bn"].iter().zip(&together) {
        let alone = evidence(&network.model, name, 2, &input, "flex");
        assert!(distance(&found.activations.values, &alone.activations.values) < 1e-5, "{name}");
        assert!(distance(&found.gradients.values, &alone.gradients.values) < 1e-6, "{name}");
    }
}

#[test]
fn folding_batch_norm_changes_nothing_that_shows() {
    let network = branching();
    let input = seeded("input", &[1, 1, 6, 6]);
    let folded = Network::load(&network.model, &[0], &DeviceName::default()).unwrap();
    // Tapping the convolution keeps its batch norm apart.
    let apart = network.model.graph().position("conv").unwrap();
    let apart = Network::load(&network.model, &[apart], &DeviceName::default()).unwrap();
    let (a, b) = (folded.logits(input.clone()).unwrap(), apart.logits(input).unwrap());
    assert!(distance(&a, &b) < 1e-5, "{a:?} {b:?}");
}

#[test]
fn grad_cam_is_cam_when_the_head_is_a_mean_and_a_linear_layer() {
    let model = Model::embedded().unwrap();
    let input = crate::support::array("efficientnet_lite0.coffee.input.npy");
    let evidence = evidence(&model, "auto", 967, &input, "flex");
    let map = Method::GradCam.raw_map(&evidence).unwrap();
    // CAM: the class's row of the linear layer times the activations. The gradient of a mean over Z cells is
    // that row divided by Z in every cell.
    let (cells, z) = (evidence.activations.height * evidence.activations.width, 49.0);
    for gradients in evidence.gradients.values.chunks(cells) {
        let spread = gradients.iter().copied().fold(f32::NEG_INFINITY, f32::max)
            - gradients.iter().copied().fold(f32::INFINITY, f32::min);
        assert!(
            spread.abs() <= 1e-6 * magnitude(gradients),
            "the gradient of a mean is the same in every cell"
        );
    }
    let cam: Vec<f32> = (0..cells)
        .map(|cell| {
            let channels =
                evidence.activations.values.chunks(cells).zip(evidence.gradients.values.chunks(cells));
            channels.map(|(a, g)| f64::from(a[cell]) * f64::from(g[0]) * z).sum::<f64>() as f32 / z as f32
        })
        .collect();
    assert!(distance(&map, &cam) < 1e-5 * magnitude(&cam));
    // And it sums to the logit without the bias, so nothing of the evidence is lost.
    let network = Network::load(&model, &[0], &DeviceName::default()).unwrap();
    let logit = network.logits(input).unwrap()[967];
    let sum: f32 = map.iter().sum();
    assert!((logit - sum - 0.080_932_6).abs() < 1e-3, "logit {logit}, sum {sum}");
}

#[test]
fn scaling_the_score_leaves_the_map_alone() {
    let network = branching();
    let input = seeded("input", &[1, 1, 6, 6]);
    let mut evidence = evidence(&network.model, "tap", 0, &input, "flex");
    let map = |evidence: &_| to_unit(6, 6, &Method::GradCam.raw_map(evidence).unwrap());
    let before = map(&evidence);
    evidence.gradients.values.iter_mut().for_each(|gradient| *gradient *= 1000.0);
    assert!(distance(before.values(), map(&evidence).values()) < 1e-6);
}

#[test]
fn a_flipped_picture_gives_a_flipped_map_in_a_symmetric_network() {
    // Flip the stem's kernels to be symmetric by averaging; the head is a mean, so it does not care.
    let nodes = r#"
        { "name": "conv", "op": "conv2d", "inputs": ["input"], "params": { "weight": "w" }, "padding": [1, 1, 1, 1] },
        { "name": "relu", "op": "relu", "inputs": ["conv"] },
        { "name": "pool", "op": "global_avg_pool", "inputs": ["relu"] },
        { "name": "flat", "op": "flatten", "inputs": ["pool"] }"#;
    let mut kernels = seeded("w.weight", &[4, 1, 3, 3]);
    for row in kernels.chunks_mut(3) {
        let side = (row[0] + row[2]) / 2.0;
        (row[0], row[2]) = (side, side);
    }
    let network = made(&card(6, 8, nodes, "flat"), vec![tensor("w", &[4, 1, 3, 3], &kernels)]);
    let input = seeded("input", &[6, 8]);
    let flip =
        |values: &[f32]| values.chunks(8).flat_map(|row| row.iter().rev().copied()).collect::<Vec<_>>();
    let map =
        |input: &[f32]| Method::GradCam.raw_map(&evidence(&network.model, "relu", 1, input, "flex")).unwrap();
    assert!(distance(&flip(&map(&input)), &map(&flip(&input))) < 1e-6);
}

#[test]
fn the_card_of_the_embedded_model_is_found_by_its_layers() {
    let model = Model::embedded().unwrap();
    for (asked, found) in [("_relu1", "_relu1"), ("_blocks.15", "_blocks.15._bn2"), ("-4", "_avg_pooling")] {
        match model.choose_layer(&asked.parse::<LayerRequest>().unwrap()) {
            Ok(choice) => assert_eq!(choice.name, found),
            Err(error) => assert!(error.to_string().contains("larger than 1x1"), "{error}"),
        }
    }
    let error = model.choose_layer(&LayerRequest::Name("_rely1".into())).unwrap_err().to_string();
    assert!(error.contains("did you mean '_relu1'?"), "{error}");
}
