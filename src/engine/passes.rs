//! Passes of many pictures, shared among threads by the caller.
//!
//! Receives pictures and the threads that one pass may use. The caller decides which thread runs which pictures: a thread that runs
//! whole pictures waits for no other.

use super::Network;
use crate::error::Result;

impl Network {
    /// How many passes may run at the same time: the threads of the native kernels, and one where Burn runs the network, whose
    /// operations share out themselves.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.program.as_ref().map_or(1, |program| program.threads())
    }

    /// As [`Network::logits`], on this many threads: any number gives the same values.
    ///
    /// # Shapes
    /// `values` is `[batch, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// As [`Network::logits`].
    pub fn logits_on(&self, threads: usize, values: &[f32]) -> Result<Vec<f32>> {
        let Some(program) = &self.program else { return self.logits(values.to_vec()) };
        let batch = self.count(values)?;
        let slots = program.run(&self.steps, threads, values, batch)?;
        self.finish(slots, self.head())
    }

    /// Reads what passes need, so that threads which begin together do not all read it.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub fn prepare_passes(&self) -> Result<()> {
        self.program.as_ref().map_or(Ok(()), |program| program.pack(&self.steps))
    }
}
