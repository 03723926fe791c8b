//! Slopes at exactly the corners of functions, as PyTorch 2.15 gives them, by every engine, device and way backward.

use burncam::{Engine, Method, Runtime, Score};
use burncam_engine::{Network, Rule, Visits};
use burncam_model::StoredTensor;
use burncam_model::import::{ImportRequest, import};

use crate::support::{Made, card, device, distance, fixture, made, magnitude, tensor};

/// Weights of the sum over the operation's values, so that no two gradients are mixed up.
fn weights(count: usize) -> Vec<f32> {
    (0..count).map(|at| [1.0, -2.0, 0.5, 4.0][at % 4]).collect()
}

/// `nodes` from `x`, which equals the input, to `y`; the one class is a weighted sum of its `count` values.
fn network(nodes: &str, [height, width]: [usize; 2], count: usize, mut tensors: Vec<StoredTensor>) -> Made {
    let nodes = format!(
        r#"{{ "name": "x", "op": "conv2d", "inputs": ["input"], "params": {{ "weight": "one" }} }}, {nodes},
           {{ "name": "flat", "op": "flatten", "inputs": ["y"] }},
           {{ "name": "sum", "op": "linear", "inputs": ["flat"], "params": {{ "weight": "weights" }} }}"#
    );
    tensors.push(tensor("one", &[1, 1, 1, 1], &[1.0]));
    tensors.push(tensor("weights", &[count, 1], &weights(count)));
    made(&card(height, width, &nodes, "sum"), tensors)
}

/// Gradients of the class at `x`: the head behind a trunk of Burn and of the native kernels, and the sweep over the whole network.
fn gradients(made: &Made, input: &[f32]) -> Vec<(String, Vec<f32>)> {
    let mut found = Vec::new();
    for on in ["flex", "ndarray"] {
        for engine in [Engine::Burn, Engine::Native(None)] {
            let runtime = Runtime { engine, ..Runtime::from(&device(on)) };
            let network = Network::load(&made.model, &[0], &runtime).unwrap();
            let trunk = network.trunk(input.to_vec()).unwrap();
            let evidence = network.record(&trunk).unwrap().evidence(&Score::Logit, 0).unwrap().remove(0);
            found.push((format!("{on}, {engine}, head"), evidence.gradients.values));
            let sweep = network.sweep(input.to_vec(), Visits::Everything).unwrap();
            let swept = sweep.back(&Score::Logit, 0, Rule::Plain, &mut |_| Ok(()));
            found.push((format!("{on}, {engine}, sweep"), swept.unwrap()));
            let chain = network.locals(&trunk, input.to_vec()).unwrap().gradient(0).unwrap();
            found.push((format!("{on}, {engine}, chain"), chain));
        }
    }
    found
}

/// The operation has these slopes at these places, each by itself.
#[track_caller]
fn slopes(nodes: &str, tensors: &dyn Fn() -> Vec<StoredTensor>, places: &[(f32, f32)]) {
    let input: Vec<f32> = places.iter().map(|(place, _)| *place).collect();
    let made = network(nodes, [1, input.len()], input.len(), tensors());
    let weighted = places.iter().zip(weights(input.len()));
    let expected: Vec<f32> = weighted.map(|((_, slope), weight)| slope * weight).collect();
    for (how, found) in gradients(&made, &input) {
        let off = distance(&found, &expected);
        assert!(
            off < 1e-6 * magnitude(&expected).max(1.0),
            "{nodes}, {how}: {found:?}, expected {expected:?}"
        );
    }
}

