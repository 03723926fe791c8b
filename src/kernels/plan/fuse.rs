//! Fewer nodes: sums and activations become the last step of the convolution before them, paddings the first step of the
//! convolution after them.

use std::collections::HashMap;

use super::node::{Node, NodeKind};
use crate::card::ValueId;
use crate::kernels::activation::Activation;

/// Joins what can be joined. Tensors in `wanted` stay tensors of their own.
pub(super) fn fuse(nodes: Vec<Node>, wanted: &[ValueId]) -> Vec<Node> {
    let mut fused: Vec<Node> = Vec::with_capacity(nodes.len());
    let readers = readers(&nodes, wanted);
    let read_once = |slot: ValueId| readers.get(&slot) == Some(&1);
    for node in nodes {
        let joined = match node.kind {
            NodeKind::Add => add(&mut fused, &node, &read_once),
            NodeKind::Activation => activate(&mut fused, &node, &read_once),
            _ => false,
        };
        if !joined {
            fused.push(node);
        }
    }
    pad(&mut fused, &read_once);
    fused
}

/// How often a tensor is read; wanted ones once more.
fn readers(nodes: &[Node], wanted: &[ValueId]) -> HashMap<ValueId, usize> {
    let mut readers = HashMap::new();
    let slots = nodes.iter().flat_map(|node| &node.inputs).chain(wanted);
    slots.for_each(|slot| *readers.entry(*slot).or_insert(0) += 1);
    readers
}

/// A sum becomes the last step of the later one of two convolutions that it reads, if that has no residual and activation yet.
fn add(fused: &mut [Node], sum: &Node, read_once: &impl Fn(ValueId) -> bool) -> bool {
    let [a, b] = sum.inputs[..] else { return false };
    let place = |slot: ValueId| fused.iter().position(|node| node.output == slot);
    // The later one, so that the other summand is complete when it runs.
    let (conv, other) = if place(a) > place(b) { (a, b) } else { (b, a) };
    let same_shape = !sum.broadcasts;
    let Some(node) = place(conv).map(|at| &mut fused[at]) else { return false };
    let free = node.residual.is_none() && node.activation == Activation::NONE;
    let dense = matches!(node.kind, NodeKind::Convolution { depthwise: false, .. });
    if !(free && dense && same_shape && read_once(conv) && conv != other) {
        return false;
    }
    node.residual = Some(other);
    node.output = sum.output;
    true
}

fn activate(fused: &mut [Node], activation: &Node, read_once: &impl Fn(ValueId) -> bool) -> bool {
    let slot = activation.inputs[0];
    let Some(node) = fused.iter_mut().find(|node| node.output == slot) else { return false };
    let range = matches!(activation.activation, Activation::Range(_));
    let takes = match node.kind {
        NodeKind::Convolution { .. } => range,
        NodeKind::BatchNorm | NodeKind::Line(_) | NodeKind::Add | NodeKind::Mul => true,
        _ => false,
    };
    if !(takes && node.activation == Activation::NONE && read_once(slot)) {
        return false;
    }
    node.activation = activation.activation;
    node.output = activation.output;
    true
}

/// Zeros around a tensor that only one convolution reads become its padding.
fn pad(fused: &mut Vec<Node>, read_once: &impl Fn(ValueId) -> bool) {
    let mut gone = Vec::new();
    for at in 0..fused.len() {
        let NodeKind::Pad([top, _, left, _]) = fused[at].kind else { continue };
        let (slot, source) = (fused[at].output, fused[at].inputs[0]);
        let reader = fused.iter_mut().find(|node| node.inputs.contains(&slot));
        if let Some(Node { kind: NodeKind::Convolution { geometry, .. }, inputs, .. }) = reader
            && read_once(slot)
        {
            geometry.padding[0] += top;
            geometry.padding[1] += left;
            inputs[0] = source;
            gone.push(at);
        }
    }
    gone.into_iter().rev().for_each(|at| {
        fused.remove(at);
    });
}
