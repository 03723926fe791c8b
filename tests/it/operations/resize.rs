//! Resizing inside a network, against what `torch.nn.functional.interpolate` gave for the same six numbers.

use burncam::{LayerRequest, Model};

use super::{INPUT, agrees, values};
use crate::support::{card, made, tensor};

/// PyTorch's result for the first channel of `INPUT`; the second is checked by being the first plus a constant.
const CASES: &[(&str, bool, [usize; 2], &[f32])] = &[
    (
        "nearest",
        false,
        [3, 5],
        &[-2.6, -2.6, 0.9, 0.9, -1.6, -2.6, -2.6, 0.9, 0.9, -1.6, 1.9, 1.9, -0.6, -0.6, 2.9],
    ),
    ("nearest", false, [1, 2], &[-2.6, 0.9]),
    (
        "bilinear",
        false,
        [3, 5],
        &[-2.6, -1.2, 0.9, -0.6, -1.6, -0.35, -0.15, 0.15, 0.45, 0.65, 1.9, 0.9, -0.6, 1.5, 2.9],
    ),
    (
        "bilinear",
        true,
        [3, 5],
        &[-2.6, -0.85, 0.9, -0.35, -1.6, -0.35, -0.1, 0.15, 0.4, 0.65, 1.9, 0.65, -0.6, 1.15, 2.9],
    ),
    ("bilinear", false, [1, 2], &[-0.225, 0.525]),
    ("bilinear", true, [1, 2], &[-2.6, -1.6]),
    (
        "bicubic",
        false,
        [3, 5],
        &[
            -3.376_626, -1.213_041, 1.030_209, -0.529_043, -2.280_626, -0.398, -0.192, 0.15, 0.492, 0.698,
            2.580_624, 0.829_041, -0.730_208, 1.513_043, 3.676_625,
        ],
    ),
    (
        "bicubic",
        true,
        [3, 5],
        &[
            -2.6, -0.615_625, 0.9, -0.021_875, -1.6, -0.35, -0.146_875, 0.15, 0.446_875, 0.65, 1.9,
            0.321_875, -0.6, 0.915_625, 2.9,
        ],
    ),
    ("bicubic", false, [1, 2], &[-0.254_297, 0.554_297]),
    ("bicubic", true, [1, 2], &[-2.6, -1.6]),
];

#[test]
fn resizing_is_pytorchs_interpolate() {
    let input: Vec<f32> = INPUT[..6].iter().copied().chain(INPUT[..6].iter().map(|x| x + 10.0)).collect();
    for (mode, align, size, expected) in CASES {
        let node = format!(
            r#"{{ "name": "y", "op": "resize", "inputs": ["x"], "output_size": {size:?}, "mode": "{mode}", "align_corners": {align} }}"#
        );
        let both: Vec<f32> = expected.iter().copied().chain(expected.iter().map(|x| x + 10.0)).collect();
        agrees(&node, &values(&node, 2, 2, 3, &input), &both);
    }
}

#[test]
fn a_constant_stays_one_at_any_size() {
    for mode in ["nearest", "bilinear", "bicubic"] {
        for size in [[1, 1], [7, 2], [40, 41]] {
            let node = format!(
                r#"{{ "name": "y", "op": "resize", "inputs": ["x"], "output_size": {size:?}, "mode": "{mode}" }}"#
            );
            agrees(&node, &values(&node, 1, 5, 6, &[0.75; 30]), &vec![0.75; size[0] * size[1]]);
        }
    }
}

/// A convolution of stride 2, a resize to twice that, a convolution.
fn enlarging(mode: &str) -> crate::support::Made {
    let nodes = format!(
        r#"{{ "name": "down", "op": "conv2d", "inputs": ["input"], "params": {{ "weight": "w" }}, "stride": [2, 2] }},
           {{ "name": "up", "op": "resize", "inputs": ["down"], "output_size": [14, 14], "mode": "{mode}" }},
           {{ "name": "last", "op": "conv2d", "inputs": ["up"], "params": {{ "weight": "w" }} }},
           {{ "name": "again", "op": "resize", "inputs": ["last"], "output_size": [24, 24], "mode": "{mode}" }},
           {{ "name": "flat", "op": "flatten", "inputs": ["again"] }}"#
    );
    made(&card(15, 15, &nodes, "flat"), vec![tensor("w", &[1, 1, 3, 3], &[0.1; 9])])
}

#[test]
fn a_resize_changes_what_cells_see_and_is_not_the_layer_to_explain() {
    let fields = |model: &Model| -> Vec<usize> {
        model.layers().iter().filter_map(|layer| layer.receptive_field).map(|[height, _]| height).collect()
    };
    // 3 pixels at a step of 2; the enlarged cells are 1 apart, so the next kernel adds 2; and so on.
    assert_eq!(fields(&enlarging("nearest").model), [3, 3, 5, 5]);
    // A second cell two pixels on; then one on.
    assert_eq!(fields(&enlarging("bilinear").model), [3, 5, 7, 8]);
    assert_eq!(enlarging("bicubic").model.choose_layer(&LayerRequest::Auto).unwrap().name, "last");
}

/// As [`enlarging`], but a transposed convolution of stride 2 enlarges.
#[test]
fn a_transposed_convolution_changes_what_cells_see_and_costs_a_window_per_value() {
    let enlarging = |kernel: usize| {
        let nodes = r#"{ "name": "down", "op": "conv2d", "inputs": ["input"], "params": { "weight": "w" }, "stride": [2, 2] },
           { "name": "up", "op": "conv_transpose2d", "inputs": ["down"], "params": { "weight": "t" }, "stride": [2, 2] },
           { "name": "last", "op": "conv2d", "inputs": ["up"], "params": { "weight": "w" } },
           { "name": "flat", "op": "flatten", "inputs": ["last"] }"#;
        let weights = vec![
            tensor("w", &[1, 1, 3, 3], &[0.1; 9]),
            tensor("t", &[1, 1, kernel, kernel], &vec![0.1; kernel * kernel]),
        ];
        made(&card(15, 15, nodes, "flat"), weights)
    };
    let fields = |model: &Model| -> Vec<usize> {
        model.layers().iter().filter_map(|layer| layer.receptive_field).map(|[height, _]| height).collect()
    };
    // 3 pixels at a step of 2; one cell of them at a step of 1; two more.
    assert_eq!(fields(&enlarging(2).model), [3, 3, 5]);
    // Two cells, 2 pixels from each other.
    assert_eq!(fields(&enlarging(3).model), [3, 5, 7]);
    // 7x7 cells of 9, each into a window of 4, and 12x12 cells of 9.
    assert_eq!(enlarging(2).model.cost().multiply_adds, 49 * 9 + 49 * 4 + 144 * 9);
}
