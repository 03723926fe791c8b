//! How scores become probabilities.
//!
//! Receives nothing; gives the kinds, and the probability of a score that needs no other. Softmax is left to those who have all scores.

/// How the explained scores become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalActivation {
    /// The scores are logits, and probabilities are their softmax.
    Softmax,
    /// The scores are logits, and each class's probability is the sigmoid of its logit.
    Sigmoid,
    /// The scores are the network's own probabilities; it has no logits.
    Identity,
    /// The scores are values without probabilities.
    None,
    /// The score of a target is a number made of many values, without a probability: a sum over pixels, or a cosine.
    Reduced,
}

impl FinalActivation {
    /// The probability of one score by itself; `None` where it depends on others, or there is none.
    #[must_use]
    pub fn of_one(self, score: f32) -> Option<f64> {
        match self {
            Self::Sigmoid => Some(1.0 / (1.0 + (-f64::from(score)).exp())),
            // Sums of 32-bit floats may exceed the range of probabilities in the last digit.
            Self::Identity => Some(f64::from(score).clamp(0.0, 1.0)),
            Self::Softmax | Self::None | Self::Reduced => None,
        }
    }
}
