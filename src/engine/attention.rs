//! The attention of a transformer's blocks, and how scores change with it.
//!
//! Receives one picture; gives for each block `[heads, queries, keys]`, the gradients of the network's score with respect to
//! all of them from one recorded pass, or those of a score of each block's own. Which blocks there are is the graph's; what
//! the numbers mean is the methods'.

use burn::tensor::Tensor;

use super::recording::{Recording, features};
use super::reduction::Reduction;
use super::score::Score;
use super::steps::Slots;
use super::tap::Tap;
use super::value::Value;
use super::{Features, Network};
use crate::card::ValueId;
use crate::error::{Error, Result};
use burncam_graph::attention::Attention;
use burncam_graph::layout::Grid;

impl Network {
    /// The attention of its blocks on which the scores depend, in order.
    #[must_use]
    pub fn attentions(&self) -> &[Attention] {
        &self.blocks.all
    }

    /// The pooling by attention behind them, from one learned query to all tokens; `None` where the scores read tokens in another
    /// way.
    #[must_use]
    pub fn attention_pooling(&self) -> Option<&Attention> {
        self.blocks.pooling.as_ref()
    }

    /// The tokens of the last block's output that the scores read, in order; empty where the graph does not say.
    #[must_use]
    pub fn tokens_read(&self) -> &[usize] {
        &self.blocks.tokens_read
    }

    /// Each block's attention for one picture, with heads as channels, queries as rows and keys as columns; then that of the
    /// pooling, if there is one.
    ///
    /// # Shapes
    /// `values` is `[1, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as that.
    pub fn attention(&self, values: Vec<f32>) -> Result<Vec<Features>> {
        let mut slots = self.started(values)?;
        let mut done = 0;
        let mut found = Vec::new();
        for block in self.blocks.all.iter().chain(&self.blocks.pooling) {
            let tap = tap(block);
            done = self.advance(&mut slots, done, tap.id)?;
            let value = slots[tap.id].clone().ok_or_else(gone)?;
            found.push(features(tap.cells(value)?.map)?);
        }
        Ok(found)
    }

    /// Records the network from the first block's attention to the logits, with every block's attention as a leaf, and that of the
    /// pooling, if there is one: one pass back from a score gives the gradients of all.
    ///
    /// # Errors
    /// As [`Network::attention`], and when the network has no attention.
    pub fn record_attention(&self, values: Vec<f32>) -> Result<Recording> {
        let mut slots = self.started(values)?;
        let taps: Vec<Tap> = self.blocks.all.iter().chain(&self.blocks.pooling).map(tap).collect();
        let first = taps.first().ok_or_else(|| Error::internal("the network has no attention"))?.id;
        self.advance(&mut slots, 0, first)?;
        self.record_from(slots, &taps, first)
    }

    /// The gradients of each block's own score with respect to its attention: the network's head on the mean of the block's
    /// tokens, in the place of the last block's.
    ///
    /// `visit` receives the block's number, that of the class among `classes`, and the gradients, with heads as channels. Only
    /// the second half of one block and a head are recorded at a time, so that memory does not grow with the number of blocks.
    ///
    /// # Errors
    /// As [`Network::attention`], and when a block has no output.
    pub fn gradients_of_blocks(
        &self,
        values: Vec<f32>,
        reduction: &Reduction,
        (score, classes): (&Score, &[usize]),
        visit: &mut dyn FnMut(usize, usize, Features) -> Result<()>,
    ) -> Result<()> {
        let outputs: Option<Vec<usize>> = self.blocks.all.iter().map(|block| block.output).collect();
        let outputs = outputs.ok_or_else(|| Error::internal("a block has no output"))?;
        let outputs: Vec<ValueId> = outputs.into_iter().map(ValueId::of_node).collect();
        let Some(last) = outputs.last() else { return Ok(()) };
        let mut slots = self.started(values)?;
        let mut done = 0;
        for (at, (block, end)) in self.blocks.all.iter().zip(&outputs).enumerate() {
            let tap = tap(block);
            self.advance(&mut slots, done, tap.id)?;
            for (number, class) in classes.iter().enumerate() {
                let (recording, tokens) = self.record_block(slots.clone(), &tap, [*end, *last])?;
                let evidence = recording.reduced(reduction)?.evidence(score, *class)?.pop();
                let gradients = evidence.ok_or_else(|| Error::internal("a block has no gradient"))?.gradients;
                visit(at, number, gradients)?;
                // All that later blocks read goes through this tensor, which is known now.
                if number + 1 == classes.len() {
                    slots = self.steps.empty();
                    slots[*end] = Some(Value::R3(tokens));
                }
            }
            done = self.steps.first_after(*end);
        }
        Ok(())
    }

    /// Records a block from its attention to its output, and the head behind the last block on the mean of that; gives the
    /// output, too, cut off from what is recorded.
    fn record_block(
        &self,
        mut slots: Slots,
        tap: &Tap,
        [end, last]: [ValueId; 2],
    ) -> Result<(Recording, Tensor<3>)> {
        let cells = tap.cells(slots[tap.id].take().ok_or_else(gone)?)?;
        let leaf = cells.map.clone().autodiff().require_grad();
        slots[tap.id] = Some(cells.with(leaf.clone())?);
        self.advance(&mut slots, self.steps.first_after(tap.id), end)?;
        let Some(Value::R3(tokens)) = slots[end].take() else {
            return Err(Error::internal("a block's output is no list of tokens"));
        };
        let [_, count, _] = tokens.dims();
        let mut head = self.steps.empty();
        // The head reads one token, or averages them: of equal ones both are their mean.
        head[last] = Some(Value::R3(tokens.clone().mean_dim(1).repeat_dim(1, count)));
        for at in self.steps.first_after(last)..self.steps.len() {
            self.steps.fill(&mut head, at)?;
        }
        let logits = self.flat_logits(&mut head)?;
        let (leaves, activations) = (vec![leaf], vec![cells.map]);
        let recording = Recording { logits, leaves, activations, reduction: Reduction::Values };
        Ok((recording, tokens.inner()))
    }

    /// Slots with one picture.
    fn started(&self, values: Vec<f32>) -> Result<Slots> {
        self.expect_one(&values)?;
        self.count(&values)?;
        self.steps.start(values)
    }
}

fn tap(block: &Attention) -> Tap {
    let grid = Grid::channels_first([block.heads, block.queries, block.keys]);
    Tap { id: ValueId::of_node(block.softmax), grid }
}

fn gone() -> Error {
    Error::internal("a block's attention is gone")
}
