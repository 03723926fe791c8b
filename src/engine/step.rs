//! One operation ready to run. Its parameters are copied to the device on first use.
//!
//! Receives a node of the graph, perhaps with the batch norm behind it, and the source of its parameters. Parameters of operations
//! on native kernels are never copied, because that would store the weights twice.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::operands::{Params, merged};
use super::parameters::{self, Floats};
use super::value::Value;
use crate::card::{Node, Op, ValueId};
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
        self.load(&self.source.weights)
    }

    /// The weights of the file, which is verified before any of them is given.
    pub(super) fn weights(&self) -> &Weights {
        &self.source.weights
    }

    /// As [`Step::params`], read from these weights of the same file.
    ///
    /// # Errors
    /// As [`Step::params`].
    pub(super) fn load(&self, weights: &Weights) -> Result<&Params> {
        if let Some(params) = self.params.get() {
            return Ok(params);
        }
        let value = |(role, (values, shape)): (String, (Vec<f32>, Vec<usize>))| {
            Ok((role, Value::new(values, &shape, &self.source.device)?))
        };
        let params = self.floats(weights)?.into_iter().map(value).collect::<Result<Params>>()?;
        let _ = self.params.set(params);
        self.params.get().ok_or_else(|| Error::internal("a parameter was not kept"))
    }

    /// The parameters in the precision of the step's inputs, which Burn does not mix. Those in double precision are not kept, because
    /// few passes need them.
    ///
    /// # Errors
    /// As [`Step::params`].
    pub(super) fn params_for(&self, inputs: &[Value]) -> Result<Cow<'_, Params>> {
        let params = self.params()?;
        let differs = |x: &Value| params.values().any(|value| value.precision() != x.precision());
        match inputs.first() {
            Some(x) if differs(x) => self.precise_params().map(Cow::Owned),
            _ => Ok(Cow::Borrowed(params)),
        }
    }

    fn precise_params(&self) -> Result<Params> {
        let Source { weights, device } = &self.source;
        let is_norm = matches!(self.node.op, Op::BatchNorm { .. });
        let of_norm = |norm: &Node| -> Result<[Value; 2]> {
            let (scale, shift) = parameters::scale_and_shift(norm, weights)?;
            let [scale, shift] = [scale, shift].map(|values| Value::of_channels(values, device));
            Ok([scale, shift])
        };
        if is_norm {
            let pairs = ["scale", "shift"].map(str::to_owned).into_iter().zip(of_norm(&self.node)?);
            return Ok(pairs.collect());
        }
        let precise = |(role, (values, shape)): (String, (Vec<f32>, Vec<usize>))| {
            Ok((role, Value::new(values, &shape, device)?.precise()))
        };
        let params =
            parameters::of(&self.node, weights)?.into_iter().map(precise).collect::<Result<Params>>()?;
        match &self.norm {
            // Only behind convolutions, whose first axis is that of output channels.
            Some(norm) => merged(params, 0, of_norm(norm)?),
            None => Ok(params),
        }
    }

    /// What the operation adds to each channel for any input, where it has such a parameter: the bias of a convolution or linear layer, the
    /// shift of a norm. Batch norm's is `beta - running_mean gamma / sqrt(running_var + epsilon)`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn bias(&self) -> Result<Option<Vec<f32>>> {
        let stored = |role: &str| {
            let name = self.node.params.get(role);
            name.map(|name| self.source.weights.floats(name).map(|(values, _)| values)).transpose()
        };
        match (&self.norm, &self.node.op) {
            // Folded: the weights are read as well.
            (Some(_), _) => Ok(self.floats(&self.source.weights)?.remove("bias").map(|(values, _)| values)),
            (None, Op::BatchNorm { .. }) => {
                Ok(self.floats(&self.source.weights)?.remove("shift").map(|(values, _)| values))
            }
            (None, Op::LayerNorm { .. } | Op::GroupNorm { .. }) => stored("beta"),
            (None, _) => stored("bias"),
        }
    }

    /// The parameters as plain arrays, with a folded batch norm. Those of a batch norm itself are `scale` and
    /// `shift`.
    ///
    /// # Errors
    /// As [`Step::params`].
    pub(super) fn floats(&self, weights: &Weights) -> Result<Floats> {
        match &self.norm {
            Some(norm) => parameters::folded(&self.node, norm, weights),
            None => parameters::of(&self.node, weights),
        }
    }
}