#[track_caller]
fn single(fields: &str, places: &[(f32, f32)]) {
    slopes(&format!(r#"{{ "name": "y", "inputs": ["x"], {fields} }}"#), &Vec::new, places);
}

#[test]
fn relu_and_its_bounded_kin_have_no_slope_at_their_corners() {
    single(r#""op": "relu""#, &[(-1.0, 0.0), (0.0, 0.0), (-0.0, 0.0), (2.0, 1.0)]);
    let relu6 = [(-1.0, 0.0), (0.0, 0.0), (3.0, 1.0), (6.0, 0.0), (7.0, 0.0)];
    single(r#""op": "relu6""#, &relu6);
    single(r#""op": "clip", "min": 0.0, "max": 6.0"#, &relu6);
    let hardtanh = [(-2.0, 0.0), (-1.0, 0.0), (0.5, 1.0), (1.0, 0.0), (2.0, 0.0)];
    single(r#""op": "clip", "min": -1.0, "max": 1.0"#, &hardtanh);
    single(r#""op": "clip", "min": -1.0, "max": 3.4028234663852886e38"#, &[(-1.0, 0.0), (0.0, 1.0)]);
    single(r#""op": "clip", "min": 0.5, "max": 0.5"#, &[(0.5, 0.0), (0.0, 0.0)]);
}

#[test]
fn leaky_relus_have_their_lower_slope_at_zero() {
    single(r#""op": "leaky_relu", "slope": 0.125"#, &[(-1.0, 0.125), (0.0, 0.125), (1.0, 1.0)]);
    let prelu = r#"{ "name": "y", "op": "prelu", "inputs": ["x"], "params": { "slope": "slope" } }"#;
    let slope = || vec![tensor("slope", &[1], &[0.25])];
    slopes(prelu, &slope, &[(-1.0, 0.25), (0.0, 0.25), (1.0, 1.0)]);
}

#[test]
fn exponential_units_have_their_lower_slope_at_zero_and_no_nan_far_above() {
    single(r#""op": "elu", "alpha": 0.5"#, &[(-0.0, 0.5), (0.0, 0.5), (1.0, 1.0), (200.0, 1.0)]);
    single(r#""op": "selu""#, &[(0.0, 1.758_099_3), (1.0, 1.050_701), (200.0, 1.050_701)]);
    // CELU with alpha 2, as the importer writes it.
    let celu = r#"
        { "name": "half", "op": "mul", "scalar": 0.5, "inputs": ["x"] },
        { "name": "elu", "op": "elu", "inputs": ["half"] },
        { "name": "y", "op": "mul", "scalar": 2.0, "inputs": ["elu"] }"#;
    slopes(celu, &Vec::new, &[(0.0, 1.0), (1.0, 1.0)]);
}

#[test]
fn hard_sigmoid_and_hard_swish_are_flat_at_the_ends_of_their_ramps() {
    let sixth = 1.0 / 6.0;
    single(r#""op": "hard_sigmoid""#, &[(-3.0, 0.0), (0.0, sixth), (3.0, 0.0), (4.0, 0.0)]);
    let single_precision = r#""op": "hard_sigmoid", "alpha": 0.1666666716337204, "beta": 0.5"#;
    single(single_precision, &[(-3.0, 0.0), (0.0, sixth), (3.0, 0.0)]);
    single(r#""op": "hard_sigmoid", "alpha": 0.2, "beta": 0.5"#, &[(-2.5, 0.0), (1.0, 0.2), (2.5, 0.0)]);
    let hard_swish = [(-4.0, 0.0), (-3.0, 0.0), (0.0, 0.5), (1.5, 1.0), (3.0, 1.0), (4.0, 1.0)];
    single(r#""op": "hard_swish""#, &hard_swish);
    let spelt_out = r#"
        { "name": "shifted", "op": "add", "scalar": 3.0, "inputs": ["x"] },
        { "name": "gate", "op": "relu6", "inputs": ["shifted"] },
        { "name": "gated", "op": "mul", "inputs": ["x", "gate"] },
        { "name": "y", "op": "div", "scalar": 6.0, "inputs": ["gated"] }"#;
    slopes(spelt_out, &Vec::new, &hard_swish);
}

#[test]
fn what_has_a_slope_everywhere_keeps_it() {
    single(r#""op": "abs""#, &[(-1.0, -1.0), (0.0, 0.0), (1.0, 1.0)]);
    single(r#""op": "softplus""#, &[(0.0, 0.5), (20.0, 1.0), (30.0, 1.0)]);
    single(r#""op": "pow", "exponent": 2.0"#, &[(0.0, 0.0), (-1.0, -2.0)]);
    single(r#""op": "pow", "exponent": 1.5"#, &[(0.0, 0.0), (1.0, 1.5)]);
    single(r#""op": "silu""#, &[(0.0, 0.5)]);
    single(r#""op": "mish""#, &[(0.0, 0.6)]);
    single(r#""op": "gelu""#, &[(0.0, 0.5)]);
}

#[test]
fn the_greater_and_the_lesser_of_equals_share_the_gradient() {
    single(r#""op": "maximum", "scalar": 1.0"#, &[(0.0, 0.0), (1.0, 0.5), (2.0, 1.0)]);
    single(r#""op": "minimum", "scalar": 1.0"#, &[(0.0, 1.0), (1.0, 0.5), (2.0, 0.0)]);
    let twice = |op: &str| {
        format!(
            r#"{{ "name": "twice", "op": "mul", "scalar": 2.0, "inputs": ["x"] }},
               {{ "name": "y", "op": "{op}", "inputs": ["x", "twice"] }}"#
        )
    };
    slopes(&twice("maximum"), &Vec::new, &[(-1.0, 1.0), (0.0, 1.5), (1.0, 2.0)]);
    slopes(&twice("minimum"), &Vec::new, &[(-1.0, 2.0), (0.0, 1.5), (1.0, 1.0)]);
}

/// The gradient of one value made of 2x2 equal and other numbers.
#[track_caller]
fn shared(fields: &str, input: [f32; 4], expected: [f32; 4]) {
    let nodes = format!(r#"{{ "name": "y", "inputs": ["x"], {fields} }}"#);
    let made = network(&nodes, [2, 2], 1, vec![]);
    for (how, found) in gradients(&made, &input) {
        assert_eq!(found, expected, "{fields}, {how}");
    }
}

#[test]
fn of_equal_numbers_the_first_in_reading_order_counts_in_a_pool() {
    let pools = [r#""op": "max_pool2d", "kernel": [2, 2], "stride": [2, 2]"#, r#""op": "global_max_pool""#];
    for pool in pools {
        shared(pool, [1.0; 4], [1.0, 0.0, 0.0, 0.0]);
        shared(pool, [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]);
    }
}

#[test]
fn over_several_axes_equal_extremes_share_and_over_one_the_first_counts() {
    let over = |op: &str, axes: &str| format!(r#""op": "{op}", "axes": {axes}, "keep_dims": true"#);
    shared(&over("reduce_max", "[2, 3]"), [0.0, 1.0, 1.0, 0.0], [0.0, 0.5, 0.5, 0.0]);
    shared(&over("reduce_min", "[2, 3]"), [0.0, 1.0, 0.0, 0.0], [1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0]);
    let one_axis = r#"
        { "name": "most", "op": "reduce_max", "axes": [3], "keep_dims": true, "inputs": ["x"] },
        { "name": "y", "op": "reduce_sum", "axes": [2], "keep_dims": true, "inputs": ["most"] }"#;
    let made = network(one_axis, [2, 2], 1, vec![]);
    for (how, found) in gradients(&made, &[1.0, 1.0, 0.0, 2.0]) {
        assert_eq!(found, [1.0, 0.0, 0.0, 1.0], "{how}");
    }
}

/// Half of the layer's values are at the lower corner of a ReLU6: their slope is 0, as in PyTorch.
#[test]
fn an_imported_relu6_gives_pytorchs_map_at_its_corners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relu6.bpk");
    let source = fixture("cases/kinks/relu6_at_zero_and_six.onnx");
    let imported = import(&ImportRequest { source, ..ImportRequest::default() }).unwrap();
    burncam::Model::save(&path, &imported.card, imported.tensors, false).unwrap();
    let model = burncam::Model::open(&path, None).unwrap();
    let bytes = std::fs::read(fixture("cases/kinks/half.npy")).unwrap();
    let input: Vec<f32> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    for (on, engine) in [("flex", Engine::Burn), ("flex", Engine::Native(None)), ("ndarray", Engine::Burn)] {
        let layer = model.graph().position("conv2").unwrap();
        let runtime = Runtime { engine, ..Runtime::from(&device(on)) };
        let network = Network::load(&model, &[layer], &runtime).unwrap();
        let trunk = network.trunk(input.clone()).unwrap();
        let evidence = network.record(&trunk).unwrap().evidence(&Score::Logit, 0).unwrap().remove(0);
        let map = Method::GradCam.raw_map(&evidence).unwrap();
        assert_eq!(magnitude(&map), 0.031_25, "{on}, {engine}");
    }
}
