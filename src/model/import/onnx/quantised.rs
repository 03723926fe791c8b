//! Numbers in 8 and 16 bits: `QuantizeLinear` and `DequantizeLinear` of constants, and the steps of computed tensors.
//!
//! Receives a [`Site`]. Constants are rounded and brought back as the file says. A computed tensor stays in real numbers: where the file
//! has integers, `x = (integer - zero point) * scale` is kept, and which scale and zero point that were. So an operation may move such
//! a tensor, or take the greatest of its elements, but not do arithmetic on its integers. The bytes of a picture are such integers,
//! with a step of one.

use ndarray::{ArrayD, IxDyn};

use super::cast::is_real;
use super::constant::Constant;
use super::site::{Site, Value, front};
use super::step::Step;
use crate::error::Problem;

/// Operations on integers that give the same real numbers as on real numbers: they move elements or pick the greatest, and interpolate.
const KEEPING: [&str; 24] = [
    "Clip",
    "DepthToSpace",
    "Dropout",
    "Expand",
    "Flatten",
    "Gather",
    "GatherND",
    "GlobalMaxPool",
    "Identity",
    "MaxPool",
    "Pad",
    "ReduceMax",
    "ReduceMin",
    "Reshape",
    "Resize",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
    "Upsample",
    "Concat",
];

/// `TensorProto.DataType` codes of integers that hold every byte.
const WIDE: [i64; 7] = [2, 4, 5, 6, 7, 12, 13];

/// Scale and zero point of a node, one for all of its tensor.
pub(super) fn step_of(site: &Site) -> Result<Step, Problem> {
    let number = |at: usize, default: f64| -> Result<f64, Problem> {
        let known = site.optional(at)?.map(|constant| constant.scalar());
        known.unwrap_or(Some(default)).ok_or_else(|| {
            Problem::new("has a step for each channel of a computed tensor").expected("one for all of it")
        })
    };
    Ok(Step { scale: number(1, 1.0)?, zero: number(2, 0.0)? })
}

/// The step of what a node gives, if that is integers in the file. `read` has those of its inputs.
///
/// # Errors
/// When the node does arithmetic on integers.
pub(super) fn after(site: &Site, read: &[Option<Step>]) -> Result<Option<Step>, Problem> {
    if site.step.is_none() && site.input(0).is_none_or(Value::is_known) {
        return Ok(None);
    }
    let bytes = site.step == Some(Step::ONE);
    match (site.op(), site.step) {
        ("QuantizeLinear", None) => step_of(site).map(Some),
        (_, None) | ("DequantizeLinear" | "Shape" | "Size", _) => Ok(None),
        ("Cast", _) if bytes && is_real(site.int("to", 1)?) == Some(true) => Ok(None),
        ("Cast", step) if bytes && WIDE.contains(&site.int("to", 1)?) => Ok(step),
        ("Concat", step) if read.iter().any(|other| *other != step) => {
            Err(Problem::new("joins integers with different steps").expected("QLinearConcat"))
        }
        // Interpolated bytes are rounded to bytes again.
        ("Resize" | "Upsample", _) if bytes && site.text("mode", "nearest")? != "nearest" => Err(of_bytes()),
        (op, step) if KEEPING.contains(&op) => Ok(step),
        _ if bytes => Err(of_bytes()),
        _ => Err(Problem::new("does arithmetic on integers").expected("DequantizeLinear before it")),
    }
}

fn of_bytes() -> Problem {
    Problem::new("works on whole numbers, as the input is made of")
        .expected("a Cast to real numbers before it")
        .hint("export a model that takes floats")
}

/// The least and the greatest integer that `QuantizeLinear` gives: those of its zero point's type.
pub(super) fn range(site: &Site) -> Result<[f64; 2], Problem> {
    let stated = site.node.input.get(2).and_then(|name| site.written.get(name.as_str())).copied();
    let kind = match stated {
        Some(kind) => i64::from(kind),
        None => site.int("output_dtype", 0)?,
    };
    match kind {
        0 | 2 => Ok([0.0, 255.0]),
        3 => Ok([-128.0, 127.0]),
        4 => Ok([0.0, 65_535.0]),
        5 => Ok([-32_768.0, 32_767.0]),
        other => Err(Problem::new(format!("rounds to type {other}")).expected("8- or 16-bit integers")),
    }
}

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
    let [least, most] = range(site)?.map(|bound| bound as f32);
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
