//! Gradients at the layers by a sweep from the earliest of them.
//!
//! Receives a trunk, gives activations and gradients of the tapped layers for any number of classes. For short heads
//! [`Network::record`] is faster, because kernels pay from a convolution on.

use std::collections::HashMap;

use super::recording::features;
use super::reduction::Reduction;
use super::rivals::Contrast;
use super::score::Score;
use super::sweep::Sweep;
use super::value::Value;
use super::{Evidence, Features, Network, Trunk, Visits};
use crate::card::ValueId;
use crate::error::{Error, Result};
use crate::native::Rule;

impl Network {
    /// A sweep from a trunk to the logits; `None` where native kernels do not run most of the way, or the trunk ends behind the earliest
    /// layer.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub fn sweep_from(&self, trunk: &Trunk) -> Result<Option<Sweep<'_>>> {
        if trunk.cut() != self.cut || self.taps.is_empty() {
            return Ok(None);
        }
        let Some(course) = self.courses.of_layers(&self.steps, self.cut, &self.taps)? else {
            return Ok(None);
        };
        self.swept(trunk.slots().clone(), (course, Visits::Everything), 1).map(Some)
    }
}

impl Sweep<'_> {
    /// What the network gives, for every picture.
    ///
    /// # Errors
    /// When the device does not give it back.
    pub fn output(&self) -> Result<Vec<f32>> {
        self.value(self.network.steps.logits)?.to_vec()
    }

    /// Activations of the layers, in order, and the gradients of a class score.
    ///
    /// # Errors
    /// When `class` is out of range, or the score does not depend on any layer.
    pub fn evidence(&self, score: &Score, class: usize) -> Result<Vec<Evidence>> {
        self.at_layers(self.seed(*score, class, Reduction::of)?)
    }

    /// As [`Sweep::evidence`], for the difference between a class and others.
    ///
    /// # Errors
    /// As [`Sweep::evidence`].
    pub fn contrast(&self, contrast: &Contrast) -> Result<Vec<Evidence>> {
        let Contrast { class, rivals, .. } = contrast;
        let seed = self.seed_of(Reduction::of, &mut |reduced| {
            let [_, classes] = reduced.dims();
            rivals.iter().try_for_each(|rival| Score::Against(*rival).check(*class, classes))?;
            Ok(contrast.of(&reduced))
        })?;
        self.at_layers(seed)
    }

    fn at_layers(&self, seed: Value) -> Result<Vec<Evidence>> {
        let network = self.network;
        let mut found: HashMap<ValueId, Value> = HashMap::new();
        let rest = self.from(seed, Rule::Plain, &mut |step| {
            if network.taps.iter().any(|tap| tap.id == step.output()) {
                found.insert(step.output(), step.gradient(&network.steps.device)?);
            }
            Ok(())
        })?;
        found.extend(rest[network.cut].clone().map(|value| (network.cut, value)));
        if found.is_empty() {
            return Err(Error::internal("the class score does not depend on the layer"));
        }
        let evidence = network.taps.iter().map(|tap| {
            let activations = features(tap.cells(self.value(tap.id)?)?.map)?;
            let gradients = match found.get(&tap.id).cloned() {
                Some(gradient) => features(tap.cells(gradient)?.map)?,
                // A layer that does not affect the score.
                None => Features { values: vec![0.0; activations.values.len()], ..activations.clone() },
            };
            Ok(Evidence { activations, gradients })
        });
        evidence.collect()
    }
}
