//! What passes on the native kernels are planned from: operations as the kernels describe them, and the shapes of their tensors.

use super::step::Step;
use super::steps::Steps;
use crate::card::ValueId;
use crate::model::Model;
use crate::native::{Arithmetic, Isa, Operation, Shapes, Workspace, knows_reverse};

/// What courses are planned from, and where they run.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) shapes: Shapes,
    /// By step: shape of a convolution's weights.
    weights: Vec<Option<[usize; 4]>>,
    pub(super) isa: Isa,
    pub(super) threads: usize,
    pub(super) workspace: Workspace,
}

impl Outline {
    pub(super) fn new(model: &Model, steps: &Steps, arithmetic: Arithmetic, threads: usize) -> Self {
        let weights = steps.iter().map(|step| operation(model, step).weight).collect();
        let (shapes, workspace) = (feature_maps(model), Workspace::default());
        Self { shapes, weights, isa: arithmetic.isa, threads, workspace }
    }

    /// Whether native kernels run this step in both directions.
    pub(super) fn knows(&self, steps: &Steps, at: usize) -> bool {
        knows_reverse(self.isa, &self.operation(steps, at), &self.shapes)
    }

    pub(super) fn operation<'a>(&self, steps: &'a Steps, at: usize) -> Operation<'a> {
        Operation { node: &steps[at].node, output: steps[at].output(), weight: self.weights[at] }
    }
}

/// A step as the kernels describe it.
pub(super) fn operation<'a>(model: &Model, step: &'a Step) -> Operation<'a> {
    let weight = step.node.params.get("weight");
    let weight = weight.and_then(|name| model.tensor_shape(name)?.try_into().ok());
    Operation { node: &step.node, output: step.output(), weight }
}

/// The tensors of rank four.
pub(super) fn feature_maps(model: &Model) -> Shapes {
    let input = &model.graph().input;
    let values = model.shapes().iter().enumerate();
    let maps = values.filter_map(|(at, shape)| match shape[..] {
        [1, channels, height, width] => Some((ValueId::of_node(at), [channels, height, width])),
        _ => None,
    });
    let picture = (ValueId::INPUT, [input.channels, input.height, input.width]);
    std::iter::once(picture).chain(maps).collect()
}
