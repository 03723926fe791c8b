//! The attention of a transformer's blocks, and how scores change with it.
//!
//! Receives one picture; gives for each block `[heads, queries, keys]`, the gradients of the network's score with respect to
//! all of them from one recorded pass, or those of a score of each block's own, with respect to its attention or to that of the pooling
//! behind it. Which blocks there are is the graph's; what the numbers mean is the methods'.

use burn::tensor::Tensor;

use super::recording::{Recording, features};
use super::reduction::Reduction;
use super::score::Score;
use super::steps::Slots;
use super::tap::Tap;
use super::value::Value;
use super::{Evidence, Features, Network};
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

    /// As [`Network::attention`], with the gradients of a class's score with respect to each. The network is recorded from the first block's
    /// attention to the logits, with every block's as a leaf: one pass back gives the gradients of all.
    ///
    /// # Errors
    /// As [`Network::attention`], when the network has no attention, the reduction is of another output, or `class` is out of range.
    pub fn attention_evidence(
        &self,
        values: Vec<f32>,
        reduction: &Reduction,
        (score, class): (&Score, usize),
    ) -> Result<Vec<Evidence>> {
        let mut slots = self.started(values)?;
        let taps: Vec<Tap> = self.blocks.all.iter().chain(&self.blocks.pooling).map(tap).collect();
        let first = taps.first().ok_or_else(|| Error::internal("the network has no attention"))?.id;
        self.advance(&mut slots, 0, first)?;
        self.record_from(slots, &taps, first)?.reduced(reduction)?.evidence(score, class)
    }

    /// The gradients of each block's own score. With a pooling by attention the score is the network's head on the tokens of the block, in
    /// the place of the last block's, and the gradients are with respect to the pooling's attention. Without one it is the head on the
    /// mean of the tokens, and they are with respect to the block's attention.
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
            let before = if self.blocks.pooling.is_some() { *end } else { ValueId::of_node(block.softmax) };
            self.advance(&mut slots, done, before)?;
            for (number, class) in classes.iter().enumerate() {
                let (recording, tokens) = match &self.blocks.pooling {
                    Some(pooling) => self.record_pooling(slots[*end].clone(), *last, pooling)?,
                    None => self.record_block(slots.clone(), &tap(block), [*end, *last])?,
                };
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
        let (leaf, map) = start(&mut slots, tap)?;
        self.advance(&mut slots, self.steps.first_after(tap.id), end)?;
        let tokens = tokens(slots[end].take())?;
        let [_, count, _] = tokens.dims();
        let mut head = self.steps.empty();
        // The head reads one token, or averages them: of equal ones both are their mean.
        head[last] = Some(Value::R3(tokens.clone().mean_dim(1).repeat_dim(1, count)));
        Ok((self.finish_recording(head, last, (leaf, map))?, tokens.inner()))
    }

    /// Records the head from the pooling's attention on, which reads these tokens in the place of the last block's; gives them back.
    fn record_pooling(
        &self,
        given: Option<Value>,
        last: ValueId,
        pooling: &Attention,
    ) -> Result<(Recording, Tensor<3>)> {
        let tokens = tokens(given)?;
        let mut head = self.steps.empty();
        head[last] = Some(Value::R3(tokens.clone()));
        let tap = tap(pooling);
        self.advance(&mut head, self.steps.first_after(last), tap.id)?;
        let leaf = start(&mut head, &tap)?;
        Ok((self.finish_recording(head, tap.id, leaf)?, tokens))
    }

    /// Runs the rest of the network behind a tensor.
    fn finish_recording(
        &self,
        mut slots: Slots,
        from: ValueId,
        (leaf, map): (Tensor<4>, Tensor<4>),
    ) -> Result<Recording> {
        for at in self.steps.first_after(from)..self.steps.len() {
            self.steps.fill(&mut slots, at)?;
        }
        let logits = self.flat_logits(&mut slots)?;
        Ok(Recording { logits, leaves: vec![leaf], activations: vec![map], reduction: Reduction::Values })
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

/// Makes an attention a leaf; gives it, and what it was.
fn start(slots: &mut Slots, tap: &Tap) -> Result<(Tensor<4>, Tensor<4>)> {
    let cells = tap.cells(slots[tap.id].take().ok_or_else(gone)?)?;
    let leaf = cells.map.clone().autodiff().require_grad();
    slots[tap.id] = Some(cells.with(leaf.clone())?);
    Ok((leaf, cells.map))
}

/// The tokens that a block gives.
fn tokens(value: Option<Value>) -> Result<Tensor<3>> {
    match value {
        Some(Value::R3(tokens)) => Ok(tokens),
        _ => Err(Error::internal("a block's output is no list of tokens")),
    }
}

fn gone() -> Error {
    Error::internal("a block's attention is gone")
}
