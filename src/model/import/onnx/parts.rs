//! Selecting, slicing, splitting, repeating and accumulating constants.

use ndarray::Axis;

use super::border::filled;
use super::constant::Constant;
use super::shaped::{bounded, pick, reshaped, sizes};
use super::site::{Site, front};
use crate::error::Problem;

pub(super) fn gather(site: &Site) -> Result<Vec<Constant>, Problem> {
    let (values, indices) = (site.constant(0)?, site.constant(1)?);
    let axis = site.axis(0, values.shape().len())?;
    let picked = pick(values, axis, &indices.ints()?)?;
    let shape = [&values.shape()[..axis], indices.shape(), &values.shape()[axis + 1..]].concat();
    Ok(vec![reshaped(&picked, &shape)?])
}

/// `CumSum`: inclusive or exclusive, forward or reverse.
pub(super) fn running_sum(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let axis = front(site.constant(1)?.ints()?.first().copied().unwrap_or_default(), input.shape().len())?;
    let (exclusive, reverse) = (site.flag("exclusive")?, site.flag("reverse")?);
    let side = input.shape()[axis] as i64;
    let order: Vec<i64> = if reverse { (0..side).rev().collect() } else { (0..side).collect() };
    let sums = summed(&pick(input, axis, &order)?, axis);
    // Exclusive: the sums are shifted by one, and the first is zero.
    let sums = if exclusive && side > 0 { filled(&sums, axis, [1, -1], 0.0)? } else { sums };
    Ok(vec![pick(&sums, axis, &order)?])
}

fn summed(input: &Constant, axis: usize) -> Constant {
    match input {
        Constant::Float(array) => {
            let mut sums = array.clone();
            sums.accumulate_axis_inplace(Axis(axis), |before, sum| *sum += before);
            Constant::Float(sums)
        }
        Constant::Int(array) => {
            let mut sums = array.clone();
            sums.accumulate_axis_inplace(Axis(axis), |before, sum| {
                *sum = [0, 1].map(|lane| sum[lane].saturating_add(before[lane]));
            });
            Constant::Int(sums)
        }
    }
}

pub(super) fn tile(site: &Site) -> Result<Vec<Constant>, Problem> {
    let mut input = site.constant(0)?.clone();
    let counts = sizes(site, 1)?;
    if counts.len() != input.shape().len() {
        return Err(Problem::new(format!("repeats {} axes of {:?}", counts.len(), input.shape())));
    }
    for (axis, count) in counts.into_iter().enumerate() {
        let side = input.shape()[axis];
        let mut shape = input.shape().to_vec();
        shape[axis] = side.saturating_mul(count);
        bounded(&shape, site.source.room)?;
        let indices: Vec<i64> = (0..count).flat_map(|_| 0..side as i64).collect();
        input = pick(&input, axis, &indices)?;
    }
    Ok(vec![input])
}

/// Start, end and step along each axis: attributes before operator set 10, inputs since.
pub(super) fn cuts(site: &Site, rank: usize) -> Result<Vec<(usize, i64, i64, i64)>, Problem> {
    let list = |name: &str, at| site.ints_of(name, at);
    let (Some(starts), Some(ends)) = (list("starts", 1)?, list("ends", 2)?) else {
        return Err("its starts and ends are missing".into());
    };
    let axes = list("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("its starts, ends, axes and steps differ in number".into());
    }
    let axes = axes.iter().map(|axis| site.front(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
    Ok((0..starts.len()).map(|at| (axes[at], starts[at], ends[at], steps[at])).collect())
}

/// The indices that a slice selects: bounds are clamped, negative ones count from the end.
pub(super) fn slice_indices(side: usize, start: i64, end: i64, step: i64) -> Result<Vec<i64>, Problem> {
    if step == 0 {
        return Err(Problem::new("its step is 0").expected("another number"));
    }
    let side = side as i64;
    let place = |bound: i64| if bound < 0 { bound.saturating_add(side) } else { bound };
    let (low, high) = if step > 0 { (0, side) } else { (-1, side - 1) };
    let (mut at, end) = (place(start).clamp(low.max(0), high.max(0)), place(end).clamp(low, high));
    let mut indices = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        indices.push(at);
        at = at.saturating_add(step);
    }
    Ok(indices)
}

pub(super) fn slice(site: &Site) -> Result<Vec<Constant>, Problem> {
    let mut input = site.constant(0)?.clone();
    for (axis, start, end, step) in cuts(site, input.shape().len())? {
        let indices = slice_indices(input.shape()[axis], start, end, step)?;
        input = pick(&input, axis, &indices)?;
    }
    Ok(vec![input])
}

/// The sizes into which a split divides `side`.
pub(super) fn split_sizes(site: &Site, side: usize) -> Result<Vec<usize>, Problem> {
    let parts = site.node.output.len().max(1);
    let sizes = match site.ints_of("split", 1)? {
        Some(list) => list.iter().filter_map(|size| usize::try_from(*size).ok()).collect(),
        None => {
            let each = side.div_ceil(parts);
            (0..parts).map(|at| each.min(side.saturating_sub(at * each))).collect::<Vec<_>>()
        }
    };
    let total = sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    match total == Some(side) && sizes.len() == parts {
        true => Ok(sizes),
        false => Err(Problem::new(format!("cannot split a side of {side} into {parts} parts of {sizes:?}"))),
    }
}

pub(super) fn split(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let axis = site.axis(0, input.shape().len())?;
    let mut start = 0;
    let mut parts = Vec::new();
    for size in split_sizes(site, input.shape()[axis])? {
        let indices: Vec<i64> = (start..start + size as i64).collect();
        parts.push(pick(input, axis, &indices)?);
        start += size as i64;
    }
    Ok(parts)
}
