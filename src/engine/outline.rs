//! What passes on the native kernels are planned from: operations as the kernels describe them, and the shapes of their tensors.

use std::collections::HashSet;

use super::step::Step;
use super::steps::Steps;
use crate::card::{Class, Node, Op, ValueId};
use crate::model::Model;
use crate::native::{Arithmetic, Isa, Operation, Shapes, Workspace, knows};

/// What courses are planned from, and where they run.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) shapes: Shapes,
    /// By step: shape of its weights.
    weights: Vec<Option<[usize; 4]>>,
    pub(super) isa: Isa,
    pub(super) threads: usize,
    pub(super) workspace: Workspace,
}

impl Outline {
    pub(super) fn new(model: &Model, steps: &Steps, arithmetic: Arithmetic, threads: usize) -> Self {
        let weights = steps.iter().map(|step| weight_shape(model, step)).collect();
        let (shapes, workspace) = (feature_maps(model), Workspace::default());
        Self { shapes, weights, isa: arithmetic.isa, threads, workspace }
    }

    /// Whether native kernels run this step in both directions.
    pub(super) fn knows(&self, steps: &Steps, at: usize) -> bool {
        knows(self.isa, &self.operation(steps, at), &self.shapes)[1]
    }

    /// A step as the kernels describe it.
    pub(super) fn operation<'a>(&self, steps: &'a Steps, at: usize) -> Operation<'a> {
        Operation { node: &steps[at].node, output: steps[at].output(), weight: self.weights[at] }
    }
}

fn weight_shape(model: &Model, step: &Step) -> Option<[usize; 4]> {
    let node = &step.node;
    if node.op.is_arithmetic() {
        return stored_shape(model.tensor_shape(node.params.get("other")?)?);
    }
    let gamma = node.params.get("gamma").filter(|_| node.op.has_channels_last());
    let shape = model.tensor_shape(node.params.get("weight").or(gamma)?)?;
    let mut sides = [1; 4];
    sides.get_mut(..shape.len())?.copy_from_slice(shape);
    Some(sides)
}

/// Of a stored operand, which broadcasts: with ones at the beginning.
fn stored_shape(shape: &[usize]) -> Option<[usize; 4]> {
    let ones = shape.iter().take_while(|side| **side == 1).count();
    let mut sides = [1; 4];
    let start = sides.len().checked_sub(shape.len() - ones)?;
    sides[start..].copy_from_slice(&shape[ones..]);
    Some(sides)
}

/// The tensors that are feature maps or tokens.
fn feature_maps(model: &Model) -> Shapes {
    let input = &model.graph().input;
    let picture = (ValueId::INPUT, [input.channels, input.height, input.width]);
    let mut maps: Shapes = std::iter::once(picture).collect();
    let last = channels_last(&model.graph().nodes);
    for (at, shape) in model.shapes().iter().enumerate() {
        let id = ValueId::of_node(at);
        match shape[..] {
            // Where the second axis has length one, too, the batch may be on it, as in attention with the positions first.
            [1, (2..), ..] if last.contains(&id) => maps.insert_channels_last(id, shape),
            [1, channels, height, width] => _ = maps.insert(id, [channels, height, width]),
            _ => {}
        }
    }
    maps
}

/// The tensors whose channels are on the last axis: those of linear layers, layer norms, products and softmax over the last axis, and those
/// that are made of them or of which they are made, unless an operation has their channels behind the batch.
fn channels_last(nodes: &[Node]) -> HashSet<ValueId> {
    let is_last = |op: &Op| op.has_channels_last() || matches!(op.class(), Class::Product | Class::Softmax);
    let is_first = |op: &Op| {
        let class = op.class();
        !op.has_channels_last()
            && (op.of_whole_maps().is_some()
                || matches!(class, Class::Linear | Class::Channelwise | Class::Window(_))
                || matches!(class, Class::Resampling | Class::Norm))
    };
    let of_each = |op: &Op| matches!(op.class(), Class::Pointwise(_) | Class::Arithmetic | Class::Nothing);
    let keeps_axes = |op: &Op| of_each(op) || op.class() == Class::Join;
    let moves = |op: &Op| keeps_axes(op) || op.class() == Class::Movement;
    let first = connected(nodes, &is_first, &keeps_axes, &HashSet::from([ValueId::INPUT]));
    let last = connected(nodes, &is_last, &moves, &first);
    last.difference(&first).copied().collect()
}

/// The tensors of some operations, and those that are tensors of others together with one that was found and is not of `without`.
fn connected(
    nodes: &[Node],
    begins: &dyn Fn(&Op) -> bool,
    goes_on: &dyn Fn(&Op) -> bool,
    without: &HashSet<ValueId>,
) -> HashSet<ValueId> {
    let tensors = |at: usize| nodes[at].inputs.iter().copied().chain([ValueId::of_node(at)]);
    let all = || 0..nodes.len();
    let mut found: HashSet<ValueId> = all().filter(|at| begins(&nodes[*at].op)).flat_map(tensors).collect();
    let mut count = 0;
    while count < found.len() {
        count = found.len();
        for at in all().chain(all().rev()).filter(|at| goes_on(&nodes[*at].op)) {
            if tensors(at).any(|id| found.contains(&id) && !without.contains(&id)) {
                found.extend(tensors(at));
            }
        }
    }
    found
}
