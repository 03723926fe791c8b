//! Which layers of a network are randomised, in which order, and with which numbers.
//!
//! Receives a model; gives its layers from the top, and new values for the tensors of some of them. Does not run the network.
//!
//! A layer is a convolution, a linear layer or a product with a stored matrix, with the norms behind it up to the next layer. Weights and
//! biases become uniform in +-1/sqrt(n), where n is the number of values that an output is a sum of: PyTorch's initialisation of
//! convolutions and linear layers. Norms get the factor 1 and the shift 0, PReLU the slope 0.25. Running statistics of batch norms stay,
//! as do operands of sums, products and joins, which may be constants of the architecture.

use std::collections::{BTreeMap, BTreeSet};

use super::super::noise::Random;
use crate::card::{Class, Node};
use crate::error::{Error, Problem, Result};
use crate::model::Model;

/// The slope that PyTorch gives a PReLU.
const SLOPE: f32 = 0.25;

/// The layers of a network, the top one first.
#[derive(Debug)]
pub(super) struct Cascade {
    layers: Vec<Layer>,
    /// Stored tensors, besides running statistics, that are not drawn, in order.
    pub(super) kept: Vec<String>,
}

#[derive(Debug)]
struct Layer {
    name: String,
    /// Tensors with their new values.
    draws: Vec<(String, Draw)>,
}

/// The new values of a tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Draw {
    /// All the same.
    Constant(f32),
    /// Uniform between its negative and itself.
    Uniform(f32),
}

impl Cascade {
    /// The layers on which the scores depend.
    ///
    /// # Errors
    /// When there is none with weights.
    pub(super) fn of(model: &Model) -> Result<Self> {
        let (mut layers, mut kept, mut seen) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        // Norms stand behind the layer whose results they change, so from the top they come before it.
        let mut behind = Vec::new();
        for node in from_the_top(model) {
            let mut has_weights = false;
            for (role, tensor) in &node.params {
                match draw(node, role, model) {
                    // A tensor that two layers share is drawn with the upper one.
                    Some(draw) if seen.insert(tensor.clone()) => behind.push((tensor.clone(), draw)),
                    Some(_) => {}
                    None if role.starts_with("running") => {}
                    None => drop(kept.insert(tensor.clone())),
                }
                has_weights |= matches!(node.op.class(), Class::Linear | Class::Product);
            }
            if has_weights && !behind.is_empty() {
                layers.push(Layer { name: node.name.clone(), draws: std::mem::take(&mut behind) });
            }
        }
        let Some(lowest) = layers.last_mut() else {
            let what =
                "has no convolution or linear layer before its scores, so there are no weights to randomise";
            return Err(Error::model(model.file_name(), Problem::new(what)));
        };
        // A norm of the input itself.
        lowest.draws.append(&mut behind);
        Ok(Self { layers, kept: kept.into_iter().collect() })
    }

    /// The layers' names.
    pub(super) fn names(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.name.clone()).collect()
    }

    /// After how many layers maps are compared: at most `most` times, evenly, after the first and after the last always.
    pub(super) fn stops(&self, most: usize) -> Vec<usize> {
        let (count, most) = (self.layers.len(), most.max(2));
        if count <= most {
            return (1..=count).collect();
        }
        (0..most).map(|at| 1 + (at * (count - 1) + (most - 1) / 2) / (most - 1)).collect()
    }

    /// New values for the tensors of some layers. Those of a tensor depend on its name and the seed alone.
    pub(super) fn drawn(
        &self,
        layers: std::ops::Range<usize>,
        model: &Model,
        seed: u64,
    ) -> BTreeMap<String, Vec<f32>> {
        let tensors = self.layers[layers].iter().flat_map(|layer| &layer.draws);
        let values = |(name, draw): &(String, Draw)| {
            let count = model.tensor_shape(name).map_or(0, |shape| shape.iter().product());
            let mut random = Random::named(seed, name);
            let values = (0..count).map(|_| match draw {
                Draw::Constant(value) => *value,
                Draw::Uniform(bound) => bound * (2.0 * random.unit() - 1.0),
            });
            (name.clone(), values.collect())
        };
        tensors.map(values).collect()
    }
}

/// The nodes on which the scores depend, the last one first.
fn from_the_top(model: &Model) -> Vec<&Node> {
    let nodes = &model.graph().nodes;
    let mut needed = vec![false; nodes.len()];
    needed[model.scores()] = true;
    let mut found = Vec::new();
    for at in (0..nodes.len()).rev().filter(|at| *at <= model.scores()) {
        if needed[at] {
            nodes[at].inputs.iter().filter_map(|id| id.node()).for_each(|input| needed[input] = true);
            found.push(&nodes[at]);
        }
    }
    found
}

/// The new values of a node's parameter; `None` if it stays.
fn draw(node: &Node, role: &str, model: &Model) -> Option<Draw> {
    let shape = |role: &str| node.params.get(role).and_then(|name| model.tensor_shape(name));
    let bound = |sum: usize| Draw::Uniform(1.0 / (sum.max(1) as f32).sqrt());
    match (node.op.class(), role) {
        // `[in, out]` of a linear layer, `[out, in, height, width]` of a convolution; of its transpose PyTorch counts the second axis and
        // the window, too.
        (Class::Linear, "weight" | "bias") => Some(bound(match shape("weight")? {
            [inputs, _] => *inputs,
            shape => shape.iter().skip(1).product(),
        })),
        // `[..., in, out]`.
        (Class::Product, _) => Some(bound(shape(role)?.iter().rev().nth(1).copied().unwrap_or(1))),
        (Class::Channelwise | Class::Norm, "gamma") => Some(Draw::Constant(1.0)),
        (Class::Channelwise | Class::Norm, "beta") => Some(Draw::Constant(0.0)),
        (Class::Channelwise, "slope") => Some(Draw::Constant(SLOPE)),
        _ => None,
    }
}
