//! A network run one operation at a time, with visible outputs.

use super::Network;
use super::steps::Slots;
use crate::error::Result;

/// A run of a [`Network`] that stops after every operation.
#[derive(Debug)]
pub struct Walk<'a> {
    network: &'a Network,
    slots: Slots,
    next: usize,
}

impl Network {
    /// Starts to run the network without autodiff, one operation at a time.
    ///
    /// # Errors
    /// As [`Network::trunk`].
    pub fn walk(&self, values: Vec<f32>) -> Result<Walk<'_>> {
        Ok(Walk { network: self, slots: self.steps.start(values)?, next: 0 })
    }

    /// Index of the first node whose output is not finite for this input, if any.
    ///
    /// # Errors
    /// As [`Network::trunk`].
    pub fn first_not_finite(&self, values: Vec<f32>) -> Result<Option<usize>> {
        let mut walk = self.walk(values)?;
        while let Some((position, numbers)) = walk.step()? {
            if numbers.iter().any(|number| !number.is_finite()) {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }
}

impl Walk<'_> {
    /// Runs the next operation and gives its node's index and its output; `None` after the last.
    ///
    /// An operation that was folded into another is skipped; the other one gives the output of the later node.
    ///
    /// # Errors
    /// When the values cannot be read from the device.
    pub fn step(&mut self) -> Result<Option<(usize, Vec<f32>)>> {
        let Some(step) = self.network.steps.get(self.next) else { return Ok(None) };
        let value = self.network.steps.run(&mut self.slots, self.next)?;
        let numbers = value.to_vec()?;
        self.slots[step.output()] = Some(value);
        self.next += 1;
        Ok(Some((step.position, numbers)))
    }
}
