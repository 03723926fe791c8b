//! Parts of computed values: slices, and elements at known indices.

use std::ops::Range;

use super::super::builder::{Builder, Tensor};
use super::super::constant::Constant;
use super::super::parts;
use super::super::site::{Site, Value, front};
use super::operands::one;
use super::place;
use super::shape::reshaped;
use crate::card::Op;
use crate::error::Problem;

/// Up to this many runs of neighbours are slices, which the native kernels know.
const FEW: usize = 64;

/// `count` elements of `x` along `axis`, from `start` with step `step`.
pub(super) fn part(
    builder: &mut Builder,
    x: &Tensor,
    axis: usize,
    indices: &[i64],
) -> Result<Tensor, Problem> {
    let index = |at: &i64| usize::try_from(*at).map_err(|_| Problem::new(format!("index {at} is negative")));
    let (Some(first), Some(last)) = (indices.first(), indices.last()) else {
        return Err("selects no elements".into());
    };
    let (start, end) = (index(first)?, index(last)? + 1);
    // All of the axis: exporters write slices that cut nothing.
    if start == 0 && indices.len() == x.shapes[0][axis] {
        return Ok(x.clone());
    }
    let step = if let [first, second, ..] = indices { index(&(second - first))? } else { 1 };
    builder.unary(Op::Slice { axis, start, end, step }, x)
}

pub(super) fn slice(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let mut x = site.tensor(0)?.clone();
    for (axis, start, end, step) in parts::cuts(site, x.rank())? {
        // A slice must not cut the batch.
        if x.is_batch(axis) && start == 0 && step == 1 && end >= i64::from(i32::MAX) {
            continue;
        }
        let indices = parts::slice_indices(x.side(axis)?, start, end, step)?;
        x = if step > 0 { part(builder, &x, axis, &indices)? } else { picked(builder, &x, axis, &indices)? };
    }
    one(x)
}

/// Known indices along an axis; a scalar index removes the axis.
pub(super) fn gather(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    if let Some(Value::Row(row)) = site.input(0) {
        return one(laid_out(builder, row, site)?);
    }
    let axis = site.axis(0, site.tensor(0)?.rank())?;
    let x = &place::apart_from(builder, site, site.tensor(0)?, axis)?;
    let side = x.side(axis)?;
    let list = site.constant(1)?;
    let indices = list
        .ints()?
        .iter()
        .map(|index| front(*index, side).map(|at| at as i64))
        .collect::<Result<Vec<_>, _>>()?;
    match list.shape().len() {
        0 => {
            let only = part(builder, x, axis, &indices)?;
            one(builder.unary(Op::Squeeze { axes: vec![axis] }, &only)?)
        }
        1 => one(picked(builder, x, axis, &indices)?),
        _ => {
            let picked = picked(builder, x, axis, &indices)?;
            one(recut(builder, &picked, axis..axis + 1, list.shape())?)
        }
    }
}

/// Elements of the flattened batch in a new shape: PyTorch's `as_strided`. The indices are those of a batch of one,
/// or continue through the batch.
fn laid_out(builder: &mut Builder, row: &Tensor, site: &Site) -> Result<Tensor, Problem> {
    let in_order =
        |indices: &Constant, count: usize| Ok::<_, Problem>(indices.ints()?.into_iter().eq(0..count as i64));
    let refuse = || Problem::new("picks out of a whole batch in a row");
    if let Some(Value::PerBatch(lanes)) = site.input(1) {
        for (indices, shape) in lanes.iter().zip(&row.shapes) {
            if !in_order(indices, shape.iter().product())? {
                return Err(refuse());
            }
        }
        return reshaped(builder, row, &[lanes[0].shape().to_vec(), lanes[1].shape().to_vec()]);
    }
    let indices = site.constant(1)?;
    match indices.shape() {
        [1, rest @ ..] if in_order(indices, row.shapes[0][1..].iter().product())? => {
            let shape = |lane: usize| [&row.shapes[lane][..1], rest].concat();
            reshaped(builder, row, &[shape(0), shape(1)])
        }
        _ => Err(refuse()),
    }
}

/// `GatherND`: the parts at known places in the first axes, which count as one axis. The exporter of PyTorch writes an
/// adaptive pool with windows of several sizes so.
pub(super) fn gather_nd(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let list = site.constant(1)?;
    let refuse = || {
        Problem::new(format!("picks by indices of shape {:?}", list.shape()))
            .expected("places in the first axes, the last axis of the indices as long as there are such axes")
    };
    let Some((depth, grid)) = list.shape().split_last() else { return Err(refuse()) };
    if site.int("batch_dims", 0)? != 0 || *depth == 0 || *depth > x.rank() {
        return Err(refuse());
    }
    let sides = (0..*depth).map(|axis| x.side(axis)).collect::<Result<Vec<_>, _>>()?;
    let place = |indices: &[i64]| {
        let mut sides = indices.iter().zip(&sides);
        sides.try_fold(0, |at, (index, side)| Ok(at * *side as i64 + front(*index, *side)? as i64))
    };
    let places = list.ints()?.chunks(*depth).map(place).collect::<Result<Vec<_>, Problem>>()?;
    let row = recut(builder, x, 0..*depth, &[sides.iter().product()])?;
    let picked = picked(builder, &row, 0, &places)?;
    one(recut(builder, &picked, 0..1, grid)?)
}

/// A reshape that puts axes of these lengths in the place of some others.
fn recut(builder: &mut Builder, x: &Tensor, axes: Range<usize>, sides: &[usize]) -> Result<Tensor, Problem> {
    if x.shapes[0][axes.clone()] == *sides {
        return Ok(x.clone());
    }
    // Any batch, not that of the lane.
    let side = |at: usize| if x.is_batch(at) { -1 } else { x.shapes[0][at] as i64 };
    let shape = (0..axes.start)
        .map(side)
        .chain(sides.iter().map(|side| *side as i64))
        .chain((axes.end..x.rank()).map(side));
    builder.unary(Op::Reshape { shape: shape.collect() }, x)
}

/// Slices to concatenate, as few as the indices allow; many are one gather.
pub(super) fn picked(
    builder: &mut Builder,
    x: &Tensor,
    axis: usize,
    indices: &[i64],
) -> Result<Tensor, Problem> {
    let runs: Vec<&[i64]> = indices.chunk_by(|first, second| *second == first + 1).collect();
    if runs.len() > FEW {
        let indices = indices.iter().map(|index| usize::try_from(*index)).collect::<Result<Vec<_>, _>>();
        let indices = indices.map_err(|_| Problem::new("picks an element before the first"))?;
        return builder.unary(Op::Gather { axis, indices }, x);
    }
    let parts = runs.iter().map(|run| part(builder, x, axis, run)).collect::<Result<Vec<_>, _>>()?;
    match &parts[..] {
        [only] => Ok(only.clone()),
        _ => builder.emit(Op::Concat { axis, at: 0 }, &parts.iter().collect::<Vec<_>>(), vec![]),
    }
}
