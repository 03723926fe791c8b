//! Sequences: tensors `[batch, channels, length]` of networks on signals, which the graph has as pictures of one row.
//!
//! Receives a node that reads one, or that slides a window over a tensor of rank 3, and the function that lowers its operation; gives
//! the node's values. Windows, norms and operations on each element work on the row itself, so that layers are maps `1 x length`. Any
//! other operation gets the tensor without the row.

use std::rc::Rc;

use super::builder::{Builder, ROW, Tensor, without_row};
use super::constant::Constant;
use super::lower::{Lower, is_pointwise};
use super::merged::BY_ELEMENT;
use super::shaped::reshaped;
use super::site::{Site, Value};
use crate::axes;
use crate::card::Op;
use crate::error::Problem;

/// Operations that slide a window along a sequence, or bring it to another length.
const WINDOWS: [&str; 6] = ["Conv", "ConvTranspose", "MaxPool", "AveragePool", "Resize", "Upsample"];

/// Operations that do the same to a row as to a sequence, once their axes and constants are those of the graph.
const OF_ROWS: [&str; 15] = [
    "GlobalAveragePool",
    "GlobalMaxPool",
    "BatchNormalization",
    "GroupNormalization",
    "InstanceNormalization",
    "LRN",
    "Clip",
    "Dropout",
    "Identity",
    "Cast",
    "Pad",
    "Concat",
    "Softmax",
    "QuantizeLinear",
    "DequantizeLinear",
];

/// Whether a node works on sequences here.
pub(super) fn concerns(site: &Site) -> bool {
    let slides =
        matches!(site.input(0), Some(Value::Tensor(x)) if x.rank() == 3) && WINDOWS.contains(&site.op());
    slides || site.inputs.iter().any(|input| matches!(input, Some(Value::Sequence(_))))
}

/// Lowers a node that reads at least one sequence; `otherwise` lowers it when it cannot work on pictures of one row.
pub(super) fn lower(
    builder: &mut Builder,
    site: &Site,
    lower: Lower,
    otherwise: impl Fn(&mut Builder, &Site) -> Result<Vec<Value>, Problem>,
) -> Result<Vec<Value>, Problem> {
    if let Some(Value::Sequence(row)) = site.input(0) {
        if flattens(site, row)? {
            return Ok(vec![Value::Tensor(builder.unary(Op::Flatten { start_axis: 1 }, row)?)]);
        }
        if site.op() == "Unsqueeze" && site.ints_of("axes", 1)? == Some(vec![ROW as i64]) {
            return Ok(vec![Value::Tensor(row.clone())]);
        }
    }
    if !works_on_rows(site)? {
        let mut inputs = site.inputs.clone();
        for input in &mut inputs {
            if let Some(Value::Sequence(row)) = input {
                *input = Some(Value::Tensor(builder.unary(Op::Squeeze { axes: vec![ROW] }, row)?));
            }
        }
        return otherwise(builder, &Site { inputs, sources: site.sources.clone(), ..*site });
    }
    let mut inputs = Vec::with_capacity(site.inputs.len());
    for input in &site.inputs {
        inputs.push(match input {
            Some(Value::Sequence(row)) => Some(Value::Tensor(row.clone())),
            Some(Value::Tensor(x)) => {
                Some(Value::Tensor(builder.unary(Op::Unsqueeze { axes: vec![ROW] }, x)?))
            }
            Some(Value::Constant(constant)) if is_aligned(site.op()) => Some(aligned(constant)?),
            other => other.clone(),
        });
    }
    let results = lower(builder, &Site { inputs, sources: site.sources.clone(), row: true, ..*site })?;
    Ok(results.into_iter().map(outer).collect())
}

/// Whether a node makes one list of each sequence. Its elements keep their order, so that the row makes no difference.
fn flattens(site: &Site, row: &Tensor) -> Result<bool, Problem> {
    match site.op() {
        "Flatten" => Ok(site.int("axis", 1)? == 1),
        "Reshape" => {
            let Some(Value::Constant(spec)) = site.input(1) else { return Ok(false) };
            let spec: Vec<_> = spec.lanes()?.iter().copied().collect();
            let is_flat = |(lane, shape): (usize, &Vec<usize>)| {
                let spec: Vec<i64> = spec.iter().map(|side| side[lane]).collect();
                let flat = [shape[0], shape[1..].iter().product()];
                axes::reshape(shape, &spec).is_ok_and(|shape| shape == flat)
            };
            Ok(without_row(row).iter().enumerate().all(is_flat))
        }
        _ => Ok(false),
    }
}

/// A result of four axes is a row again. A reduction may have taken the length away, and the row with it.
fn outer(value: Value) -> Value {
    match value {
        Value::Tensor(tensor) if tensor.rank() == 4 => Value::Sequence(tensor),
        other => other,
    }
}

/// Whether a node can work on pictures of one row: all its tensors are sequences or may become ones.
fn works_on_rows(site: &Site) -> Result<bool, Problem> {
    let op = site.op();
    let fits = |input: &Option<Value>| match input {
        Some(Value::Tensor(x)) => x.rank() == 3 && x.is_batch(0),
        Some(Value::Sequence(_) | Value::Constant(_)) | None => true,
        _ => false,
    };
    if !site.inputs.iter().all(fits) {
        return Ok(false);
    }
    if op.starts_with("Reduce") || op == "Squeeze" {
        return keeps_rows(site);
    }
    let is_listed = WINDOWS.contains(&op) || OF_ROWS.contains(&op) || is_aligned(op);
    Ok(is_listed || is_pointwise(op))
}

/// Whether what is left of the axes is a row, or has no axis of the length any more.
fn keeps_rows(site: &Site) -> Result<bool, Problem> {
    let axes = site.ints_of("axes", 1)?.unwrap_or_default();
    let is_length = axes.len() == 1 && matches!(axes[..], [-1 | 2]);
    Ok(is_length || site.op() != "Squeeze" && site.int("keepdims", 1)? != 0)
}

/// Operations whose constants are aligned with the tensors that they meet.
fn is_aligned(op: &str) -> bool {
    BY_ELEMENT.contains(&op) || matches!(op, "Concat" | "PRelu")
}

/// A constant with an axis of rows, where it has an axis of channels.
fn aligned(constant: &Rc<Constant>) -> Result<Value, Problem> {
    let mut shape = constant.shape().to_vec();
    if shape.len() < 2 {
        return Ok(Value::Constant(constant.clone()));
    }
    shape.insert(shape.len() - 1, 1);
    Ok(reshaped(constant, &shape)?.into())
}
