//! What is asked of an import, and what it gives.

use std::path::PathBuf;

use super::diagnosis::Diagnosis;
use super::head::HeadRequest;
use super::preprocess::PreprocessRequest;
use crate::card::{Card, OutputKind, Preprocess, Task};
use crate::error::Phrase;
use crate::pack::StoredTensor;

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The file with the weights.
    pub source: PathBuf,
    /// Name of the architecture, one of [`arch::names`](crate::arch::names), or `auto`, as with none, for the one whose tensors the file has;
    /// excludes [`ImportRequest::card`].
    pub arch: Option<String>,
    /// What the head of an architecture is, where it is not the published one. Default: what the weights show.
    pub head: Option<HeadRequest>,
    /// Parts of tensors' names to replace, `head` by `fc`, wherever they stand between dots.
    pub rename: Vec<(String, String)>,
    /// A card whose graph names the tensors of the file, in Burn's convention; excludes [`ImportRequest::arch`]. It
    /// supplies the defaults of the fields below.
    pub card: Option<Card>,
    /// Number of classes of an architecture. Default: from the last layer's weights.
    pub num_classes: Option<usize>,
    /// Class names by class index. Empty: classes are called by their index.
    pub classes: Vec<String>,
    /// The model's name. Default: the architecture's.
    pub name: Option<String>,
    /// Whether to store weights as `f16` instead of `f32`.
    pub half: bool,
    /// The key of the weights in the file, for example `state_dict`. Default: found by the tensors' names.
    pub key: Option<String>,
    /// Height and width of the input, for an architecture or when an ONNX or Keras file leaves them open. Default: from
    /// `adjust`, else the usual ones.
    pub input: Option<[usize; 2]>,
    /// The preprocessing. Default: that of the architecture's published weights.
    pub preprocess: Option<Preprocess>,
    /// Changes to the preprocessing; excludes `preprocess`.
    pub adjust: PreprocessRequest,
    /// Values of inputs other than the picture, for an ONNX file with several: they become constants of the network.
    pub inputs: Vec<KnownInput>,
    /// Name of the output to explain, for a file with several. Default: the first that holds class scores. Any tensor inside
    /// an ONNX graph may be named, or a node for the tensor that it gives; of a Keras model any layer.
    pub output_name: Option<String>,
    /// The network's task. Together with [`ImportRequest::output`] it replaces both fields of the card. Default: what
    /// the graph proves, else the usual task for this number of outputs.
    pub task: Option<Task>,
    /// The kind of the outputs. Default: what the graph proves, else logits.
    pub output: Option<OutputKind>,
    /// Whether the file may have tensors that the network does not need. Default: no, because they usually belong to
    /// another network.
    pub allow_unused: bool,
    /// Licence of the weights, for the card.
    pub license: Option<String>,
    /// A note for the card.
    pub note: Option<String>,
}

/// An input that is the same for every picture.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownInput {
    /// Its name in the file.
    pub name: String,
    /// Length of each axis; that of the pictures is 1.
    pub shape: Vec<usize>,
    /// Row-major, the last axis fastest.
    pub values: Vec<f32>,
}

/// A model ready to be written.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The card, with the whole graph.
    pub card: Card,
    /// The weights in graph order, in Burn's names and layouts, as `f32` or `f16`.
    pub tensors: Vec<StoredTensor>,
    /// Warnings for the caller, one sentence each.
    pub warnings: Vec<String>,
    /// Assumptions about what the file does not state, one sentence each.
    pub assumptions: Vec<Phrase>,
    /// How the file's tensors fit, with the file's own names and layouts.
    pub diagnosis: Diagnosis,
}
