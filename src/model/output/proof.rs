//! What a graph may prove about its last node, and where the logits of its probabilities are.

use crate::card::OutputKind as Said;

/// What the last node provably gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Proof {
    Nothing,
    /// Values that are no logits: in a range from 0 to something other than 1, with a sum other than 1, or one value that is never
    /// negative or stays in another range.
    Bounded,
    /// Probabilities that sum to one.
    Softmax(Origin),
    /// Independent probabilities.
    Sigmoid(Origin),
    LogSoftmax(Origin),
    LogSigmoid(Origin),
}

/// The logits of probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Origin {
    /// No node has logits whose softmax or sigmoid they are.
    Unknown,
    Node(usize),
    /// One logit: the probabilities are its sigmoid and that of its negative. The order says which comes first.
    Sides {
        node: usize,
        own_first: bool,
    },
}

impl Proof {
    /// Whether the graph ends in an activation that gives probabilities or their logarithms.
    pub(super) fn is_activation(self) -> bool {
        !matches!(self, Self::Nothing | Self::Bounded)
    }

    /// Whether a card's statement means this.
    pub(super) fn agrees_with(self, said: Said) -> bool {
        match self {
            Self::Nothing | Self::Bounded => true,
            Self::Softmax(Origin::Sides { .. }) => {
                matches!(said, Said::Softmax | Said::Sigmoid | Said::Probabilities)
            }
            Self::Softmax(_) => matches!(said, Said::Softmax | Said::Probabilities),
            Self::Sigmoid(_) => matches!(said, Said::Sigmoid | Said::Probabilities),
            // Logarithms of probabilities are valid logits, and their softmax is the probabilities.
            Self::LogSoftmax(_) => matches!(said, Said::LogSoftmax | Said::Softmax | Said::Logits),
            Self::LogSigmoid(_) => said == Said::LogSigmoid,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Nothing | Self::Bounded => "no probability",
            Self::Softmax(_) => "probabilities that add up to 1",
            Self::Sigmoid(_) => "independent probabilities",
            Self::LogSoftmax(_) => "logarithms of probabilities that add up to 1",
            Self::LogSigmoid(_) => "logarithms of independent probabilities",
        }
    }
}
