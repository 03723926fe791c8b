//! One operation ready to run. Its parameters are copied to the device on first use.
//!
//! Parameters of operations on native kernels are never copied, because that would store the weights twice.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::fold;
use super::ops::Params;
use super::value::Value;
use crate::card::{Node, Op};
use crate::error::{Error, Result};
use crate::model::Weights;

/// Values by role, each with its shape.
pub(super) type Floats = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

/// One operation of a network.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    /// Input slots; slot 0 is the network's input, slot `i + 1` the output of node `i`.
    pub(crate) inputs: Vec<usize>,
    /// Output slot.
    pub(crate) output: usize,
    source: Source,
    params: OnceLock<Params>,
}

/// The source of a step's parameters.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) node: Node,
    /// The batch norm folded into it.
    pub(super) norm: Option<Node>,
    pub(super) weights: Arc<Weights>,
    pub(super) device: Device,
}

impl Step {
    pub(super) fn new(inputs: Vec<usize>, output: usize, source: Source) -> Self {
        Self { op: source.node.op.clone(), inputs, output, source, params: OnceLock::new() }
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
        let Source { node, norm, weights, .. } = &self.source;
        match norm {
            Some(norm) => fold::folded_floats(node, norm, weights),
            None => fold::floats_of(node, weights),
        }
    }

    /// The stored tensor of a role, to find its shape without reading it.
    pub(super) fn tensor(&self, role: &str) -> Option<&str> {
        self.source.node.params.get(role).map(String::as_str)
    }
}
