//! The weights between a layer and the logits, for heads that consist of an average and one linear layer.

use super::Network;
use super::operands;
use super::tap::Tap;
use super::value::Value;
use crate::card::{Op, Statistic};
use crate::error::{Error, Result};
use burncam_graph::layout::Form;

impl Network {
    /// The weight of every channel of a tapped layer (its index among the taps) for a class, `[channels]`.
    ///
    /// `None` unless the head is an average over all positions followed by one linear layer or one 1x1 convolution,
    /// with only reshapes between them.
    ///
    /// # Errors
    /// When the weights cannot be read from the device.
    pub fn classifier_weights(&self, tap: usize, class: usize) -> Result<Option<Vec<f32>>> {
        let Tap { id: cut, grid } = *self.tap(tap)?;
        // An average over all tokens would count those that are no cells.
        if matches!(grid.form, Form::Tokens { prefix: 1.. }) {
            return Ok(None);
        }
        let mut at = cut;
        let mut pooled = false;
        let mut weights = None;
        for step in self.steps.iter().filter(|step| step.output() > cut) {
            // A second input, or a branch that leaves the chain: then the logits are no weighted sum of averages.
            if step.node.inputs != [at] {
                return Ok(None);
            }
            at = step.output();
            match &step.node.op {
                // Means of whole maps take the last two axes.
                op if op.of_whole_maps() == Some(Statistic::Mean) && grid.form == Form::ChannelsFirst => {
                    pooled = true;
                }
                Op::ReduceMean { axes, .. } if axes == grid.axes() => pooled = true,
                Op::Flatten { .. }
                | Op::Reshape { .. }
                | Op::Squeeze { .. }
                | Op::Dropout {}
                | Op::Identity {} => {}
                Op::Linear {} if pooled && weights.is_none() => {
                    weights = Some(column(operands::param(step.params()?, "weight")?, class)?);
                }
                // Before or after the average, which is linear, too.
                Op::Conv2d { groups: 1, stride: [1, 1], .. } if weights.is_none() => {
                    weights = row_of_1x1(operands::param(step.params()?, "weight")?, class)?;
                }
                _ => return Ok(None),
            }
        }
        Ok(weights.filter(|_| pooled && at == self.steps.logits))
    }
}

/// Column `class` of a linear layer's weight `[in, out]`.
fn column(weight: &Value, class: usize) -> Result<Vec<f32>> {
    match weight {
        Value::R2(weight) => Value::R2(weight.clone().narrow(1, class, 1)).to_vec(),
        _ => Err(Error::internal("a linear layer's weight is not of rank 2")),
    }
}

/// Row `class` of a convolution's weight `[out, in, 1, 1]`.
fn row_of_1x1(weight: &Value, class: usize) -> Result<Option<Vec<f32>>> {
    let shape = weight.shape();
    if shape[2..] != [1, 1] {
        return Ok(None);
    }
    Ok(weight.to_vec()?.chunks(shape[1]).nth(class).map(<[f32]>::to_vec))
}
