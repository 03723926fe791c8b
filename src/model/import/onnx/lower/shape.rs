//! Reshapes and transposes.
//!
//! The batch must stay a separate axis. A reshape to a fixed batch of 1 (exporters write the batch of their sample)
//! is read as any batch if every picture's numbers stay together; else it is refused.

use super::super::builder::{Builder, Tensor, shapes_in_file};
use super::super::constant::Lanes;
use super::super::shaped;
use super::super::site::{Site, Value, front, fronts};
use super::operands::one;
use super::place;
use super::reduce::with_row;
use crate::axes;
use crate::card::Op;
use crate::error::Problem;

pub(super) fn reshape(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let spec: Vec<Lanes> = match site.ints("shape")? {
        Some(list) => list.into_iter().map(|side| [side; 2]).collect(),
        None => site.constant(1)?.lanes()?.iter().copied().collect(),
    };
    let spec = if site.flag("allowzero")? && spec.contains(&[0; 2]) {
        return Err("makes a value without elements".into());
    } else {
        spec
    };
    if let Some(Value::Merged(x)) = site.input(0) {
        let file = shapes_in_file(x)?;
        let value = place::reshape(builder, x, &file, &spec)?;
        return Ok(vec![value.ok_or_else(|| mixed(x, &file))?]);
    }
    let x = site.tensor(0)?;
    // With one number per picture, the batch is both a row and a list.
    let several = x.shapes[0].iter().skip(1).any(|side| *side != 1);
    let row = spec == [[-1; 2]] || spec == [[x.shapes[0][1..].iter().product::<usize>() as i64; 2]];
    if row && several {
        return Ok(vec![Value::Row(x.clone())]);
    }
    match target(x, &spec).and_then(|shapes| as_rows(builder, x, &shapes)) {
        Ok(values) => Ok(values),
        Err(problem) => match place::reshape(builder, x, &x.shapes, &spec)? {
            Some(value) => Ok(vec![value]),
            None => Err(problem),
        },
    }
}

/// A reshape, or a list of rows if all axes but the last are combined.
fn as_rows(builder: &mut Builder, x: &Tensor, shapes: &[Vec<usize>; 2]) -> Result<Vec<Value>, Problem> {
    let row = |lane: usize| match (&shapes[lane][..], &x.shapes[lane][..]) {
        ([count, side], [batch, _, .., last]) => side == last && count > batch,
        _ => false,
    };
    if row(0) && row(1) && x.is_batch(0) {
        return Ok(vec![Value::Rows(x.clone())]);
    }
    one(reshaped(builder, x, shapes)?)
}

/// The target shape for both batch sizes. A leading 1 is the sample's batch, written as a constant.
fn target(x: &Tensor, spec: &[Lanes]) -> Result<[Vec<usize>; 2], Problem> {
    let one_for_batch = matches!(spec, [[1, 1], ..]) && x.is_batch(0);
    let lane = |lane: usize, general: bool| {
        let mut sides: Vec<i64> = spec.iter().map(|side| side[lane]).collect();
        if let (true, Some(first)) = (general, sides.first_mut()) {
            *first = x.shapes[lane][0] as i64;
        }
        axes::reshape(&x.shapes[lane], &sides)
    };
    let both = |general| Ok::<_, Problem>([lane(0, general)?, lane(1, general)?]);
    // A leading 1 that fits no batch may still be meant: a picture's own axis of length 1.
    if one_for_batch { both(true).or_else(|_| both(false)) } else { both(false) }
}

