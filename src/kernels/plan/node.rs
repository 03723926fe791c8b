//! An operation lowered to what the kernels can do, before it has a place in memory; forward, or backward through one.

use crate::card::{PointwiseKernel, ValueId};
use crate::kernels::activation::IDENTITY;
use crate::kernels::conv::ConvGeometry;
use crate::kernels::filters::Filters;
use crate::kernels::movement::Way;
use crate::kernels::places::Places;
use crate::kernels::pointwise::Stored;
use crate::kernels::pool;
use crate::reverse::turn::Turn;
use crate::rule::Rectifier;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) output: ValueId,
    pub(crate) activation: PointwiseKernel,
    /// Added before the activation.
    pub(crate) residual: Option<ValueId>,
    /// The extent of its first input, by which that is quantised.
    pub(crate) extent: Option<ValueId>,
    /// Of two inputs the second has one element per channel.
    pub(crate) broadcasts: bool,
    /// Which operation's parameters it has.
    pub(crate) source: usize,
    /// What is made of them.
    pub(crate) turning: Option<Turning>,
    /// Which rectifier its activation is, for rules of backward passes.
    pub(crate) rectifier: Option<Rectifier>,
}

#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    Convolution {
        geometry: ConvGeometry,
        filters: Filters,
        depthwise: bool,
    },
    BatchNorm,
    /// Each pixel with mean zero and variance one over its channels, with this epsilon; then a factor and a shift per channel.
    LayerNorm(f32),
    /// Backward through one: its output's gradient, and its input.
    LayerNormBack(f32),
    /// Of two tensors, for each row of them, as matrices with a row for each pixel and a column for each channel, or turned.
    Product([bool; 2]),
    /// Over the channels of each pixel.
    Softmax,
    /// Backward through one: its output, and the gradient of that.
    SoftmaxBack,
    /// Elements between the input and the output, one of which has them at places of its own.
    Move(Places, Way),
    /// The inputs at their places in the output.
    Join(Vec<Places>),
    /// `scale x + shift`, the same two for all elements.
    Line([f32; 2]),
    Activation,
    /// The least and the greatest element, by lane of each block.
    Extent,
    Pool(pool::Kind, pool::Window),
    Add,
    Mul,
    /// The sum of a tensor and stored numbers, or their product.
    Stored(Stored),
    Concat,
    /// First channel and how many.
    Channels([usize; 2]),
    /// Zeros at the top, bottom, left and right.
    Pad([usize; 4]),
    /// The same tensor under another name.
    Alias,
    /// The first input, a gradient, times the slope of a function whose value or argument the second one is; and a factor per channel,
    /// if there is one. The residual is added at the end.
    Slope {
        function: PointwiseKernel,
        is_scaled: bool,
    },
    /// Backward through a pool: its output's gradient, and its input where that decides.
    Unpool(pool::Kind, pool::Window),
    /// The sum of the pixels of each channel, of one tensor or of a product of two.
    Contract,
    /// Pixels every `step` rows and columns, from one input for each list of places.
    Spread {
        step: [usize; 2],
        places: Vec<Vec<[usize; 2]>>,
    },
    /// The channels from this one on; zeros in the others.
    Embed(usize),
    /// The pixels from this one on.
    Crop([usize; 2]),
}

/// What a backward pass makes of an operation's parameters.
#[derive(Debug, Clone)]
pub(crate) enum Turning {
    /// Weights with inputs and outputs exchanged, and no bias.
    Weights(Turn),
    /// A linear layer's matrix, `[in, out]`; backward as the weights of a convolution from its outputs to its inputs, without a bias.
    Matrix { backward: bool },
    /// The scale of a norm without its shift.
    Scale,
}

impl Node {
    pub(crate) fn new(kind: NodeKind, inputs: Vec<ValueId>, output: ValueId) -> Self {
        let (residual, extent, turning, rectifier) = Default::default();
        let (activation, broadcasts, source) = (IDENTITY, false, 0);
        Self { kind, inputs, output, activation, residual, extent, broadcasts, source, turning, rectifier }
    }

    pub(crate) fn reads(&self) -> impl Iterator<Item = ValueId> {
        self.inputs.iter().copied().chain(self.residual).chain(self.extent)
    }

    /// Whether it is a linear layer, forward or backward. These multiply in single precision: a layer norm after one would magnify what is
    /// rounded.
    pub(crate) fn is_linear(&self) -> bool {
        matches!(self.turning, Some(Turning::Matrix { .. }))
    }

    pub(crate) fn has_parameters(&self) -> bool {
        matches!(
            self.kind,
            NodeKind::Convolution { .. }
                | NodeKind::BatchNorm
                | NodeKind::LayerNorm(_)
                | NodeKind::LayerNormBack(_)
                | NodeKind::Stored(_)
                | NodeKind::Slope { is_scaled: true, .. }
        )
    }
}
