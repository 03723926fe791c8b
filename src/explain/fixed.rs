//! Maps of targets that are fixed: the same classes, and the same number made of each output, for any network.
//!
//! Receives a subject, gives its targets; with these and any network of the same shape, maps. `check` compares networks by it: a network
//! with other weights ranks other classes first.

use super::Explainer;
use super::predictor::answered;
use super::subject::Subject;
use crate::cam::{ClassMap, Scene};
use crate::engine::Reduction;
use crate::error::{Error, Result};

/// What is explained of one picture.
#[derive(Debug, Clone)]
pub(crate) struct FixedTargets {
    /// Indices of the targets; a detector's boxes come after its classes.
    pub(crate) indices: Vec<usize>,
    reduction: Reduction,
}

impl FixedTargets {
    /// These classes of a network whose scores are the numbers that it gives.
    pub(crate) fn of_classes(indices: &[usize]) -> Self {
        Self { indices: indices.to_vec(), reduction: Reduction::Values }
    }
}

impl Explainer {
    /// The targets of a subject by this explainer's request and network.
    ///
    /// # Errors
    /// When the output is not finite, or does not have the target.
    pub(crate) fn fixed_targets(&self, subject: &Subject) -> Result<FixedTargets> {
        let scene = Scene::new(&self.network, &subject.values)?;
        let answer = answered(&self.model, &self.network, scene.output(), (subject, &self.given))?;
        let indices = self.wanted(&answer, &subject.labels)?;
        Ok(FixedTargets { indices, reduction: answer.reduction })
    }

    /// For each method of the request the maps of the targets with these indices, not scaled, of an input `[1, channels, height, width]`.
    ///
    /// # Errors
    /// When a method does not fit the network, or there is no target of such an index.
    pub(crate) fn fixed_maps(
        &self,
        values: &[f32],
        targets: &FixedTargets,
        indices: &[usize],
    ) -> Result<Vec<Vec<ClassMap>>> {
        let scene = self.scenes(&[values])?.pop().ok_or_else(|| Error::internal("a picture has no scene"))?;
        let maps = self.class_maps(scene.reduced(&targets.reduction)?, &self.request.methods, indices)?;
        Ok(maps.into_iter().map(|maps| maps.into_iter().map(|(_, map)| map).collect()).collect())
    }
}
