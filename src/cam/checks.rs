//! Checks before any pass: settings that a method would ignore, and networks that it cannot explain.

use super::definition::Joining;
use super::methods::Method;
use super::options::Options;
use super::smoothing::Smoothing;
use crate::engine::Network;
use crate::error::{Hint, OptionName, Phrase, Problem, Result, Subject};

impl Method {
    /// Refuses settings that the method would ignore.
    ///
    /// # Errors
    /// When there is one.
    pub fn check(self, options: &Options, smoothing: Smoothing) -> Result<()> {
        let info = self.info();
        // Methods divide by the number, and take chunks of that length.
        if options.samples == Some(0) {
            let problem = Problem::new("0 samples were asked for").expected("at least one");
            return Err(problem.hint(Hint::Raise(OptionName::Samples)).into());
        }
        if options.channels == Some(0) {
            let problem = Problem::new("0 channels were asked for").expected("at least one");
            return Err(problem.hint(Hint::Raise(OptionName::Channels)).into());
        }
        if let Some(noise) = options.noise.filter(|noise| !noise.is_finite() || *noise < 0.0) {
            let problem = Problem::new(format!("noise is {noise}")).expected("0 or more");
            return Err(problem.hint(Hint::Change(OptionName::Noise)).into());
        }
        // Such a map is the same for the class and against it.
        if options.counterfactual && !info.has_sign {
            let what =
                format!("needs a method that separates evidence for and against, and {} does not", info.name);
            let problem = Problem::new(what).about(Subject::Option(OptionName::Counterfactual));
            return Err(problem.hint("use gradcam").into());
        }
        if smoothing.eigen && !info.has_terms {
            let what = Phrase::filled(
                "{} needs a method that sums over channels",
                [OptionName::Smooth.set("eigen")],
            );
            let problem = Problem::new(what.text(format!(", and {} does not", info.name)));
            return Err(problem.hint("use gradcam").into());
        }
        Ok(())
    }

    /// Refuses a network that the method cannot explain, or too few layers.
    ///
    /// # Errors
    /// When it is one of these.
    pub(crate) fn check_network(self, network: &Network, options: &Options) -> Result<()> {
        let name = self.info().name;
        let several = network.taps() > 1;
        // Before the number of layers: a network without rectifiers is refused for what it is.
        (self.traits().check)(name, network, options)?;
        if self.traits().joining == Joining::Product && !several {
            let problem = Problem::new(format!("{name} multiplies the maps of several layers")).found("one");
            let hint = Phrase::filled("name more with {}", [OptionName::Layer.set("A,B")]);
            return Err(problem.hint(hint).into());
        }
        let alone = options
            .library
            .filter(|library| several && self.info().uses_layer && library.explains_one_layer());
        alone.map_or(Ok(()), |library| {
            let problem = Problem::new(format!("{} explains one layer at a time", library.name()));
            let hint = Phrase::filled("name one layer, or drop {}", [OptionName::Compat.drop()]);
            Err(problem.found(network.taps().to_string()).hint(hint).into())
        })
    }
}
