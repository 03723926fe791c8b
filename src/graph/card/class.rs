//! What kind of operation an operation is: what most readers of a graph ask.
//!
//! Receives an [`Op`], returns its [`Class`]. The match over all operations is here and, for shapes and for running them,
//! in two other places; to ask "does it work on each element" or "is it linear" is to ask the class.

use super::Op;
use super::functions::{Function, PointwiseKernel, elementary, table};

/// Operations that do the same kind of thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Class {
    /// The same function of each element; see [`Op::function`].
    Pointwise(Function),
    /// A function of each element with stored numbers per channel: batch norm, whose statistics are stored, and PReLU.
    Channelwise,
    /// Sum, difference, product, quotient or extreme of two operands, element by element; see [`Op::is_arithmetic`].
    Arithmetic,
    /// A linear map with stored weights, and perhaps a bias: convolution, its transpose and linear layer.
    Linear,
    /// A matrix product, of two computed tensors or of one and a stored one.
    Product,
    /// A statistic of each window of height and width, down to the one window that is the whole map.
    Window(Statistic),
    /// A statistic along any axes.
    Reduction(Statistic),
    /// Normalisation by statistics of the tensor itself.
    Norm,
    /// Softmax along an axis, or its logarithm.
    Softmax,
    /// The same elements, or some of them, in another order or shape.
    Movement,
    /// Rows and columns added around a map or interpolated in it.
    Resampling,
    /// Which elements are the greatest, as zeros and ones; its slope is zero.
    Choice,
    /// Tensors joined along an axis.
    Join,
    /// The tensor as it is.
    Nothing,
}

/// What a window or a reduction computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The arithmetic mean.
    Mean,
    /// The sum.
    Sum,
    /// The greatest value.
    Max,
    /// The least value.
    Min,
    /// Square root of the sum of squares.
    Length,
}

/// How an operation of class [`Class::Arithmetic`] combines its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// Sum or difference.
    Sum,
    /// Product.
    Product,
    /// Quotient.
    Quotient,
    /// The lesser or the greater.
    Extreme,
}

impl Statistic {
    /// Whether it is linear and has weights that are not negative, so that what is not negative stays so.
    #[must_use]
    pub(crate) fn is_average(self) -> bool {
        matches!(self, Self::Mean | Self::Sum)
    }
}

impl Op {
    /// The kind of this operation.
    #[must_use]
    pub fn class(&self) -> Class {
        if let Some(function) = self.function() {
            return Class::Pointwise(function);
        }
        match self {
            Self::BatchNorm { .. } | Self::Prelu {} => Class::Channelwise,
            _ if self.combination().is_some() => Class::Arithmetic,
            Self::Conv2d { .. } | Self::ConvTranspose2d { .. } | Self::Linear {} => Class::Linear,
            Self::Matmul {} => Class::Product,
            Self::AvgPool2d { .. } | Self::AdaptiveAvgPool2d { .. } | Self::GlobalAvgPool {} => {
                Class::Window(Statistic::Mean)
            }
            Self::MaxPool2d { .. } | Self::GlobalMaxPool {} => Class::Window(Statistic::Max),
            Self::ReduceMean { .. } => Class::Reduction(Statistic::Mean),
            Self::ReduceSum { .. } => Class::Reduction(Statistic::Sum),
            Self::ReduceMax { .. } => Class::Reduction(Statistic::Max),
            Self::ReduceMin { .. } => Class::Reduction(Statistic::Min),
            Self::ReduceL2 { .. } => Class::Reduction(Statistic::Length),
            Self::LayerNorm { .. } | Self::GroupNorm { .. } | Self::LocalResponseNorm { .. } => Class::Norm,
            Self::Softmax { .. } | Self::LogSoftmax { .. } => Class::Softmax,
            Self::Flatten { .. }
            | Self::Reshape { .. }
            | Self::Transpose { .. }
            | Self::Squeeze { .. }
            | Self::Unsqueeze { .. }
            | Self::Slice { .. }
            | Self::Split { .. }
            | Self::Gather { .. } => Class::Movement,
            Self::Pad { .. } | Self::Resize { .. } => Class::Resampling,
            Self::TopK { .. } => Class::Choice,
            Self::Concat { .. } => Class::Join,
            _ => Class::Nothing,
        }
    }

