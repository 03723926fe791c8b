//! Explanations together with what the scores of changed inputs need: how the network's output becomes the number of each target.

use super::explanation::Scored;
use super::predictor::answered;
use super::{Explainer, Subject};
use crate::cam::{Method, Scene};
use crate::engine::{Network, Reduction};
use crate::error::{Error, Result};
use crate::heatmap::Heatmap;
use crate::record::Prediction;

impl Explainer {
    /// As [`Explainer::explain_all`], with what scores of changed inputs need.
    ///
    /// # Errors
    /// When a subject is not of the network's size. Errors of a single subject are in its result.
    pub(crate) fn explain_for_scores(&self, subjects: &[&Subject]) -> Result<Vec<Result<Scored>>> {
        let pictures: Vec<&[f32]> = subjects.iter().map(|subject| subject.values.as_slice()).collect();
        let scenes = self.scenes(&pictures)?.into_iter().zip(subjects);
        Ok(scenes.map(|(scene, subject)| self.explain_scene(scene, subject)).collect())
    }

    /// All classes of a subject, the most probable first, from one pass forward and without a map. For a network that gives numbers, they are in
    /// their order.
    ///
    /// # Errors
    /// As [`Predictor::predict`](super::Predictor::predict).
    pub fn predict(&self, subject: &Subject) -> Result<Vec<Prediction>> {
        self.ranked(&self.network, subject)
    }

    /// The classes of a subject by a pass of `network`, which is this explainer's model without layers, the most probable first.
    ///
    /// # Errors
    /// When the output is not finite.
    pub(crate) fn ranked(&self, network: &Network, subject: &Subject) -> Result<Vec<Prediction>> {
        let output = network.logits(subject.values.clone())?;
        Ok(answered(&self.model, network, &output, (subject, &self.given))?.ranked)
    }

    /// The map of one target by one method of the request for another input, `[1, channels, height, width]`, whose output is reduced as that of
    /// the subject was: masks and boxes stay those of the subject.
    ///
    /// # Errors
    /// When the input has another count of numbers, or the method does not fit.
    pub(crate) fn map_of(
        &self,
        values: &[f32],
        reduction: &Reduction,
        method: Method,
        target: usize,
    ) -> Result<Heatmap> {
        let scene = Scene::new(&self.network, values)?.reduced(reduction)?;
        let maps = self.class_maps(scene, &[method], &[target])?;
        let map = maps.into_iter().flatten().next().map(|(_, found)| found.map);
        map.ok_or_else(|| Error::internal("a method gave no map"))
    }
}
