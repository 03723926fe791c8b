//! What a plan is made of: operations with the shapes of their tensors, and how their parameters are read.

use std::collections::{BTreeMap, HashMap};

use crate::card::Op;
use crate::error::Result;

/// Slot -> `[channels, height, width]` of the tensors that are feature maps.
pub type Shapes = HashMap<usize, [usize; 3]>;

/// Parameters by role: elements and shape.
pub type Parameters = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

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

/// Gives an operation's parameters: `weight` `[out, in / groups, height, width]` and `bias` `[out]` of a convolution, `scale` and
/// `shift` `[channels]` of a batch norm.
pub type Load<'a> = &'a dyn Fn(usize) -> Result<Parameters>;
