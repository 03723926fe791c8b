//! The network as metrics of faithfulness see it: changed inputs in, the score of one class out.

use burncam_graph::error::Error;

/// The score that a metric measures, of one target: its probability unless the caller chooses otherwise. It need not be the score
/// that the map explains.
pub trait Scorer {
    /// Scores of `count` inputs of the network, `[count, channels, height, width]` in one slice, after preprocessing.
    ///
    /// # Errors
    ///
    /// What stopped the network. A metric passes it on.
    fn scores(&mut self, inputs: &[f32], count: usize) -> Result<Vec<f64>, Error>;
}

/// A function of one input's values, for tests and for scores that need no network.
impl<F: FnMut(&[f32]) -> f64> Scorer for F {
    fn scores(&mut self, inputs: &[f32], count: usize) -> Result<Vec<f64>, Error> {
        Ok(inputs.chunks_exact(inputs.len() / count.max(1)).map(self).collect())
    }
}
