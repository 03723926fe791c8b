//! Concatenation and repetition.

use ndarray::{ArrayD, IxDyn};

use super::super::builder::{Builder, Tensor, Weight};
use super::super::constant::Constant;
use super::super::shaped;
use super::super::site::{Site, Value};
use super::operands::{MAX_PARTS, one};
use super::pick::part;
use crate::axes;
use crate::card::Op;
use crate::error::Problem;

/// Concatenates values. A constant among them is the same for every picture.
pub(super) fn concat(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let computed = site.inputs.iter().find_map(|input| match input {
        Some(Value::Tensor(tensor)) => Some(tensor.clone()),
        _ => None,
    });
    let x = computed.ok_or("has nothing computed among its inputs")?;
    let axis = site.axis(1, x.rank())?;
    let mut all = Vec::with_capacity(site.inputs.len());
    for at in 0..site.inputs.len() {
        all.push(match site.input(at) {
            Some(Value::Constant(constant) | Value::Repeated(constant)) => {
                broadcast_constant(builder, site, &x, (constant, at), axis)?
            }
            _ => site.tensor(at)?.clone(),
        });
    }
    if all.iter().any(|part| part.is_batch(axis)) {
        return Err(Problem::new("joins pictures into one batch").expected("another axis"));
    }
    match &all[..] {
        [only] => one(only.clone()),
        _ => one(builder.emit(Op::Concat { axis }, &all.iter().collect::<Vec<_>>(), vec![])?),
    }
}

/// A constant as a value of the graph that can be concatenated to `x` along `axis`: `x` times zero, plus the
/// constant.
fn broadcast_constant(
    builder: &mut Builder,
    site: &Site,
    x: &Tensor,
    (constant, at): (&Constant, usize),
    axis: usize,
) -> Result<Tensor, Problem> {
    let shape = constant.shape();
    let fits = |other: usize| {
        other == axis || shape[other] == if x.is_batch(other) { 1 } else { x.shapes[0][other] }
    };
    if shape.len() != x.rank() || !(0..x.rank()).all(fits) {
        return Err(Problem::new(format!(
            "joins a constant of shape {shape:?} to {:?} along axis {axis}",
            x.shapes[0]
        )));
    }
    let nothing = part(builder, x, axis, &[0])?;
    let nothing = builder.unary(Op::Mul { scalar: Some(0.0) }, &nothing)?;
    let values = Weight { values: constant.floats()?, source: site.sources[at].to_owned() };
    builder.emit(Op::Add { scalar: None }, &[&nothing], vec![("other", values)])
}

/// Repeats axes of size 1 by adding zeros of the wider shape.
pub(super) fn expand(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
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
        return Err(Problem::new(format!("expands {:?} to {:?}", x.shapes[0], shapes[0]))
            .expected("the batch to stay as it is"));
    }
    one(spread(builder, x, &fixed)?)
}

/// Repeats axes of size 1 up to those of `shape`, by adding zeros of that shape.
fn spread(builder: &mut Builder, x: &Tensor, shape: &[usize]) -> Result<Tensor, Problem> {
    shaped::bounded(shape)?;
    let zeros = Weight { values: ArrayD::zeros(IxDyn(shape)), source: String::new() };
    builder.emit(Op::Add { scalar: None }, &[x], vec![("other", zeros)])
}

/// `Tile`: repeats whole axes.
pub(super) fn tile(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let mut x = site.tensor(0)?.clone();
    let counts = shaped::sizes(site, 1)?;
    if counts.len() != x.rank() {
        return Err(Problem::new(format!("repeats {} axes of a value of rank {}", counts.len(), x.rank())));
    }
    for (axis, count) in counts.into_iter().enumerate().filter(|(_, count)| *count != 1) {
        if x.side(axis)? == 1 {
            let shape: Vec<usize> = (0..x.rank()).map(|at| if at == axis { count } else { 1 }).collect();
            x = spread(builder, &x, &shape)?;
        } else if (1..=MAX_PARTS).contains(&count) {
            x = builder.emit(Op::Concat { axis }, &vec![&x; count], vec![])?;
        } else {
            return Err(Problem::new(format!("repeats axis {axis} {count} times"))
                .expected(format!("at most {MAX_PARTS}")));
        }
    }
    one(x)
}
