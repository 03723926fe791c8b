//! Gradients of each operation against central differences, on both devices.

use burncam_engine::Network;
use burncam_model::StoredTensor;

use super::INPUT;
use crate::support::{card, device, evidence, made, magnitude, seeded, tensor};

/// The gradient of a seeded weighting of `node`'s outputs, with respect to its input `x`, `[1, 2, 2, 3]`.
///
/// `node` reads `x` and gives `y`, of as many numbers as `outputs`.
fn slopes_agree(node: &str, outputs: usize, input: &[f32], mut tensors: Vec<StoredTensor>) {
    let nodes = format!(
        r#"{{ "name": "x", "op": "reshape", "inputs": ["input"], "shape": [0, 2, 2, 3] }},
           {node}, {{ "name": "flat", "op": "flatten", "inputs": ["y"] }},
           {{ "name": "fc", "op": "linear", "inputs": ["flat"], "params": {{ "weight": "fc.w" }} }}"#
    );
    tensors.push(tensor("fc.w", &[outputs, 1], &seeded("fc.weight", &[outputs])));
    let network = made(&card(4, 3, &nodes, "fc"), tensors);
    for on in ["flex", "ndarray"] {
        let runner = Network::load(&network.model, &[0], &device(on)).unwrap();
        let score = |values: Vec<f32>| f64::from(runner.logits(values).unwrap()[0]);
        let found = evidence(&network.model, "x", 0, input, on).gradients.values;
        let scale = f64::from(magnitude(&found).max(1.0));
        assert!(magnitude(&found) > 0.0 || node.contains(r#""exponent": 0"#), "{node} on {on}: no gradient");
        for (at, gradient) in found.iter().enumerate() {
            const STEP: f32 = 1e-2;
            let moved = |by: f32| {
                let mut values = input.to_vec();
                values[at] += by;
                score(values)
            };
            let slope = (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP);
            let gap = (slope - f64::from(*gradient)).abs();
            assert!(gap < 2e-3 * scale, "{node} on {on}, input {at}: {gradient} against {slope}");
        }
    }
}

fn node(fields: &str) -> String {
    format!(r#"{{ "name": "y", "inputs": ["x"], {fields} }}"#)
}

fn affine() -> Vec<StoredTensor> {
    vec![tensor("g", &[2], &[1.5, -0.5]), tensor("b", &[2], &[0.25, 1.0])]
}

#[test]
fn pointwise_slopes() {
    let positive = INPUT.map(|x| x * 0.2 + 1.2);
    for fields in [
        r#""op": "erf""#,
        r#""op": "sin""#,
        r#""op": "cos""#,
        r#""op": "abs""#,
        r#""op": "log_sigmoid""#,
        r#""op": "pow", "exponent": 0"#,
        r#""op": "pow", "exponent": 1"#,
        r#""op": "pow", "exponent": 2"#,
        r#""op": "pow", "exponent": 3"#,
        r#""op": "pow", "exponent": 4.0"#,
        r#""op": "minimum", "scalar": 0.5"#,
        r#""op": "maximum", "scalar": 0.5"#,
    ] {
        slopes_agree(&node(fields), 12, &INPUT, vec![]);
    }
    for fields in [
        r#""op": "log""#,
        r#""op": "pow", "exponent": 0.5"#,
        r#""op": "pow", "exponent": 2.5"#,
        r#""op": "pow", "exponent": -1"#,
        r#""op": "pow", "exponent": -2"#,
        r#""op": "pow", "exponent": -1.5"#,
    ] {
        slopes_agree(&node(fields), 12, &positive, vec![]);
    }
    // Odd and even powers of negative numbers, away from the pole.
    let negative = positive.map(|x| -x);
    for exponent in [-3, -2, -1, 5] {
        slopes_agree(&node(&format!(r#""op": "pow", "exponent": {exponent}"#)), 12, &negative, vec![]);
    }
}

#[test]
fn norm_slopes() {
    slopes_agree(
        &node(r#""op": "layer_norm", "params": { "gamma": "g" }"#),
        12,
        &INPUT,
        vec![tensor("g", &[3], &[1.5, -0.5, 2.0])],
    );
    slopes_agree(
        &node(r#""op": "layer_norm", "params": { "gamma": "g" }"#),
        12,
        &INPUT,
        vec![tensor("g", &[2, 2, 3], &seeded("g.weight", &[12]))],
    );
    for groups in [1, 2] {
        let fields =
            format!(r#""op": "group_norm", "groups": {groups}, "params": {{ "gamma": "g", "beta": "b" }}"#);
        slopes_agree(&node(&fields), 12, &INPUT, affine());
    }
    for size in 1..=5 {
        let fields =
            format!(r#""op": "local_response_norm", "size": {size}, "alpha": 0.3, "beta": 0.75, "k": 1.5"#);
        slopes_agree(&node(&fields), 12, &INPUT, vec![]);
    }
}

#[test]
fn slopes_of_choices_and_reductions() {
    for (fields, outputs) in [
        (r#""op": "reduce_min", "axes": [2, 3]"#, 2),
        (r#""op": "reduce_min", "axes": [1], "keep_dims": true"#, 6),
        (r#""op": "reduce_l2", "axes": [3]"#, 4),
        (r#""op": "reduce_l2", "axes": [1, 2, 3], "keep_dims": true"#, 1),
    ] {
        slopes_agree(&node(fields), outputs, &INPUT, vec![]);
    }
    for op in ["minimum", "maximum"] {
        slopes_agree(
            &node(&format!(r#""op": "{op}", "params": {{ "other": "c" }}"#)),
            12,
            &INPUT,
            vec![tensor("c", &[3], &[-1.0, 0.0, 1.0])],
        );
        for inputs in [r#"["mean", "x"]"#, r#"["x", "mean"]"#] {
            let nodes = format!(
                r#"{{ "name": "mean", "op": "global_avg_pool", "inputs": ["x"] }},
                   {{ "name": "y", "op": "{op}", "inputs": {inputs} }}"#
            );
            slopes_agree(&nodes, 12, &INPUT, vec![]);
        }
    }
}

#[test]
fn slopes_of_a_resize() {
    for size in [[3, 5], [1, 2], [4, 1]] {
        for (mode, align) in [
            ("nearest", false),
            ("bilinear", false),
            ("bilinear", true),
            ("bicubic", false),
            ("bicubic", true),
        ] {
            let fields = format!(
                r#""op": "resize", "output_size": {size:?}, "mode": "{mode}", "align_corners": {align}"#
            );
            slopes_agree(&node(&fields), 2 * size[0] * size[1], &INPUT, vec![]);
        }
    }
}

#[test]
fn the_length_of_nothing_has_no_slope_and_is_a_number() {
    let nodes = r#"{ "name": "x", "op": "reshape", "inputs": ["input"], "shape": [0, 2, 2, 3] },
        { "name": "y", "op": "reduce_l2", "inputs": ["x"], "axes": [2, 3] }"#;
    let network = made(&card(4, 3, nodes, "y"), vec![]);
    let mut input = [0.0; 12];
    input[6] = 3.0;
    input[7] = -4.0;
    for on in ["flex", "ndarray"] {
        let logits =
            Network::load(&network.model, &[0], &device(on)).unwrap().logits(input.to_vec()).unwrap();
        assert_eq!(logits, [0.0, 5.0]);
        assert_eq!(evidence(&network.model, "x", 0, &input, on).gradients.values, [0.0; 12]);
        let second = evidence(&network.model, "x", 1, &input, on).gradients.values;
        assert_eq!(second[6..], [0.6, -0.8, 0.0, 0.0, 0.0, 0.0]);
    }
}
