//! The meaning of a network's outputs, as models give it.

use std::fmt;

use crate::card::{OutputKind, Task};
use crate::error::Phrase;

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
}

/// The meaning of a network's outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// The network's task.
    pub task: Task,
    /// What the graph's last node gives.
    pub gives: OutputKind,
    /// How scores become probabilities.
    pub activation: FinalActivation,
    /// What was assumed because neither card nor graph determines it, as a sentence; `None` when nothing was.
    pub assumed: Option<Phrase>,
}

impl OutputSpec {
    /// Whether the scores are logits.
    #[must_use]
    pub fn has_logits(&self) -> bool {
        matches!(self.activation, FinalActivation::Softmax | FinalActivation::Sigmoid)
    }

    /// Whether the network gives values instead of probabilities.
    #[must_use]
    pub fn is_regression(&self) -> bool {
        self.activation == FinalActivation::None
    }
}

impl fmt::Display for OutputSpec {
    /// For example `multi-label: gives logits, probabilities are the sigmoid of each`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gives = match self.gives {
            OutputKind::Numbers => "numbers",
            OutputKind::Softmax | OutputKind::Sigmoid | OutputKind::Probabilities => "probabilities",
            other => other.name(),
        };
        let proba = match (self.activation, self.task) {
            (FinalActivation::Softmax, _) => "probabilities are the softmax of the logits",
            (FinalActivation::Sigmoid, Task::Binary) => "the probability is the sigmoid of the logit",
            (FinalActivation::Sigmoid, _) => "probabilities are the sigmoid of each logit",
            (FinalActivation::Identity, _) => "which are shown and explained as they are",
            (FinalActivation::None, _) => "without probabilities",
        };
        write!(f, "{}: gives {gives}, {proba}", self.task.name())
    }
}
