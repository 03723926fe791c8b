//! The network as metrics see it: batches of changed inputs in, the score of one target out.

use burncam_metrics::Scorer;

use crate::cam::rows_of;
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

impl Scorer for NetworkScorer<'_> {
    fn scores(&mut self, inputs: &[f32], count: usize) -> Result<Vec<f64>, Error> {
        let output = self.network.logits(inputs.to_vec())?;
        let score = |row: &[f32]| {
            let numbers = self.reduction.numbers(row);
            let rivals = self.reduction.rivals(self.target, numbers.len());
            self.score.value(&numbers, self.target, rivals)
        };
        Ok(rows_of(&output, count, self.outputs)?.map(score).collect())
    }

    fn per_call(&self) -> usize {
        self.batch_size
    }
}
