//! Tensors whose pictures are one axis with something else: windows, heads or groups of every picture, `[batch n, ...]`.
//!
//! Receives a node that reads such a tensor, which the graph keeps as `[batch, n, ...]`, and the function that lowers its
//! operation; gives the node's values, with axes and constants read as the graph has them. An operation that would mix the
//! pictures is refused by the function that lowers it. Which reshapes make such tensors is said in `lower/shape.rs`.

use std::rc::Rc;

use super::builder::{Builder, Tensor, place};
use super::constant::{BATCHES, Constant};
use super::lanes::period;
use super::lower::Lower;
use super::shaped::reshaped;
use super::site::{Site, Value};
use crate::card::Op;
use crate::error::Problem;

/// Operations on elements of several tensors, whose shapes are aligned at their last axes.
pub(super) const BY_ELEMENT: [&str; 16] = [
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Min",
    "Max",
    "Sum",
    "Mean",
    "Where",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "And",
    "Or",
];

/// Operations that take the first axis for the pictures and the second for channels.
const OF_PICTURES: [&str; 17] = [
    "GridSample",
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "BatchNormalization",
    "GroupNormalization",
    "InstanceNormalization",
    "LRN",
    "Resize",
    "Upsample",
    "DepthToSpace",
    "SpaceToDepth",
    "Pad",
    "PRelu",
];

/// Lowers a node that reads at least one merged tensor.
pub(super) fn lower(builder: &mut Builder, site: &Site, lower: Lower) -> Result<Vec<Value>, Problem> {
    let op = site.op();
    // These decide themselves what becomes of the axis of parts.
    if matches!(op, "Reshape" | "Flatten") {
        return lower(builder, site);
    }
    if OF_PICTURES.contains(&op) {
        return as_pictures(builder, site, lower);
    }
    let merged = site.inputs.iter().find_map(|input| match input {
        Some(Value::Merged(tensor)) => Some(tensor.clone()),
        _ => None,
    });
    let x = merged.ok_or("reads no tensor of several parts a picture")?;
    let at = place(&x)?;
    let inputs = site.inputs.iter().enumerate();
    let inputs = inputs.map(|(which, input)| match input {
        Some(value) => inner(op, which, value, &x, at).map(Some),
        None => Ok(None),
    });
    let inputs = inputs.collect::<Result<_, Problem>>()?;
    let inner = Site { inputs, sources: site.sources.clone(), merged: Some(at), ..*site };
    Ok(lower(builder, &inner)?.into_iter().map(outer).collect())
}

/// The results keep their pictures and parts side by side, because no operation separates the two axes.
fn outer(value: Value) -> Value {
    match value {
        Value::Tensor(tensor) => Value::Merged(tensor),
        Value::List(list) => Value::List(list.into_iter().map(outer).collect()),
        other => other,
    }
}

/// An input as the graph has it. `x` is the tensor that decides where the pictures are.
fn inner(op: &str, which: usize, value: &Value, x: &Tensor, at: usize) -> Result<Value, Problem> {
    let count = x.shapes[0][at + 1];
    match value {
        Value::Merged(other) => {
            let same = place(other).is_ok_and(|place| other.rank() - place == x.rank() - at);
            match same && other.shapes[0][place(other)? + 1] == count {
                true => Ok(Value::Tensor(other.clone())),
                false => Err(Problem::new("combines tensors with different parts a picture")),
            }
        }
        Value::Tensor(_) => Err(Problem::new(format!("combines one tensor a picture with {count} of them"))),
        Value::Constant(constant) if is_aligned(op, constant) => aligned(constant, x.rank() - 1, at, count),
        Value::Constant(sides) if op == "Expand" && which == 1 => expanded(sides, x, at),
        Value::PerBatch(lanes) if BY_ELEMENT.contains(&op) || op == "Concat" => match period(lanes, count) {
            Some(constant) => aligned(&constant, x.rank() - 1, at, count),
            None => Ok(value.clone()),
        },
        other => Ok(other.clone()),
    }
}

/// Whether a constant's axes are those of the tensors that it meets. Factors of two axes or fewer have none of the pictures'.
fn is_aligned(op: &str, constant: &Constant) -> bool {
    BY_ELEMENT.contains(&op) || op == "Concat" || op == "MatMul" && constant.shape().len() > 2
}

/// A constant with two axes where the file has one for the parts of all pictures: it has one element there, or one for each
/// part of a picture.
fn aligned(constant: &Constant, rank: usize, at: usize, count: usize) -> Result<Value, Problem> {
    let mut shape = constant.shape().to_vec();
    let Some(place) = (at + shape.len()).checked_sub(rank) else { return Ok(constant.clone().into()) };
    if shape[place] != 1 && shape[place] != count {
        return Err(Problem::new(format!("meets a constant of shape {shape:?}"))
            .expected(format!("1 or {count} along axis {place}")));
    }
    // One for the pictures, all of which meet the same constant.
    shape.insert(place, 1);
    Ok(reshaped(constant, &shape)?.into())
}

/// The shape to which a merged tensor is expanded, with an axis of its own for the pictures.
fn expanded(sides: &Constant, x: &Tensor, at: usize) -> Result<Value, Problem> {
    let mut lanes: Vec<_> = sides.lanes()?.iter().copied().collect();
    let count = x.shapes[0][at + 1] as i64;
    let place = (at + lanes.len()).checked_sub(x.rank() - 1).ok_or("expands to fewer axes than it has")?;
    let batch = BATCHES.map(|batch| batch as i64);
    if ![[1; 2], [count; 2], batch.map(|batch| batch * count)].contains(&lanes[place]) {
        return Err("expands the pictures of a batch".into());
    }
    // Neither the pictures nor their parts are repeated: what the file asks for there, the tensor has already.
    lanes[place] = [1; 2];
    lanes.insert(place, [1; 2]);
    let count = lanes.len();
    let array = ndarray::ArrayD::from_shape_vec(vec![count], lanes).map_err(|cause| cause.to_string())?;
    Ok(Value::Constant(Rc::new(Constant::Int(array))))
}

/// Lowers an operation that treats every part of a picture as a picture: for it alone the two axes become one.
fn as_pictures(builder: &mut Builder, site: &Site, lower: Lower) -> Result<Vec<Value>, Problem> {
    let mut count = 1;
    let mut inputs = Vec::with_capacity(site.inputs.len());
    for input in &site.inputs {
        inputs.push(match input {
            Some(Value::Merged(x)) => {
                if place(x)? != 0 {
                    return Err("has other axes before that of the batch".into());
                }
                count = x.shapes[0][1];
                let rest = x.shapes[0][2..].iter().map(|side| *side as i64);
                let shape = std::iter::once(-1).chain(rest).collect();
                Some(Value::Tensor(builder.unary(Op::Reshape { shape }, x)?))
            }
            other => other.clone(),
        });
    }
    let inner = Site { inputs, sources: site.sources.clone(), ..*site };
    let results = lower(builder, &inner)?;
    let apart = |value: Value| match value {
        Value::Tensor(x) => {
            let rest = x.shapes[0][1..].iter().map(|side| *side as i64);
            let shape = [-1, count as i64].into_iter().chain(rest).collect();
            Ok(Value::Merged(builder.unary(Op::Reshape { shape }, &x)?))
        }
        other => Ok(other),
    };
    results.into_iter().map(apart).collect()
}
