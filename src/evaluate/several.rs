//! What several pictures give together: mosaics of them (`mosaics.rs`), and their maps on random networks.

use super::evaluator::Evaluator;
use super::info::Rule;
use super::rows::BASELINES;
use super::together::Together;
use crate::check::{SanityRequest, check_sanity};
use crate::error::Result;
use crate::explain::{Request, Subject};
use crate::record::SanitySettingsRecord;

/// Pictures whose maps are compared with those on random networks, the first ones: each costs an explanation per network and stop.
const SANITY_PICTURES: usize = 8;

impl Evaluator {
    /// The figures of metrics that are of several pictures together, if any was asked for. `read` gives a picture by its number below `count`,
    /// as often as it is asked for, and `None` for one that cannot be read; pictures are not kept. It is called on several threads.
    ///
    /// # Errors
    /// When a method stops.
    pub fn together(
        &self,
        count: usize,
        read: &(dyn Fn(usize) -> Option<Subject> + Sync),
    ) -> Result<Together> {
        let mut together = Together::default();
        if self.measures.metrics.iter().any(|metric| metric.is_of_mosaics()) {
            self.add_mosaics(&mut together, count, read)?;
        }
        if self.measures.reads_rule(|rule| matches!(rule, Rule::Weights)) {
            self.add_sanity(&mut together, count, read)?;
        }
        Ok(together)
    }

    fn add_sanity(
        &self,
        together: &mut Together,
        count: usize,
        read: &(dyn Fn(usize) -> Option<Subject> + Sync),
    ) -> Result<()> {
        let subjects: Vec<Subject> = (0..count).filter_map(read).take(SANITY_PICTURES).collect();
        // Without pictures the test would take noise.
        if subjects.is_empty() {
            return Ok(());
        }
        let explain: Request = self.explainer.request().clone();
        let request = SanityRequest { seed: explain.options.seed, explain, ..SanityRequest::default() };
        let report = check_sanity(self.explainer.model(), &subjects, &request)?;
        let methods = report.methods.iter().map(|method| method.similarity);
        // A baseline does not know the weights, and is the same map after.
        together.sanity = methods.chain(BASELINES.map(|_| Some(1.0))).collect();
        together.sanity_settings = Some(SanitySettingsRecord {
            pictures: subjects.len(),
            networks: request.seeds,
            seed: request.seed,
            layers: report.layers.len(),
            stops: report.methods.first().map_or(0, |method| method.stops.len()),
        });
        Ok(())
    }
}
