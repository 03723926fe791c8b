//! Forward-mode derivatives of operations, written so that Burn's autodiff can differentiate them again.
//!
//! Receives an operation, its inputs and their rates of change; returns the output and its rate: forward-mode
//! differentiation. Every rule is made of operations that Burn differentiates exactly, so a backward pass over a rate
//! gives second derivatives (see `curvature`). The match over classes has no catch-all: a class without a rule does not
//! compile, and a test compares every function of the table with its slope here. At a kink the rule is that of the
//! backward pass, whose second derivative there is zero.

mod norm;
mod slope;

use burn::tensor::{Tensor, activation, module};

use super::kink;
use super::operands::{Params, alike, channels, param, scaled, two_sided};
use super::ops::{self, reduce};
use super::pool;
use super::value::{Value, map_tensor, zip_tensors};
use crate::card::{Class, Op, PadMode, Statistic};
use crate::error::{Error, Result};

/// A value and its derivative along the direction; `None` is zero.
#[derive(Debug, Clone)]
pub(super) struct Dual {
    pub(super) value: Value,
    pub(super) rate: Option<Value>,
}

impl Dual {
    pub(super) fn constant(value: Value) -> Self {
        Self { value, rate: None }
    }

    fn rate_or_zeros(&self) -> Value {
        self.rate.clone().unwrap_or_else(|| map_tensor!(self.value.clone(), t => t.inner().zeros_like()))
    }
}

/// Runs `op` on values and derivatives.
pub(super) fn apply(op: &Op, params: &Params, inputs: &[Dual]) -> Result<Dual> {
    let value = ops::apply(op, params, inputs.iter().map(|input| input.value.clone()).collect())?;
    if inputs.iter().all(|input| input.rate.is_none()) {
        return Ok(Dual::constant(value));
    }
    let rate = match (op, inputs) {
        (Op::Concat { .. }, _) => {
            let rates = inputs.iter().map(Dual::rate_or_zeros).collect();
            ops::apply(op, &without_rate(params), rates)?
        }
        (_, [a, b]) => of_two(op, a, b, &value)?,
        (_, [Dual { value: x, rate: Some(rate) }]) => of_one(op, params, x.clone(), rate.clone(), &value)?,
        _ => return Err(Error::internal(format!("'{}' has {} inputs", op.name(), inputs.len()))),
    };
    Ok(Dual { value, rate: Some(rate) })
}

/// The derivative of an operation's output `y` for an input `x` with derivative `rate`.
fn of_one(op: &Op, params: &Params, x: Value, rate: Value, y: &Value) -> Result<Value> {
    match op.class() {
        Class::Movement
        | Class::Join
        | Class::Nothing
        | Class::Window(Statistic::Mean | Statistic::Sum)
        | Class::Reduction(Statistic::Mean | Statistic::Sum) => ops::apply(op, params, vec![rate]),
        Class::Linear => {
            let mut params = params.clone();
            params.remove("bias");
            ops::apply(op, &params, vec![rate])
        }
        Class::Resampling => resampled(op, params, rate),
        Class::Channelwise => match op {
            Op::Prelu {} => prelu(x, rate, params),
            _ => product(channels(params, "scale", x.shape().len())?, rate),
        },
        Class::Norm => norm::of(op, x, rate, params),
        Class::Window(Statistic::Max | Statistic::Min | Statistic::Length) => {
            at_maxima(op, x.into_rank4()?, rate.into_rank4()?).map(Value::R4)
        }
        Class::Reduction(statistic) => reduction(op, statistic, x, rate),
        Class::Softmax => softmax(op, x, rate, y),
        Class::Choice => Ok(map_tensor!(y.clone(), t => t.zeros_like())),
        Class::Pointwise(_) => product(slope::of(op, x)?, rate),
        Class::Arithmetic | Class::Product => with_constant(op, params, x, rate, y),
    }
}

/// What is stored does not change.
fn without_rate(params: &Params) -> Params {
    let zeros = |value: &Value| map_tensor!(value.clone(), t => t.zeros_like());
    params.iter().map(|(role, value)| (role.clone(), zeros(value))).collect()
}

/// Padding with a number adds it for any input; all else is linear.
fn resampled(op: &Op, params: &Params, rate: Value) -> Result<Value> {
    match op {
        Op::Pad { padding, mode: mode @ PadMode::Constant, .. } => {
            let zeros = Op::Pad { padding: *padding, mode: *mode, value: 0.0 };
            ops::apply(&zeros, params, vec![rate])
        }
        _ => ops::apply(op, params, vec![rate]),
    }
}

/// Of a reduction that is not linear.
fn reduction(op: &Op, statistic: Statistic, x: Value, rate: Value) -> Result<Value> {
    let (axes, keep_dims) =
        op.reduction().ok_or_else(|| Error::internal(format!("'{}' has no rule", op.name())))?;
    let reduced = match statistic {
        Statistic::Length => zip_tensors!(x, rate, (x, rate) => length(x, rate, axes))?,
        _ => extreme(x, rate, axes, statistic == Statistic::Max)?,
    };
    reduce(reduced, axes, keep_dims)
}

/// Arithmetic with a constant or a parameter.
fn with_constant(op: &Op, params: &Params, x: Value, rate: Value, y: &Value) -> Result<Value> {
    if op.scalar().is_none() {
        let other = Dual::constant(param(params, "other")?.clone());
        return of_two(op, &Dual { value: x, rate: Some(rate) }, &other, y);
    }
    match op {
        Op::Mul { .. } | Op::Div { .. } => two_sided(op, rate, None),
        Op::Minimum { .. } | Op::Maximum { .. } => product(slope::of(op, x)?, rate),
        _ => Ok(rate),
    }
}

