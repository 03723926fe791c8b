//! Checks before any pass: settings that a method would ignore, and networks that it cannot explain.

use super::definition::Joining;
use super::methods::Method;
use super::options::Options;
use super::smoothing::Smoothing;
use crate::engine::Network;
use crate::error::{Error, Result};

impl Method {
    /// Refuses settings that the method would ignore.
    ///
    /// # Errors
    /// In the words of the command line.
    pub fn check(self, options: &Options, smoothing: Smoothing) -> Result<()> {
        let info = self.info();
        if options.samples == Some(0) {
            return Err(Error::request("0 samples were asked for, expected at least one (raise --samples)"));
        }
        if let Some(noise) = options.noise.filter(|noise| !noise.is_finite() || *noise < 0.0) {
            return Err(Error::request(format!("noise is {noise}, expected 0 or more (change --noise)")));
        }
        if options.counterfactual && !info.has_sign {
            return Err(Error::request(format!(
                "--counterfactual needs a method that separates evidence for and against, and {} does not (use gradcam)",
                info.name
            )));
        }
        if smoothing.eigen && !info.has_terms {
            return Err(Error::request(format!(
                "--smooth eigen needs a method that sums over channels, and {} does not (use gradcam)",
                info.name
            )));
        }
        Ok(())
    }

    /// Refuses a network that the method cannot explain, or too few layers.
    ///
    /// # Errors
    /// In the words of the command line.
    pub fn check_network(self, network: &Network, options: &Options) -> Result<()> {
        let name = self.info().name;
        let several = network.taps() > 1;
        (self.traits().check)(name, network, options)?;
        if self.traits().joining == Joining::Product && !several {
            return Err(Error::request(format!(
                "{name} multiplies the maps of several layers, got one (name more with --layer A,B)"
            )));
        }
        let alone = options
            .library
            .filter(|library| several && self.info().uses_layer && library.explains_one_layer());
        alone.map_or(Ok(()), |library| {
            Err(Error::request(format!(
                "{} explains one layer at a time, got {} (name one layer, or drop --compat)",
                library.name(),
                network.taps()
            )))
        })
    }
}
