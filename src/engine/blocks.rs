//! What the graph says of a network's attention.
//!
//! Receives a model; gives the blocks that lead to its scores. Running them is left to [`super::attention`].

use crate::model::Model;
use burncam_graph::attention::{Attention, pooling};

/// What the graph says of a network's attention.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    pub(super) all: Vec<Attention>,
    /// The pooling by attention behind them, from one learned query.
    pub(super) pooling: Option<Attention>,
    /// The tokens of the last block's output that the scores read.
    pub(super) tokens_read: Vec<usize>,
}

impl Blocks {
    pub(super) fn of(model: &Model) -> Self {
        let all = model.attentions();
        let end = all.last().and_then(|last| last.output);
        let tokens_read = end.map(|end| model.tokens_read(end)).unwrap_or_default();
        // Without blocks nothing asks for it.
        let pooling = all.last().and_then(|last| {
            pooling(model.graph(), model.shapes(), model.scores()).filter(|pool| pool.softmax > last.softmax)
        });
        Self { all, pooling, tokens_read }
    }
}
