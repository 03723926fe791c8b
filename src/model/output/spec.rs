//! The meaning of a network's outputs, as models give it.

use std::fmt;
use std::ops::Range;

use super::activation::FinalActivation;
use super::detector::{Anchors, Boxes};
use crate::card::{OutputKind, Task};
use crate::error::{Phrase, Problem};

/// The axes of a network's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputForm {
    /// `[batch, classes]`, a score per class.
    List,
    /// `[batch, classes, height, width]`, a score per class and pixel.
    Pixels {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// `[batch, rows, anchors]`, for each anchor a box, then its classes.
    Anchors(Anchors),
    /// `[batch, values]`, an embedding.
    Vector {
        /// Number of values.
        values: usize,
    },
}

impl OutputForm {
    /// Where the scores of classes are among the `values` explained numbers of a picture: all of them, but for a detector's boxes
    /// and objectness.
    fn of_classes(self, values: usize) -> Range<usize> {
        match self {
            Self::Anchors(form) => (form.first() * form.anchors).min(values)..values,
            _ => 0..values,
        }
    }

    /// Whether a number of the network's own output, by its index, is of a class, and not of a detector's boxes.
    #[must_use]
    pub fn is_class_of_output(self, at: usize) -> bool {
        match self {
            Self::Anchors(form) => form.is_class_of_output(at),
            _ => true,
        }
    }

    /// Refuses boxes where the graph gives none.
    ///
    /// # Errors
    /// For regressions from anchors that the graph does not have.
    pub fn check_boxes(self) -> Result<(), Problem> {
        match self {
            Self::Anchors(Anchors { boxes: Boxes::Unknown, .. }) => {
                Err(Problem::new("a box is to be explained, but the graph gives no boxes")
                    .hint("name a class"))
            }
            _ => Ok(()),
        }
    }

    /// The class of one of the scores, by its index among the explained numbers.
    #[must_use]
    pub fn class_of(self, at: usize) -> usize {
        match self {
            Self::Pixels { height, width } => at / (height * width).max(1),
            Self::Anchors(form) => (at / form.anchors.max(1)).saturating_sub(form.first()),
            Self::List | Self::Vector { .. } => at,
        }
    }

    /// Index of the greatest score of a class, the first of equals; `None` where there is none.
    #[must_use]
    pub fn most_probable(self, scores: &[f32]) -> Option<usize> {
        let better = |best: usize, at: usize| if scores[at] > scores[best] { at } else { best };
        self.of_classes(scores.len()).reduce(better)
    }
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
    /// The axes of the scores.
    pub form: OutputForm,
    /// What was assumed because neither card nor graph determines it, as a sentence; `None` when nothing was.
    pub assumed: Option<Phrase>,
}

impl OutputSpec {
    /// Whether the scores are logits.
    #[must_use]
    pub fn has_logits(&self) -> bool {
        matches!(self.activation, FinalActivation::Softmax | FinalActivation::Sigmoid)
    }

    /// Whether targets have an order, from the most probable or the largest on.
    #[must_use]
    pub fn is_ranked(&self) -> bool {
        self.activation != FinalActivation::None && self.task != Task::Embedding
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
            (FinalActivation::Reduced, Task::Embedding) => "which are compared by their cosine",
            (FinalActivation::Reduced, _) => "which are summed over pixels",
            (FinalActivation::None, _) => "without probabilities",
        };
        write!(f, "{}: gives {gives}, {proba}", self.task.name())
    }
}
