//! Derivatives of norms by the statistics of the tensor itself.

use burn::tensor::Tensor;

use super::super::norm::{layer_rows, per_channel, window_mean};
use super::super::operands::{Params, param, scaled};
use super::super::sums::mean_rows;
use super::super::value::{Value, map_tensor, zip_tensors};
use crate::card::Op;
use crate::error::{Error, Result};

/// Of any norm.
pub(super) fn of(op: &Op, x: Value, rate: Value, params: &Params) -> Result<Value> {
    match op {
        Op::LayerNorm { epsilon } => layer(x, rate, params, *epsilon),
        Op::GroupNorm { groups, epsilon } => group(x, rate, params, *groups, *epsilon),
        Op::LocalResponseNorm { size, alpha, beta, k } => local_response(x, rate, *size, [*alpha, *beta, *k]),
        other => Err(Error::internal(format!("'{}' is no norm", other.name()))),
    }
}

fn layer(x: Value, rate: Value, params: &Params, epsilon: f64) -> Result<Value> {
    let gamma = param(params, "gamma")?;
    let rows = layer_rows(&x.shape(), gamma);
    scaled(standardised(x, rate, rows, epsilon)?, Some(gamma.clone()), None)
}

fn group(x: Value, rate: Value, params: &Params, groups: usize, epsilon: f64) -> Result<Value> {
    let shape = x.shape();
    let gamma = per_channel(params, "gamma", shape.len())?;
    scaled(standardised(x, rate, shape[0] * groups, epsilon)?, gamma, None)
}

/// Of `x d^-beta` with `d = k + alpha m(x^2)`: `x' d^-beta - beta x d^(-beta - 1) d'` with `d' = 2 alpha m(x x')`.
fn local_response(x: Value, rate: Value, size: usize, [alpha, beta, k]: [f64; 3]) -> Result<Value> {
    let squares = map_tensor!(x.clone(), t => t.square());
    let base = window_mean(squares, size)?;
    let change = window_mean(zip_tensors!(x.clone(), rate.clone(), (x, rate) => x * rate)?, size)?;
    let straight = zip_tensors!(rate, base.clone(), (rate, base) => {
        rate * base.mul_scalar(alpha).add_scalar(k).powf_scalar(-beta)
    })?;
    let bent = zip_tensors!(x, base, (x, base) => {
        x * base.mul_scalar(alpha).add_scalar(k).powf_scalar(-beta - 1.0).mul_scalar(-2.0 * alpha * beta)
    })?;
    let bent = zip_tensors!(bent, change, (bent, change) => bent * change)?;
    zip_tensors!(straight, bent, (straight, bent) => straight + bent)
}

fn standardised(x: Value, rate: Value, rows: usize, epsilon: f64) -> Result<Value> {
    let shape = x.shape();
    let columns = shape.iter().product::<usize>() / rows;
    match (x.reshape(&[rows, columns])?, rate.reshape(&[rows, columns])?) {
        (Value::R2(x), Value::R2(rate)) => Value::R2(standardised_rows(x, rate, epsilon)).reshape(&shape),
        _ => Err(Error::internal("rows and columns are not of rank 2")),
    }
}

/// With `n` for the rows of `x` with mean zero and variance one, `c = x' - mean(x')` and `r` for one over the standard
/// deviation: `r (c - n mean(n c))`.
fn standardised_rows(x: Tensor<2>, rate: Tensor<2>, epsilon: f64) -> Tensor<2> {
    let centred = x.clone() - mean_rows(x);
    let variance = mean_rows(centred.clone().square());
    let inverse = variance.add_scalar(epsilon).sqrt().recip();
    let n = centred * inverse.clone();
    let c = rate.clone() - mean_rows(rate);
    let along = mean_rows(n.clone() * c.clone());
    (c - n * along) * inverse
}