    /// The function that this operation applies to each element; `None` for operations of other classes.
    #[must_use]
    pub fn function(&self) -> Option<Function> {
        let pointwise = |entry, settings| Some(Function::new(entry, settings));
        let plain = |entry| pointwise(entry, [0.0; 2]);
        match self {
            Self::Relu {} => plain(&table::RELU),
            Self::Relu6 {} => pointwise(&table::CLIP, [0.0, 6.0]),
            Self::LeakyRelu { slope } => pointwise(&table::LEAKY_RELU, [*slope, 0.0]),
            Self::Elu { alpha } => pointwise(&table::ELU, [*alpha, 0.0]),
            Self::Selu {} => plain(&table::SELU),
            Self::Gelu { approximate: false } => plain(&table::GELU),
            Self::Gelu { approximate: true } => plain(&table::GELU_BY_TANH),
            Self::Silu {} => plain(&table::SILU),
            Self::Mish {} => plain(&table::MISH),
            Self::Sigmoid {} => plain(&table::SIGMOID),
            Self::HardSigmoid { alpha, beta } => pointwise(&table::HARD_SIGMOID, [*alpha, *beta]),
            Self::HardSwish {} => plain(&table::HARD_SWISH),
            Self::Tanh {} => plain(&table::TANH),
            Self::Softplus {} => plain(&table::SOFTPLUS),
            Self::LogSigmoid {} => plain(&table::LOG_SIGMOID),
            Self::Clip { min, max } => pointwise(&table::CLIP, [*min, *max]),
            Self::Exp {} => plain(&elementary::EXP),
            Self::Sqrt { of_squares: false } => plain(&elementary::SQRT),
            Self::Sqrt { of_squares: true } => plain(&elementary::LENGTH),
            Self::Log {} => plain(&elementary::LOG),
            Self::Abs {} => plain(&elementary::ABS),
            Self::Sign {} => plain(&elementary::SIGN),
            Self::Erf {} => plain(&elementary::ERF),
            Self::Sin {} => plain(&elementary::SIN),
            Self::Cos {} => plain(&elementary::COS),
            Self::Pow { exponent } => pointwise(&elementary::POW, [*exponent, 0.0]),
            _ => None,
        }
    }

    /// The bounds between which this operation clips every element, if it does nothing else.
    #[must_use]
    pub fn clip(&self) -> Option<[f64; 2]> {
        self.of_each_element()?.clips()
    }

    /// The native kernel of this operation, if it does the same to each element and has one.
    #[must_use]
    pub fn pointwise_kernel(&self) -> Option<PointwiseKernel> {
        self.of_each_element()?.kernel()
    }

    /// Whether this operation has its channels on the last axis, as linear layers and layer norms have them, and not behind the batch.
    #[must_use]
    pub fn has_channels_last(&self) -> bool {
        matches!(self, Self::Linear {} | Self::LayerNorm { .. })
    }

    /// As [`Op::function`]; the extreme of an element and a number is a clip with one bound.
    fn of_each_element(&self) -> Option<Function> {
        let clip = |bounds| Some(Function::new(&table::CLIP, bounds));
        match self {
            Self::Minimum { scalar: Some(high) } => clip([f64::NEG_INFINITY, *high]),
            Self::Maximum { scalar: Some(low) } => clip([*low, f64::INFINITY]),
            op => op.function(),
        }
    }

    /// The statistic over height and width that this operation computes of each channel, if it does nothing else.
    #[must_use]
    pub fn of_whole_maps(&self) -> Option<Statistic> {
        let is_whole = match self {
            Self::GlobalAvgPool {} | Self::GlobalMaxPool {} => true,
            Self::AdaptiveAvgPool2d { output_size } => *output_size == [1, 1],
            op => op.reduction().is_some_and(|(axes, _)| axes == [2, 3]),
        };
        match self.class() {
            Class::Window(statistic) | Class::Reduction(statistic) if is_whole => Some(statistic),
            _ => None,
        }
    }

    /// How this operation combines two operands, if its class is [`Class::Arithmetic`].
    #[must_use]
    pub fn combination(&self) -> Option<Combination> {
        match self {
            Self::Add { .. } | Self::Sub { .. } => Some(Combination::Sum),
            Self::Mul { .. } => Some(Combination::Product),
            Self::Div { .. } => Some(Combination::Quotient),
            Self::Minimum { .. } | Self::Maximum { .. } => Some(Combination::Extreme),
            _ => None,
        }
    }

    /// True for what takes two values, or one and a parameter `other` or a number.
    #[must_use]
    pub fn is_arithmetic(&self) -> bool {
        self.class() == Class::Arithmetic
    }
}
