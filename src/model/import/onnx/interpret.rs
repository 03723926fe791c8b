//! Operations on constants that only the graph has: convolutions, norms and resizes of position encodings and the like.
//!
//! Receives a [`Site`] whose inputs are all known, and the function that lowers its operation; lowers the node into a graph of its
//! own, whose input is the first constant, and computes that graph, in double precision where numbers are added up. Operations
//! that exporters do not leave to constants are refused.

use std::collections::HashMap;

use ndarray::{ArrayD, Axis, Ix4, IxDyn};

use super::builder::{Builder, ROW, Tensor};
use super::constant::Constant;
use super::lower::Lower;
use super::products;
use super::sequence;
use super::site::{Site, Value};
use crate::axes;
use crate::builder::{Draft, DraftNode, ValueId};
use crate::card::{InputSpec, Layout, Op};
use crate::error::Problem;
use crate::resize::Rule;

type Array = ArrayD<f32>;

/// Evaluates a node.
pub(super) fn fold(site: &Site, lower: Lower) -> Result<Vec<Constant>, Problem> {
    let x = site.floats(0)?;
    let [1, rest @ ..] = x.shape() else {
        return Err(
            Problem::new(format!("works on a constant of shape {:?}", x.shape())).expected("[1, ...]")
        );
    };
    let input = InputSpec {
        name: String::new(),
        channels: 1,
        height: 1,
        width: rest.iter().product(),
        layout: Layout::default(),
    };
    // The builder's input is a picture, so the constant enters as a row of pixels and gets its shape back first.
    let (mut builder, flat) = Builder::new(input, site.source.room);
    let shape = std::iter::once(0).chain(rest.iter().map(|side| *side as i64)).collect();
    let start = builder.unary(Op::Reshape { shape }, &flat)?;
    let mut inputs = site.inputs.clone();
    if let Some(first) = inputs.first_mut() {
        *first = Some(Value::Tensor(start));
    }
    let inner = Site { inputs, sources: site.sources.clone(), ..*site };
    let result = only_result(&mut builder, &inner, lower)?;
    let id = result.id;
    let draft = builder.end_at(&result);
    let flat =
        x.as_standard_layout().into_owned().into_shape_with_order(IxDyn(&[1, 1, 1, rest.iter().product()]));
    let flat = flat.map_err(|cause| cause.to_string())?;
    let mut values: HashMap<ValueId, Array> = HashMap::from([(ValueId::INPUT, flat)]);
    for (at, node) in draft.nodes() {
        let value = Step { draft: &draft, node, values: &values, most: site.source.room }.run()?;
        values.insert(at, value);
    }
    values.remove(&id).map(|value| vec![Constant::Float(value)]).ok_or_else(|| "gives nothing".into())
}

/// What the node gives; a sequence as the file has it.
fn only_result(builder: &mut Builder, site: &Site, lower: Lower) -> Result<Tensor, Problem> {
    let results = match sequence::concerns(site) {
        true => sequence::lower(builder, site, lower, lower)?,
        false => lower(builder, site)?,
    };
    match &results[..] {
        [Value::Tensor(result)] => Ok(result.clone()),
        [Value::Sequence(row)] => builder.unary(Op::Squeeze { axes: vec![ROW] }, row),
        _ => Err("works on constants alone, which is not supported".into()),
    }
}

/// One node of the small graph, and what was computed before it.
struct Step<'a> {
    draft: &'a Draft,
    node: &'a DraftNode,
    values: &'a HashMap<ValueId, Array>,
    /// The most elements of a result.
    most: usize,
}

