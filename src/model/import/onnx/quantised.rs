//! Constants in 8 bits: `DequantizeLinear` and `QuantizeLinear` of weights.
//!
//! Receives a [`Site`] whose inputs are all known; returns its results.

use ndarray::{ArrayD, IxDyn};

use super::constant::Constant;
use super::site::{Site, front};
use crate::error::Problem;

/// `(x - zero point) * scale`, with one step for all or one along an axis.
pub(super) fn dequantise(site: &Site) -> Result<Vec<Constant>, Problem> {
    let x = site.floats(0)?;
    let scale = step(site, 1, x.shape())?;
    let zero =
        if site.optional(2)?.is_some() { step(site, 2, x.shape())? } else { ArrayD::zeros(IxDyn(&[])) };
    Ok(vec![Constant::Float((x - zero) * scale)])
}

/// `x / scale + zero point`, rounded to even and kept within the integers of its type.
pub(super) fn quantise(site: &Site) -> Result<Vec<Constant>, Problem> {
    let x = site.floats(0)?;
    let scale = step(site, 1, x.shape())?;
    let zero =
        if site.optional(2)?.is_some() { step(site, 2, x.shape())? } else { ArrayD::zeros(IxDyn(&[])) };
    let kind = site.node.input.get(2).and_then(|name| site.written.get(name.as_str()));
    let (least, most) = match kind {
        Some(3) => (-128.0, 127.0),
        None | Some(2) => (0.0, 255.0),
        Some(other) => return Err(Problem::new(format!("rounds to type {other}")).expected("8-bit integers")),
    };
    let rounded = (x / scale).mapv(f32::round_ties_even) + zero;
    Ok(vec![Constant::Int(rounded.mapv(|number| [number.clamp(least, most) as i64; 2]))])
}

/// Input `at` in a shape that broadcasts to `shape`: one number, or one along the node's axis.
fn step(site: &Site, at: usize, shape: &[usize]) -> Result<ArrayD<f32>, Problem> {
    let step = site.floats(at)?;
    if step.len() == 1 {
        return ArrayD::from_shape_vec(IxDyn(&[]), step.into_iter().collect())
            .map_err(|cause| Problem::new(cause.to_string()));
    }
    let axis = front(site.int("axis", 1)?, shape.len())?;
    if step.ndim() != 1 || step.len() != shape[axis] {
        return Err(Problem::new(format!("has steps of shape {:?}", step.shape()))
            .expected(format!("one number, or {} along axis {axis}", shape[axis])));
    }
    let mut wide = vec![1; shape.len()];
    wide[axis] = step.len();
    step.into_shape_with_order(IxDyn(&wide)).map_err(|cause| Problem::new(cause.to_string()))
}
