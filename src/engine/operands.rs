//! What operations work on: parameters on the device, and two operands brought to one rank.
//!
//! Receives tensors and parameters by role; gives tensors. Shapes were checked before.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::kink;
use super::value::{Value, map_tensor, zip_tensors};
use crate::card::Op;
use crate::error::{Error, Problem, Result};

/// Role -> tensor on the device.
pub(crate) type Params = BTreeMap<String, Value>;

pub(super) fn param<'a>(params: &'a Params, role: &str) -> Result<&'a Value> {
    params
        .get(role)
        .ok_or_else(|| Error::internal(Problem::new("was not loaded").named("the parameter", role)))
}

/// A `[channels]` parameter as `[1, channels, 1, ...]` of the given rank.
pub(super) fn channels(params: &Params, role: &str, rank: usize) -> Result<Value> {
    let value = param(params, role)?.clone();
    let mut shape = vec![1; rank];
    shape[1] = value.shape()[0];
    value.reshape(&shape)
}

pub(super) fn two_sided(op: &Op, x: Value, other: Option<Value>) -> Result<Value> {
    if let Some(number) = op.scalar() {
        return Ok(match op {
            Op::Add { .. } => map_tensor!(x, t => t.add_scalar(number)),
            Op::Sub { .. } => map_tensor!(x, t => t.sub_scalar(number)),
            Op::Mul { .. } => map_tensor!(x, t => t.mul_scalar(number)),
            Op::Minimum { .. } => map_tensor!(x, t => kink::bounded(t, number, false)),
            Op::Maximum { .. } => map_tensor!(x, t => kink::bounded(t, number, true)),
            _ => map_tensor!(x, t => t.div_scalar(number)),
        });
    }
    let other = other.ok_or_else(|| Error::internal("arithmetic has no second operand"))?;
    let rank = x.shape().len().max(other.shape().len());
    let (x, other) = (x.with_rank(rank)?, other.with_rank(rank)?);
    match op {
        Op::Add { .. } => zip_tensors!(x, other, (a, b) => a.add(b)),
        Op::Sub { .. } => zip_tensors!(x, other, (a, b) => a.sub(b)),
        Op::Mul { .. } => zip_tensors!(x, other, (a, b) => a.mul(b)),
        Op::Div { .. } => zip_tensors!(x, other, (a, b) => a.div(b)),
        Op::Minimum { .. } => zip_tensors!(x, other, (a, b) => {
            let (a, b) = alike(a, b);
            kink::chosen(a, b, false)
        }),
        Op::Maximum { .. } => zip_tensors!(x, other, (a, b) => {
            let (a, b) = alike(a, b);
            kink::chosen(a, b, true)
        }),
        _ => zip_tensors!(x, other, (a, b) => a.matmul(b)),
    }
}

/// Both at their broadcast shape, which Burn's elementwise choice requires.
pub(super) fn alike<const RANK: usize>(a: Tensor<RANK>, b: Tensor<RANK>) -> (Tensor<RANK>, Tensor<RANK>) {
    let (left, right) = (a.dims(), b.dims());
    let shape: [usize; RANK] = std::array::from_fn(|axis| left[axis].max(right[axis]));
    (a.expand(shape), b.expand(shape))
}

/// The parameters of a linear layer with a norm behind it: `scale (W x + b) + shift`, of which `axis` of the weights has a channel each.
pub(super) fn merged(mut params: Params, axis: usize, [scale, shift]: [Value; 2]) -> Result<Params> {
    let weight = param(&params, "weight")?.clone();
    let mut sides = vec![1; weight.shape().len()];
    sides[axis] = scale.shape()[0];
    params.insert("weight".to_owned(), scaled(weight, Some(scale.clone().reshape(&sides)?), None)?);
    let bias = match params.remove("bias") {
        Some(bias) => scaled(bias, Some(scale), Some(shift))?,
        None => shift,
    };
    params.insert("bias".to_owned(), bias);
    Ok(params)
}

/// `gamma x + beta`, each where it is given.
pub(super) fn scaled(x: Value, gamma: Option<Value>, beta: Option<Value>) -> Result<Value> {
    let x = match gamma {
        Some(gamma) => two_sided(&Op::Mul { scalar: None }, x, Some(gamma))?,
        None => x,
    };
    match beta {
        Some(beta) => two_sided(&Op::Add { scalar: None }, x, Some(beta)),
        None => Ok(x),
    }
}
