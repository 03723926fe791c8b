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

    /// Most inputs that one call of [`scores`](Self::scores) gets, at least one. It bounds the memory of a metric, and has no
    /// effect on its figures.
    fn per_call(&self) -> usize {
        16
    }
}

/// A function of one input's values, for tests and for scores that need no network.
impl<F: FnMut(&[f32]) -> f64> Scorer for F {
    fn scores(&mut self, inputs: &[f32], count: usize) -> Result<Vec<f64>, Error> {
        // Chunks of zero values are a panic: inputs without values have one score each all the same.
        let size = inputs.len() / count.max(1);
        Ok((0..count).map(|index| self(&inputs[index * size..(index + 1) * size])).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_scores_each_input_and_none_of_none() {
        let mut sum = |input: &[f32]| f64::from(input.iter().sum::<f32>());
        assert_eq!(sum.scores(&[1.0, 2.0, 3.0, 4.0], 2).unwrap(), [3.0, 7.0]);
        assert!(sum.scores(&[], 0).unwrap().is_empty());
        assert_eq!(sum.scores(&[], 2).unwrap(), [0.0, 0.0]);
    }
}
