//! The classes of a subject, without an explanation.

use super::Subject;
use super::answer::{self, Answer, Given};
use crate::engine::{Network, Runtime};
use crate::error::{Problem, Result};
use crate::model::Model;
use crate::record::Prediction;

/// A model with its weights loaded, ready to classify; it needs no explainable layer.
///
/// ```
/// use burncam::{Model, Predictor, Reading, Runtime, Subject};
///
/// # fn main() -> burncam::Result<()> {
/// # #[cfg(feature = "embedded-model")] {
/// let predictor = Predictor::new(Model::embedded()?, Runtime::default())?;
/// let photo = "fixtures/images/coffee.png".as_ref();
/// let subject = Subject::open(photo, &Reading::default(), predictor.model())?;
/// for class in predictor.predict(&subject, 1)? {
///     assert_eq!((class.target, class.class_name.as_str()), (967, "espresso"));
/// }
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Predictor {
    model: Model,
    network: Network,
}

impl Predictor {
    /// Loads the weights.
    ///
    /// # Errors
    /// When the weights cannot be read or the device cannot be opened.
    pub fn new(model: Model, runtime: impl Into<Runtime>) -> Result<Self> {
        let network = Network::load(&model, &[], runtime)?;
        Ok(Self { model, network })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The `top_k` most probable classes of a subject, most probable first; for a network that gives numbers, the
    /// first ones.
    ///
    /// # Errors
    /// When the logits are not finite.
    pub fn predict(&self, subject: &Subject, top_k: usize) -> Result<Vec<Prediction>> {
        let output = self.network.logits(subject.values.clone())?;
        let answer = answered(&self.model, &self.network, &output, (subject, &Given::default()))?;
        Ok(answer.ranked.into_iter().take(top_k).collect())
    }
}

/// What the network's output says about a picture.
///
/// # Errors
/// When the output is not finite, or what the caller gave does not fit the picture.
pub(super) fn answered(
    model: &Model,
    network: &Network,
    output: &[f32],
    (subject, given): (&Subject, &Given),
) -> Result<Answer> {
    if output.iter().any(|logit| !logit.is_finite()) {
        let layer = network.first_not_finite(subject.values.clone())?;
        let name = layer.map_or("the output", |position| model.graph().nodes[position].name.as_str());
        let what = format!("the network gives numbers that are not finite, first at layer '{name}'");
        return Err(Problem::new(what).hint("is the input in range?").of_image(&subject.file.path));
    }
    answer::read(model, output, subject, given)
}
