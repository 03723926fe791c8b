//! What a plan is made of: operations with the shapes of their tensors, and how their parameters are read.

use std::collections::{BTreeMap, HashMap};

use crate::card::{Node, ValueId};
use crate::error::Result;

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

/// Gives an operation's parameters: `weight` `[out, in / groups, height, width]` and `bias` `[out]` of a convolution, `scale` and
/// `shift` `[channels]` of a batch norm.
pub(crate) type Load<'a> = &'a dyn Fn(usize) -> Result<Parameters>;
