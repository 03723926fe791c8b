//! `x[...]` between layers: numbers, ranges and new axes.

use serde_json::Value;

use super::super::site::{Operand, Site, TO_KERAS, Tensor};
use crate::card::Op;
use crate::error::Problem;

/// What an index takes of an axis.
enum Index {
    One(i64),
    Range { start: Option<i64>, stop: Option<i64>, step: i64 },
    NewAxis,
}

impl Index {
    fn read(value: &Value) -> Option<Self> {
        if value.is_null() {
            return Some(Self::NewAxis);
        }
        if let Some(at) = value.as_i64() {
            return Some(Self::One(at));
        }
        let range = value.get("config").unwrap_or(value);
        let part = |key: &str| match range.get(key) {
            None | Some(Value::Null) => Some(None),
            Some(number) => number.as_i64().map(Some),
        };
        Some(Self::Range { start: part("start")?, stop: part("stop")?, step: part("step")?.unwrap_or(1) })
    }
}

/// A part of the tensor that it is called on.
pub(super) fn pick(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.operands.first().cloned().and_then(Operand::tensor);
    let x = x.ok_or("is called on no tensor")?;
    let given = site.operands.get(1).cloned().and_then(Operand::constant);
    let value = given.or_else(|| site.value("slice_spec")).ok_or("has no constant index")?;
    let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let is_rest = |value: &Value| value.get("class_name").and_then(Value::as_str) == Some("__ellipsis__");
    let named = list.iter().filter(|index| !is_rest(index) && !index.is_null()).count();
    let rest = x.rank().checked_sub(named).ok_or("has an index for more axes than there are")?;
    let all = || Index::Range { start: None, stop: None, step: 1 };
    let mut indices = Vec::new();
    for value in &list {
        match is_rest(value) {
            true => indices.extend((0..rest).map(|_| all())),
            false => indices
                .push(Index::read(value).ok_or_else(|| Problem::new(format!("has the index {value}")))?),
        }
    }
    let taken = indices.iter().filter(|index| !matches!(index, Index::NewAxis)).count();
    indices.extend((taken..x.rank()).map(|_| all()));
    picked(site, &x, &indices)
}

fn picked(site: &mut Site, x: &Tensor, indices: &[Index]) -> Result<Tensor, Problem> {
    let keeps_axes = indices.iter().all(|index| matches!(index, Index::Range { .. }));
    let mut y = if keeps_axes { x.clone() } else { site.as_keras(x)? };
    let (mut gone, mut new, mut axis, mut made) = (vec![], vec![], 0, 0);
    for index in indices {
        let place = if keeps_axes && x.rank() == 4 { TO_KERAS[axis] } else { axis };
        match index {
            Index::NewAxis => {
                new.push(made);
                made += 1;
                continue;
            }
            Index::One(at) => {
                // Behind -1 comes 0, which would count from the front: the end is left open then.
                y = range(site, &y, place, [Some(*at), Some(*at + 1).filter(|end| *end != 0)], 1)?;
                gone.push(place);
            }
            Index::Range { start, stop, step } => {
                y = range(site, &y, place, [*start, *stop], *step)?;
                made += 1;
            }
        }
        axis += 1;
    }
    if !gone.is_empty() {
        y = site.squeeze(gone, &y)?;
    }
    if !new.is_empty() {
        y = site.unsqueeze(new, &y)?;
    }
    if keeps_axes { Ok(y) } else { site.as_graph(&y) }
}

/// Python's range of an axis.
fn range(
    site: &mut Site,
    x: &Tensor,
    axis: usize,
    [start, stop]: [Option<i64>; 2],
    step: i64,
) -> Result<Tensor, Problem> {
    if (start, stop, step) == (None, None, 1) {
        return Ok(x.clone());
    }
    if axis == 0 {
        return Err(Problem::new("takes some pictures of a batch").expected("all of them"));
    }
    let side = x.side(axis)? as i64;
    let within = |at: i64, least: i64, most: i64| if at < 0 { at + side } else { at }.clamp(least, most);
    if step > 0 {
        let start = within(start.unwrap_or(0), 0, side) as usize;
        let end = within(stop.unwrap_or(side), 0, side) as usize;
        return site.unary(Op::Slice { axis, start, end, step: step as usize }, x);
    }
    // Downwards the end is -1, the place before the first.
    let first = within(start.unwrap_or(side - 1), -1, side - 1);
    let end = stop.map_or(-1, |stop| within(stop, -1, side - 1));
    let step = usize::try_from(-step).ok().filter(|step| *step > 0).ok_or("has a step of 0")?;
    let indices = (end + 1..=first).rev().step_by(step).map(|at| at as usize).collect();
    site.unary(Op::Gather { axis, indices }, x)
}
