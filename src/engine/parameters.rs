//! Parameters as plain arrays: those of a node, and those of a convolution with a batch norm folded in.
//!
//! A batch norm in evaluation mode is `x s + t` per channel, with `s = gamma / sqrt(running_var + epsilon)` and `t =
//! beta - running_mean s`. Folded into the convolution before it, it multiplies the weights by `s`, and the bias becomes the old
//! one times `s` plus `t`. All of it is computed in double precision.

use std::collections::BTreeMap;

use crate::card::{Node, Op};
use crate::error::Result;
use crate::model::Weights;

/// Values by role, each with its shape.
pub(super) type Floats = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

/// A node's parameters.
pub(super) fn of(node: &Node, weights: &Weights) -> Result<Floats> {
    if let Op::BatchNorm { .. } = node.op {
        let (scale, shift) = scale_and_shift(node, weights)?;
        let shape = vec![scale.len()];
        let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        return Ok(BTreeMap::from([
            ("scale".to_owned(), (narrow(scale), shape.clone())),
            ("shift".to_owned(), (narrow(shift), shape)),
        ]));
    }
    node.params.iter().map(|(role, name)| Ok((role.clone(), weights.floats(name)?))).collect()
}

/// A convolution's parameters with the following batch norm folded in.
pub(super) fn folded(convolution: &Node, norm: &Node, weights: &Weights) -> Result<Floats> {
    let mut floats = of(convolution, weights)?;
    let (scale, shift) = scale_and_shift(norm, weights)?;
    if let Some((values, shape)) = floats.get_mut("weight") {
        let per_channel = shape[1..].iter().product();
        for (filter, scale) in values.chunks_mut(per_channel).zip(&scale) {
            filter.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
        }
    }
    let old = floats.remove("bias").map_or_else(|| vec![0.0; scale.len()], |(values, _)| values);
    let new = old.iter().zip(scale.iter().zip(&shift));
    let bias: Vec<f32> =
        new.map(|(bias, (scale, shift))| (f64::from(*bias) * scale + shift) as f32).collect();
    let shape = vec![bias.len()];
    floats.insert("bias".to_owned(), (bias, shape));
    Ok(floats)
}

/// Factor and shift per channel, in double precision.
pub(super) fn scale_and_shift(norm: &Node, weights: &Weights) -> Result<(Vec<f64>, Vec<f64>)> {
    let epsilon = if let Op::BatchNorm { epsilon } = norm.op { epsilon } else { 0.0 };
    let read = |role: &str| weights.floats(&norm.params[role]).map(|(values, _)| values);
    let (gamma, beta) = (read("gamma")?, read("beta")?);
    let (mean, variance) = (read("running_mean")?, read("running_var")?);
    let scale: Vec<f64> = gamma
        .iter()
        .zip(&variance)
        .map(|(gamma, variance)| f64::from(*gamma) / (f64::from(*variance) + epsilon).sqrt())
        .collect();
    let shift = beta
        .iter()
        .zip(mean.iter().zip(&scale))
        .map(|(beta, (mean, scale))| f64::from(*beta) - f64::from(*mean) * scale)
        .collect();
    Ok((scale, shift))
}
