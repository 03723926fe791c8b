//! The network as metrics see it: batches of changed inputs in, the score of one target out.

use std::ops::Range;

use burncam_metrics::Scorer;

use crate::cam::{Lane, in_batches, rows_of};
use crate::engine::{Network, Reduction, Score};
use crate::error::{Error, Result};

/// One target of a picture in front of a network.
pub(super) struct NetworkScorer<'a> {
    pub(super) network: &'a Network,
    pub(super) reduction: &'a Reduction,
    /// Number of values that the network gives for one input.
    pub(super) outputs: usize,
    pub(super) target: usize,
    /// What metrics look at, which need not be what the map explains.
    pub(super) score: Score,
    /// Inputs that go through the network together.
    pub(super) batch_size: usize,
}

impl NetworkScorer<'_> {
    fn score_of(&self, row: &[f32]) -> f64 {
        let numbers = self.reduction.numbers(row);
        let rivals = self.reduction.rivals(self.target, numbers.len());
        self.score.value(&numbers, self.target, rivals)
    }
}

impl Scorer for NetworkScorer<'_> {
    fn scores(&mut self, inputs: &[f32], count: usize) -> Result<Vec<f64>, Error> {
        self.network.prepare_passes()?;
        let size = inputs.len() / count.max(1);
        let this = &*self;
        let batch = |range: Range<usize>, lane: &mut Lane| {
            let inputs = &inputs[range.start * size..range.end * size];
            let output = this.network.logits_on(lane.threads, inputs)?;
            Ok(rows_of(&output, range.len(), this.outputs)?.map(|row| this.score_of(row)).collect())
        };
        in_batches(this.network.threads(), count, this.batch_size, batch)
    }

    fn per_call(&self) -> usize {
        // A copy for each thread, and enough of them for each to take several in turn.
        self.batch_size.max(4 * self.network.threads())
    }
}
