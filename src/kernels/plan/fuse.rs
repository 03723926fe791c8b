//! Fewer nodes: sums and activations become the last step of the convolution before them, paddings the first step of the
//! convolution after them; backward, a norm's scale and a sum become steps of the slope before them.
//!
//! Receives lowered nodes in the order in which they run; gives fewer that compute the same. Each is looked at once.

use std::collections::HashMap;

use super::node::{Node, NodeKind};
use crate::card::{PointwiseKernel, ValueId};
use crate::kernels::activation::IDENTITY;

/// Joins what can be joined. Tensors in `wanted` stay tensors of their own.
pub(crate) fn fuse(nodes: Vec<Node>, wanted: &[ValueId]) -> Vec<Node> {
    let (joined, givers, mut reads) = (Vec::with_capacity(nodes.len()), HashMap::new(), HashMap::new());
    let all = nodes.iter().flat_map(|node| &node.inputs).chain(wanted);
    all.for_each(|id| *reads.entry(*id).or_insert(0) += 1);
    let mut fused = Fused { nodes: joined, givers, reads };
    nodes.into_iter().for_each(|node| fused.push(node));
    fused.nodes.into_iter().flatten().collect()
}

struct Fused {
    /// `None` for a padding that a convolution took.
    nodes: Vec<Option<Node>>,
    /// Which of the nodes gives a tensor.
    givers: HashMap<ValueId, usize>,
    /// How often a tensor is read; wanted ones once more.
    reads: HashMap<ValueId, usize>,
}

impl Fused {
    fn push(&mut self, mut node: Node) {
        let before = match node.kind {
            NodeKind::Add => self.add(&node),
            NodeKind::Activation => self.activate(&node),
            NodeKind::BatchNorm if node.turning.is_some() => self.scale(&node),
            _ => {
                self.pad(&mut node);
                None
            }
        };
        self.givers.insert(node.output, before.unwrap_or(self.nodes.len()));
        if before.is_none() {
            self.nodes.push(Some(node));
        }
    }

    /// The node that gives a tensor which only one node reads.
    fn only_for_one(&self, id: ValueId) -> Option<usize> {
        self.givers.get(&id).copied().filter(|_| self.reads.get(&id) == Some(&1))
    }

    /// A sum becomes the last step of the later one of two convolutions or slopes that it reads, if that has no residual and
    /// activation yet: the other summand is then complete when it runs.
    fn add(&mut self, sum: &Node) -> Option<usize> {
        let [a, b] = sum.inputs[..] else { return None };
        // An input of the plan has no giver, and `None` is less than any place.
        let place = |id: ValueId| self.givers.get(&id);
        let (conv, other) = if place(a) > place(b) { (a, b) } else { (b, a) };
        let at = self.only_for_one(conv).filter(|_| conv != other && !sum.broadcasts)?;
        let node = self.nodes[at].as_mut()?;
        let free = node.residual.is_none() && node.activation == IDENTITY;
        if !free
            || !matches!(node.kind, NodeKind::Convolution { depthwise: false, .. } | NodeKind::Slope { .. })
        {
            return None;
        }
        (node.residual, node.output) = (Some(other), sum.output);
        Some(at)
    }

    /// An activation becomes the last step of the node before it.
    fn activate(&mut self, activation: &Node) -> Option<usize> {
        let at = self.only_for_one(activation.inputs[0])?;
        let node = self.nodes[at].as_mut()?;
        let takes = match node.kind {
            // Tiles only clamp their sums: see `Sums::range`.
            NodeKind::Convolution { .. } => matches!(activation.activation, PointwiseKernel::Range(_)),
            NodeKind::BatchNorm | NodeKind::Line(_) | NodeKind::Add | NodeKind::Mul => true,
            _ => false,
        };
        if !takes || node.activation != IDENTITY {
            return None;
        }
        (node.activation, node.output) = (activation.activation, activation.output);
        Some(at)
    }

    /// Backward, the scale of a norm becomes the last step of the slope of the function after it.
    fn scale(&mut self, norm: &Node) -> Option<usize> {
        let at = self.only_for_one(norm.inputs[0])?;
        let node = self.nodes[at].as_mut()?;
        match &mut node.kind {
            NodeKind::Slope { is_scaled, .. } if !*is_scaled && node.residual.is_none() => *is_scaled = true,
            _ => return None,
        }
        (node.source, node.turning, node.output) = (norm.source, norm.turning.clone(), norm.output);
        Some(at)
    }

    /// Zeros around a tensor that only one convolution reads become its padding.
    fn pad(&mut self, node: &mut Node) {
        let NodeKind::Convolution { geometry, .. } = &mut node.kind else { return };
        let Some(at) = self.only_for_one(node.inputs[0]) else { return };
        let Some(Node { kind: NodeKind::Pad([top, _, left, _]), inputs, .. }) = &self.nodes[at] else {
            return;
        };
        geometry.padding[0] += top;
        geometry.padding[1] += left;
        node.inputs[0] = inputs[0];
        self.nodes[at] = None;
    }
}
