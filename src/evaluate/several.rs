//! What several pictures give together: mosaics of them (`mosaics.rs`), and their maps on random networks.

use super::evaluator::Evaluator;
use super::info::Rule;
use super::rows::BASELINES;
use super::together::{Gathered, Stage, Together};
use crate::check::{SanityRequest, check_sanity};
use crate::error::Result;
use crate::explain::{Request, Subject};
use crate::record::{EvaluatedSanity, SanitySettingsRecord};

/// Pictures whose maps are compared with those on random networks, the first ones that can be read: each costs an explanation per network and stop.
const SANITY_PICTURES: usize = 8;

impl Evaluator {
    /// The figures of metrics that are of several pictures together, if any was asked for. Pictures are not kept.
    ///
    /// # Errors
    /// When a method stops.
    pub fn together(&self, pictures: &Gathered) -> Result<Together> {
        let mut together = Together::default();
        if self.measures.metrics.iter().any(|metric| metric.is_of_mosaics()) {
            self.add_mosaics(&mut together, pictures)?;
        }
        if self.measures.reads_rule(|rule| matches!(rule, Rule::Weights)) {
            self.add_sanity(&mut together, pictures)?;
        }
        Ok(together)
    }

    fn add_sanity(&self, together: &mut Together, pictures: &Gathered) -> Result<()> {
        let subjects = (0..pictures.count).filter_map(pictures.read).take(SANITY_PICTURES);
        let subjects: Vec<Subject> = subjects.collect();
        let count = subjects.len();
        let own = subjects.into_iter().enumerate().filter(|(at, _)| pictures.has(*at));
        let subjects: Vec<Subject> = own.map(|(_, subject)| subject).collect();
        // Without pictures the test would take noise.
        if subjects.is_empty() {
            return Ok(());
        }
        let explain: Request = self.explainer.request().clone();
        let progress = (pictures.progress)(Stage::Maps);
        let request =
            SanityRequest { seed: explain.options.seed, explain, progress, ..SanityRequest::default() };
        let report = check_sanity(self.explainer.model(), &subjects, &request)?;
        let image = |(at, subject): (usize, &Subject)| {
            let methods = report.methods.iter().map(|method| method.similarity_by_picture[at]);
            // A baseline does not know the weights, and is the same map after.
            let similarities = methods.chain(BASELINES.map(|_| Some(1.0))).collect();
            EvaluatedSanity { path: subject.file.path.clone(), similarities }
        };
        together.sanity = subjects.iter().enumerate().map(image).collect();
        together.sanity_settings = Some(SanitySettingsRecord {
            pictures: count,
            networks: request.seeds,
            seed: request.seed,
            layers: report.layers.len(),
            stops: report.methods.first().map_or(0, |method| method.stops.len()),
        });
        Ok(())
    }
}
