//! Normalisation by the statistics of the tensor itself.
//!
//! Receives a tensor whose shape was checked against the parameters; gives one of the same shape. Batch norm, whose
//! statistics are weights, is not here.

use burn::tensor::module;
use burn::tensor::ops::AvgPoolOptions;

use super::operands::{Params, channels, param, scaled};
use super::sums::mean_rows;
use super::value::{Value, map_tensor, zip_tensors};
use crate::card::Op;
use crate::error::{Error, Result};

/// Any norm.
pub(super) fn apply(op: &Op, x: Value, params: &Params) -> Result<Value> {
    match op {
        Op::LayerNorm { epsilon } => layer(x, params, *epsilon),
        Op::GroupNorm { groups, epsilon } => group(x, params, *groups, *epsilon),
        Op::LocalResponseNorm { size, alpha, beta, k } => local_response(x, *size, *alpha, *beta, *k),
        other => Err(Error::internal(format!("'{}' is no norm", other.name()))),
    }
}

/// Over the last axes, those of `gamma`.
fn layer(x: Value, params: &Params, epsilon: f64) -> Result<Value> {
    let gamma = param(params, "gamma")?;
    let rows = layer_rows(&x.shape(), gamma);
    let x = standardised(x, rows, epsilon)?;
    scaled(x, Some(gamma.clone()), params.get("beta").cloned())
}

/// Over each group of channels.
fn group(x: Value, params: &Params, groups: usize, epsilon: f64) -> Result<Value> {
    let shape = x.shape();
    let a_channel = |role: &str| per_channel(params, role, shape.len());
    scaled(standardised(x, shape[0] * groups, epsilon)?, a_channel("gamma")?, a_channel("beta")?)
}

/// Number of parts of this shape that are each normalised over the axes of `gamma`.
pub(super) fn layer_rows(shape: &[usize], gamma: &Value) -> usize {
    shape[..shape.len() - gamma.shape().len()].iter().product()
}

/// A `[channels]` parameter, if given, as `[1, channels, 1, ...]` of the given rank.
pub(super) fn per_channel(params: &Params, role: &str, rank: usize) -> Result<Option<Value>> {
    params.contains_key(role).then(|| channels(params, role, rank)).transpose()
}

/// `x / (k + alpha m)^beta`, where `m` is the mean of `x^2` over a window of `size` channels, zeros beyond the ends.
fn local_response(x: Value, size: usize, alpha: f64, beta: f64, k: f64) -> Result<Value> {
    let means = window_mean(map_tensor!(x.clone(), t => t.square()), size)?;
    let divisor = map_tensor!(means, t => t.mul_scalar(alpha).add_scalar(k).powf_scalar(beta));
    zip_tensors!(x, divisor, (a, b) => a.div(b))
}

/// The mean over a window of `size` channels around each, zeros beyond the ends.
pub(super) fn window_mean(x: Value, size: usize) -> Result<Value> {
    let shape = x.shape();
    // Channels become the rows of one picture, so that a pool computes the window.
    let pixels = shape[2..].iter().product();
    let rows = x.reshape(&[shape[0], 1, shape[1], pixels])?.into_rank4()?;
    let before = (size - 1) / 2;
    let window = AvgPoolOptions::new([size, 1])
        .with_stride([1, 1])
        .with_padding_pairs([(before, size - 1 - before), (0, 0)])
        .with_count_include_pad(true);
    Value::R4(module::avg_pool2d(rows, window)).reshape(&shape)
}

/// Each of `rows` equal, contiguous parts with mean zero and variance one.
fn standardised(x: Value, rows: usize, epsilon: f64) -> Result<Value> {
    let shape = x.shape();
    let columns = shape.iter().product::<usize>() / rows;
    let Value::R2(x) = x.reshape(&[rows, columns])? else {
        return Err(Error::internal("rows and columns are not of rank 2"));
    };
    // Two passes, because the mean of squares minus the square of the mean cancels digits.
    let centred = x.clone() - mean_rows(x);
    let variance = mean_rows(centred.clone().square());
    Value::R2(centred / variance.add_scalar(epsilon).sqrt()).reshape(&shape)
}
