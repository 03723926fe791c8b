//! An operation lowered to what the kernels can do, before it has a place in memory.

use crate::card::{PointwiseKernel, ValueId};
use crate::kernels::conv::ConvGeometry;
use crate::kernels::filters::Filters;
use crate::kernels::pool;

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) inputs: Vec<ValueId>,
    pub(super) output: ValueId,
    pub(super) activation: PointwiseKernel,
    /// Added before the activation.
    pub(super) residual: Option<ValueId>,
    /// The extent of its first input, by which that is quantised.
    pub(super) extent: Option<ValueId>,
    /// Of two inputs the second has one element per channel.
    pub(super) broadcasts: bool,
    /// Which operation's parameters it has.
    pub(super) source: usize,
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    Convolution {
        geometry: ConvGeometry,
        filters: Filters,
        depthwise: bool,
    },
    BatchNorm,
    /// `scale x + shift`, the same two for all elements.
    Line([f32; 2]),
    Activation,
    /// The least and the greatest element, by lane of each block.
    Extent,
    Pool(pool::Kind, pool::Window),
    Add,
    Mul,
    Concat,
    /// First channel and how many.
    Channels([usize; 2]),
    /// Zeros at the top, bottom, left and right.
    Pad([usize; 4]),
    /// The same tensor under another name.
    Alias,
}

impl Node {
    pub(super) fn reads(&self) -> impl Iterator<Item = ValueId> {
        self.inputs.iter().copied().chain(self.residual).chain(self.extent)
    }

    pub(super) fn has_parameters(&self) -> bool {
        matches!(self.kind, NodeKind::Convolution { .. } | NodeKind::BatchNorm)
    }
}
