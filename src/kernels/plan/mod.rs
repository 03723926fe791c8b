//! The plan: operations lowered to kernels, joined, placed in memory; and their weights in order, apart from it.

mod fuse;
mod homes;
mod kernel;
mod lower;
mod shape;

use std::collections::HashMap;

use super::kernels::Packed;
use super::kernels::activation::Activation;
use super::kernels::conv::Motion;
use super::kernels::pool;
use super::precision::Arithmetic;
use super::simd::Isa;
use super::view::{Halo, View};
use crate::card::Op;
use crate::error::{Error, Result};
use homes::Homes;
pub(super) use kernel::Kernel;

/// Slot -> `[channels, height, width]` of the values that are feature maps.
pub type Shapes = HashMap<usize, [usize; 3]>;

/// Parameters by role: numbers and shape.
pub type Parameters = std::collections::BTreeMap<String, (Vec<f32>, Vec<usize>)>;

/// One operation of a graph.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    /// What it computes.
    pub op: &'a Op,
    /// Slots that it reads.
    pub inputs: Vec<usize>,
    /// Slot that it fills.
    pub output: usize,
    /// Shape of a convolution's weights.
    pub weight: Option<[usize; 4]>,
}

/// Operations ready to run on blocked values, for any number of images of one size.
#[derive(Debug)]
pub struct Plan {
    pub(super) kernels: Vec<Kernel>,
    /// By kernel: which operation's parameters it reads.
    pub(super) sources: Vec<Option<usize>>,
    /// What is brought in and out, in the caller's order.
    pub(super) inputs: Vec<View>,
    pub(super) outputs: Vec<View>,
    /// Numbers that one image takes.
    pub(super) size: usize,
}

/// The weights of all kernels of a plan, in the order in which these read them.
#[derive(Debug)]
pub struct Weights(pub(super) Vec<Packed>);

/// Gives an operation's parameters: `weight` `[out, in / groups, height, width]` and `bias` `[out]` of a convolution, `scale` and
/// `shift` `[channels]` of a batch norm.
pub type Load<'a> = &'a dyn Fn(usize) -> Result<Parameters>;

#[derive(Debug, Clone)]
struct Node {
    kind: NodeKind,
    inputs: Vec<usize>,
    output: usize,
    activation: Activation,
    /// Added before the activation.
    residual: Option<usize>,
    /// Of two inputs the second is one number a channel.
    broadcasts: bool,
    /// Which operation's parameters it has.
    source: usize,
}

#[derive(Debug, Clone)]
enum NodeKind {
    Convolution {
        motion: Motion,
        filters: [usize; 4],
        groups: usize,
        depthwise: bool,
    },
    BatchNorm,
    /// `scale x + shift` with the same two numbers for all.
    Line([f32; 2]),
    Activation,
    Pool(pool::Kind, pool::Window),
    Add,
    Mul,
    Concat,
    /// First channel and how many.
    Channels([usize; 2]),
    /// Zeros at the top, bottom, left and right.
    Pad([usize; 4]),
    /// The same value under another name.
    Alias,
}

impl Node {
    fn reads(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().copied().chain(self.residual)
    }

    fn has_parameters(&self) -> bool {
        matches!(self.kind, NodeKind::Convolution { .. } | NodeKind::BatchNorm)
    }
}

/// There is a kernel for this operation on values of these shapes.
pub fn knows(isa: Isa, operation: &Operation<'_>, shapes: &Shapes) -> bool {
    lower::lower(operation, shapes, isa.lanes()).is_some()
}

