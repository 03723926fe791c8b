//! A network to explain: its card, its graph with shapes, and its weights, which stay on disk.
//!
//! Receives a `.bpk` file (and optionally a card next to it), gives a [`Model`] whose graph is known to fit its
//! weights. [`crate::engine`] runs it. Opening reads no weights, so that `burncam layers` and `burncam info` only
//! read the header.

pub mod arch;
mod disconnected;
mod fits;
pub mod import;
mod layers;
mod output;
mod pack;
mod save;
pub mod temporary;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use burncam_graph::{
    axes, builder, card, cost, digest, error, layout, lengths, memory, passes, resize, shapes,
};
pub use cost::Cost;
pub use layers::{Choice, Coarse, LayerInfo, LayerRequest};
pub use output::{Anchors, Boxes, FinalActivation, OutputForm, OutputSpec, OwnOutput, Proposal, Scales};
pub use pack::{BoolStore, DType, Quantised, StoredTensor, Weights};

use crate::card::{Card, Graph, ValueId};
use crate::digest::hex;
use crate::error::{Error, OptionName, Phrase, Problem, Result};
use burncam_graph::attention::{self, Attention};
use fits::check;
pub use layout::{Form, Grid};
use output::Resolved;
use pack::Pack;
use sha2::{Digest as _, Sha256};

#[cfg(feature = "embedded-model")]
use burncam_efficientnet_lite0::{BYTES as EMBEDDED, SHA256 as EMBEDDED_SHA256};

/// A model whose graph, shapes and tensors fit together.
///
/// ```
/// use burncam_model::Model;
///
/// let model = Model::open("../../fixtures/models/squeezenet1_1.bpk".as_ref(), None).unwrap();
/// assert_eq!(model.card().name, "squeezenet1_1");
/// ```
#[derive(Debug, Clone)]
pub struct Model {
    card: Card,
    graph: Graph,
    shapes: Vec<Vec<usize>>,
    /// The grid over the picture that each node's output holds, if any.
    grids: Vec<Option<Grid>>,
    /// Index of the explained scores, and of those that the network itself computes.
    scores: usize,
    raw_scores: usize,
    outputs: usize,
    classes: usize,
    output: OutputSpec,
    pack: Pack,
    /// Hash of a card outside the model file.
    card_sha256: Option<String>,
    warnings: Vec<String>,
}

impl Model {
    /// Opens a burnpack file. Its card is the one in the file, or else `spec`, or else `NAME.json` next to it.
    ///
    /// # Errors
    /// When the file is not a burnpack, has no card, or card, graph and tensors do not fit together.
    pub fn open(path: &Path, spec: Option<&Path>) -> Result<Self> {
        let pack = Pack::open(path)?;
        let neighbour = path.with_extension("json");
        let from = match (spec, &pack.card) {
            (Some(spec), _) => spec,
            (None, Some(text)) => {
                let card = Card::from_json(text).map_err(|problem| Error::model(pack.name(), problem))?;
                return Self::assemble(card, None, pack);
            }
            (None, None) if neighbour.exists() => &neighbour,
            (None, None) => {
                let neighbour = neighbour.file_name().unwrap_or_default().to_string_lossy();
                let hint = Phrase::from("describe it with ").set(OptionName::Card, "CARD.json");
                let hint = hint.text(format!(", or put '{neighbour}' next to it"));
                return Err(Problem::new("carries no model card").hint(hint).of_model(pack.name()));
            }
        };
        let text = read_card_text(from)?;
        let card_sha256 = hex(&Sha256::digest(&text));
        let card =
            Card::from_json(&text).map_err(|problem| Error::model(from.display().to_string(), problem))?;
        Self::assemble(card, Some(card_sha256), pack)
    }

    /// EfficientNet-Lite0 trained on ImageNet, which is compiled into the program.
    ///
    /// # Errors
    /// Never, unless the program file is damaged.
    #[cfg(feature = "embedded-model")]
    pub fn embedded() -> Result<Self> {
        let pack = Pack::embedded("efficientnet_lite0 (embedded)", EMBEDDED, EMBEDDED_SHA256)?;
        let text = pack.card.as_deref().unwrap_or_default();
        let card = Card::from_json(text).map_err(|problem| Error::model(pack.name(), problem))?;
        Self::assemble(card, None, pack)
    }

    /// Writes a self-contained model file: a card and its tensors, in Burn's layouts.
    ///
    /// The file is renamed to its final name only when it is complete.
    ///
    /// # Errors
    /// When `path` exists and `overwrite` is off, or it cannot be written.
    pub fn save(path: &Path, card: &Card, tensors: Vec<StoredTensor>, overwrite: bool) -> Result<()> {
        let name = path.display().to_string();
        let text = card.to_json().map_err(|problem| Error::model(name, problem))?;
        pack::write(path, &text, tensors, overwrite)
    }

