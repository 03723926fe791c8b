//! Concatenation and repetition.

use ndarray::{ArrayD, Axis, IxDyn};

use super::super::builder::{Builder, Tensor, Weight};
use super::super::constant::Constant;
use super::super::shaped;
use super::super::site::{Site, Value};
use super::operands::{MAX_PARTS, one};
use crate::axes;
use crate::card::Op;
use crate::error::Problem;

/// Concatenates values. Constants among them are the same for every picture and become stored parts, one for each operation.
pub(super) fn concat(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let computed = site.inputs.iter().find_map(|input| match input {
        Some(Value::Tensor(tensor)) => Some(tensor.clone()),
        _ => None,
    });
    let x = computed.ok_or("has only constants as inputs")?;
    let axis = site.axis(1, x.rank())?;
    let mut join = Join { axis, tensors: vec![], stored: None };
    for at in 0..site.inputs.len() {
        match site.input(at) {
            Some(Value::Constant(constant) | Value::Repeated(constant)) => {
                join.store(builder, part_of_each(site, &x, (constant, at), axis)?)?;
            }
            _ => join.tensors.push(site.tensor(at)?.clone()),
        }
    }
    if join.tensors.iter().any(|part| part.is_batch(axis)) {
        return Err(Problem::new("joins pictures into one batch").expected("another axis"));
    }
    one(join.emit(builder)?)
}

/// Parts of a concatenation so far, of which at most one is stored, and before how many tensors it stands.
struct Join {
    axis: usize,
    tensors: Vec<Tensor>,
    stored: Option<(Weight, usize)>,
}

impl Join {
    /// Adds a stored part. If there is one already, what there is becomes one tensor first.
    fn store(&mut self, builder: &mut Builder, weight: Weight) -> Result<(), Problem> {
        if let Some((before, at)) = &mut self.stored {
            if self.tensors.len() == *at {
                let both = [before.values.view(), weight.values.view()];
                let joined =
                    ndarray::concatenate(Axis(self.axis), &both).map_err(|cause| cause.to_string())?;
                *before = Weight { values: joined, source: String::new() };
                return Ok(());
            }
            self.tensors = vec![self.emit(builder)?];
        }
        self.stored = Some((weight, self.tensors.len()));
        Ok(())
    }

    fn emit(&mut self, builder: &mut Builder) -> Result<Tensor, Problem> {
        let tensors: Vec<&Tensor> = self.tensors.iter().collect();
        match (self.stored.take(), &tensors[..]) {
            (None, [only]) => Ok((*only).clone()),
            (None, _) => builder.emit(Op::Concat { axis: self.axis, at: 0 }, &tensors, vec![]),
            (Some((weight, at)), _) => {
                builder.emit(Op::Concat { axis: self.axis, at }, &tensors, vec![("other", weight)])
            }
        }
    }
}

/// A constant that can be concatenated to `x` along `axis`: as long as `x` along all others, and 1 along the batch.
fn part_of_each(
    site: &Site,
    x: &Tensor,
    (constant, at): (&Constant, usize),
    axis: usize,
) -> Result<Weight, Problem> {
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
    Ok(Weight { values: constant.floats()?, source: site.sources[at].to_owned() })
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
    shaped::bounded(shape, builder.room())?;
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
            x = builder.emit(Op::Concat { axis, at: 0 }, &vec![&x; count], vec![])?;
        } else {
            return Err(Problem::new(format!("repeats axis {axis} {count} times"))
                .expected(format!("at most {MAX_PARTS}")));
        }
    }
    one(x)
}
