//! What passes on the native kernels are planned from: operations as the kernels describe them, and the shapes of their tensors.

use std::collections::HashSet;

use super::step::Step;
use super::steps::Steps;
use crate::card::{Class, Node, ValueId};
use crate::model::Model;
use crate::native::{Arithmetic, Isa, Operation, Shapes, Workspace, knows_reverse};

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
        knows_reverse(self.isa, &self.operation(steps, at), &self.shapes)
    }

    /// A step as the kernels describe it.
    pub(super) fn operation<'a>(&self, steps: &'a Steps, at: usize) -> Operation<'a> {
        Operation { node: &steps[at].node, output: steps[at].output(), weight: self.weights[at] }
    }
}

fn weight_shape(model: &Model, step: &Step) -> Option<[usize; 4]> {
    let node = &step.node;
    let gamma = node.params.get("gamma").filter(|_| node.op.has_channels_last());
    let shape = model.tensor_shape(node.params.get("weight").or(gamma)?)?;
    let mut sides = [1; 4];
    sides.get_mut(..shape.len())?.copy_from_slice(shape);
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

/// The tensors whose channels are on the last axis: those of linear layers and layer norms, and those that functions of each element make
/// them of or of them, unless an operation has their channels elsewhere.
fn channels_last(nodes: &[Node]) -> HashSet<ValueId> {
    let tensors = |at: usize| nodes[at].inputs.iter().copied().chain([ValueId::of_node(at)]);
    let all = || 0..nodes.len();
    let mut last: HashSet<ValueId> =
        all().filter(|at| nodes[*at].op.has_channels_last()).flat_map(tensors).collect();
    let carries = |at: &usize| {
        matches!(nodes[*at].op.class(), Class::Pointwise(_) | Class::Arithmetic | Class::Nothing)
    };
    let mut found = 0;
    while found < last.len() {
        found = last.len();
        for at in all().chain(all().rev()).filter(carries) {
            if tensors(at).any(|id| last.contains(&id)) {
                last.extend(tensors(at));
            }
        }
    }
    let elsewhere = |at: &usize| {
        let op = &nodes[*at].op;
        !op.has_channels_last()
            && matches!(op.class(), Class::Linear | Class::Channelwise | Class::Window(_) | Class::Resampling)
    };
    all().filter(elsewhere).flat_map(tensors).for_each(|id| _ = last.remove(&id));
    last
}