/// Adds the reshape between shapes known for both batch sizes.
pub(super) fn reshaped(
    builder: &mut Builder,
    x: &Tensor,
    shapes: &[Vec<usize>; 2],
) -> Result<Tensor, Problem> {
    if *shapes == x.shapes {
        return Ok(x.clone());
    }
    let batch: Vec<usize> =
        (0..shapes[0].len()).filter(|axis| shapes[0][*axis] != shapes[1][*axis]).collect();
    let from: Vec<usize> = (0..x.rank()).filter(|axis| x.is_batch(*axis)).collect();
    let (&[to], &[from]) = (&batch[..], &from[..]) else { return Err(mixed(x, shapes)) };
    let before = |shape: &[usize], axis: usize| shape[..axis].iter().product::<usize>();
    // The batch must be the same axis: of the same length, with the same number of elements before it.
    if shapes[0][to] != x.shapes[0][from] || before(&shapes[0], to) != before(&x.shapes[0], from) {
        return Err(mixed(x, shapes));
    }
    // The same operation for every exporter's way to flatten, so that the passes know it.
    if to == 0 && from == 0 && shapes[0].len() == 2 {
        return builder.unary(Op::Flatten { start_axis: 1 }, x);
    }
    let mut shape: Vec<i64> = shapes[0].iter().map(|side| *side as i64).collect();
    shape[to] = if to == from { 0 } else { -1 };
    builder.unary(Op::Reshape { shape }, x)
}

fn mixed(x: &Tensor, shapes: &[Vec<usize>; 2]) -> Problem {
    let any = |shapes: &[Vec<usize>; 2]| -> String {
        let side = |(first, second): (&usize, &usize)| {
            if first == second { first.to_string() } else { "batch".into() }
        };
        shapes[0].iter().zip(&shapes[1]).map(side).collect::<Vec<_>>().join(", ")
    };
    Problem::new(format!(
        "mixes the pictures of a batch: [{}] becomes [{}] for a batch of {}",
        any(&x.shapes),
        shapes[0].iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
        super::super::constant::BATCHES[0]
    ))
    .expected("the batch to stay an axis of its own")
}

pub(super) fn flatten(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let (x, file) = match site.input(0) {
        Some(Value::Merged(x)) => (x, shapes_in_file(x)?),
        _ => (site.tensor(0)?, site.tensor(0)?.shapes.clone()),
    };
    let (axis, rank) = (site.int("axis", 1)?, file[0].len());
    let axis = if axis == rank as i64 { rank } else { front(axis, rank)? };
    let shapes = file.clone().map(|shape| {
        let (before, after) = shape.split_at(axis);
        vec![before.iter().product::<usize>(), after.iter().product()]
    });
    let plain = match site.input(0) {
        Some(Value::Merged(_)) => Err(mixed(x, &shapes)),
        _ => as_rows(builder, x, &shapes),
    };
    match plain {
        Ok(values) => Ok(values),
        Err(problem) => {
            let spec: Vec<Lanes> =
                shapes[0].iter().zip(&shapes[1]).map(|(a, b)| [*a as i64, *b as i64]).collect();
            Ok(vec![place::reshape(builder, x, &file, &spec)?.ok_or(problem)?])
        }
    }
}

pub(super) fn squeeze(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axes = match site.ints_of("axes", 1)? {
        Some(axes) => with_row(site, site.fronts(&axes, x.rank())?),
        None => (0..x.rank()).filter(|axis| x.shapes[0][*axis] == 1).collect(),
    };
    let mut x = x.clone();
    for axis in &axes {
        x = place::apart_from(builder, site, &x, *axis)?;
        x.side(*axis)?;
    }
    if axes.is_empty() {
        return one(x);
    }
    one(builder.unary(Op::Squeeze { axes }, &x)?)
}

pub(super) fn unsqueeze(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let Some(axes) = site.ints_of("axes", 1)? else { return Err("its axes are missing".into()) };
    let file = x.rank() - usize::from(site.merged.is_some());
    let mut axes = fronts(&axes, file + axes.len())?;
    if let Some(mut pictures) = site.merged {
        // Where the file has the pictures afterwards: new axes before them push them back.
        for axis in &axes {
            pictures += usize::from(*axis <= pictures);
        }
        axes.iter_mut().for_each(|axis| *axis += usize::from(*axis > pictures));
    }
    one(builder.unary(Op::Unsqueeze { axes }, x)?)
}

pub(super) fn transpose(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    one(builder.unary(Op::Transpose { perm: shaped::permutation(site, x.rank())? }, x)?)
}
