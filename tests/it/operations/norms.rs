//! Normalisation, local response, reductions and arithmetic against loops, and against what PyTorch and ONNX Runtime gave.

use burncam_model::StoredTensor;

use super::{INPUT, agrees, with_tensors};
use crate::support::tensor;

/// `torch.nn.functional.layer_norm` of the first two rows of `INPUT`.
const TORCH_LAYER_NORM: [f32; 6] = [-1.275_059, 0.322_196, -0.677_804, 0.758_353, 1.677_804, 2.033_412];

/// `torch.nn.functional.group_norm` of the first channel of `INPUT`.
const TORCH_GROUP_NORM: [f32; 6] = [-1.886_08, 0.832_567, -1.109_324, 1.609_324, -0.332_567, 2.386_08];

/// ONNX Runtime's `LRN` of size 5 of `INPUT` as six channels. It knows odd sizes only.
const ONNX_LRN_5: [f32; 12] = [
    -1.500_723, 0.486_689, -0.920_339, 0.945_904, -0.331_247, 1.413_488, 0.225_442, -1.037_926, 0.834_197,
    -0.580_961, 1.441_78, -0.063_354,
];

/// `(x - mean) / sqrt(variance + epsilon)` of each chunk.
fn standardised(x: &[f32], chunk: usize, epsilon: f64) -> Vec<f64> {
    let one = |part: &[f32]| {
        let count = part.len() as f64;
        let mean = part.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let variance = part.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count;
        part.iter().map(|x| (f64::from(*x) - mean) / (variance + epsilon).sqrt()).collect::<Vec<_>>()
    };
    x.chunks(chunk).flat_map(one).collect()
}

fn affine() -> Vec<StoredTensor> {
    vec![tensor("g", &[2], &[1.5, -0.5]), tensor("b", &[2], &[0.25, 1.0])]
}

#[test]
fn layer_norm_takes_the_axes_of_its_gamma() {
    let (gamma, beta) = ([1.5, -0.5, 2.0], [0.25, 1.0, 0.0]);
    let node = r#""op": "layer_norm", "epsilon": 0.01, "params": { "gamma": "g", "beta": "b" }"#;
    let found = with_tensors(node, vec![tensor("g", &[3], &gamma), tensor("b", &[3], &beta)]);
    let scaled = standardised(&INPUT, 3, 0.01).into_iter().enumerate();
    let expected: Vec<f32> =
        scaled.map(|(at, x)| (x * f64::from(gamma[at % 3]) + f64::from(beta[at % 3])) as f32).collect();
    agrees(node, &found, &expected);
    agrees(node, &found.map(|values| values[..6].to_vec()), &TORCH_LAYER_NORM);

    let whole: Vec<f32> = (0..12_u8).map(|at| f32::from(at) * 0.25 - 1.0).collect();
    let node = r#""op": "layer_norm", "params": { "gamma": "g" }"#;
    let found = with_tensors(node, vec![tensor("g", &[2, 2, 3], &whole)]);
    let scaled = standardised(&INPUT, 12, 1e-5).into_iter().zip(&whole);
    agrees(node, &found, &scaled.map(|(x, gamma)| (x * f64::from(*gamma)) as f32).collect::<Vec<_>>());
}

#[test]
fn group_norm_takes_groups_of_channels() {
    let node = r#""op": "group_norm", "groups": 2, "params": { "gamma": "g", "beta": "b" }"#;
    let found = with_tensors(node, affine());
    let scaled = standardised(&INPUT, 6, 1e-5).into_iter().enumerate();
    let expected: Vec<f32> =
        scaled.map(|(at, x)| (if at < 6 { x * 1.5 + 0.25 } else { 1.0 - x * 0.5 }) as f32).collect();
    agrees(node, &found, &expected);
    agrees(node, &found.map(|values| values[..6].to_vec()), &TORCH_GROUP_NORM);

    let node = r#""op": "group_norm", "groups": 1"#;
    let expected: Vec<f32> = standardised(&INPUT, 12, 1e-5).into_iter().map(|x| x as f32).collect();
    agrees(node, &with_tensors(node, vec![]), &expected);
}

#[test]
fn local_response_looks_at_the_channels_about_each() {
    // Six channels of one row of two pixels.
    for size in 1..=8_usize {
        let node = format!(
            r#"{{ "name": "y", "op": "local_response_norm", "inputs": ["x"], "size": {size}, "alpha": 0.3, "beta": 0.75, "k": 1.5 }}"#
        );
        let mut expected = Vec::new();
        for channel in 0..6 {
            for pixel in 0..2 {
                let window = channel - (size as isize - 1) / 2..=channel + size as isize / 2;
                let inside = window.filter(|other| (0..6).contains(other));
                let at = |channel: isize| f64::from(INPUT[channel as usize * 2 + pixel]);
                let sum: f64 = inside.map(|other| at(other).powi(2)).sum();
                expected.push((at(channel) / (1.5 + 0.3 / size as f64 * sum).powf(0.75)) as f32);
            }
        }
        let found = super::values(&node, 6, 1, 2, &INPUT);
        agrees(&node, &found, &expected);
        if size == 5 {
            agrees(&node, &found, &ONNX_LRN_5);
        }
    }
}

#[test]
fn the_least_and_the_length_along_axes() {
    let least = |node: &str, expected: &[f32]| agrees(node, &with_tensors(node, vec![]), expected);
    least(r#""op": "reduce_min", "axes": [2, 3]"#, &[-2.6, -2.1]);
    least(r#""op": "reduce_min", "axes": [1], "keep_dims": true"#, &[-2.6, -2.1, -1.6, -1.1, -0.6, -0.1]);
    let length = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>().sqrt();
    let expected: Vec<f32> = INPUT.chunks(3).map(length).collect();
    least(r#""op": "reduce_l2", "axes": [3]"#, &expected);
    least(r#""op": "reduce_l2", "axes": [1, 2, 3], "keep_dims": true"#, &[length(&INPUT)]);
}

#[test]
fn the_lesser_and_the_greater_of_numbers_parameters_and_values() {
    for (op, choose) in [("minimum", f32::min as fn(f32, f32) -> f32), ("maximum", f32::max)] {
        let node = format!(r#""op": "{op}", "scalar": 0.5"#);
        let expected = INPUT.map(|x| choose(x, 0.5));
        agrees(&node, &with_tensors(&node, vec![]), &expected);

        let columns = [-1.0, 0.0, 1.0];
        let node = format!(r#""op": "{op}", "params": {{ "other": "c" }}"#);
        let expected: Vec<f32> =
            INPUT.iter().enumerate().map(|(at, x)| choose(*x, columns[at % 3])).collect();
        agrees(&node, &with_tensors(&node, vec![tensor("c", &[3], &columns)]), &expected);

        // Of each channel's mean and its values: both ways round, each broadcasts.
        for inputs in [r#"["mean", "x"]"#, r#"["x", "mean"]"#] {
            let node = format!(
                r#"{{ "name": "mean", "op": "global_avg_pool", "inputs": ["x"] }},
                   {{ "name": "y", "op": "{op}", "inputs": {inputs} }}"#
            );
            let mean = |part: &[f32]| part.iter().sum::<f32>() / 6.0;
            let expected: Vec<f32> = INPUT
                .chunks(6)
                .flat_map(|part| part.iter().map(|x| choose(*x, mean(part))).collect::<Vec<_>>())
                .collect();
            agrees(&node, &super::values(&node, 2, 2, 3, &INPUT), &expected);
        }
    }
}
