//! Operations that move numbers about: new shapes, orders of axes, parts and wholes.
//!
//! The batch must stay an axis of its own. A reshape to a fixed batch of 1 (exporters write the batch of their sample)
//! is taken to mean any batch, when every picture's numbers stay together; else it is refused.

use ndarray::{ArrayD, IxDyn};

use super::super::builder::{Builder, Weight};
use super::super::constant::{Constant, Lanes};
use super::super::site::{Site, Tensor, Value, front, fronts};
use super::super::{fold, parts};
use super::{MAX_PARTS, one};
use crate::card::Op;
use crate::model::axes;

pub(super) fn reshape(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let spec: Vec<Lanes> = match site.ints("shape")? {
        Some(list) => list.into_iter().map(|side| [side; 2]).collect(),
        None => site.constant(1)?.lanes()?.iter().copied().collect(),
    };
    let spec = if site.flag("allowzero")? && spec.contains(&[0; 2]) {
        return Err("makes a value without elements".into());
    } else {
        spec
    };
    // One number a picture is a row of a batch and its list at once.
    let several = x.shapes[0].iter().skip(1).any(|side| *side != 1);
    let row = spec == [[-1; 2]] || spec == [[x.shapes[0][1..].iter().product::<usize>() as i64; 2]];
    if row && several {
        return Ok(vec![Value::Row(x.clone())]);
    }
    let shapes = target(x, &spec)?;
    as_rows(builder, x, &shapes)
}

/// A new shape, or a list of rows when all axes but the last are joined.
fn as_rows(builder: &mut Builder, x: &Tensor, shapes: &[Vec<usize>; 2]) -> Result<Vec<Value>, String> {
    let row = |lane: usize| match (&shapes[lane][..], &x.shapes[lane][..]) {
        ([count, side], [batch, _, .., last]) => side == last && count > batch,
        _ => false,
    };
    if row(0) && row(1) && x.is_batch(0) {
        return Ok(vec![Value::Rows(x.clone())]);
    }
    one(reshaped(builder, x, shapes)?)
}

/// The shape that is meant, for either batch. A leading 1 is the sample's batch, written down as a number.
fn target(x: &Tensor, spec: &[Lanes]) -> Result<[Vec<usize>; 2], String> {
    let one_for_batch = matches!(spec, [[1, 1], ..]) && x.is_batch(0);
    let lane = |lane: usize, general: bool| {
        let mut sides: Vec<i64> = spec.iter().map(|side| side[lane]).collect();
        if let (true, Some(first)) = (general, sides.first_mut()) {
            *first = x.shapes[lane][0] as i64;
        }
        axes::reshape(&x.shapes[lane], &sides)
    };
    let both = |general| Ok::<_, String>([lane(0, general)?, lane(1, general)?]);
    if one_for_batch { both(true).or_else(|_| both(false)) } else { both(false) }
}

/// Emits the reshape between shapes that are known for either batch.
fn reshaped(builder: &mut Builder, x: &Tensor, shapes: &[Vec<usize>; 2]) -> Result<Tensor, String> {
    if *shapes == x.shapes {
        return Ok(x.clone());
    }
    let batch: Vec<usize> =
        (0..shapes[0].len()).filter(|axis| shapes[0][*axis] != shapes[1][*axis]).collect();
    let from: Vec<usize> = (0..x.rank()).filter(|axis| x.is_batch(*axis)).collect();
    let (&[to], &[from]) = (&batch[..], &from[..]) else { return Err(mixed(x, shapes)) };
    let before = |shape: &[usize], axis: usize| shape[..axis].iter().product::<usize>();
    // The batch must be the same axis: as large, and with as many numbers before it.
    if shapes[0][to] != x.shapes[0][from] || before(&shapes[0], to) != before(&x.shapes[0], from) {
        return Err(mixed(x, shapes));
    }
    if to == 0 && from == 0 && shapes[0].len() == 2 {
        return builder.unary(Op::Flatten { start_axis: 1 }, x);
    }
    let mut shape: Vec<i64> = shapes[0].iter().map(|side| *side as i64).collect();
    shape[to] = if to == from { 0 } else { -1 };
    builder.unary(Op::Reshape { shape }, x)
}

fn mixed(x: &Tensor, shapes: &[Vec<usize>; 2]) -> String {
    let any = |shapes: &[Vec<usize>; 2]| -> String {
        let side = |(first, second): (&usize, &usize)| {
            if first == second { first.to_string() } else { "batch".into() }
        };
        shapes[0].iter().zip(&shapes[1]).map(side).collect::<Vec<_>>().join(", ")
    };
    format!(
        "mixes the pictures of a batch: [{}] becomes [{}] for a batch of {}, expected the batch to stay an axis of its own",
        any(&x.shapes),
        shapes[0].iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
        super::super::constant::BATCHES[0],
    )
}

pub(super) fn flatten(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let axis = site.int("axis", 1)?;
    let axis = if axis == x.rank() as i64 { x.rank() } else { front(axis, x.rank())? };
    let shape = |lane: usize| {
        let (before, after) = x.shapes[lane].split_at(axis);
        vec![before.iter().product(), after.iter().product()]
    };
    as_rows(builder, x, &[shape(0), shape(1)])
}

pub(super) fn squeeze(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let axes = match site.ints_of("axes", 1)? {
        Some(axes) => fronts(&axes, x.rank())?,
        None => (0..x.rank()).filter(|axis| x.shapes[0][*axis] == 1).collect(),
    };
    for axis in &axes {
        x.side(*axis)?;
    }
    if axes.is_empty() {
        return one(x.clone());
    }
    one(builder.unary(Op::Squeeze { axes }, x)?)
}

