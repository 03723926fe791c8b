//! What the graph says of a network's attention.
//!
//! Receives a model and the tensor that gives its logits; gives its blocks. Running them is left to [`super::attention`].

use crate::card::ValueId;
use crate::model::Model;
use burncam_graph::attention::{Attention, attentions, tokens_read};

/// What the graph says of a network's attention.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    pub(super) all: Vec<Attention>,
    /// The tokens of the last block's output that the scores read.
    pub(super) tokens_read: Vec<usize>,
}

impl Blocks {
    pub(super) fn of(model: &Model, logits: ValueId) -> Self {
        let scores = logits.node().unwrap_or_default();
        let all = attentions(model.graph(), model.shapes(), scores);
        let end = all.last().and_then(|last| last.output);
        let read = |end| tokens_read(model.graph(), model.shapes(), end, scores);
        let tokens_read = end.map(read).unwrap_or_default();
        Self { all, tokens_read }
    }
}
