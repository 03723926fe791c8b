//! The model card: JSON text that describes the network of a weights file.
//!
//! Receives JSON, gives validated plain data. The card says which graph to run, how a picture becomes its input, what
//! its output means and what the classes are called. It is strict: an unknown field is an error that names the
//! field's path. This room uses serde and knows no tensors or files; [`crate::model`] checks the graph's shapes
//! against the weights.

mod class;
pub mod functions;
mod graph;
mod limits;
mod ops;
mod preprocess;
mod resize;
mod settings;
mod signature;
mod value;
mod wire;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem, Subject, by_name};

pub use class::{Class, Combination, Statistic};
pub use functions::{Function, PointwiseKernel};
pub use functions::{SELU_CONSTANTS, from_onnx, is_onnx_function};
pub use graph::{Graph, InputSpec, Layout, Node};
pub use ops::Op;
pub use preprocess::{ColorOrder, Crop, Filter, Preprocess, Resize};
pub(crate) use resize::CUBIC_A;
pub use resize::{Coordinates, ResizeMapping, ResizeMode, Rounding};
pub use settings::PadMode;
pub use value::{ValueId, Values};

/// The newest card version that this build reads and the one it writes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything about a network except its weights.
///
/// `G` is the graph. While JSON is read it is one whose names have not been looked up yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
// serde would ask for `G: Default` on account of the field's default, which is `None`.
#[serde(deny_unknown_fields, bound(deserialize = "G: Deserialize<'de>"))]
pub struct Card<G = Graph> {
    /// Version of this format; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The name that records show.
    pub name: String,
    /// A built-in architecture, for example `resnet18`; excludes [`Card::graph`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Number of classes, for a graph built from [`Card::arch`]. Default: the number of [`Card::classes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_classes: Option<usize>,
    /// The graph itself; excludes [`Card::arch`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<G>,
    /// The preprocessing of pictures.
    pub preprocess: Preprocess,
    /// The network's task. Default: what the graph proves, else the usual task for this number of outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The kind of the network's outputs. Default: what the graph proves, else logits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputKind>,
    /// Class names by class index. Empty: classes are called by their index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The origin of the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// What a network predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One class of several: `[batch, classes]`, probabilities that sum to one.
    Classification,
    /// Any number of labels: `[batch, labels]`, an independent probability for each.
    MultiLabel,
    /// Yes or no: one output, the probability of yes.
    Binary,
    /// Values that are not class scores, as in regression: `[batch, values]`, without probabilities.
    Numbers,
    /// A class for every pixel: `[batch, classes, height, width]`.
    Segmentation,
    /// Boxes with classes: `[batch, 4 + classes, anchors]` or `[batch, anchors, 4 + classes]`, with or without objectness.
    Detection,
    /// A vector to compare with other pictures': `[batch, values]`.
    Embedding,
}

/// The kind of a network's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// Unnormalised scores.
    Logits,
    /// Probabilities that sum to one. For a graph that ends in logits: take their softmax.
    Softmax,
    /// One independent probability per class. For a graph that ends in logits: take their sigmoid.
    Sigmoid,
    /// Logarithms of probabilities that sum to one.
    LogSoftmax,
    /// Logarithms of independent probabilities.
    LogSigmoid,
    /// Probabilities used as they are, even if the graph does not prove it.
    Probabilities,
    /// Values without probabilities.
    #[serde(rename = "none")]
    Numbers,
}

/// Provenance of the weights. Free text, shown by `burncam info` and never interpreted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name of the file that was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of that file, in lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Licence of the weights, as an SPDX expression where one fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Any other remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Task {
    /// All tasks with their names in cards and options.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("classification", Self::Classification),
        ("multi-label", Self::MultiLabel),
        ("binary", Self::Binary),
        ("numbers", Self::Numbers),
        ("segmentation", Self::Segmentation),
        ("detection", Self::Detection),
        ("embedding", Self::Embedding),
    ];

    /// The name in cards and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(self, Self::NAMES)
    }
}

impl OutputKind {
    /// All kinds with their names in cards and options.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("logits", Self::Logits),
        ("softmax", Self::Softmax),
        ("sigmoid", Self::Sigmoid),
        ("log-softmax", Self::LogSoftmax),
        ("log-sigmoid", Self::LogSigmoid),
        ("probabilities", Self::Probabilities),
        ("none", Self::Numbers),
    ];

    /// The name in cards and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(self, Self::NAMES)
    }
}

fn name_of<T: Copy + PartialEq>(value: T, names: &[(&'static str, T)]) -> &'static str {
    names.iter().find(|(_, named)| *named == value).map_or("", |(name, _)| name)
}

impl FromStr for Task {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        by_name("task", text, Self::NAMES.iter().copied())
    }
}

impl FromStr for OutputKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        by_name("output", text, Self::NAMES.iter().copied())
    }
}

fn of_card(problem: impl Into<Problem>) -> Problem {
    problem.into().about(Subject::Card)
}

impl Card {
    /// Reads a card from JSON text and checks what does not need the weights.
    ///
    /// # Errors
    /// With the field's path, for example `graph.nodes[3]: unknown field 'strid', expected one of ...`.
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        let mut json = serde_json::Deserializer::from_str(text);
        let card: Card<wire::Graph> = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let problem = Problem::new(error.into_inner().to_string().replace('`', "'"));
            if path == "." { problem.about(Subject::Card) } else { problem.about_field(path) }
        })?;
        // Text after the card would otherwise be ignored.
        json.end().map_err(|error| of_card(error.to_string()))?;
        card.resolve()
    }

    /// The card as indented JSON with a final newline.
    ///
    /// # Errors
    /// When the result could not be read again, for example because a value is not finite.
    pub fn to_json(&self) -> Result<String, Problem> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| of_card(error.to_string()))?;
        text.push('\n');
        // JSON has no infinity, and serde silently writes `null` for it: reading the text back finds that.
        Self::from_json(&text).map(|_| text)
    }

    /// Checks the rules for every card, whether read from JSON or built in memory.
    pub fn check(&self) -> Result<(), Problem> {
        self.check_version_and_form()?;
        self.graph.as_ref().map_or(Ok(()), Graph::check)?;
        self.preprocess.check()
    }
}

impl<G> Card<G> {
    fn check_version_and_form(&self) -> Result<(), Problem> {
        if self.schema_version != SCHEMA_VERSION {
            return Err(Problem::expected_but(SCHEMA_VERSION.to_string(), self.schema_version.to_string())
                .about_field("schema_version")
                .hint("a newer burncam may read it"));
        }
        match (&self.arch, &self.graph) {
            (Some(_), Some(_)) => Err(of_card("has both 'arch' and 'graph'").expected("one of them")),
            (None, None) => Err(of_card("has neither 'arch' nor 'graph'").expected("one of them")),
            _ => Ok(()),
        }
    }
}

impl Card<wire::Graph> {
    /// The card with the names in its graph looked up, checked.
    fn resolve(self) -> Result<Card, Problem> {
        self.check_version_and_form()?;
        let Self {
            schema_version,
            name,
            arch,
            num_classes,
            graph,
            preprocess,
            task,
            output,
            classes,
            source,
        } = self;
        let graph = graph.map(wire::Graph::resolve).transpose()?;
        preprocess.check()?;
        Ok(Card { schema_version, name, arch, num_classes, graph, preprocess, task, output, classes, source })
    }
}

#[cfg(test)]
mod tests;
