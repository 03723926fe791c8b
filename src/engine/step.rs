//! One operation ready to run. Its parameters are copied to the device on first use.
//!
//! Receives a node of the graph, perhaps with the batch norm behind it, and the source of its parameters. Parameters of operations
//! on native kernels are never copied, because that would store the weights twice.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::operands::Params;
use super::parameters::{self, Floats};
use super::value::Value;
use crate::card::{Node, ValueId};
use crate::error::{Error, Result};
use crate::model::Weights;

/// One operation of a network.
#[derive(Debug)]
pub(crate) struct Step {
    /// The node that it computes.
    pub(crate) node: Node,
    /// The batch norm folded into it, behind it in the graph.
    norm: Option<Node>,
    /// Position in the graph of the node whose tensor it gives: of the norm, where one is folded in.
    pub(crate) position: usize,
    source: Source,
    params: OnceLock<Params>,
}

/// Where parameters come from and go to.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) weights: Arc<Weights>,
    pub(super) device: Device,
}

impl Step {
    pub(super) fn new(node: Node, norm: Option<Node>, position: usize, source: &Source) -> Self {
        Self { node, norm, position, source: source.clone(), params: OnceLock::new() }
    }

    /// The tensor that it gives.
    pub(crate) fn output(&self) -> ValueId {
        ValueId::of_node(self.position)
    }

    /// The parameters on the device.
    ///
    /// # Errors
    /// When they cannot be read or are not finite.
    pub(super) fn params(&self) -> Result<&Params> {
        if let Some(params) = self.params.get() {
            return Ok(params);
        }
        let value = |(role, (values, shape)): (String, (Vec<f32>, Vec<usize>))| {
            Ok((role, Value::new(values, &shape, &self.source.device)?))
        };
        let params = self.floats()?.into_iter().map(value).collect::<Result<Params>>()?;
        let _ = self.params.set(params);
        self.params.get().ok_or_else(|| Error::internal("a parameter was not kept"))
    }

    /// The parameters as plain arrays, with a folded batch norm. Those of a batch norm itself are `scale` and
    /// `shift`.
    ///
    /// # Errors
    /// As [`Step::params`].
    pub(super) fn floats(&self) -> Result<Floats> {
        let Source { weights, .. } = &self.source;
        match &self.norm {
            Some(norm) => parameters::folded(&self.node, norm, weights),
            None => parameters::of(&self.node, weights),
        }
    }
}
