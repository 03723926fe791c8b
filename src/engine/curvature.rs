//! Second derivatives of a class score: exact Hessian-vector products.
//!
//! Receives a trunk, returns for every tap how the gradient there changes as its activations grow in proportion.
//! By Pearlmutter's method (Fast exact multiplication by the Hessian, Neural Computation 6, 1994): with the direction `v`
//! held constant, `H v` is the gradient of the score's rate of change along `v`. The rate comes from `tangent`, its
//! gradient from Burn's autodiff.

use burn::tensor::Tensor;

use super::recording::features;
use super::reduction::Reduction;
use super::score::Score;
use super::tangent::{self, Dual};
use super::value::{Value, map_tensor};
use super::{Features, Network, Trunk};
use crate::card::Op;
use crate::error::{Error, Result};

impl Network {
    /// `H A` for every tap, in order: the Hessian of the class score with respect to the tap's activations `A`, times
    /// `A`.
    ///
    /// Zero when everything after the tap is piecewise linear and the score is a logit. As in other automatic
    /// differentiation, kinks have a second derivative of zero.
    ///
    /// # Errors
    /// When `class` is out of range, the reduction is of another output, or the trunk is not this network's.
    pub fn curvature(
        &self,
        trunk: &Trunk,
        reduction: &Reduction,
        score: &Score,
        class: usize,
    ) -> Result<Vec<Features>> {
        let at = |tap| self.curvature_at(&self.trunk_to(trunk, tap)?, reduction, *score, class);
        (0..self.taps.len()).map(|tap| at(tap).and_then(features)).collect()
    }

    /// `H A` for the layer at which `trunk` ends.
    fn curvature_at(
        &self,
        trunk: &Trunk,
        reduction: &Reduction,
        score: Score,
        class: usize,
    ) -> Result<Tensor<4>> {
        let cut = trunk.cut();
        let mut slots = trunk.slots().map(|slot| slot.clone().map(Dual::constant));
        let value = slots[cut].take().ok_or_else(|| Error::internal("the trunk is empty"))?.value;
        let cells = self.tap_at(cut)?.cells(value.clone())?;
        let activations = cells.map.clone();
        let leaf = activations.clone().autodiff().require_grad();
        // All of the layer grows, also tokens that are no cells. The direction is held constant: a plain tensor, and not the leaf.
        slots[cut] = Some(Dual { value: cells.with(leaf.clone())?, rate: Some(value) });
        for at in self.steps.first_after(cut)..self.steps.len() {
            let (step, inputs) = (&self.steps[at], self.steps.gather(&mut slots, at)?);
            // Values and rates together, in one pass.
            slots[step.output()] = Some(tangent::apply(&step.node.op, step.params()?, &inputs)?);
        }
        let logits =
            slots[self.steps.logits].take().ok_or_else(|| Error::internal("the head gave no logits"))?;
        // A derivative that does not depend on the activations is that of a linear function: its gradient is zero.
        let Some(rate) = rate_of(reduction, score, logits, class)?.filter(Tensor::is_tracked) else {
            return Ok(activations.zeros_like());
        };
        let gradients = rate.backward();
        Ok(leaf.grad(&gradients).unwrap_or_else(|| activations.zeros_like()))
    }
}

/// The derivative of the score, summed over the pictures of a batch; `None` when the logits do not change.
fn rate_of(reduction: &Reduction, score: Score, logits: Dual, class: usize) -> Result<Option<Tensor<1>>> {
    let Some(flat) = reduced(reduction, logits)? else { return Ok(None) };
    let shape = flat.value.shape();
    let [batch, classes] = [shape[0], shape[1]];
    score.check(class, classes)?;
    let rivals = reduction.rivals(class, classes);
    let through = |op: Op| -> Result<Tensor<2>> {
        match tangent::apply(&op, &Default::default(), std::slice::from_ref(&flat))?.rate {
            Some(Value::R2(rate)) => Ok(rate),
            _ => Err(Error::internal("the logits have no rate")),
        }
    };
    let at = |rates: Tensor<2>| rates.narrow(1, class, 1).sum();
    let logit = || through(Op::Identity {}).map(at);
    Ok(Some(match score {
        Score::Logit | Score::Own | Score::Number | Score::Cosine | Score::Difference(_) => logit()?,
        Score::Against(rival) => logit()? - through(Op::Identity {})?.narrow(1, rival, 1).sum(),
        Score::LogOwn => at(through(Op::Log {})?),
        Score::Prob => at(through(Op::Softmax { axis: 1 })?),
        Score::LogProb => at(through(Op::LogSoftmax { axis: 1 })?),
        Score::Sigmoid => at(through(Op::Sigmoid {})?),
        Score::LogSigmoid => at(through(Op::LogSigmoid {})?),
        Score::Rest => logit()? + at(through(Op::LogSoftmax { axis: 1 })?),
        Score::RestSigmoid => logit()? + at(through(Op::LogSigmoid {})?),
        Score::Margin if rivals.classes == 1 => logit()?,
        Score::Margin => {
            let Value::R2(values) = map_tensor!(flat.value.clone(), t => t.inner()) else {
                return Err(Error::internal("the logits are not of rank 2"));
            };
            let others = values.narrow(1, 0, rivals.classes);
            let others = others.slice_fill([0..batch, rivals.own..rivals.own + 1], f32::NEG_INFINITY);
            logit()? - through(Op::Identity {})?.gather(1, others.argmax(1)).sum()
        }
    }))
}

/// The output as one number per target, `[batch, targets]`, with the rate of each; `None` when it does not change.
fn reduced(reduction: &Reduction, output: Dual) -> Result<Option<Dual>> {
    let Some(rate) = output.rate else { return Ok(None) };
    let shape = output.value.shape();
    let flat = [shape[0], shape[1..].iter().product()];
    reduction.check(flat[1])?;
    match (output.value.reshape(&flat)?, rate.reshape(&flat)?) {
        (Value::R2(value), Value::R2(rate)) => {
            let rate = Some(reduction.rate(value.clone(), rate).into());
            Ok(Some(Dual { value: reduction.of(value).into(), rate }))
        }
        _ => Err(Error::internal("the logits are not of rank 2")),
    }
}
