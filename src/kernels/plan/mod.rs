//! The plan: operations lowered to kernels, joined, placed in memory; and their weights, packed, apart from it.

pub(crate) mod attention;
pub(crate) mod choose;
pub(crate) mod fuse;
mod kernel;
pub(crate) mod lower;
pub(crate) mod memory_plan;
pub(crate) mod node;
mod operation;
mod quantise;
mod strides;

use std::borrow::Cow;
use std::collections::HashMap;

use crate::card::ValueId;
use crate::error::{Error, Result};
use crate::kernels::Packed;
use crate::precision::{Arithmetic, Tokens};
use crate::view::{Halo, View};
pub(crate) use kernel::Kernel;
use memory_plan::MemoryPlan;
use node::{Node, NodeKind};
pub(crate) use operation::{Load, Source};
pub use operation::{Operation, Parameters, Shapes};

/// Operations ready to run on tensors in blocks, for any number of images of one size.
#[derive(Debug)]
pub struct Plan {
    pub(crate) kernels: Vec<Kernel>,
    /// By kernel: whose parameters it reads.
    pub(crate) sources: Vec<Option<Source>>,
    /// What is imported and exported, in the caller's order.
    pub(crate) inputs: Vec<View>,
    pub(crate) outputs: Vec<View>,
    /// Elements that one image takes.
    pub(crate) size: usize,
}

/// All of a plan but its memory.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) tokens: Tokens,
    pub(crate) nodes: Vec<Node>,
    /// Tensors that are imported, and those that are exported.
    pub(crate) outside: [Vec<ValueId>; 2],
    pub(crate) shapes: Cow<'a, Shapes>,
}

/// The packed weights of all kernels of a plan, in the order in which these read them.
#[derive(Debug)]
pub struct Weights(pub(crate) Vec<Packed>);

impl Plan {
    /// Plans operations that [`knows`](crate::knows) knows, in an order in which they can run.
    ///
    /// `outside` are the tensors that are there before, and those that a run returns. `shapes` are those that the graph's
    /// inference gave.
    ///
    /// # Errors
    /// When an operation has no kernel or a tensor another shape than its operation gives, or the CPU does not have the
    /// instruction set.
    pub fn new(
        arithmetic: impl Into<Arithmetic>,
        operations: &[Operation<'_>],
        shapes: &Shapes,
        outside: [&[ValueId]; 2],
    ) -> Result<Self> {
        let draft = Draft::new(arithmetic.into(), operations, shapes, outside)?;
        draft.plan(&mut draft.place())
    }

    /// Nodes with a place for every tensor, in memory of `size` elements.
    pub(crate) fn with_memory(
        tokens: Tokens,
        nodes: &[Node],
        outside: [&[ValueId]; 2],
        shapes: &Shapes,
        (memory, size): (&MemoryPlan, usize),
    ) -> Result<Self> {
        let (mut kernels, mut sources) = (Vec::new(), Vec::new());
        for node in nodes {
            let added = choose::kernels(tokens, node, memory, shapes)?;
            sources.extend(added.iter().map(|_| Source::of(node)));
            kernels.extend(added);
        }
        let view = |slot: &ValueId| View {
            channels_last: shapes.is_channels_last(*slot),
            ..memory.view(*slot, shapes[slot][0])
        };
        let [inputs, outputs] = outside.map(|slots| slots.iter().map(view).collect());
        Ok(Self { kernels, sources, inputs, outputs, size })
    }

    /// Packs the weights of all kernels.
    ///
    /// # Errors
    /// When `load` fails or gives something else than was planned for.
    pub fn pack(&self, load: Load<'_>) -> Result<Weights> {
        let pack = |(kernel, source): (&Kernel, &Option<Source>)| {
            let mut packed = Packed::default();
            if let Some(source) = source {
                kernel.pack(&source.parameters(load)?, &mut packed)?;
            }
            Ok(packed)
        };
        // In turn, so that what is read for one kernel is freed before the next is read.
        self.kernels.iter().zip(&self.sources).map(pack).collect::<Result<_>>().map(Weights)
    }

    /// How many convolutions round their pixels and weights to a lower precision.
    #[must_use]
    pub fn rounded(&self) -> usize {
        self.kernels
            .iter()
            .filter(|kernel| matches!(kernel, Kernel::ConvBf16(_) | Kernel::ConvInt8(_)))
            .count()
    }

    /// Bytes of memory per image, weights not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.size * size_of::<f32>()
    }
}