impl Step<'_> {
    fn input(&self, at: usize) -> Result<&Array, Problem> {
        let value = self.node.inputs.get(at).and_then(|id| self.values.get(id));
        value.ok_or_else(|| Problem::new("has fewer inputs than it needs"))
    }

    fn weight(&self, role: &str) -> Result<Option<Array>, Problem> {
        let Some(weight) = self.draft.weight_of(self.node, role) else { return Ok(None) };
        let array = ArrayD::from_shape_vec(IxDyn(&weight.shape), weight.values.clone());
        Ok(Some(array.map_err(|cause| cause.to_string())?))
    }

    fn run(&self) -> Result<Array, Problem> {
        let x = self.input(0)?;
        if let Some(function) = self.node.op.function() {
            return Ok(x.mapv(|number| function.value(f64::from(number)) as f32));
        }
        match &self.node.op {
            Op::Reshape { shape } => reshaped(x, &axes::reshape(x.shape(), shape)?),
            Op::Flatten { start_axis } => {
                let (before, after) = x.shape().split_at((*start_axis).min(x.ndim()));
                reshaped(x, &[before, &[after.iter().product()]].concat())
            }
            Op::Squeeze { axes } => reshaped(x, &axes::squeeze(x.shape(), axes)?),
            Op::Unsqueeze { axes } => reshaped(x, &axes::unsqueeze(x.shape(), axes)?),
            Op::Transpose { perm } => {
                Ok(x.view().permuted_axes(IxDyn(perm)).as_standard_layout().into_owned())
            }
            Op::Dropout {} | Op::Identity {} => Ok(x.clone()),
            Op::Softmax { axis } => Ok(softmax(x, Axis(*axis))),
            Op::Linear {} | Op::Matmul {} => self.product(),
            Op::Conv2d { .. } => self.convolution(),
            Op::Resize { output_size, mode, align_corners, mapping } => {
                let rule = Rule { mode: *mode, align_corners: *align_corners, mapping: mapping.as_ref() };
                Ok(resized(&resized(x, 0, output_size[0], rule), 1, output_size[1], rule))
            }
            op if op.is_arithmetic() => self.arithmetic(),
            op => {
                Err(Problem::new(format!("'{}' works on constants alone, which is not supported", op.name())))
            }
        }
    }

    fn product(&self) -> Result<Array, Problem> {
        let second = match self.weight("weight")?.or(self.weight("other")?) {
            Some(weight) => weight,
            None => self.input(1)?.clone(),
        };
        let product = products::product(self.input(0)?, &second, self.most)?;
        Ok(match self.weight("bias")? {
            Some(bias) => product + bias,
            None => product,
        })
    }

    fn arithmetic(&self) -> Result<Array, Problem> {
        let (x, op) = (self.input(0)?, &self.node.op);
        let second = match (op.scalar(), self.weight("other")?) {
            (Some(number), _) => ArrayD::from_elem(IxDyn(&[]), number as f32),
            (None, Some(other)) => other,
            (None, None) => self.input(1)?.clone(),
        };
        let shape = IxDyn(&axes::broadcast(x.shape(), second.shape())?);
        let refuse = || Problem::new("combines arrays that do not fit each other");
        let mut result = x.broadcast(shape.clone()).ok_or_else(refuse)?.to_owned();
        let each: fn(f32, f32) -> f32 = match op {
            Op::Add { .. } => |a, b| a + b,
            Op::Sub { .. } => |a, b| a - b,
            Op::Mul { .. } => |a, b| a * b,
            Op::Div { .. } => |a, b| a / b,
            Op::Minimum { .. } => f32::min,
            _ => f32::max,
        };
        result.zip_mut_with(&second.broadcast(shape).ok_or_else(refuse)?, |a, b| *a = each(*a, *b));
        Ok(result)
    }

    fn convolution(&self) -> Result<Array, Problem> {
        let Op::Conv2d { stride, padding, dilation, groups } = &self.node.op else {
            return Err("is no convolution".into());
        };
        let fail = |cause: ndarray::ShapeError| Problem::new(cause.to_string());
        let x = self.input(0)?.view().into_dimensionality::<Ix4>().map_err(fail)?;
        let weight =
            self.weight("weight")?.ok_or("has no weight")?.into_dimensionality::<Ix4>().map_err(fail)?;
        let bias = self.weight("bias")?;
        let (out, per_group, rows, columns) = weight.dim();
        let (_, _, height, width) = x.dim();
        let side = |size: usize, axis: usize, kernel: usize| {
            let reach = dilation[axis] * (kernel - 1) + 1;
            (size + padding[2 * axis] + padding[2 * axis + 1]).saturating_sub(reach) / stride[axis] + 1
        };
        let shape = [1, out, side(height, 0, rows), side(width, 1, columns)];
        let at = |place: usize, axis: usize, tap: usize, size: usize| {
            (place * stride[axis] + tap * dilation[axis])
                .checked_sub(padding[2 * axis])
                .filter(|at| *at < size)
        };
        Ok(ArrayD::from_shape_fn(IxDyn(&shape), |place| {
            let (channel, row, column) = (place[1], place[2], place[3]);
            let first = channel / (out / groups) * per_group;
            let mut sum = bias.as_ref().map_or(0.0, |bias| f64::from(bias[[channel]]));
            for input in 0..per_group {
                for i in 0..rows {
                    for j in 0..columns {
                        if let (Some(y), Some(z)) = (at(row, 0, i, height), at(column, 1, j, width)) {
                            sum += f64::from(x[[0, first + input, y, z]])
                                * f64::from(weight[[channel, input, i, j]]);
                        }
                    }
                }
            }
            sum as f32
        }))
    }
}

fn reshaped(x: &Array, shape: &[usize]) -> Result<Array, Problem> {
    let array = x.as_standard_layout().into_owned().into_shape_with_order(IxDyn(shape));
    array.map_err(|cause| Problem::new(cause.to_string()))
}

fn softmax(x: &Array, axis: Axis) -> Array {
    let mut result = x.clone();
    for mut lane in result.lanes_mut(axis) {
        // Subtracted before the exponential, which then cannot overflow.
        let most = lane.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f64> = lane.iter().map(|number| f64::from(number - most).exp()).collect();
        let sum: f64 = powers.iter().sum();
        lane.iter_mut().zip(powers).for_each(|(number, power)| *number = (power / sum) as f32);
    }
    result
}

/// Height (axis 0) or width (axis 1) brought to another size.
fn resized(x: &Array, axis: usize, size: usize, rule: Rule) -> Array {
    let along = Axis(2 + axis);
    let mut shape = x.shape().to_vec();
    let taps = rule.taps(axis, shape[along.index()], size);
    shape[along.index()] = size;
    let mut result = ArrayD::zeros(IxDyn(&shape));
    for (mut line, taps) in result.axis_iter_mut(along).zip(taps) {
        for (cell, weight) in taps {
            line.scaled_add(weight, &x.index_axis(along, cell));
        }
    }
    result
}
