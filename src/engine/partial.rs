//! Logits of copies of one picture that differ from it in a rectangle.
//!
//! Receives a picture, its copies and where they differ; gives what [`Network::logits_on`] gives for the copies, to the last bit. On native
//! kernels early tensors are computed in part. Which copies these are is left to the methods.

use super::Network;
use crate::error::Result;
use crate::native::{Original, Region};

/// A picture in front of a network, for copies of it.
#[derive(Debug)]
pub struct Copies<'a> {
    network: &'a Network,
    /// `None` where copies go through the network whole.
    original: Option<Original<'a>>,
}

impl Network {
    /// Prepares passes of copies of a picture, each of which differs from it within one of these regions.
    ///
    /// # Shapes
    /// `values` is `[1, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as that, or weights cannot be read.
    pub fn copies(&self, values: &[f32], regions: &[Region]) -> Result<Copies<'_>> {
        self.expect_one(values)?;
        self.prepare_passes()?;
        let extent = [0, 1].map(|axis| regions.iter().map(|region| region[axis].len()).max().unwrap_or(0));
        let original = match (&self.program, self.courses.outline()) {
            (Some(program), Ok(outline)) => program.original(&self.steps, outline, values, extent)?,
            _ => None,
        };
        Ok(Copies { network: self, original })
    }
}

impl Copies<'_> {
    /// Logits `[batch, classes]` of copies, each of which differs from the picture within its region; on this many threads: any number gives
    /// the same values.
    ///
    /// # Shapes
    /// `values` is `[batch, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// As [`Network::logits`].
    pub fn logits_on(&self, threads: usize, values: &[f32], regions: &[Region]) -> Result<Vec<f32>> {
        let network = self.network;
        let (Some(program), Some(original)) = (&network.program, &self.original) else {
            return network.logits_on(threads, values);
        };
        let batch = network.count(values)?;
        let outputs = original.run(values, regions, threads);
        network.finish(program.run_behind(&network.steps, threads, outputs, batch)?, network.head())
    }
}