impl<'a> Draft<'a> {
    /// As [`Plan::new`].
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub(crate) fn new(
        arithmetic: Arithmetic,
        operations: &[Operation<'_>],
        shapes: &'a Shapes,
        outside: [&[ValueId]; 2],
    ) -> Result<Self> {
        let tokens = arithmetic
            .tokens()
            .ok_or_else(|| Error::internal(format!("this machine has no {arithmetic:?}")))?;
        let lanes = tokens.instructions.lanes();
        let mut nodes = lowered(operations, shapes, lanes)?;
        let names = without_aliases(&mut nodes);
        let name = |slot: &ValueId| names.get(slot).copied().unwrap_or(*slot);
        let outside = outside.map(|slots| slots.iter().map(name).collect::<Vec<_>>());
        // Aliases go first: one between a convolution and its activation would hide the pair.
        let nodes = fuse::fuse(attention::shortened(nodes, &outside[1]), &outside[1]);
        let mut shapes = Cow::Borrowed(shapes);
        let nodes = match tokens.int8 {
            Some(int8) => quantise::quantise(int8, nodes, shapes.to_mut(), lanes),
            None => nodes,
        };
        Ok(Self { tokens, nodes, outside, shapes })
    }

    /// A buffer for each tensor, with the time and the halo that its readers and writers need, not yet at a place in memory.
    pub(crate) fn place(&self) -> MemoryPlan {
        let Self { nodes, outside: [inputs, wanted], shapes, .. } = self;
        let lanes = self.tokens.instructions.lanes();
        let narrow = narrow_inputs(nodes, shapes, inputs, wanted, lanes);
        let lanes_of = |slot: ValueId| narrow.get(&slot).copied().unwrap_or(lanes);
        let mut memory = MemoryPlan::new(nodes, [inputs, wanted], shapes, &lanes_of);
        for (at, node) in nodes.iter().enumerate() {
            memory.touch(node.output, at + 1, Halo::default());
            for slot in node.reads() {
                // Of an extent there is one pixel, which no window moves over.
                let halo = if node.extent == Some(slot) { Halo::default() } else { halo(node, shapes) };
                memory.touch(slot, at + 1, halo);
            }
        }
        inputs.iter().for_each(|slot| memory.touch(*slot, 0, Halo::default()));
        // Exported after the last node, so that nothing takes their memory before.
        wanted.iter().for_each(|slot| memory.touch(*slot, nodes.len() + 1, Halo::default()));
        memory
    }

    /// The plan with this memory.
    ///
    /// # Errors
    /// On an internal error.
    pub(crate) fn plan(&self, memory: &mut MemoryPlan) -> Result<Plan> {
        let size = memory.allocate();
        let outside = [&self.outside[0][..], &self.outside[1]];
        Plan::with_memory(self.tokens, &self.nodes, outside, &self.shapes, (&*memory, size))
    }
}

pub(crate) fn lowered(operations: &[Operation<'_>], shapes: &Shapes, lanes: usize) -> Result<Vec<Node>> {
    let lower = |(source, operation): (usize, &Operation<'_>)| match lower::lower(operation, shapes, lanes) {
        Some(node) => Ok(Node { source, ..node }),
        None => Err(Error::internal(format!("no kernel runs {:?}", operation.node.op))),
    };
    operations.iter().enumerate().map(lower).collect()
}

/// Removes aliases; returns which tensor each of them stands for.
pub(crate) fn without_aliases(nodes: &mut Vec<Node>) -> HashMap<ValueId, ValueId> {
    let mut names: HashMap<ValueId, ValueId> = HashMap::new();
    nodes.retain_mut(|node| {
        for slot in &mut node.inputs {
            *slot = names.get(slot).copied().unwrap_or(*slot);
        }
        let alias = matches!(node.kind, NodeKind::Alias);
        if alias {
            names.insert(node.output, node.inputs[0]);
        }
        !alias
    });
    names
}

/// Inputs with fewer channels than lanes that only plain convolutions read have blocks of as many lanes as they have channels.
pub(crate) fn narrow_inputs(
    nodes: &[Node],
    shapes: &Shapes,
    inputs: &[ValueId],
    wanted: &[ValueId],
    lanes: usize,
) -> HashMap<ValueId, usize> {
    let only_convolved = |slot: ValueId| {
        let plain = |node: &Node| match node.kind {
            NodeKind::Convolution { filters, .. } => filters.groups == 1 && node.residual != Some(slot),
            _ => false,
        };
        nodes.iter().filter(|node| node.reads().any(|read| read == slot)).all(plain)
            && !wanted.contains(&slot)
    };
    let narrow = |slot: &ValueId| shapes[slot][0] < lanes && only_convolved(*slot);
    inputs.iter().copied().filter(narrow).map(|slot| (slot, shapes[&slot][0])).collect()
}

/// The zeros that a node needs around its first input.
pub(crate) fn halo(node: &Node, shapes: &Shapes) -> Halo {
    let NodeKind::Convolution { geometry, .. } = node.kind else { return Halo::default() };
    let ([_, height, width], [_, rows, columns]) = (shapes[&node.inputs[0]], shapes[&node.output]);
    let after = |axis: usize, side: usize, cells: usize| {
        // How far the last window reaches, counted from the edge of the padding.
        let reach =
            (cells - 1) * geometry.stride[axis] + (geometry.kernel[axis] - 1) * geometry.dilation[axis] + 1;
        reach.saturating_sub(geometry.padding[axis] + side)
    };
    Halo {
        top: geometry.padding[0],
        left: geometry.padding[1],
        bottom: after(0, height, rows),
        right: after(1, width, columns),
    }
}
