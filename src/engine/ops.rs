//! One operation of the graph on Burn tensors.
//!
//! Shapes were checked before (see `burncam_graph::shapes`), so Burn has no reason to panic here.

use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode as BurnPadMode};
use burn::tensor::{Tensor, activation, module};

use super::choice;
use super::kink;
use super::movement;
use super::norm;
use super::operands::{Params, channels, param, scaled, two_sided};
use super::pool;
use super::resize::resize;
use super::sums;
use super::value::{Value, map_tensor};
use crate::card::{Class, Op, PadMode, Statistic};
use crate::error::{Error, Result};
use burncam_graph::resize::Rule;

/// Runs `op` on its inputs.
pub(crate) fn apply(op: &Op, params: &Params, inputs: Vec<Value>) -> Result<Value> {
    let mut inputs = inputs.into_iter();
    let x = inputs.next().ok_or_else(|| Error::internal("an operation has no input"))?;
    match op.class() {
        Class::Linear | Class::Channelwise => weighted(op, params, x),
        Class::Norm => norm::apply(op, x, params),
        Class::Arithmetic | Class::Product => {
            let other = inputs.next().or_else(|| params.get("other").cloned());
            two_sided(op, x, other)
        }
        Class::Join => {
            let values = std::iter::once(x).chain(inputs).collect();
            movement::concat(op, params.get("other"), values)
        }
        Class::Window(_) | Class::Resampling => spatial(op, x.into_rank4()?).map(Value::R4),
        Class::Movement => movement::shaping(op, x),
        Class::Choice => match op {
            Op::TopK { count } => choice::top(x, *count),
            other => Err(Error::internal(format!("'{}' chooses nothing", other.name()))),
        },
        Class::Reduction(statistic) => reduction(op, statistic, x),
        Class::Softmax => softmax(op, x),
        Class::Pointwise(_) => pointwise(op, x),
        // Evaluation mode leaves values alone.
        Class::Nothing => Ok(x),
    }
}

fn weighted(op: &Op, params: &Params, x: Value) -> Result<Value> {
    let bias = match params.get("bias") {
        Some(Value::R1(bias)) => Some(bias.clone()),
        _ => None,
    };
    match op {
        Op::Conv2d { stride, padding: [top, bottom, left, right], dilation, groups } => {
            let weight = param(params, "weight")?.clone().into_rank4()?;
            let padding = [(*top, *bottom), (*left, *right)];
            let options = ConvOptions::new_with_padding(*stride, padding, *dilation, *groups);
            Ok(Value::R4(module::conv2d(x.into_rank4()?, weight, bias, options)))
        }
        Op::ConvTranspose2d { .. } => transposed_convolution(op, params, x.into_rank4()?, bias),
        Op::Linear {} => match param(params, "weight")?.clone() {
            Value::R2(weight) => sums::linear(x, weight, bias),
            _ => Err(Error::internal("a linear weight is not of rank 2")),
        },
        // The loader turns the running statistics into one factor and one shift per channel.
        Op::BatchNorm { .. } => {
            let rank = x.shape().len();
            scaled(x, Some(channels(params, "scale", rank)?), Some(channels(params, "shift", rank)?))
        }
        _ => match param(params, "slope")? {
            Value::R1(slope) => Ok(map_tensor!(x, t => kink::prelu(t, slope.clone()))),
            _ => Err(Error::internal("a prelu slope is not of rank 1")),
        },
    }
}

/// Burn pads both ends alike, so the padding is cut off afterwards.
fn transposed_convolution(op: &Op, params: &Params, x: Tensor<4>, bias: Option<Tensor<1>>) -> Result<Value> {
    let Op::ConvTranspose2d { stride, padding: [top, bottom, left, right], output_padding, dilation, groups } =
        op
    else {
        return Err(Error::internal(format!("'{}' is no convolution", op.name())));
    };
    let weight = param(params, "weight")?.clone().into_rank4()?;
    let options = ConvTransposeOptions::new(*stride, [0, 0], *output_padding, *dilation, *groups);
    let whole = Value::R4(module::conv_transpose2d(x, weight, bias, options));
    let [.., height, width] = whole.shape()[..] else {
        return Err(Error::internal("a convolution is not of rank 4"));
    };
    let rows = movement::sliced(whole, 2, *top, height - bottom, 1);
    Ok(movement::sliced(rows, 3, *left, width - right, 1))
}

fn spatial(op: &Op, x: Tensor<4>) -> Result<Tensor<4>> {
    Ok(match op {
        Op::MaxPool2d { .. } | Op::AvgPool2d { .. } | Op::AdaptiveAvgPool2d { .. } => pool::apply(op, x)?,
        Op::GlobalAvgPool {} => sums::mean(Value::R4(x), &[2, 3])?.into_rank4()?,
        Op::GlobalMaxPool {} => {
            let [batch, channels, ..] = x.dims();
            kink::rows(x).max_dim(2).reshape([batch, channels, 1, 1])
        }
        Op::Pad { padding, mode, value } => {
            let mode = match mode {
                PadMode::Constant => BurnPadMode::Constant(*value as f32),
                PadMode::Reflect => BurnPadMode::Reflect,
                PadMode::Edge => BurnPadMode::Edge,
            };
            x.pad(pool::pairs(*padding), mode)
        }
        Op::Resize { output_size, mode, align_corners, mapping } => {
            let rule = Rule { mode: *mode, align_corners: *align_corners, mapping: mapping.as_ref() };
            resize(x, *output_size, rule)
        }
        other => return Err(Error::internal(format!("'{}' is not a spatial operation", other.name()))),
    })
}

