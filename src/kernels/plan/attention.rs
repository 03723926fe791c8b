//! What transformers need besides linear layers and norms: products of computed tensors, softmax, and movements of tokens.
//!
//! Receives operations, gives nodes; and takes nodes away that only exchange rows and columns before a product.

use std::collections::{HashMap, HashSet};

use super::node::{Node, NodeKind};
use super::operation::{Operation, Shapes};
use super::strides::{Form, Strides, places};
use crate::card::{Combination, Op, ValueId};
use crate::kernels::movement::Way;
use crate::kernels::places::Places;
use crate::kernels::pointwise::Stored;

/// A product of two tensors with the same rows.
pub(super) fn product(inputs: &[[usize; 3]], output: [usize; 3]) -> Option<NodeKind> {
    let rows = |shape: &[usize; 3]| shape[1];
    let [a, b] = inputs else { return None };
    [a, b].into_iter().all(|shape| rows(shape) == rows(&output)).then_some(NodeKind::Product([false; 2]))
}

/// A sum or product of a tensor and a stored one, as the bias for positions and the mask of attention are.
pub(super) fn stored(operation: &Operation<'_>, shapes: &Shapes) -> Option<NodeKind> {
    let (sides, is_product) =
        (operation.weight?, operation.node.op.combination() == Some(Combination::Product));
    let shape = shapes.array(operation.output, 1);
    let [first @ .., columns, channels] = &shape[..] else { return None };
    let rank = shape.len();
    // The stored axes are the last ones, and have the extent that the tensor has there or one.
    let side = |axis: usize| (axis + sides.len()).checked_sub(rank).map_or(1, |at| sides[at]);
    let before = sides.len().saturating_sub(rank);
    let fits = shapes.is_channels_last(operation.output)
        && shapes.array(*operation.node.inputs.first()?, 1) == shape
        && side(0) == 1
        && sides[..before].iter().all(|side| *side == 1);
    let row = |at: usize| {
        let mut distance = first.iter().product::<usize>();
        first.iter().enumerate().fold(0, |row, (axis, extent)| {
            distance /= extent;
            row * side(axis) + at / distance % extent % side(axis)
        })
    };
    let rows = (0..first.iter().product()).map(row).collect();
    let inner = [side(first.len()), side(first.len() + 1)];
    let divides = columns.is_multiple_of(inner[0]) && channels.is_multiple_of(inner[1]);
    (fits && divides).then_some(NodeKind::Stored(Stored { is_product, rows, inner }))
}

/// Slices, joins, reshapes and axes in another order: whole channels as they are, or elements at places that rows, columns and channels
/// add up to.
pub(super) fn movement(operation: &Operation<'_>, shapes: &Shapes) -> Option<NodeKind> {
    let (node, output) = (operation.node, operation.output);
    let is_last = |id: &ValueId| shapes.is_channels_last(*id);
    let alike = node.inputs.iter().all(|id| is_last(id) == is_last(&output));
    let input = *node.inputs.first()?;
    let shape = shapes.array(input, 1);
    let channels = if is_last(&output) { shape.len() - 1 } else { 1 };
    if let Op::Concat { axis, .. } = &node.op {
        return match alike && *axis == channels {
            true => Some(NodeKind::Concat),
            false => joined(node.inputs.iter().copied(), *axis, (output, shapes)),
        };
    }
    let strides = Strides::of(&node.op, &shape)?;
    if let Some(part) = strides.part(channels, &shape).filter(|_| alike) {
        return Some(NodeKind::Channels(part));
    }
    let [tensor, other] = [Form::of(output, shapes)?, Form::of(input, shapes)?];
    Some(NodeKind::Move(places(tensor, &strides, other)?, Way::Gather))
}

fn joined(
    inputs: impl Iterator<Item = ValueId>,
    axis: usize,
    (output, shapes): (ValueId, &Shapes),
) -> Option<NodeKind> {
    let whole = *shapes.array(output, 1).get(axis)?;
    let mut start = 0;
    let place = |id: ValueId| {
        let shape = shapes.array(id, 1);
        let strides = Strides::inside(&shape, axis, start, whole);
        start += shape[axis];
        places(Form::of(id, shapes)?, &strides, Form::of(output, shapes)?)
    };
    inputs.map(place).collect::<Option<_>>().map(NodeKind::Join)
}

/// Movements of what a movement gives are one, and products take factors as they are before their rows and columns are exchanged. Tensors in
/// `wanted` stay tensors of their own.
pub(crate) fn shortened(mut nodes: Vec<Node>, wanted: &[ValueId]) -> Vec<Node> {
    // What is there before each movement, and where.
    let mut before: HashMap<ValueId, (ValueId, Places)> = HashMap::new();
    for node in &mut nodes {
        match &mut node.kind {
            NodeKind::Product(turned) => {
                for (input, turned) in node.inputs.iter_mut().zip(turned) {
                    if let Some((x, _)) = before.get(input).filter(|(_, places)| places.is_turn()) {
                        (*input, *turned) = (*x, !*turned);
                    }
                }
            }
            NodeKind::Move(places, Way::Gather) if !wanted.contains(&node.output) => {
                before.insert(node.output, (node.inputs[0], places.clone()));
            }
            _ => {}
        }
    }
    for node in &mut nodes {
        let NodeKind::Move(places, Way::Gather) = &mut node.kind else { continue };
        while let Some((x, first)) = before.get(&node.inputs[0])
            && let Some(joined) = places.through(first)
        {
            (*places, node.inputs[0]) = (joined, *x);
        }
    }
    without_unread(nodes, wanted)
}

/// Without movements that nothing reads.
fn without_unread(mut nodes: Vec<Node>, wanted: &[ValueId]) -> Vec<Node> {
    let mut read: HashSet<ValueId> = wanted.iter().copied().collect();
    let is_read = |node: &Node| {
        let is_read = !matches!(node.kind, NodeKind::Move(..)) || read.contains(&node.output);
        if is_read {
            read.extend(node.reads());
        }
        is_read
    };
    let kept: Vec<bool> = nodes.iter().rev().map(is_read).collect();
    let mut kept = kept.into_iter().rev();
    nodes.retain(|_| kept.next().unwrap_or(true));
    nodes
}
