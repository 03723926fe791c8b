//! Second derivatives: against central differences of the gradient, and closed forms in double precision.
//!
//! `H A` is the rate at which the gradient changes as the activations grow in proportion. So a network with a factor `s`
//! behind the tapped layer gives it by differences of the gradient in `s`, for any layers after it.

use std::collections::BTreeMap;

use burncam::{DeviceName, Score};
use burncam_engine::{Network, Reduction};
use burncam_graph::card::{Card, Graph, Node, Op, ValueId};
use burncam_model::StoredTensor;
use burncam_model::import::{ImportRequest, import};

use crate::support::{
    Made, array, card, device, distance, fixture, made, magnitude, seeded, seeded_architecture, tensor,
};

/// Each output is a target.
const PLAIN: &Reduction = &Reduction::Values;
const SCORES: [Score; 8] = [
    Score::Logit,
    Score::Prob,
    Score::LogProb,
    Score::Margin,
    Score::Rest,
    Score::Sigmoid,
    Score::LogSigmoid,
    Score::RestSigmoid,
];

/// The graph with its layer times `scale` where others read it, as a node of the name `scaled`.
fn with_factor(graph: &Graph, layer: usize, scale: f64) -> Graph {
    let mut graph = graph.clone();
    // The new node stands behind the layer, so that what read it or later tensors reads one tensor further on.
    let moved = |id: &mut ValueId| {
        if let Some(at) = id.node().filter(|at| *at >= layer) {
            *id = ValueId::of_node(at + 1);
        }
    };
    graph.nodes[layer + 1..].iter_mut().flat_map(|node| &mut node.inputs).for_each(moved);
    moved(&mut graph.output);
    let (inputs, op) = (vec![ValueId::of_node(layer)], Op::Mul { scalar: Some(scale) });
    graph.nodes.insert(layer + 1, Node { name: "scaled".into(), inputs, params: BTreeMap::new(), op });
    graph
}

/// The network of a card with a factor behind one layer, tapped there.
fn scaled(card: &Card, tensors: Vec<StoredTensor>, layer: usize, scale: f64, on: &str) -> (Made, Network) {
    let graph = with_factor(card.graph.as_ref().unwrap(), layer, scale);
    let made = made(&Card { graph: Some(graph), ..card.clone() }, tensors);
    let network = Network::load(&made.model, &[layer + 1], &device(on)).unwrap();
    (made, network)
}

/// `H A` at a layer agrees with differences of the gradient for these scores; gives its magnitude and the gradient's.
#[track_caller]
fn agrees(
    what: &str,
    card: &Card,
    tensors: &dyn Fn() -> Vec<StoredTensor>,
    layer: usize,
    input: &[f32],
    on: &str,
    scores: &[Score],
) -> Vec<(f32, f32)> {
    const STEP: f64 = 0.02;
    let network = |scale: f64| scaled(card, tensors(), layer, scale, on).1;
    let moved = [STEP, -STEP, STEP / 2.0, -STEP / 2.0].map(|step| network(1.0 + step));
    let network = network(1.0);
    let gradient = |network: &Network, score: Score| {
        let trunk = network.trunk(input.to_vec()).unwrap();
        network.record(&trunk).unwrap().evidence(&score, 1).unwrap().remove(0).gradients.values
    };
    let mut sizes = Vec::new();
    for &score in scores {
        let trunk = network.trunk(input.to_vec()).unwrap();
        let found = network.curvature(&trunk, PLAIN, &score, 1).unwrap().remove(0).values;
        let at: Vec<Vec<f32>> = moved.iter().map(|network| gradient(network, score)).collect();
        let slope = |above: usize, step: f64, cell: usize| {
            (f64::from(at[above][cell]) - f64::from(at[above + 1][cell])) / (2.0 * step)
        };
        // Two differences, so that the third derivative's share drops out.
        let expected: Vec<f32> = (0..found.len())
            .map(|cell| ((4.0 * slope(2, STEP / 2.0, cell) - slope(0, STEP, cell)) / 3.0) as f32)
            .collect();
        let (size, slope) = (magnitude(&expected), magnitude(&gradient(&network, score)));
        // The second share is what single precision leaves of a difference of two gradients.
        let limit = 5e-4 * size + 1e-4 * slope;
        let gap = distance(&found, &expected);
        assert!(
            gap <= limit,
            "{what} on {on}, {score:?}: differs by {gap:e} of {size:e}, gradient {slope:e}"
        );
        sizes.push((magnitude(&found), slope));
    }
    sizes
}

