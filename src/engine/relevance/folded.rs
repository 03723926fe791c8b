//! Batch norms as part of the linear layer before them.
//!
//! Receives the steps of a network; gives a linear layer's parameters with the norm behind it folded in. A norm is no layer of its own
//! for relevance: its shift is a bias. `fold` does the same when a network is loaded, except for layers that are explained and for
//! linear layers.

use crate::card::{Class, Op, ValueId, Values};
use crate::error::Result;
use crate::operands::{Params, merged};
use crate::step::Step;
use crate::steps::Steps;
use crate::value::Value;

/// For each step that is a linear layer with a batch norm as its only reader: that norm.
pub(super) struct Norms<'a> {
    pairs: Vec<(ValueId, &'a Step)>,
}

impl<'a> Norms<'a> {
    pub(super) fn of(steps: &'a Steps) -> Self {
        let mut readers = Values::filled(0, steps.logits);
        steps.iter().flat_map(|step| &step.node.inputs).for_each(|id| readers[*id] += 1);
        let norms = steps.iter().filter(|step| matches!(step.node.op, Op::BatchNorm { .. }));
        let pair = |norm: &'a Step| {
            let id = *norm.node.inputs.first()?;
            let layer = steps.giving(id)?;
            (out_axis(&layer.node.op).is_some() && readers[id] == 1).then_some((id, norm))
        };
        Self { pairs: norms.filter_map(pair).collect() }
    }

    fn behind(&self, step: &Step) -> Option<&'a Step> {
        self.pairs.iter().find(|(id, _)| *id == step.output()).map(|(_, norm)| *norm)
    }

    /// The tensor that the layer gives with its norm.
    pub(super) fn after(&self, step: &Step) -> ValueId {
        self.behind(step).map_or(step.output(), Step::output)
    }

    /// The parameters of the layer that reads `x`, with its norm: `scale (W x + b) + shift`.
    pub(super) fn folded(&self, step: &Step, x: &Value) -> Result<Params> {
        let params = step.params_for(std::slice::from_ref(x))?.into_owned();
        let (Some(norm), Some(axis)) = (self.behind(step), out_axis(&step.node.op)) else {
            return Ok(params);
        };
        let of_norm = norm.params_for(std::slice::from_ref(x))?;
        merged(params, axis, [of_norm["scale"].clone(), of_norm["shift"].clone()])
    }
}

/// The axis of a layer's weights that are its output's channels, if a norm folds into it.
fn out_axis(op: &Op) -> Option<usize> {
    match (op.class(), op) {
        (Class::Linear, Op::Linear {}) => Some(1),
        // Of groups, the axis counts the channels of one.
        (Class::Linear, Op::ConvTranspose2d { groups, .. }) => (*groups == 1).then_some(1),
        (Class::Linear, _) => Some(0),
        _ => None,
    }
}
