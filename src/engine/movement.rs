//! Operations that move values: new shapes and orders of axes, parts, and parts side by side.
//!
//! Receives values whose shapes were checked before; gives the same numbers, or some of them, elsewhere. Arithmetic is in `ops`.

use std::ops::Range;

use burn::tensor::{Int, Slice, Tensor, TensorData};

use super::sums;
use super::value::{Value, map_tensor};
use crate::card::Op;
use crate::error::{Error, Result};
use burncam_graph::axes::{range_of_part, reshape as resolve_reshape};

/// Any movement of one value.
pub(super) fn shaping(op: &Op, x: Value) -> Result<Value> {
    let shape = x.shape();
    match op {
        Op::Flatten { start_axis } => {
            let rest = shape[*start_axis..].iter().product();
            x.reshape(&[&shape[..*start_axis], &[rest]].concat())
        }
        Op::Reshape { shape: spec } => {
            let target = resolve_reshape(&shape, spec).map_err(Error::internal)?;
            x.reshape(&target)
        }
        Op::Transpose { perm } => Ok(map_tensor!(x, t => sums::permuted(t, perm))),
        Op::Squeeze { axes } => x.reshape(&without(&shape, axes)),
        Op::Unsqueeze { axes } => {
            let mut sorted = axes.clone();
            // Axes are those of the result: each is right once all before it are in.
            sorted.sort_unstable();
            let mut target = shape;
            sorted.into_iter().for_each(|axis| target.insert(axis, 1));
            x.reshape(&target)
        }
        Op::Slice { axis, start, end, step } => Ok(sliced(x, *axis, *start, (*end).min(shape[*axis]), *step)),
        Op::Split { axis, sizes, part } => {
            let Range { start, end } = range_of_part(sizes, *part);
            Ok(sliced(x, *axis, start, end, 1))
        }
        Op::Gather { axis, indices } => {
            let indices: Vec<i64> = indices.iter().map(|index| *index as i64).collect();
            Ok(map_tensor!(x, t => {
                let indices = Tensor::<1, Int>::from_data(TensorData::from(&indices[..]), &t.device());
                t.select(*axis, indices)
            }))
        }
        other => Err(Error::internal(format!("'{}' is not a shaping operation", other.name()))),
    }
}

/// Every `step`-th part from `start` up to but without `end`.
pub(super) fn sliced(x: Value, axis: usize, start: usize, end: usize, step: usize) -> Value {
    let slice = Slice::new(start as isize, Some(end as isize), step.min(end - start) as isize);
    map_tensor!(x, t => t.slice_dim(axis, slice))
}

fn expanded<const RANK: usize>(tensor: Tensor<RANK>, shape: &[usize]) -> Tensor<RANK> {
    let sides: [usize; RANK] = std::array::from_fn(|axis| shape[axis]);
    tensor.expand(sides)
}

/// Joins values along an axis. `other` is stored: the same for every picture.
pub(super) fn concat(op: &Op, other: Option<&Value>, mut values: Vec<Value>) -> Result<Value> {
    let Op::Concat { axis, at } = op else {
        return Err(Error::internal(format!("'{}' joins nothing", op.name())));
    };
    if let Some(other) = other {
        let mut shape = values[0].shape();
        // Stored for one picture; the others of a batch get the same.
        shape[*axis] = other.shape()[*axis];
        values.insert((*at).min(values.len()), map_tensor!(other.clone(), t => expanded(t, &shape)));
    }
    macro_rules! joined {
        ($($variant:ident),*) => {
            match &values[0] {
                $(Value::$variant(_) => {
                    let tensors = values.into_iter().filter_map(|value| match value {
                        Value::$variant(tensor) => Some(tensor),
                        _ => None,
                    });
                    Value::$variant(Tensor::cat(tensors.collect(), *axis))
                })*
            }
        };
    }
    Ok(joined!(R1, R2, R3, R4, R5, R6))
}

/// A shape without `axes`.
pub(super) fn without(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().filter(|(at, _)| !axes.contains(at)).map(|(_, side)| *side).collect()
}
