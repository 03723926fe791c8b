//! Relevance of the inputs of operations that have no weights: by shares, halved, gathered, and through a softmax.
//!
//! Receives a step's tensors and the relevance of its output; gives that of its inputs. Which operation gets which is left to the pass.

use super::linear;
use crate::card::Op;
use crate::error::{Error, Result};
use crate::recorded::derivative;
use crate::step::Step;
use crate::sums;
use crate::value::{Value, map_tensor, zip_tensors};

/// Relevance of each input of a step; `None` is zero.
pub(super) type Parts = Vec<Option<Value>>;

/// Each input by its share of the output, `x (.) J^T (R / z)`: for what is of the first degree in its inputs.
pub(super) fn shares(step: &Step, inputs: Vec<Value>, output: Value, relevance: Value) -> Result<Parts> {
    let gradients = derivative(step, inputs.clone(), linear::quotient(relevance, output)?)?;
    let share = |(x, gradient): (Value, Option<Value>)| {
        gradient.map(|gradient| zip_tensors!(x, gradient, (x, g) => x * g)).transpose()
    };
    inputs.into_iter().zip(gradients).map(share).collect()
}

/// As [`shares`], of a product, which is of the second degree.
pub(super) fn halves(step: &Step, inputs: Vec<Value>, output: Value, relevance: Value) -> Result<Parts> {
    let half = |part: Option<Value>| part.map(|part| map_tensor!(part, t => t.mul_scalar(0.5)));
    Ok(shares(step, inputs, output, relevance)?.into_iter().map(half).collect())
}

/// Relevance of what was broadcast to the shape of `relevance`: the sum over its copies.
pub(super) fn gathered(relevance: Value, shape: &[usize]) -> Result<Value> {
    let whole = relevance.shape();
    let missing = whole.len().saturating_sub(shape.len());
    let side = |axis: usize| if axis < missing { 1 } else { shape[axis - missing] };
    let axes: Vec<usize> = (0..whole.len()).filter(|axis| side(*axis) != whole[*axis]).collect();
    let summed = if axes.is_empty() { relevance } else { sums::sum(relevance, &axes)? };
    summed.reshape(shape)
}

/// `x (R - s sum R)` along the axis of the softmax `s`.
pub(super) fn softmax(op: &Op, x: Value, s: Value, relevance: Value) -> Result<Parts> {
    let Op::Softmax { axis } = op else {
        return Err(Error::internal(format!("relevance has no rule for '{}'", op.name())));
    };
    let total = map_tensor!(relevance.clone(), r => r.sum_dim(*axis));
    let lost = zip_tensors!(s, total, (s, total) => s * total)?;
    let left = zip_tensors!(relevance, lost, (r, lost) => r - lost)?;
    Ok(vec![Some(zip_tensors!(x, left, (x, left) => x * left)?)])
}
