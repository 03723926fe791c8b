//! Layers, classes and boxes in records.

use serde::{Deserialize, Serialize};

/// The explained layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerRecord {
    /// Name of the node.
    pub name: String,
    /// Position in the graph, from 0.
    pub index: usize,
    /// Its operation.
    pub op: String,
    /// Channels of its output.
    pub channels: usize,
    /// Height of its output.
    pub height: usize,
    /// Width of its output.
    pub width: usize,
    /// Tokens before those of the grid, such as a class token; only in records of layers whose cells are tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<usize>,
    /// Where the grid has 16 cells or fewer, the nearest earlier layer with more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finer: Option<String>,
    /// The last layers of other branches that the scores read, when `auto` took this one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,
    /// How it was chosen.
    pub reason: String,
    /// Other layers that `auto` considered, nearest first.
    pub alternatives: Vec<String>,
}

/// A class with its scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text.
    pub class_name: String,
    /// Probability, 0 to 1; `null` for a number.
    pub proba: Option<f64>,
    /// Logit; `null` for a number, and when the network gives probabilities without logits.
    pub logit: Option<f64>,
    /// The number, for a network that gives numbers, or the cosine of two embeddings; otherwise `null`.
    pub number: Option<f64>,
    /// Share of the network's pixels at which the class wins, 0 to 1; only in records of a segmentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl Prediction {
    /// A class with its name, and nothing known about it.
    #[must_use]
    pub fn new(target: usize, class_name: String) -> Self {
        Self { target, class_name, proba: None, logit: None, number: None, share: None }
    }
}

/// A box that a detector found, after suppression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionRecord {
    /// Its number, from 1: the surest first. `--target box:N` explains it.
    pub number: usize,
    /// Index of its class.
    pub target: usize,
    /// Its name, or its index as text.
    pub class_name: String,
    /// Its probability, 0 to 1.
    pub proba: f64,
    /// Left edge, in pixels of the upright picture, 0 at the outer edge of the first pixel; may be outside.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Bottom edge.
    pub bottom: f64,
}

/// The true class of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelRecord {
    /// Index of the class.
    pub target: usize,
    /// Its name, or its index as text.
    pub class_name: String,
}