pub(super) fn reduce(reduced: Value, axes: &[usize], keep_dims: bool) -> Result<Value> {
    if keep_dims {
        return Ok(reduced);
    }
    let shape = movement::without(&reduced.shape(), axes);
    reduced.reshape(&shape)
}

fn reduction(op: &Op, statistic: Statistic, x: Value) -> Result<Value> {
    let (axes, keep_dims) =
        op.reduction().ok_or_else(|| Error::internal(format!("'{}' is no reduction", op.name())))?;
    let reduced = match statistic {
        Statistic::Mean => sums::mean(x, axes)?,
        Statistic::Sum => sums::sum(x, axes)?,
        Statistic::Max => map_tensor!(x, t => kink::extreme(t, axes, true)),
        Statistic::Min => map_tensor!(x, t => kink::extreme(t, axes, false)),
        Statistic::Length => length(x, axes)?,
    };
    reduce(reduced, axes, keep_dims)
}

/// Square root of the sum of squares.
fn length(x: Value, axes: &[usize]) -> Result<Value> {
    let squares = sums::sum(map_tensor!(x, t => t.square()), axes)?;
    Ok(map_tensor!(squares, squares => root_of_squares(squares)))
}

/// A root has no slope at zero. For a length, PyTorch defines it as zero there, so that the gradient is not NaN.
fn root_of_squares<const RANK: usize>(squares: Tensor<RANK>) -> Tensor<RANK> {
    let zero = squares.clone().equal_elem(0.0);
    // Filled before the root, too: its slope at zero is infinite, and zero times that would be NaN.
    squares.mask_fill(zero.clone(), 1.0).sqrt().mask_fill(zero, 0.0)
}

fn softmax(op: &Op, x: Value) -> Result<Value> {
    match op {
        Op::Softmax { axis } => Ok(map_tensor!(x, t => activation::softmax(t, *axis))),
        Op::LogSoftmax { axis } => Ok(map_tensor!(x, t => activation::log_softmax(t, *axis))),
        other => Err(Error::internal(format!("'{}' is no softmax", other.name()))),
    }
}

fn pointwise(op: &Op, x: Value) -> Result<Value> {
    Ok(match op {
        Op::Relu {} => map_tensor!(x, t => activation::relu(t)),
        Op::LeakyRelu { slope } => map_tensor!(x, t => kink::leaky_relu(t, *slope)),
        Op::Elu { alpha } => map_tensor!(x, t => kink::elu(t, *alpha)),
        Op::Selu {} => map_tensor!(x, t => kink::selu(t)),
        Op::Gelu { approximate: false } => map_tensor!(x, t => gelu(t)),
        Op::Gelu { approximate: true } => map_tensor!(x, t => activation::gelu_approximate(t)),
        Op::Silu {} => map_tensor!(x, t => activation::silu(t)),
        Op::Mish {} => map_tensor!(x, t => activation::mish(t)),
        Op::Sigmoid {} => map_tensor!(x, t => activation::sigmoid(t)),
        Op::HardSigmoid { alpha, beta } => map_tensor!(x, t => kink::hard_sigmoid(t, *alpha, *beta)),
        Op::HardSwish {} => map_tensor!(x, t => kink::hard_swish(t)),
        Op::Tanh {} => map_tensor!(x, t => t.tanh()),
        Op::Softplus {} => map_tensor!(x, t => activation::softplus(t, 1.0)),
        Op::Exp {} => map_tensor!(x, t => t.exp()),
        Op::Sqrt { of_squares: true } => map_tensor!(x, t => root_of_squares(t)),
        Op::Sqrt { .. } => map_tensor!(x, t => t.sqrt()),
        Op::Log {} => map_tensor!(x, t => t.log()),
        Op::LogSigmoid {} => map_tensor!(x, t => activation::log_sigmoid(t)),
        Op::Abs {} => map_tensor!(x, t => t.abs()),
        Op::Sign {} => map_tensor!(x, t => t.sign()),
        Op::Erf {} => map_tensor!(x, t => t.erf()),
        Op::Sin {} => map_tensor!(x, t => t.sin()),
        Op::Cos {} => map_tensor!(x, t => t.cos()),
        // Burn computes a whole exponent as an integer power, forward and backward, so that negative bases work.
        Op::Pow { exponent } => map_tensor!(x, t => t.powf_scalar(*exponent)),
        other => match other.clip() {
            Some([low, high]) => map_tensor!(x, t => kink::clamp(t, low, high)),
            None => return Err(Error::internal(format!("no kernel does '{}'", other.name()))),
        },
    })
}

/// `x Φ(x)`. Burn's own backward pass uses the slope of the tanh form on all devices except flex, with an error of
/// 6e-4.
fn gelu<const RANK: usize>(x: Tensor<RANK>) -> Tensor<RANK> {
    let below = x.clone().mul_scalar(std::f64::consts::FRAC_1_SQRT_2).erf().add_scalar(1.0).mul_scalar(0.5);
    x * below
}
