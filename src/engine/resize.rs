//! Resizing of height and width inside a network.
//!
//! Every mode is linear along each axis, so a resize is a product with two weight matrices. Burn's own interpolation
//! supports the backward pass of all modes on some devices only; products work on every device.

use burn::tensor::{Device, Tensor, TensorData};

use burncam_graph::resize::Rule;

/// `[batch, channels, height, width]` with the last two axes at `size`.
pub(super) fn resize(x: Tensor<4>, size: [usize; 2], rule: Rule) -> Tensor<4> {
    let [_, _, rows, columns] = x.dims();
    let (device, precision) = (x.device(), x.dtype());
    let [height, width] = size;
    let vertical = |x: Tensor<4>| matrix(rule, 0, rows, height, &device).cast(precision).matmul(x);
    let horizontal =
        |x: Tensor<4>| x.matmul(matrix(rule, 1, columns, width, &device).cast(precision).swap_dims(2, 3));
    // The order with the smaller intermediate tensor, which is never larger than both input and output.
    if height * columns <= rows * width { horizontal(vertical(x)) } else { vertical(horizontal(x)) }
}

/// `[1, 1, output, input]`: the weight of each input cell for each output cell.
fn matrix(rule: Rule, axis: usize, input: usize, output: usize, device: &Device) -> Tensor<4> {
    let mut weights = vec![0.0; output * input];
    for (row, taps) in weights.chunks_mut(input).zip(rule.taps(axis, input, output)) {
        for (cell, weight) in taps {
            row[cell] += weight;
        }
    }
    Tensor::from_data(TensorData::new(weights, [1, 1, output, input]), device)
}
