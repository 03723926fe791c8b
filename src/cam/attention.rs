//! Attention as methods read it: which networks they explain, which tokens are followed, and back to a map of the picture.
//!
//! Receives a network's attention, gives rows of relevance and heatmaps. The methods' formulas are in their own files.

use super::options::Options;
use super::question::Question;
use crate::engine::{Features, Network};
use crate::error::{Error, Problem, Result};
use crate::heatmap::Heatmap;
use crate::model::Grid;

/// Refuses a network that has no attention, or any that is not between all tokens of the picture.
pub(super) fn check(name: &str, network: &Network, _: &Options) -> Result<()> {
    grid(name, network).map(|_| ())
}

/// As [`check`], and refuses blocks that do not end in one tensor.
pub(super) fn check_blocks(name: &str, network: &Network, options: &Options) -> Result<()> {
    check(name, network, options)?;
    match network.attentions().iter().find(|block| block.output.is_none()) {
        None => Ok(()),
        Some(block) => {
            let problem = Problem::new(format!("{name} asks for the score of each block's output"))
                .expected(format!("a sum behind '{}' that gives it", block.name));
            Err(problem.hint("use genericattention").into())
        }
    }
}

/// The grid that the attention of every block is between.
fn grid(name: &str, network: &Network) -> Result<Grid> {
    let blocks = network.attentions();
    let Some(first) = blocks.first() else {
        let problem = Problem::new(format!("{name} reads attention, and the network has none"))
            .expected("a softmax between queries times keys and its product with values");
        return Err(problem.hint("use gradcam").into());
    };
    if let Some(part) = blocks.iter().find(|block| block.grid.is_none()) {
        let between = format!("attention of {} to {} at '{}'", part.queries, part.keys, part.name);
        let where_from = match part.queries {
            1 => "from one token, as in class attention",
            _ => "inside of windows or to fewer tokens",
        };
        let problem = Problem::new(format!("{name} follows attention through all blocks"))
            .expected("each between all tokens of the picture")
            .found(format!("{between}, {where_from}"));
        return Err(problem.hint("use gradcam").into());
    }
    let grids = || blocks.iter().chain(network.attention_pooling()).filter_map(|block| block.grid);
    let size = |grid: &Grid| (grid.form, grid.height, grid.width);
    match grids().next() {
        Some(own) if grids().all(|other| size(&other) == size(&own)) => Ok(own),
        _ => {
            let problem = Problem::new(format!("{name} follows attention through all blocks"))
                .expected(format!("the tokens of '{}' in each", first.name))
                .found("blocks with others");
            Err(problem.hint("use gradcam").into())
        }
    }
}

/// The mean over heads of what `term` makes of each position of the tensors, which have heads as channels: `[queries, keys]`.
pub(super) fn mean_of_heads(heads: &Features, term: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let cells = heads.height * heads.width;
    let mut mean = vec![0.0_f64; cells];
    for (at, value) in heads.values.iter().enumerate() {
        mean[at % cells] += term(at, f64::from(*value));
    }
    mean.iter_mut().for_each(|sum| *sum /= heads.channels as f64);
    mean
}

/// Where the relevance of the tokens that the scores read comes from, `[tokens]`: each block, the last first, moves it from
/// queries to keys. `step` receives the relevance and what the block's attention takes from it to each key. Behind the blocks may
/// be the row of a pooling by attention, which the relevance starts from.
///
/// A row of the product of the blocks' matrices, without the product.
pub(super) fn carried(
    question: &Question,
    blocks: &[Vec<f64>],
    step: impl Fn(&mut [f64], &[f64]),
) -> Result<Vec<f64>> {
    let network = question.network();
    let count = network.attentions().first().map(|block| block.keys).unwrap_or_default();
    let (mut relevance, blocks) = match (network.attention_pooling(), blocks) {
        (Some(_), [blocks @ .., pooling]) if pooling.len() == count => (pooling.clone(), blocks),
        (Some(_), _) => return Err(Error::internal("a pooling reads other tokens")),
        (None, blocks) => (read_evenly(network, count)?, blocks),
    };
    for block in blocks.iter().rev() {
        let mut moved = vec![0.0_f64; count];
        for (share, attention) in relevance.iter().zip(block.chunks(count)) {
            moved.iter_mut().zip(attention).for_each(|(sum, weight)| *sum += share * weight);
        }
        step(&mut relevance, &moved);
    }
    Ok(relevance)
}

/// Equal relevance of the tokens that the scores read.
fn read_evenly(network: &Network, count: usize) -> Result<Vec<f64>> {
    let rows = rows(network);
    let mut relevance = vec![0.0_f64; count];
    for row in &rows {
        *relevance.get_mut(*row).ok_or_else(|| Error::internal("a token is gone"))? +=
            1.0 / rows.len() as f64;
    }
    Ok(relevance)
}

/// The tokens that the relevance starts from: the class token, or all tokens before the picture's that the scores read; where
/// they read none of these, the picture's that they read.
fn rows(network: &Network) -> Vec<usize> {
    let blocks = network.attentions();
    let prefix =
        blocks.first().and_then(|block| block.grid).and_then(|grid| grid.prefix()).unwrap_or_default();
    let read = network.tokens_read();
    let before: Vec<usize> = read.iter().copied().filter(|token| *token < prefix).collect();
    match (before.is_empty(), read.is_empty()) {
        (false, _) => before,
        (true, false) => read.to_vec(),
        // The last block ends in no tensor of tokens: the class token is the first, as in the papers.
        (true, true) if prefix > 0 => vec![0],
        (true, true) => (0..blocks.first().map(|block| block.keys).unwrap_or_default()).collect(),
    }
}

/// The tokens of the picture as a map; `None` when a value is not finite.
pub(super) fn map(name: &str, question: &Question, tokens: &[f64]) -> Result<Option<Heatmap>> {
    let grid = grid(name, question.network())?;
    let cells = tokens.get(grid.prefix().unwrap_or_default()..).unwrap_or_default();
    Ok(Heatmap::new(grid.height, grid.width, cells.iter().map(|value| *value as f32).collect()))
}
