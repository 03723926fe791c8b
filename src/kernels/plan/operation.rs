//! What a plan is made of: operations with the shapes of their tensors, and how their parameters are read.

use std::collections::{BTreeMap, HashMap};

use super::node::{self, Turning};
use crate::card::{Node, ValueId};
use crate::error::{Error, Result};

/// `[channels, height, width]` of the tensors that are feature maps.
pub type Shapes = HashMap<ValueId, [usize; 3]>;

/// Parameters by role: elements and shape.
pub type Parameters = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

/// A node of the graph, with what it does not say.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// What it computes, of which tensors.
    pub node: &'a Node,
    /// The tensor that it gives: its own, or that of a batch norm folded into it.
    pub output: ValueId,
    /// Shape of a convolution's weights.
    pub weight: Option<[usize; 4]>,
}

/// Whose parameters a kernel reads.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    operation: usize,
    turning: Option<Turning>,
}

impl Source {
    /// `None` for a node without parameters.
    pub(super) fn of(node: &node::Node) -> Option<Self> {
        node.has_parameters().then(|| Self { operation: node.source, turning: node.turning.clone() })
    }

    /// The parameters as the kernel takes them.
    ///
    /// # Errors
    /// When they cannot be loaded or have another shape than was planned for.
    pub(crate) fn parameters(&self, load: Load<'_>) -> Result<Parameters> {
        let mut parameters = load(self.operation)?;
        let missing = || Error::internal("a parameter was not loaded");
        match &self.turning {
            None => {}
            Some(Turning::Scale) => {
                let (shift, _) = parameters.get_mut("shift").ok_or_else(missing)?;
                shift.fill(0.0);
            }
            Some(Turning::Weights(turn)) => {
                let weight = turn.weights(parameters.get("weight").ok_or_else(missing)?)?;
                parameters = Parameters::from([("weight".to_owned(), weight)]);
            }
        }
        Ok(parameters)
    }
}

/// Gives an operation's parameters: `weight` `[out, in / groups, height, width]` and `bias` `[out]` of a convolution, `scale` and
/// `shift` `[channels]` of a batch norm.
pub(crate) type Load<'a> = &'a dyn Fn(usize) -> Result<Parameters>;
