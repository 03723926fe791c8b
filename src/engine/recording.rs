//! A recorded pass through the head, to be run backward once.
//!
//! Receives the logits and leaves of a pass; gives gradients of a score at the leaves.

use burn::tensor::{Gradients, Tensor};

use super::reduction::Reduction;
use super::rivals::Contrast;
use super::score::Score;
use super::value::Value;
use super::{Evidence, Features};
use crate::error::{Error, Result};

/// One recorded pass through the head. It supports one backward pass.
#[derive(Debug)]
pub(super) struct Recording {
    /// `[batch, targets]`; at first each value of the output is a target.
    pub(super) logits: Tensor<2>,
    pub(super) leaves: Vec<Tensor<4>>,
    pub(super) activations: Vec<Tensor<4>>,
    /// How the targets were made of the output.
    pub(super) reduction: Reduction,
}

impl Recording {
    /// The same pass with the output reduced to one number per target, which are the classes of the other calls.
    ///
    /// # Errors
    /// When the reduction is of another output.
    pub(super) fn reduced(self, reduction: &Reduction) -> Result<Self> {
        let [_, values] = self.logits.dims();
        reduction.check(values)?;
        Ok(Self { logits: reduction.of(self.logits), reduction: reduction.clone(), ..self })
    }

    /// The logits, `[batch, classes]`.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub(super) fn logits(&self) -> Result<Vec<f32>> {
        Value::R2(self.logits.clone().inner()).to_vec()
    }

    /// Runs backward from one class score and gives each tap's evidence, in order.
    ///
    /// # Errors
    /// When `class` is out of range, or the logits do not depend on a tap.
    pub(super) fn evidence(self, score: &Score, class: usize) -> Result<Vec<Evidence>> {
        let scalar = self.scalar(score, class)?;
        self.backward(&scalar)
    }

    /// As [`Recording::evidence`], for the difference between a class and others.
    ///
    /// # Errors
    /// As [`Recording::evidence`].
    pub(super) fn contrast(self, contrast: &Contrast) -> Result<Vec<Evidence>> {
        Score::check_contrast(contrast, self.classes())?;
        let scalar = contrast.of(&self.logits);
        self.backward(&scalar)
    }

    /// The gradient of one class score with respect to the first leaf, `[batch, channels, height, width]`, for every
    /// picture from its own score.
    ///
    /// # Errors
    /// As [`Recording::evidence`].
    pub(super) fn gradient(self, score: &Score, class: usize) -> Result<Vec<f32>> {
        let scalar = self.scalar(score, class)?;
        let gradients = gradients(&scalar)?;
        let (Some(leaf), Some(plain)) = (self.leaves.first(), self.activations.first()) else {
            return Err(Error::internal("nothing was recorded"));
        };
        Value::R4(leaf.grad(&gradients).unwrap_or_else(|| plain.zeros_like())).to_vec()
    }

    fn scalar(&self, score: &Score, class: usize) -> Result<Tensor<1>> {
        let targets = self.classes();
        score.check(class, targets)?;
        Ok(score.of(self.logits.clone(), class, self.reduction.rivals(class, targets)))
    }

    fn classes(&self) -> usize {
        let [_, classes] = self.logits.dims();
        classes
    }

    fn backward(self, scalar: &Tensor<1>) -> Result<Vec<Evidence>> {
        let gradients = gradients(scalar)?;
        let pairs = self.leaves.iter().zip(self.activations);
        pairs
            .map(|(leaf, activations)| {
                // A leaf without a gradient does not affect the score.
                let gradient = leaf.grad(&gradients).unwrap_or_else(|| activations.zeros_like());
                Ok(Evidence { activations: features(activations)?, gradients: features(gradient)? })
            })
            .collect()
    }
}

fn gradients(scalar: &Tensor<1>) -> Result<Gradients> {
    // Burn panics when asked to run backward from what was not recorded.
    if !scalar.is_tracked() {
        return Err(Error::internal("the class score does not depend on the layer"));
    }
    Ok(scalar.backward())
}

pub(super) fn features(tensor: Tensor<4>) -> Result<Features> {
    let [_, channels, height, width] = tensor.dims();
    Ok(Features { channels, height, width, values: Value::R4(tensor).to_vec()? })
}
