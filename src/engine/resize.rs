//! Height and width brought to another size, as a network does it between its layers.
//!
//! Every mode is linear along each axis, so a resize is a product with two matrices of weights. Burn's own
//! interpolation runs backward in all modes on some devices only; products do on each.

use burn::tensor::{Device, Tensor, TensorData};

use crate::card::ResizeMode;

/// `[batch, channels, height, width]` with the last two axes at `size`.
pub(super) fn resize(x: Tensor<4>, size: [usize; 2], mode: ResizeMode, align_corners: bool) -> Tensor<4> {
    let [_, _, rows, columns] = x.dims();
    let device = x.device();
    let [height, width] = size;
    let vertical = |x: Tensor<4>| matrix(mode, align_corners, rows, height, &device).matmul(x);
    let horizontal =
        |x: Tensor<4>| x.matmul(matrix(mode, align_corners, columns, width, &device).swap_dims(2, 3));
    // The order with the smaller value in between, which is never larger than both the input and the output.
    if height * columns <= rows * width { horizontal(vertical(x)) } else { vertical(horizontal(x)) }
}

/// `[1, 1, output, input]`: how much of each input cell an output cell takes.
fn matrix(mode: ResizeMode, align_corners: bool, input: usize, output: usize, device: &Device) -> Tensor<4> {
    let mut weights = vec![0.0; output * input];
    for (at, row) in weights.chunks_mut(input).enumerate() {
        let place = match align_corners {
            true => at as f64 * (input - 1) as f64 / (output - 1).max(1) as f64,
            false => (at as f64 + 0.5) * input as f64 / output as f64 - 0.5,
        };
        match mode {
            ResizeMode::Nearest => row[at * input / output] = 1.0,
            ResizeMode::Bilinear => {
                let place = place.max(0.0);
                spread(row, place, [0, 1], |distance| 1.0 - distance);
            }
            ResizeMode::Bicubic => spread(row, place, [-1, 0, 1, 2], cubic),
        }
    }
    Tensor::from_data(TensorData::new(weights, [1, 1, output, input]), device)
}

/// Adds the weights of the cells at these offsets from the one before `place`; what lies beyond goes to the border.
fn spread<const TAPS: usize>(
    row: &mut [f32],
    place: f64,
    offsets: [isize; TAPS],
    weight: impl Fn(f64) -> f64,
) {
    let before = place.floor();
    for offset in offsets {
        let at = (before as isize + offset).clamp(0, row.len() as isize - 1);
        row[at as usize] += weight((place - before - offset as f64).abs()) as f32;
    }
}

/// Keys' cubic convolution kernel with PyTorch's `a`.
fn cubic(distance: f64) -> f64 {
    const A: f64 = -0.75;
    match distance {
        d if d < 1.0 => ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0,
        d if d < 2.0 => ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A,
        _ => 0.0,
    }
}