/// Arithmetic and the matrix product of two tensors with the result `y`.
fn of_two(op: &Op, a: &Dual, b: &Dual, y: &Value) -> Result<Value> {
    match op {
        Op::Mul { .. } | Op::Matmul {} => {
            let left = a.rate.clone().map(|rate| two_sided(op, rate, Some(b.value.clone())));
            let right = b.rate.clone().map(|rate| two_sided(op, a.value.clone(), Some(rate)));
            total(left, right)
        }
        Op::Div { .. } => {
            // (a / b)' = a' / b - y b' / b
            let left = a.rate.clone().map(|rate| two_sided(op, rate, Some(b.value.clone())));
            let right = b.rate.clone().map(|rate| {
                let change = map_tensor!(product(y.clone(), rate)?, t => t.neg());
                two_sided(op, change, Some(b.value.clone()))
            });
            total(left, right)
        }
        Op::Minimum { .. } | Op::Maximum { .. } => {
            let rank = y.shape().len();
            let (x, other) = (a.value.clone().with_rank(rank)?, b.value.clone().with_rank(rank)?);
            let takes_other = zip_tensors!(x, other, (x, other) => {
                let (x, other) = alike(x.inner(), other.inner());
                let tie = x.clone().equal(other.clone());
                let is_less = matches!(op, Op::Maximum { .. });
                let taken = if is_less { x.lower(other) } else { other.lower(x) };
                taken.float().mask_fill(tie, 0.5)
            })?;
            let difference =
                two_sided(&Op::Sub { scalar: None }, b.rate_or_zeros(), Some(a.rate_or_zeros()))?;
            total(Some(Ok(a.rate_or_zeros())), Some(product(takes_other, difference)))
        }
        // Sums and differences are linear in both operands: the same operation on their rates.
        op if op.is_arithmetic() => two_sided(op, a.rate_or_zeros(), Some(b.rate_or_zeros())),
        _ => Err(Error::internal(format!("'{}' has two inputs", op.name()))),
    }
}

fn product(a: Value, b: Value) -> Result<Value> {
    two_sided(&Op::Mul { scalar: None }, a, Some(b))
}

fn total(a: Option<Result<Value>>, b: Option<Result<Value>>) -> Result<Value> {
    match (a.transpose()?, b.transpose()?) {
        (Some(a), Some(b)) => scaled(a, None, Some(b)),
        (a, b) => a.or(b).ok_or_else(|| Error::internal("nothing changes")),
    }
}

/// The derivative at the maximum of each window.
fn at_maxima(op: &Op, x: Tensor<4>, rate: Tensor<4>) -> Result<Tensor<4>> {
    if let Op::GlobalMaxPool {} = op {
        return Ok(at_greatest(x, rate));
    }
    let options = pool::max_options(op).ok_or_else(|| Error::internal("a pool has no window"))?;
    let (_, places) = module::max_pool2d_with_indices(x.inner(), options);
    let [batch, channels, height, width] = rate.dims();
    let [.., rows, columns] = places.dims();
    let places = places.reshape([batch, channels, rows * columns]);
    let found = rate.reshape([batch, channels, height * width]).gather(2, places);
    Ok(found.reshape([batch, channels, rows, columns]))
}

/// The derivative at the maximum of each map.
fn at_greatest(x: Tensor<4>, rate: Tensor<4>) -> Tensor<4> {
    let [batch, channels, ..] = x.dims();
    let (_, places) = kink::rows(x.inner()).max_dim_with_indices(2);
    kink::rows(rate).gather(2, places).reshape([batch, channels, 1, 1])
}

/// The derivative at the extreme along `axes`, which are kept with size 1; along several axes the mean over equal
/// extremes.
fn extreme(x: Value, rate: Value, axes: &[usize], greatest: bool) -> Result<Value> {
    zip_tensors!(x, rate, (x, rate) => match axes {
        [axis] => {
            let x = x.inner();
            let (_, places) = if greatest { x.max_dim_with_indices(*axis) } else { x.min_dim_with_indices(*axis) };
            rate.gather(*axis, places)
        }
        _ => (kink::shares(x.inner(), axes, greatest) * rate).sum_dims(axes),
    })
}

/// For the root of the sum of squares; zero where the root is zero, as its gradient is.
fn length<const RANK: usize>(x: Tensor<RANK>, rate: Tensor<RANK>, axes: &[usize]) -> Tensor<RANK> {
    let squares = x.clone().square().sum_dims(axes);
    let zero = squares.clone().inner().equal_elem(0.0);
    let length = squares.mask_fill(zero.clone(), 1.0).sqrt();
    ((x * rate).sum_dims(axes) / length).mask_fill(zero, 0.0)
}

/// Of a softmax, whose value is `y`, or of its logarithm.
fn softmax(op: &Op, x: Value, rate: Value, y: &Value) -> Result<Value> {
    match op {
        Op::Softmax { axis } => zip_tensors!(y.clone(), rate, (p, rate) => {
            let mean = (p.clone() * rate.clone()).sum_dim(*axis);
            p * (rate - mean)
        }),
        Op::LogSoftmax { axis } => {
            let p = map_tensor!(x, t => activation::softmax(t, *axis));
            zip_tensors!(p, rate, (p, rate) => rate.clone() - (p * rate).sum_dim(*axis))
        }
        other => Err(Error::internal(format!("'{}' is no softmax", other.name()))),
    }
}

fn prelu(x: Value, rate: Value, params: &Params) -> Result<Value> {
    let rank = x.shape().len();
    let positive = slope::of(&Op::Relu {}, x)?;
    let negative = map_tensor!(positive.clone(), t => t.neg().add_scalar(1.0));
    let negative = product(negative, channels(params, "slope", rank)?)?;
    product(total(Some(Ok(positive)), Some(Ok(negative)))?, rate)
}
