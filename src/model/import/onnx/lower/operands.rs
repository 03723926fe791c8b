//! What lowered operations share: the weights of a node, and its only output.

use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use crate::card::Op;
use crate::error::Problem;

/// More parts than any network selects from a value one by one.
pub(super) const MAX_PARTS: usize = 64;

/// The only output of a node.
pub(super) fn one(tensor: Tensor) -> Result<Vec<Value>, Problem> {
    Ok(vec![Value::Tensor(tensor)])
}

/// The weight in input `at`.
pub(super) fn weight(site: &Site, at: usize) -> Result<Weight, Problem> {
    Ok(Weight { values: site.floats(at)?, source: site.sources[at].to_owned() })
}

/// The weight in input `at` if there is one, repeated to `length` elements.
pub(super) fn listed(site: &Site, at: usize, length: usize) -> Result<Option<Weight>, Problem> {
    if site.optional(at)?.is_none() {
        return Ok(None);
    }
    let weight = weight(site, at)?;
    let shape = weight.values.shape().to_vec();
    let values = match weight.values.len() {
        1 => weight.values.into_iter().next().map(|value| vec![value; length]).unwrap_or_default(),
        count if count == length => weight.values.into_iter().collect(),
        _ => {
            return Err(Problem::new(format!("its input {at} has shape {shape:?}"))
                .expected(format!("{length} numbers")));
        }
    };
    let values = ndarray::Array1::from(values).into_dyn();
    Ok(Some(Weight { values, source: weight.source }))
}

/// A required weight, as in [`listed`].
pub(super) fn required(site: &Site, at: usize, length: usize) -> Result<Weight, Problem> {
    listed(site, at, length)?.ok_or_else(|| Problem::new(format!("its input {at} is missing")))
}

/// `x` times a number; no operation for 1.
pub(super) fn scaled(builder: &mut Builder, x: &Tensor, factor: f64) -> Result<Tensor, Problem> {
    if factor == 1.0 { Ok(x.clone()) } else { builder.unary(Op::Mul { scalar: Some(factor) }, x) }
}

/// `x` plus a number; no operation for 0.
pub(super) fn shifted(builder: &mut Builder, x: &Tensor, summand: f64) -> Result<Tensor, Problem> {
    if summand == 0.0 { Ok(x.clone()) } else { builder.unary(Op::Add { scalar: Some(summand) }, x) }
}

/// Infinities as the greatest numbers there are: a mask adds them to hide elements from a softmax, where both give zero.
pub(super) fn finite(values: &ndarray::ArrayD<f32>) -> ndarray::ArrayD<f32> {
    values.mapv(|number| if number.is_nan() { number } else { number.clamp(f32::MIN, f32::MAX) })
}