/// The nodes read `t`, `[1, 4, 5, 6]`, and give `y`, which is flattened and brought to three logits.
fn bends(nodes: &str, mut tensors: Vec<StoredTensor>, input: &[f32]) -> Vec<(f32, f32)> {
    let body = format!(
        r#"{{ "name": "t", "op": "reshape", "inputs": ["input"], "shape": [0, 4, 5, 6] }}, {nodes},
           {{ "name": "flat", "op": "flatten", "inputs": ["y"] }}"#
    );
    let outputs = made(&card(20, 6, &body, "flat"), tensors.clone()).model.shapes().last().unwrap()[1];
    tensors.push(tensor("fc.w", &[outputs, 3], &seeded("fc.weight", &[3, outputs])));
    let body = format!(
        r#"{body}, {{ "name": "fc", "op": "linear", "inputs": ["flat"], "params": {{ "weight": "fc.w" }} }}"#
    );
    let card = card(20, 6, &body, "fc");
    let mut sizes = Vec::new();
    for on in ["flex", "ndarray"] {
        sizes = agrees(nodes, &card, &|| tensors.clone(), 0, input, on, &SCORES);
    }
    sizes
}

fn node(fields: &str) -> String {
    format!(r#"{{ "name": "y", "inputs": ["t"], {fields} }}"#)
}

/// `[4, 5, 6]`, between -2 and 2. Kinks in the tests' settings are where no number is within two hundredths of them.
fn input() -> Vec<f32> {
    seeded("input", &[4, 5, 6])
}

fn positive() -> Vec<f32> {
    input().iter().map(|x| 0.4 * x + 1.3).collect()
}

fn a_channel() -> Vec<StoredTensor> {
    vec![
        tensor("g", &[4], &[1.5, -0.5, 0.7, 1.1]),
        tensor("b", &[4], &[0.25, 1.0, -0.3, 0.1]),
        tensor("m", &[4], &[0.1, 0.2, -0.3, 0.4]),
        tensor("v", &[4], &[0.5, 1.5, 0.9, 2.0]),
    ]
}

#[test]
fn smooth_functions_of_one_number() {
    for fields in [
        r#""op": "gelu""#,
        r#""op": "gelu", "approximate": true"#,
        r#""op": "silu""#,
        r#""op": "mish""#,
        r#""op": "sigmoid""#,
        r#""op": "tanh""#,
        r#""op": "softplus""#,
        r#""op": "log_sigmoid""#,
        r#""op": "exp""#,
        r#""op": "erf""#,
        r#""op": "sin""#,
        r#""op": "elu", "alpha": 0.7"#,
        r#""op": "selu""#,
        r#""op": "pow", "exponent": 2"#,
        r#""op": "pow", "exponent": 3"#,
    ] {
        let sizes = bends(&node(fields), vec![], &input());
        assert!(sizes[0].0 > 1e-2 * sizes[0].1, "{fields} is as good as linear, {sizes:?}");
    }
    for fields in [
        r#""op": "sqrt""#,
        r#""op": "log""#,
        // Of the other input the greatest rival changes within the step.
        r#""op": "cos""#,
        r#""op": "pow", "exponent": 2.5"#,
        r#""op": "pow", "exponent": 0.5"#,
        r#""op": "pow", "exponent": -1"#,
        r#""op": "pow", "exponent": -1.5"#,
    ] {
        let sizes = bends(&node(fields), vec![], &positive());
        assert!(sizes[0].0 > 1e-2 * sizes[0].1, "{fields} is as good as linear, {sizes:?}");
    }
}

#[test]
fn both_ends_of_bounded_functions() {
    // Times these the input reaches beyond three or six, but has no number within two hundredths of a kink.
    let times = |factor: f32| input().iter().map(|x| x * factor).collect::<Vec<_>>();
    let sizes = bends(&node(r#""op": "hard_swish""#), vec![], &times(3.0 / 0.98));
    assert!(sizes[0].0 > 1e-2 * sizes[0].1, "hard_swish is as good as linear, {sizes:?}");
    let sizes = bends(&node(r#""op": "relu6""#), vec![], &times(6.0 / 1.31));
    assert!(sizes[0].0 == 0.0 && sizes[4].0 > 0.0, "{sizes:?}");
}

#[test]
fn piecewise_linear_operations_bend_only_by_the_score() {
    let norm = r#""op": "batch_norm", "params": { "gamma": "g", "beta": "b", "running_mean": "m", "running_var": "v" }"#;
    let weight = || tensor("w", &[4, 2, 3, 3], &seeded("w.weight", &[4, 2, 3, 3]));
    for fields in [
        r#""op": "relu""#,
        r#""op": "leaky_relu", "slope": 0.2"#,
        r#""op": "prelu", "params": { "slope": "g" }"#,
        r#""op": "hard_sigmoid", "alpha": 0.515464, "beta": 0.324742"#,
        r#""op": "clip", "min": -0.79, "max": 1.31"#,
        r#""op": "abs""#,
        r#""op": "minimum", "scalar": 0.67"#,
        r#""op": "maximum", "scalar": -0.63"#,
        r#""op": "pow", "exponent": 1"#,
        r#""op": "add", "scalar": 2"#,
        r#""op": "sub", "scalar": 2"#,
        r#""op": "mul", "scalar": -0.5"#,
        r#""op": "div", "scalar": 2"#,
        r#""op": "conv2d", "groups": 2, "padding": [1, 0, 2, 1], "stride": [2, 1], "params": { "weight": "w", "bias": "b" }"#,
        norm,
        r#""op": "max_pool2d", "kernel": [3, 3], "stride": [2, 2], "padding": [1, 1, 1, 1]"#,
        r#""op": "max_pool2d", "kernel": [2, 3], "stride": [2, 1], "padding": [0, 1, 2, 0]"#,
        r#""op": "max_pool2d", "kernel": [2, 2], "stride": [2, 3], "dilation": [2, 1], "ceil_mode": true"#,
        r#""op": "avg_pool2d", "kernel": [3, 3], "stride": [2, 2], "padding": [1, 1, 1, 1], "count_include_pad": false"#,
        r#""op": "adaptive_avg_pool2d", "output_size": [2, 3]"#,
        r#""op": "global_avg_pool""#,
        r#""op": "global_max_pool""#,
        r#""op": "reduce_mean", "axes": [2, 3]"#,
        r#""op": "reduce_sum", "axes": [1], "keep_dims": true"#,
        r#""op": "reduce_max", "axes": [1, 3]"#,
        r#""op": "reduce_min", "axes": [2], "keep_dims": true"#,
        r#""op": "pad", "padding": [1, 2, 0, 1], "value": 3"#,
        r#""op": "pad", "padding": [1, 2, 0, 1], "mode": "reflect""#,
        r#""op": "pad", "padding": [1, 2, 0, 1], "mode": "edge""#,
        r#""op": "resize", "output_size": [7, 9], "mode": "bilinear""#,
        r#""op": "transpose", "perm": [0, 3, 1, 2]"#,
        r#""op": "slice", "axis": 2, "start": 1, "end": 5, "step": 2"#,
        r#""op": "split", "axis": 1, "sizes": [1, 3], "part": 1"#,
        r#""op": "unsqueeze", "axes": [2]"#,
        r#""op": "dropout""#,
    ] {
        let sizes = bends(&node(fields), [a_channel(), vec![weight()]].concat(), &input());
        assert_eq!(sizes[0].0, 0.0, "{fields} has no second derivative");
        assert_eq!(sizes[3].0, 0.0, "{fields}: nor has a difference of logits");
        assert!(sizes[4].0 > 1e-3 * sizes[4].1, "{fields}: the probability has one, {sizes:?}");
    }
}

#[test]
fn norms_and_softmax() {
    for fields in [
        r#""op": "softmax""#,
        r#""op": "softmax", "axis": 3"#,
        r#""op": "log_softmax", "axis": 2"#,
        r#""op": "reduce_l2", "axes": [2, 3]"#,
        r#""op": "group_norm", "groups": 2, "epsilon": 0.1, "params": { "gamma": "g", "beta": "b" }"#,
        r#""op": "group_norm", "groups": 4, "epsilon": 0.1"#,
        r#""op": "layer_norm", "epsilon": 0.1, "params": { "gamma": "lg", "beta": "lb" }"#,
        r#""op": "local_response_norm", "size": 3, "alpha": 0.6, "beta": 0.75, "k": 1.5"#,
        r#""op": "local_response_norm", "size": 2, "alpha": 0.6, "beta": 1.0, "k": 2.0"#,
    ] {
        let line = [tensor("lg", &[6], &seeded("lg.weight", &[6])), tensor("lb", &[6], &seeded("lb", &[6]))];
        let sizes = bends(&node(fields), [a_channel(), line.to_vec()].concat(), &input());
        if !fields.contains("reduce_l2") {
            assert!(sizes[0].0 > 1e-3 * sizes[0].1, "{fields} is as good as linear, {sizes:?}");
        }
    }
}

#[test]
fn operations_on_two_values() {
    let wide = || tensor("w", &[4, 1, 1], &[0.5, -1.5, 2.0, 0.7]);
    for (what, nodes) in [
        // A gate over channels, as in squeeze and excitation: the shapes broadcast.
        (
            "gate",
            r#"{ "name": "pool", "op": "global_avg_pool", "inputs": ["t"] }, { "name": "g", "op": "sigmoid", "inputs": ["pool"] }, { "name": "y", "op": "mul", "inputs": ["t", "g"] }"#,
        ),
        ("square", r#"{ "name": "y", "op": "mul", "inputs": ["t", "t"] }"#),
        (
            "sum",
            r#"{ "name": "pool", "op": "global_max_pool", "inputs": ["t"] }, { "name": "g", "op": "tanh", "inputs": ["pool"] }, { "name": "y", "op": "add", "inputs": ["g", "t"] }"#,
        ),
        (
            "difference",
            r#"{ "name": "g", "op": "tanh", "inputs": ["t"] }, { "name": "y", "op": "sub", "inputs": ["t", "g"] }"#,
        ),
        (
            "quotient",
            r#"{ "name": "g", "op": "exp", "inputs": ["t"] }, { "name": "y", "op": "div", "inputs": ["t", "g"] }"#,
        ),
        (
            "lesser",
            r#"{ "name": "g", "op": "tanh", "inputs": ["t"] }, { "name": "h", "op": "exp", "inputs": ["t"] }, { "name": "i", "op": "mul", "inputs": ["h"], "scalar": 0.25 }, { "name": "y", "op": "minimum", "inputs": ["g", "i"] }"#,
        ),
        (
            "greater",
            r#"{ "name": "pool", "op": "global_avg_pool", "inputs": ["t"] }, { "name": "part", "op": "mul", "inputs": ["pool"], "scalar": 0.7 }, { "name": "g", "op": "silu", "inputs": ["t"] }, { "name": "y", "op": "maximum", "inputs": ["part", "g"] }"#,
        ),
        (
            "concat",
            r#"{ "name": "g", "op": "tanh", "inputs": ["t"] }, { "name": "y", "op": "concat", "inputs": ["t", "g"] }"#,
        ),
        (
            "attention",
            r#"{ "name": "p", "op": "transpose", "inputs": ["t"], "perm": [0, 1, 3, 2] }, { "name": "qk", "op": "matmul", "inputs": ["t", "p"] }, { "name": "a", "op": "softmax", "inputs": ["qk"], "axis": 3 }, { "name": "y", "op": "matmul", "inputs": ["a", "t"] }"#,
        ),
        (
            "constant skips",
            r#"{ "name": "g", "op": "tanh", "inputs": ["t"] }, { "name": "y", "op": "mul", "inputs": ["g"], "params": { "other": "w" } }"#,
        ),
        (
            "constant divides",
            r#"{ "name": "g", "op": "tanh", "inputs": ["t"] }, { "name": "y", "op": "div", "inputs": ["g"], "params": { "other": "w" } }"#,
        ),
        (
            "past the layer",
            r#"{ "name": "g", "op": "sigmoid", "inputs": ["input"] }, { "name": "r", "op": "reshape", "inputs": ["g"], "shape": [0, 4, 5, 6] }, { "name": "s", "op": "silu", "inputs": ["t"] }, { "name": "m", "op": "mul", "inputs": ["r", "s"] }, { "name": "d", "op": "div", "inputs": ["r", "m"] }, { "name": "e", "op": "tanh", "inputs": ["d"] }, { "name": "c", "op": "concat", "inputs": ["r", "e", "m"] }, { "name": "y", "op": "add", "inputs": ["c"], "scalar": 1 }"#,
        ),
    ] {
        let sizes = bends(nodes, vec![wide()], &positive());
        assert!(sizes[0].0 > 1e-3 * sizes[0].1, "{what} is as good as linear, {sizes:?}");
    }
}

#[test]
fn imported_networks_without_kinks() {
    for name in ["attention_opset17", "norms_opset21"] {
        let request =
            ImportRequest { source: fixture(&format!("onnx/{name}.onnx")), ..ImportRequest::default() };
        let card = import(&request).unwrap().card;
        let tensors = || import(&request).unwrap().tensors;
        let model = made(&card, tensors()).model;
        let spec = &model.graph().input;
        let input = seeded("input", &[1, spec.channels, spec.height, spec.width]);
        for layer in (0..model.scores()).filter(|at| model.shapes()[*at].len() == 4) {
            let what = format!("{name}, {}", model.graph().nodes[layer].name);
            agrees(&what, &card, &tensors, layer, &input, "flex", &[Score::Logit, Score::Rest]);
        }
    }
}

#[test]
fn there_is_none_behind_piecewise_linear_heads() {
    let squeezenet = burncam::Model::open(&fixture("models/squeezenet1_1.bpk"), None).unwrap();
    let resnet = seeded_architecture("resnet18");
    let relu = |model: &burncam::Model, nth: usize| {
        let mut at = (0..model.graph().nodes.len()).filter(|at| model.graph().nodes[*at].op.name() == "relu");
        at.nth(nth).unwrap()
    };
    let photo = array("squeezenet1_1.coffee.input.npy");
    for (model, input) in [(&squeezenet, photo), (&resnet.model, seeded("input", &[1, 3, 96, 96]))] {
        let taps = [relu(model, 9), relu(model, 3)];
        let network = Network::load(model, &taps, &DeviceName::default()).unwrap();
        let trunk = network.trunk(input).unwrap();
        for (class, score) in [(3, Score::Logit), (7, Score::Margin)] {
            for found in network.curvature(&trunk, PLAIN, &score, class).unwrap() {
                assert!(found.values.iter().all(|value| *value == 0.0));
            }
        }
        let bent = network.curvature(&trunk, PLAIN, &Score::Rest, 3).unwrap();
        for (found, evidence) in
            bent.iter().zip(network.record(&trunk).unwrap().evidence(&Score::Rest, 3).unwrap())
        {
            assert!(magnitude(&found.values) > 0.0);
            let of = |features: &burncam_engine::Features| {
                [features.channels, features.height, features.width, features.values.len()]
            };
            assert_eq!(of(found), of(&evidence.activations));
        }
    }
}

/// 4 channels of 3x4 -> mean of each -> three logits.
fn mean_and_linear() -> Network {
    let nodes = r#"
        { "name": "t", "op": "reshape", "inputs": ["input"], "shape": [0, 4, 3, 4] },
        { "name": "pool", "op": "global_avg_pool", "inputs": ["t"] },
        { "name": "flat", "op": "flatten", "inputs": ["pool"] },
        { "name": "fc", "op": "linear", "inputs": ["flat"], "params": { "weight": "w", "bias": "b" } }"#;
    let tensors =
        vec![tensor("w", &[4, 3], &seeded("closed.weight", &[4, 3])), tensor("b", &[3], &[0.1, -0.2, 0.3])];
    let network = made(&card(12, 4, nodes, "fc"), tensors);
    Network::load(&network.model, &[0], &DeviceName::default()).unwrap()
}

#[test]
fn a_linear_head_has_the_curvature_of_its_softmax() {
    // z = W m + b with m_k the mean of channel k, so H A is, in each of the Z cells of channel k, (W^T H_z u)_k / Z with
    // u = W m, and with p = softmax(z) and d = u - (p . u):
    //   prob:     H_z u = p_c (d_c (e_c - p) - p * d)
    //   log-prob: H_z u = -p * d, and so for rest, to whose logarithm only a linear term is added.
    let network = mean_and_linear();
    let input = seeded("closed.input", &[4, 3, 4]);
    let trunk = network.trunk(input.clone()).unwrap();
    let w = seeded("closed.weight", &[4, 3]);
    let m: Vec<f64> =
        input.chunks(12).map(|cells| cells.iter().map(|x| f64::from(*x)).sum::<f64>() / 12.0).collect();
    let u: Vec<f64> = (0..3).map(|j| (0..4).map(|k| f64::from(w[k * 3 + j]) * m[k]).sum()).collect();
    let z: Vec<f64> = u.iter().zip([0.1, -0.2, 0.3]).map(|(u, b)| u + b).collect();
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    let p: Vec<f64> = z.iter().map(|z| z.exp() / sum).collect();
    let mean: f64 = p.iter().zip(&u).map(|(p, u)| p * u).sum();
    let d: Vec<f64> = u.iter().map(|u| u - mean).collect();
    for class in 0..3 {
        let e = |j: usize| f64::from(u8::from(j == class));
        let prob: Vec<f64> = (0..3).map(|j| p[class] * (d[class] * (e(j) - p[j]) - p[j] * d[j])).collect();
        let log: Vec<f64> = (0..3).map(|j| -p[j] * d[j]).collect();
        for (score, hu) in [(Score::Prob, &prob), (Score::LogProb, &log), (Score::Rest, &log)] {
            let expected: Vec<f32> = (0..48)
                .map(|cell| {
                    let row = &w[cell / 12 * 3..][..3];
                    (row.iter().zip(hu).map(|(w, h)| f64::from(*w) * h).sum::<f64>() / 12.0) as f32
                })
                .collect();
            let found = network.curvature(&trunk, PLAIN, &score, class).unwrap().remove(0).values;
            let limit = 2e-6 * magnitude(&expected);
            assert!(distance(&found, &expected) <= limit, "{score:?}, {class}: {found:?}, {expected:?}");
        }
    }
}

#[test]
fn a_second_derivative_is_exact_to_single_precision() {
    // y_j = sum over cells of w f(A), so H A = w f''(A) A, with f'' by hand.
    let sigma = |x: f64| 1.0 / (1.0 + (-x).exp());
    type Second<'a> = &'a dyn Fn(f64) -> f64;
    let of: [(&str, Second<'_>); 4] = [
        ("sigmoid", &|x| sigma(x) * sigma(-x) * (sigma(-x) - sigma(x))),
        ("silu", &|x| {
            let slope = sigma(x) * sigma(-x);
            2.0 * slope + x * slope * (sigma(-x) - sigma(x))
        }),
        ("tanh", &|x| -2.0 * x.tanh() / x.cosh().powi(2)),
        ("gelu", &|x| (2.0 - x * x) * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()),
    ];
    let input = seeded("input", &[1, 4, 4]).iter().map(|x| x * 1.7).collect::<Vec<_>>();
    let w = seeded("fc.weight", &[16, 2]);
    for (op, second) in of {
        let nodes = format!(
            r#"{{ "name": "t", "op": "identity", "inputs": ["input"] }}, {{ "name": "y", "op": "{op}", "inputs": ["t"] }},
               {{ "name": "flat", "op": "flatten", "inputs": ["y"] }},
               {{ "name": "fc", "op": "linear", "inputs": ["flat"], "params": {{ "weight": "w" }} }}"#
        );
        let network = made(&card(4, 4, &nodes, "fc"), vec![tensor("w", &[16, 2], &w)]);
        for on in ["flex", "ndarray"] {
            let network = Network::load(&network.model, &[0], &device(on)).unwrap();
            let trunk = network.trunk(input.clone()).unwrap();
            let found = network.curvature(&trunk, PLAIN, &Score::Logit, 1).unwrap().remove(0).values;
            let expected: Vec<f32> = input
                .iter()
                .enumerate()
                .map(|(at, x)| (f64::from(w[at * 2 + 1]) * second(f64::from(*x)) * f64::from(*x)) as f32)
                .collect();
            assert!(
                distance(&found, &expected) <= 2e-6 * magnitude(&expected),
                "{op} on {on}: {found:?}, {expected:?}"
            );
        }
    }
}

#[test]
fn a_class_that_is_not_there_is_refused() {
    let network = mean_and_linear();
    let trunk = network.trunk(vec![0.5; 48]).unwrap();
    let error = network.curvature(&trunk, PLAIN, &Score::Logit, 3).unwrap_err().to_string();
    assert!(error.contains("class 3 of 3"), "{error}");
}
