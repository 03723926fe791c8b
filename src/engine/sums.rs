//! Sums and means over many elements, computed in blocks.
//!
//! Receives tensors; returns sums and means along axes, and linear layers over many features. Devices add elements of
//! an axis sequentially in single precision, so the error grows with their number: means over a 2048x2048 map were 1
//! % off. Summing short blocks first keeps the error near one rounding for any size. Short sums are left to the
//! device.

use burn::tensor::{Tensor, module};

use super::value::{Value, map_tensor};
use crate::error::{Error, Result};

/// More elements than this are summed in blocks; below it the error of a sequential sum is small.
pub(super) const LONG: usize = 1024;

/// Elements per block. Rounding errors grow with the length of a sequential sum, so blocks are short.
const BLOCK: usize = 32;

/// The sum of each row, `[rows, 1]`.
fn sum_rows(mut x: Tensor<2>) -> Tensor<2> {
    loop {
        let [rows, columns] = x.dims();
        if columns <= BLOCK {
            return x.sum_dim(1);
        }
        let (blocks, rest) = (columns / BLOCK, columns % BLOCK);
        let whole = x.clone().narrow(1, 0, blocks * BLOCK).reshape([rows * blocks, BLOCK]);
        let sums = whole.sum_dim(1).reshape([rows, blocks]);
        x = match rest {
            0 => sums,
            _ => Tensor::cat(vec![sums, x.narrow(1, blocks * BLOCK, rest).sum_dim(1)], 1),
        };
    }
}

/// The mean of each row, `[rows, 1]`.
pub(super) fn mean_rows(x: Tensor<2>) -> Tensor<2> {
    match x.dims()[1] {
        columns if columns > LONG => sum_rows(x).div_scalar(columns as f64),
        _ => x.mean_dim(1),
    }
}

/// The sum along `axes`, which are kept with size 1.
pub(super) fn sum(x: Value, axes: &[usize]) -> Result<Value> {
    match count(&x, axes) {
        count if count > LONG => in_blocks(x, axes),
        _ => Ok(map_tensor!(x, t => t.sum_dims(axes))),
    }
}

/// The mean along `axes`, which are kept with size 1.
pub(super) fn mean(x: Value, axes: &[usize]) -> Result<Value> {
    match count(&x, axes) {
        count if count > LONG => Ok(map_tensor!(in_blocks(x, axes)?, t => t.div_scalar(count as f64))),
        _ => Ok(map_tensor!(x, t => t.mean_dims(axes))),
    }
}

fn count(x: &Value, axes: &[usize]) -> usize {
    let shape = x.shape();
    axes.iter().map(|axis| shape[*axis]).product()
}

/// As [`sum`], always in blocks.
pub(super) fn in_blocks(x: Value, axes: &[usize]) -> Result<Value> {
    let (shape, count) = (x.shape(), count(&x, axes));
    let kept = (0..shape.len()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let left: Vec<usize> =
        (0..shape.len()).map(|axis| if axes.contains(&axis) { 1 } else { shape[axis] }).collect();
    let last = map_tensor!(x, t => permuted(t, &order));
    let Value::R2(rows) = last.reshape(&[left.iter().product(), count])? else {
        return Err(Error::internal("rows and columns are not of rank 2"));
    };
    Value::R2(sum_rows(rows)).reshape(&left)
}

/// Linear layers with more features than this are summed in blocks; for fewer, one product is accurate enough and faster.
const MANY: usize = 2048;

/// Features per matrix product of such a layer.
const FEATURES: usize = 128;

/// `x W + b` over the last axis of `x`, `[..., in]`, with `weight` `[in, out]`.
pub(super) fn linear(x: Value, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Result<Value> {
    let [features, outputs] = weight.dims();
    if features <= MANY {
        return Ok(map_tensor!(x, t => module::linear(t, weight, bias)));
    }
    let mut shape = x.shape();
    let rows = shape.iter().product::<usize>() / features;
    let Value::R2(x) = x.reshape(&[rows, features])? else {
        return Err(Error::internal("rows and columns are not of rank 2"));
    };
    let (blocks, rest) = (features / FEATURES, features % FEATURES);
    let whole = x.clone().narrow(1, 0, blocks * FEATURES).reshape([rows, blocks, FEATURES]).swap_dims(0, 1);
    let weights = weight.clone().narrow(0, 0, blocks * FEATURES).reshape([blocks, FEATURES, outputs]);
    let parts = whole.matmul(weights).reshape([blocks, rows * outputs]).swap_dims(0, 1);
    let mut total = sum_rows(parts).reshape([rows, outputs]);
    if rest > 0 {
        let begin = blocks * FEATURES;
        total = total + x.narrow(1, begin, rest).matmul(weight.narrow(0, begin, rest));
    }
    if let Some(bias) = bias {
        total = total + bias.reshape([1, outputs]);
    }
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    Value::R2(total).reshape(&shape)
}

/// The tensor with permuted axes.
pub(super) fn permuted<const RANK: usize>(tensor: Tensor<RANK>, order: &[usize]) -> Tensor<RANK> {
    tensor.permute(std::array::from_fn::<usize, RANK, _>(|at| order[at]))
}