pub(super) fn unsqueeze(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let Some(axes) = site.ints_of("axes", 1)? else { return Err("its axes are not there".into()) };
    let axes = fronts(&axes, x.rank() + axes.len())?;
    one(builder.unary(Op::Unsqueeze { axes }, x)?)
}

pub(super) fn transpose(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    one(builder.unary(Op::Transpose { perm: fold::permutation(site, x.rank())? }, x)?)
}

/// Joins computed values; a constant among them cannot be joined.
pub(super) fn concat(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let all = (0..site.inputs.len()).map(|at| site.tensor(at)).collect::<Result<Vec<_>, _>>()?;
    let rank = all.first().map_or(0, |first| first.rank());
    let axis = site.axis(1, rank)?;
    if all.iter().any(|part| part.is_batch(axis)) {
        return Err("joins pictures into one batch, expected another axis".into());
    }
    match all[..] {
        [only] => one(only.clone()),
        _ => one(builder.emit(Op::Concat { axis }, &all, vec![])?),
    }
}

/// The part of `x` from `start` by `step`, `count` of it, along `axis`.
fn part(builder: &mut Builder, x: &Tensor, axis: usize, indices: &[i64]) -> Result<Tensor, String> {
    let index = |at: &i64| usize::try_from(*at).map_err(|_| format!("index {at} is negative"));
    let (Some(first), Some(last)) = (indices.first(), indices.last()) else {
        return Err("takes nothing".into());
    };
    let (start, end) = (index(first)?, index(last)? + 1);
    if start == 0 && indices.len() == x.shapes[0][axis] {
        return Ok(x.clone());
    }
    let step = if let [first, second, ..] = indices { index(&(second - first))? } else { 1 };
    builder.unary(Op::Slice { axis, start, end, step }, x)
}

pub(super) fn slice(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let mut x = site.tensor(0)?.clone();
    for (axis, start, end, step) in parts::cuts(site, x.rank())? {
        // The whole batch is no part of it.
        if x.is_batch(axis) && start == 0 && step == 1 && end >= i64::from(i32::MAX) {
            continue;
        }
        let indices = parts::slice_indices(x.side(axis)?, start, end, step)?;
        x = if step > 0 { part(builder, &x, axis, &indices)? } else { picked(builder, &x, axis, &indices)? };
    }
    one(x)
}

/// Known indices along an axis; a single one takes the axis away.
pub(super) fn gather(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    if let Some(Value::Row(row)) = site.input(0) {
        return one(laid_out(builder, row, site.constant(1)?)?);
    }
    let x = site.tensor(0)?;
    let axis = site.axis(0, x.rank())?;
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
        rank => Err(format!("picks by indices of rank {rank}, expected a list")),
    }
}

/// The numbers of one picture in a row, picked in order into a new shape: PyTorch's `as_strided`.
fn laid_out(builder: &mut Builder, row: &Tensor, indices: &Constant) -> Result<Tensor, String> {
    let in_order = indices.ints()?.iter().copied().eq(0..row.shapes[0][1..].iter().product::<usize>() as i64);
    let [1, rest @ ..] = indices.shape() else { return Err("picks out of a whole batch in a row".into()) };
    if !in_order {
        return Err("picks out of a whole batch in a row".into());
    }
    let shape = |lane: usize| [&row.shapes[lane][..1], rest].concat();
    reshaped(builder, row, &[shape(0), shape(1)])
}

/// Slices side by side, as few as the indices allow.
fn picked(builder: &mut Builder, x: &Tensor, axis: usize, indices: &[i64]) -> Result<Tensor, String> {
    let runs: Vec<&[i64]> = indices.chunk_by(|first, second| *second == first + 1).collect();
    if runs.len() > MAX_PARTS {
        return Err(format!("picks {} separate parts, expected at most {MAX_PARTS}", runs.len()));
    }
    let parts = runs.iter().map(|run| part(builder, x, axis, run)).collect::<Result<Vec<_>, _>>()?;
    match &parts[..] {
        [only] => Ok(only.clone()),
        _ => builder.emit(Op::Concat { axis }, &parts.iter().collect::<Vec<_>>(), vec![]),
    }
}

/// Repeats axes of size 1, by adding nothing of the wider shape.
pub(super) fn expand(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let spec = site.constant(1)?.lanes()?;
    let wide = |lane: usize| {
        let sides: Vec<usize> = spec.iter().filter_map(|side| usize::try_from(side[lane]).ok()).collect();
        axes::broadcast(&x.shapes[lane], &sides)
    };
    let shapes = [wide(0)?, wide(1)?];
    if shapes == x.shapes {
        return one(x.clone());
    }
    let fixed: Vec<usize> = (0..shapes[0].len())
        .map(|axis| if shapes[0][axis] == shapes[1][axis] { shapes[0][axis] } else { 1 })
        .collect();
    let grows_batch = (0..x.rank()).any(|axis| {
        let at = axis + shapes[0].len() - x.rank();
        shapes[0][at] != shapes[1][at] && !x.is_batch(axis)
    });
    if grows_batch || shapes[0].len() != x.rank() {
        return Err(format!(
            "expands {:?} to {:?}, expected the batch to stay as it is",
            x.shapes[0], shapes[0]
        ));
    }
    fold::bounded(&fixed)?;
    let zeros = Weight { values: ArrayD::zeros(IxDyn(&fixed)), source: String::new() };
    one(builder.emit(Op::Add { scalar: None }, &[x], vec![("other", zeros)])?)
}
