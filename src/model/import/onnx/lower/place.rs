//! Where a reshape leaves the pictures of a batch.
//!
//! Receives a tensor and the shape that the file wants; adds the reshape and gives its value. The pictures may get an axis of
//! their own, or one together with parts of theirs, `[batch n, ...]`, which the graph keeps as `[batch, n, ...]`. Where the file
//! has the exporter's batch of one written into its shapes, the axis is found that begins where the pictures begin.

use super::super::builder::{Builder, Tensor, batch_axis};
use super::super::constant::{BATCHES, Lanes};
use super::super::site::{Site, Value};
use crate::axes;
use crate::card::Op;
use crate::error::Problem;

/// A shape for one picture, and the axis where the pictures begin. That axis has the parts of a picture, or length 1.
struct Place {
    sides: Vec<usize>,
    at: usize,
}

/// Adds the reshape of `x` to `spec`; `file` is the shape that `x` has in the file, for both batch sizes. `None` if it would mix
/// the pictures.
pub(super) fn reshape(
    builder: &mut Builder,
    x: &Tensor,
    file: &[Vec<usize>; 2],
    spec: &[Lanes],
) -> Result<Option<Value>, Problem> {
    let Some(from) = batch_axis(x) else { return Ok(None) };
    let before: usize = x.shapes[0][..from].iter().product();
    let Some(place) = following(file, spec, before).or_else(|| of_one(file, spec, before)) else {
        return rows(builder, x, file, spec);
    };
    let Place { sides, at } = place;
    let parts = sides[at];
    let lane = |batch: usize| {
        let own = if parts == 1 { vec![batch] } else { vec![batch, parts] };
        [&sides[..at], &own, &sides[at + 1..]].concat()
    };
    let shapes = BATCHES.map(lane);
    let tensor = if shapes == x.shapes {
        x.clone()
    } else {
        let mut shape: Vec<i64> = shapes[0].iter().map(|side| *side as i64).collect();
        // The size of the batch is not written: 0 keeps it where it is, -1 lets it follow.
        shape[at] = if at == from { 0 } else { -1 };
        builder.unary(Op::Reshape { shape }, x)?
    };
    Ok(Some(if parts == 1 { Value::Tensor(tensor) } else { Value::Merged(tensor) }))
}

/// The tensor with another axis of pictures than `axis`, where only the exporter's batch of one made that theirs: of two neighbouring axes
/// of length 1 a reshape to constants does not say which it is, and nothing else is taken from the batch.
pub(super) fn apart_from(
    builder: &mut Builder,
    site: &Site,
    x: &Tensor,
    axis: usize,
) -> Result<Tensor, Problem> {
    let is_one = |other: &usize| x.shapes[0].get(*other) == Some(&1);
    let other = [axis.checked_sub(1), Some(axis + 1)].into_iter().flatten().find(is_one);
    match other {
        Some(other) if x.is_batch(axis) && site.merged.is_none() && site.source.is_for_one() => {
            let mut perm: Vec<usize> = (0..x.rank()).collect();
            perm.swap(axis, other);
            builder.unary(Op::Transpose { perm }, x)
        }
        _ => Ok(x.clone()),
    }
}

/// Rows of pictures behind other axes, `[places * batch, features]`, as attention that has the places first flattens its result. `None`
/// for another shape.
fn rows(
    builder: &mut Builder,
    x: &Tensor,
    file: &[Vec<usize>; 2],
    spec: &[Lanes],
) -> Result<Option<Value>, Problem> {
    let Some(at) = batch_axis(x).filter(|at| *at > 0) else { return Ok(None) };
    let is_rows = |lane: usize| {
        let (before, after) = x.shapes[lane].split_at(at + 1);
        resolved(&file[lane], spec, lane) == Some(vec![before.iter().product(), after.iter().product()])
    };
    if !is_rows(0) || !is_rows(1) {
        return Ok(None);
    }
    let places = x.shapes[0][..at].iter().map(|side| *side as i64);
    let features: usize = x.shapes[0][at + 1..].iter().product();
    let shape = places.chain([0, features as i64]).collect();
    Ok(Some(Value::Rows(builder.unary(Op::Reshape { shape }, x)?)))
}

fn resolved(from: &[usize], spec: &[Lanes], lane: usize) -> Option<Vec<usize>> {
    axes::reshape(from, &spec.iter().map(|side| side[lane]).collect::<Vec<_>>()).ok()
}

/// Of a shape that follows the size of the batch: exactly one axis grows with it, and begins where the pictures begin.
fn following(file: &[Vec<usize>; 2], spec: &[Lanes], before: usize) -> Option<Place> {
    let [mut sides, second] = [resolved(&file[0], spec, 0)?, resolved(&file[1], spec, 1)?];
    let mut growing = (0..sides.len()).filter(|axis| sides[*axis] != second[*axis]);
    let at = growing.next().filter(|_| growing.next().is_none())?;
    let parts = sides[at] / BATCHES[0];
    let is_whole = sides[at] == parts * BATCHES[0] && second[at] == parts * BATCHES[1];
    sides[at] = parts;
    (is_whole && sides[..at].iter().product::<usize>() == before).then_some(Place { sides, at })
}

/// Of a shape for a batch of one. An axis of length 1 where the pictures begin is theirs; else the axis there has their parts.
fn of_one(file: &[Vec<usize>; 2], spec: &[Lanes], before: usize) -> Option<Place> {
    let mut one = file[0].clone();
    let batch = (0..one.len()).find(|axis| file[0][*axis] != file[1][*axis])?;
    one[batch] /= BATCHES[0];
    if spec.iter().any(|[first, second]| first != second) {
        return None;
    }
    let sides = resolved(&one, spec, 0)?;
    let begins = |axis: &usize| sides[..*axis].iter().product::<usize>() == before;
    let places: Vec<usize> = (0..sides.len()).filter(begins).collect();
    // Several axes can begin there when some before them have length 1; that of length 1 is the sample's batch.
    let own = places.iter().find(|axis| sides[**axis] == 1).or(places.first());
    own.map(|at| Place { at: *at, sides: sides.clone() })
}