impl Plan {
    /// Plans operations that [`knows`] knows, in an order in which they can run.
    ///
    /// `inputs` are the slots filled before, `wanted` those that are handed out.
    ///
    /// # Errors
    /// When an operation is not one of those, or the machine does not have the instruction set.
    pub fn new(
        arithmetic: impl Into<Arithmetic>,
        operations: &[Operation<'_>],
        shapes: &Shapes,
        [inputs, wanted]: [&[usize]; 2],
    ) -> Result<Self> {
        let arithmetic @ Arithmetic { isa, .. } = arithmetic.into();
        if !arithmetic.is_here() {
            return Err(Error::internal(format!("this machine has no {arithmetic:?}")));
        }
        let unknown =
            |operation: &Operation<'_>| Error::internal(format!("no kernel does {:?}", operation.op));
        let mut nodes = Vec::new();
        for (source, operation) in operations.iter().enumerate() {
            let node = lower::lower(operation, shapes, isa.lanes()).ok_or_else(|| unknown(operation))?;
            nodes.push(Node { source, ..node });
        }
        let names = without_aliases(&mut nodes);
        let name = |slot: &usize| names.get(slot).copied().unwrap_or(*slot);
        let [inputs, wanted] = [inputs, wanted].map(|slots| slots.iter().map(name).collect::<Vec<_>>());
        let nodes = fuse::fuse(nodes, &wanted);
        let narrow = narrow_inputs(&nodes, shapes, &inputs, &wanted, isa.lanes());
        let lanes_of = |slot: usize| narrow.get(&slot).copied().unwrap_or(isa.lanes());
        let mut homes = Homes::new(&nodes, [&inputs, &wanted], shapes, &lanes_of);
        for (at, node) in nodes.iter().enumerate() {
            homes.touch(node.output, at + 1, Halo::default());
            for slot in node.reads() {
                homes.touch(slot, at + 1, halo(node, shapes));
            }
        }
        inputs.iter().for_each(|slot| homes.touch(*slot, 0, Halo::default()));
        wanted.iter().for_each(|slot| homes.touch(*slot, nodes.len() + 1, Halo::default()));
        let size = homes.allocate();
        let view = |slot: usize| homes.view(slot, shapes[&slot][0]);
        let (mut kernels, mut sources) = (Vec::new(), Vec::new());
        for node in &nodes {
            let own = kernel::kernels(arithmetic, node, &homes, shapes)?;
            sources.extend(own.iter().map(|_| node.has_parameters().then_some(node.source)));
            kernels.extend(own);
        }
        let views = |slots: Vec<usize>| slots.into_iter().map(view).collect();
        Ok(Self { kernels, sources, inputs: views(inputs), outputs: views(wanted), size })
    }

    /// Puts the weights of all kernels in order.
    ///
    /// # Errors
    /// When `load` fails or gives something else than was planned for.
    pub fn pack(&self, load: Load<'_>) -> Result<Weights> {
        let pack = |(kernel, source): (&Kernel, &Option<usize>)| {
            let mut packed = Packed::default();
            if let Some(source) = source {
                kernel.pack(&load(*source)?, &mut packed)?;
            }
            Ok(packed)
        };
        // One after the other: what is read for one is freed before the next is read.
        self.kernels.iter().zip(&self.sources).map(pack).collect::<Result<_>>().map(Weights)
    }

    /// Convolutions whose pixels and weights are rounded to a lower precision.
    pub fn rounded(&self) -> usize {
        self.kernels.iter().filter(|kernel| matches!(kernel, Kernel::ConvBf16(_))).count()
    }

    /// Bytes of memory that a picture takes beside the weights.
    pub fn bytes(&self) -> usize {
        self.size * size_of::<f32>()
    }
}

/// Takes aliases out; the names of the values that they repeat.
fn without_aliases(nodes: &mut Vec<Node>) -> HashMap<usize, usize> {
    let mut names: HashMap<usize, usize> = HashMap::new();
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

/// Inputs with fewer channels than lanes that only plain convolutions read keep as many lanes as they have channels.
fn narrow_inputs(
    nodes: &[Node],
    shapes: &Shapes,
    inputs: &[usize],
    wanted: &[usize],
    lanes: usize,
) -> HashMap<usize, usize> {
    let only_convolved = |slot: usize| {
        let plain = |node: &Node| {
            let dense = matches!(node.kind, NodeKind::Convolution { groups: 1, .. });
            dense && node.residual != Some(slot)
        };
        nodes.iter().filter(|node| node.reads().any(|read| read == slot)).all(plain)
            && !wanted.contains(&slot)
    };
    let narrow = |slot: &usize| shapes[slot][0] < lanes && only_convolved(*slot);
    inputs.iter().copied().filter(narrow).map(|slot| (slot, shapes[&slot][0])).collect()
}

/// The zeros that a node needs around its first input.
fn halo(node: &Node, shapes: &Shapes) -> Halo {
    let NodeKind::Convolution { motion, .. } = node.kind else { return Halo::default() };
    let ([_, height, width], [_, rows, columns]) = (shapes[&node.inputs[0]], shapes[&node.output]);
    let after = |axis: usize, side: usize, cells: usize| {
        let reach = (cells - 1) * motion.stride[axis] + (motion.kernel[axis] - 1) * motion.dilation[axis] + 1;
        reach.saturating_sub(motion.padding[axis] + side)
    };
    Halo {
        top: motion.padding[0],
        left: motion.padding[1],
        bottom: after(0, height, rows),
        right: after(1, width, columns),
    }
}