    fn assemble(card: Card, card_sha256: Option<String>, pack: Pack) -> Result<Self> {
        let (resolved, mut warnings) = check(&card, &pack.shapes, &pack.name())?;
        let Resolved { spec: output, graph, shapes, raw_scores, scores, outputs, classes, warnings: more } =
            resolved;
        warnings.extend(more);
        let grids = layout::grids(&graph, &shapes);
        Ok(Self {
            card,
            graph,
            shapes,
            grids,
            scores,
            raw_scores,
            outputs,
            classes,
            output,
            pack,
            card_sha256,
            warnings,
        })
    }

    /// The card as written.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// SHA-256 of the card's own file, in lower-case hexadecimal; `None` for a card inside the model file.
    #[must_use]
    pub fn card_sha256(&self) -> Option<&str> {
        self.card_sha256.as_deref()
    }

    /// The graph, from the card or built by its architecture.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The shape of every node's output, `[1, ...]`, in graph order.
    #[must_use]
    pub fn shapes(&self) -> &[Vec<usize>] {
        &self.shapes
    }

    /// The grid over the picture that a node's output holds, by its index; `None` for other tensors.
    #[must_use]
    pub fn grid(&self, index: usize) -> Option<Grid> {
        self.grids.get(index).copied().flatten()
    }

    /// The attention of every block on which the scores depend: block by block the tensor, its heads, and the tokens of the
    /// picture that it is between.
    #[must_use]
    pub fn attentions(&self) -> Vec<Attention> {
        attention::attentions(&self.graph, &self.shapes, self.scores)
    }

    /// The tokens of a block's output, by its node's index, that the scores read, in order: the class token, or all that are
    /// averaged.
    #[must_use]
    pub fn tokens_read(&self, output: usize) -> Vec<usize> {
        attention::tokens_read(&self.graph, &self.shapes, output, self.scores)
    }

    /// Index of the node whose values are explained, one per class: the logits if there are any, else the network's
    /// output.
    #[must_use]
    pub fn scores(&self) -> usize {
        self.scores
    }

    /// As [`Model::scores`]; for a binary network with names for both sides, the single score that the network
    /// computes.
    #[must_use]
    pub fn raw_scores(&self) -> usize {
        self.raw_scores
    }

    /// Whether nodes after the scores turn them into the network's output.
    #[must_use]
    pub fn has_activation(&self) -> bool {
        ValueId::of_node(self.raw_scores) != self.graph.output
    }

    /// What the outputs mean.
    #[must_use]
    pub fn output(&self) -> &OutputSpec {
        &self.output
    }

    /// Number of values per picture that the graph's last node gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of classes: one for each output, or two for one output whose two sides have names; one for an embedding.
    #[must_use]
    pub fn num_classes(&self) -> usize {
        self.classes
    }

    /// The name of a class, or its index when the card has no names.
    #[must_use]
    pub fn class_name(&self, index: usize) -> String {
        let is_background = match self.output.form {
            OutputForm::Anchors(form) => form.background == Some(index),
            _ => false,
        };
        let unnamed = || if is_background { "no object".to_owned() } else { index.to_string() };
        self.card.classes.get(index).cloned().unwrap_or_else(unnamed)
    }

    /// The model's name from its card.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.card.name
    }

    /// The file's name without directories.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.pack.name()
    }

    /// Size of the model file in bytes.
    ///
    /// # Errors
    /// When the file no longer exists.
    pub fn file_size(&self) -> Result<u64> {
        self.pack.byte_len()
    }

    /// Element types of the stored weights, each with its number of tensors.
    #[must_use]
    pub fn element_types(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for dtype in self.pack.dtypes() {
            *counts.entry(format!("{dtype:?}").to_lowercase()).or_insert(0) += 1;
        }
        counts
    }

    /// Problems that do not stop the model from working, such as unused tensors.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Number of parameters and operations.
    #[must_use]
    pub fn cost(&self) -> Cost {
        cost::of(&self.graph, &self.shapes, &self.pack.shapes)
    }

    /// Shape of a stored tensor.
    pub fn tensor_shape(&self, name: &str) -> Option<&[usize]> {
        self.pack.shapes.get(name).map(Vec::as_slice)
    }
}

/// Reads a model card from a JSON file.
///
/// # Errors
/// When the file cannot be read or is not a card.
pub fn read_card(path: &Path) -> Result<Card> {
    let text = read_card_text(path)?;
    Card::from_json(&text).map_err(|problem| Error::model(path.display().to_string(), problem))
}

fn read_card_text(path: &Path) -> Result<String> {
    // Not `read_to_string`: text that is no UTF-8 is the file's fault, not the operating system's.
    let bytes = memory::read_text(path, memory::Part::SmallText)?;
    String::from_utf8(bytes).map_err(|_| {
        Error::model(path.display().to_string(), Problem::new("is not a text file").expected("a JSON card"))
    })
}
