//! What a class is compared with: its rivals, the margin to the greatest of them, and the contrast of Finer-CAM.
//!
//! Receives logits, one per target; gives scalars to differentiate. Which targets there are, and of which class, is left to
//! `reduction.rs`.

use burn::tensor::{Tensor, activation};

/// The classes that a target is compared with: all but its own. A detector's boxes are targets of a class, and no rivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rivals {
    /// The target's class.
    pub(super) own: usize,
    /// Number of classes, the target's own among them.
    pub(super) classes: usize,
}

impl Rivals {
    /// Their indices.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..self.classes).filter(move |class| *class != self.own)
    }
}

/// What distinguishes a class from others: the score of Finer-CAM.
#[derive(Debug, Clone, PartialEq)]
pub struct Contrast {
    /// The class `c`.
    pub class: usize,
    /// The classes `d` that it is compared with, at least one.
    pub rivals: Vec<usize>,
    /// Share of their logits that is subtracted, usually 0 to 1.
    pub strength: f64,
    /// Whether rivals are weighted by their probability, or equally.
    pub by_probability: bool,
}

impl Contrast {
    /// `z_c - strength * sum_d w_d z_d`, with equal weights `w`, or the rivals' shares of their total probability.
    pub(super) fn of(&self, logits: &Tensor<2>) -> Tensor<1> {
        let at = |tensor: &Tensor<2>, class: usize| tensor.clone().narrow(1, class, 1).sum();
        let own = at(logits, self.class);
        if !self.by_probability {
            let rivals = Tensor::cat(self.rivals.iter().map(|rival| at(logits, *rival)).collect(), 0);
            return own - rivals.mean().mul_scalar(self.strength);
        }
        let probabilities = activation::softmax(logits.clone(), 1);
        let weights: Vec<_> = self.rivals.iter().map(|rival| at(&probabilities, *rival)).collect();
        let differences: Vec<_> = self
            .rivals
            .iter()
            .map(|rival| own.clone() - at(logits, *rival).mul_scalar(self.strength))
            .collect();
        let weights = Tensor::cat(weights, 0);
        let weighted = (weights.clone() * Tensor::cat(differences, 0)).sum();
        // pytorch-grad-cam's constant, which keeps the quotient finite.
        weighted / weights.sum().add_scalar(1e-9)
    }
}

/// The logit of a target, less the greatest of its rivals, if there are any.
pub(super) fn margin(logits: Tensor<2>, class: usize, Rivals { own: except, classes }: Rivals) -> Tensor<1> {
    let own = logits.clone().narrow(1, class, 1).sum();
    let mut others = Vec::new();
    if except > 0 {
        others.push(logits.clone().narrow(1, 0, except));
    }
    if except + 1 < classes {
        others.push(logits.narrow(1, except + 1, classes - except - 1));
    }
    match others.is_empty() {
        true => own,
        false => own - Tensor::cat(others, 1).max_dim(1).sum(),
    }
}
