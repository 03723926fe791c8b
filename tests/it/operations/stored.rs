//! Operations on a tensor and a stored one, gathers and transposed convolutions, by hand and against loops.

use super::{INPUT, agrees, with_tensors};
use crate::support::{seeded, tensor};

#[test]
fn a_stored_part_stands_before_the_input_of_its_number() {
    let sevens = || vec![tensor("o", &[1, 1, 1, 1], &[7.0])];
    let joined = |at: usize| {
        let fields = r#""op": "concat", "axis": 1, "params": { "other": "o" }, "at": "#;
        with_tensors(&format!("{fields}{at}"), sevens())
    };
    agrees("first", &joined(0), &[&[7.0; 6][..], &INPUT].concat());
    agrees("last", &joined(1), &[&INPUT[..], &[7.0; 6]].concat());
    let column = vec![tensor("o", &[1, 1, 2, 1], &[7.0, 8.0])];
    let found = with_tensors(r#""op": "concat", "axis": 3, "params": { "other": "o" }"#, column);
    let rows = INPUT.chunks(3).enumerate();
    let expected: Vec<f32> = rows.flat_map(|(at, row)| [&[[7.0, 8.0][at % 2]][..], row].concat()).collect();
    agrees("a column", &found, &expected);
}

#[test]
fn a_gather_may_repeat_and_turn_round() {
    let found = with_tensors(r#""op": "gather", "axis": 3, "indices": [2, 0, 2, 1]"#, vec![]);
    let expected: Vec<f32> = INPUT.chunks(3).flat_map(|row| [row[2], row[0], row[2], row[1]]).collect();
    agrees("gather", &found, &expected);
}

#[test]
fn a_product_with_a_stored_matrix_for_each_channel() {
    let other = [1.0, 0.0, 2.0, -1.0, 0.5, 3.0];
    let found = with_tensors(
        r#""op": "matmul", "params": { "other": "o" }"#,
        vec![tensor("o", &[1, 2, 3, 1], &other)],
    );
    let rows = INPUT.chunks(3).enumerate();
    let expected: Vec<f32> =
        rows.map(|(at, row)| (0..3).map(|k| row[k] * other[at / 2 * 3 + k]).sum()).collect();
    agrees("matmul", &found, &expected);
}

#[test]
fn a_sign_is_minus_one_zero_or_one() {
    let found = with_tensors(r#""op": "sign""#, vec![]);
    agrees("sign", &found, &INPUT.map(f32::signum));
}

/// Every number of the input spreads over a window: what PyTorch's documentation says of a transposed convolution.
#[test]
fn a_transposed_convolution_spreads_every_number_over_its_window() {
    let (weight, bias) = (seeded("weight", &[2, 2, 3, 2]), [0.5, -0.25, 1.0, 0.75]);
    let node = r#""op": "conv_transpose2d", "params": { "weight": "w", "bias": "b" }, "stride": [2, 3], "dilation": [1, 2],
        "padding": [1, 0, 0, 2], "output_padding": [1, 0], "groups": 2"#;
    let found = with_tensors(node, vec![tensor("w", &[2, 2, 3, 2], &weight), tensor("b", &[4], &bias)]);
    // Height (2 - 1) 2 + 2 + 1 + 1 - 1 = 5, width (3 - 1) 3 + 2 + 1 - 2 = 7.
    let mut expected: Vec<f32> = bias.iter().flat_map(|bias| [*bias; 35]).collect();
    for (at, number) in INPUT.iter().enumerate() {
        let (input, row, column) = (at / 6, at / 3 % 2, at % 3);
        for tap in 0..12 {
            let (out, i, j) = (tap / 6, tap / 2 % 3, tap % 2);
            let (y, x) = ((row * 2 + i) as isize - 1, column * 3 + j * 2);
            if (0..5).contains(&y) && x < 7 {
                expected[((input * 2 + out) * 5 + y as usize) * 7 + x] += number * weight[input * 12 + tap];
            }
        }
    }
    agrees("conv_transpose2d", &found, &expected);
}
