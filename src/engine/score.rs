//! The scalar whose gradient explains a class.

use burn::tensor::{Tensor, activation};

use super::rivals::{Contrast, Rivals, margin};
use crate::card::Task;
use crate::error::{Error, OptionName, Phrase, Problem, Result, by_name};
use crate::model::{FinalActivation, OutputSpec};

/// Which function of the logits `z` is the class score `y^c`.
///
/// ```
/// use burncam_engine::Score;
///
/// let names: Vec<&str> = Score::NAMES.iter().map(|(name, _)| *name).collect();
/// assert!(names.contains(&"logit") && names.contains(&"margin"));
/// assert_eq!(Score::Prob.name(), "prob");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Score {
    /// `z_c`, before any softmax. The papers' choice.
    #[default]
    Logit,
    /// `softmax(z)_c`. Its gradient vanishes as the probability nears one.
    Prob,
    /// `log softmax(z)_c`.
    LogProb,
    /// `z_c` minus the greatest logit of another class.
    Margin,
    /// `z_c` minus the logit of this class: the margin to it.
    Against(usize),
    /// The number of a target from which the reduction took that of this class ([`Reduction`](super::Reduction)), in the place of
    /// `Against` where the number is a sum over pixels, or of one anchor.
    Difference(usize),
    /// `z_c + log softmax(z)_c`, the score of ShapleyCAM (ReST, arXiv:2501.06261): it has a second derivative where the
    /// logit has none, and its gradient does not vanish with certainty.
    Rest,
    /// The number itself, for a network that gives numbers instead of classes.
    Number,
    /// `sigmoid(z_c)`, which [`Score::for_output`] uses instead of `Prob` for independent classes.
    Sigmoid,
    /// `log sigmoid(z_c)`, also in the place of `LogProb`.
    LogSigmoid,
    /// `z_c + log sigmoid(z_c)`, also in the place of `Rest`.
    RestSigmoid,
    /// The network's own probability when it has no logits; also instead of `Prob`.
    Own,
    /// Its logarithm, also instead of `LogProb`.
    LogOwn,
    /// The cosine with another embedding, for a network that gives embeddings.
    Cosine,
}

impl Score {
    /// Names for callers, with their scores.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("logit", Self::Logit),
        ("prob", Self::Prob),
        ("log-prob", Self::LogProb),
        ("margin", Self::Margin),
        ("rest", Self::Rest),
        ("number", Self::Number),
        ("cosine", Self::Cosine),
    ];

    /// The name that callers use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logit => "logit",
            Self::Prob | Self::Sigmoid | Self::Own => "prob",
            Self::LogProb | Self::LogSigmoid | Self::LogOwn => "log-prob",
            Self::Margin | Self::Against(_) | Self::Difference(_) => "margin",
            Self::Rest | Self::RestSigmoid => "rest",
            Self::Number => "number",
            Self::Cosine => "cosine",
        }
    }

    /// The class whose logit is subtracted, where that does not depend on the picture.
    #[must_use]
    pub fn rival(self) -> Option<usize> {
        match self {
            Self::Against(rival) | Self::Difference(rival) => Some(rival),
            _ => None,
        }
    }

    /// The requested score, or the default, adapted to the network's outputs.
    ///
    /// # Errors
    /// For a score that these outputs do not have.
    pub fn for_output(asked: Option<Self>, output: &OutputSpec) -> Result<Self> {
        if let (Some(Self::Against(rival)), Task::Segmentation | Task::Detection) = (asked, output.task) {
            return Ok(Self::Difference(rival));
        }
        let Some(asked) = asked else { return Ok(Self::usual(output)) };
        if let (FinalActivation::Reduced, false) | (_, true) = (output.activation, asked == Self::Cosine) {
            return Self::of_reduced(asked, output);
        }
        asked.check_anchors(output)?;
        match (asked, output.activation) {
            (Self::Number, FinalActivation::None) => Ok(Self::Number),
            (_, FinalActivation::None) => Err(Error::request(
                Problem::new(format!("score '{}' is of classes, but the model gives numbers", asked.name()))
                    .hint(Phrase::from("leave out ").without(OptionName::Score).text(", or take number")),
            )),
            (Self::Number, _) => Err(Error::request(
                Problem::new("score 'number' is of a model that gives numbers, but this one gives classes")
                    .hint(Phrase::from("leave out ").without(OptionName::Score)),
            )),
            (Self::Prob | Self::Own, FinalActivation::Identity) => Ok(Self::Own),
            (Self::LogProb | Self::LogOwn, FinalActivation::Identity) => Ok(Self::LogOwn),
            (_, FinalActivation::Identity) => Err(Error::request(
                Problem::new(
                    "is made of logits, but the model gives probabilities without logits before them",
                )
                .named("score", asked.name())
                .hint(Phrase::from("use ").set(OptionName::Score, "prob").text(" or log-prob")),
            )),
            (Self::Prob, FinalActivation::Sigmoid) => Ok(Self::Sigmoid),
            (Self::LogProb, FinalActivation::Sigmoid) => Ok(Self::LogSigmoid),
            (Self::Rest, FinalActivation::Sigmoid) => Ok(Self::RestSigmoid),
            (score, _) => Ok(score),
        }
    }

    /// The score where none is asked for.
    fn usual(output: &OutputSpec) -> Self {
        match output.activation {
            FinalActivation::None => Self::Number,
            FinalActivation::Identity => Self::Own,
            FinalActivation::Reduced if output.task == Task::Embedding => Self::Cosine,
            _ => Self::Logit,
        }
    }

    /// Refuses a softmax over classes whose logits are of different anchors.
    fn check_anchors(self, output: &OutputSpec) -> Result<()> {
        let is_of_anchors = output.task == Task::Detection && output.activation == FinalActivation::Softmax;
        if !is_of_anchors || matches!(self, Self::Logit | Self::Margin) {
            return Ok(());
        }
        let problem = Problem::new("is of classes of a picture, but these exclude each other at each anchor");
        let hint = Phrase::from("use ").set(OptionName::Score, "logit").text(" or margin");
        Err(Error::request(problem.named("score", self.name()).hint(hint)))
    }

    /// The only score of a segmentation or an embedding, if it was asked for.
    fn of_reduced(asked: Self, output: &OutputSpec) -> Result<Self> {
        let usual = Self::usual(output);
        let is_reduced = output.activation == FinalActivation::Reduced;
        if asked == usual && is_reduced {
            return Ok(usual);
        }
        let problem =
            Problem::new(format!("score '{}' is not of the task '{}'", asked.name(), output.task.name()));
        let hint = Phrase::from("leave out ").without(OptionName::Score);
        Err(Error::request(problem.hint(hint)))
    }

    /// The score of a class, from the logits of one picture, in double precision. `rivals` are those of the class, from
    /// [`Reduction::rivals`](super::Reduction::rivals).
    #[must_use]
    pub fn value(self, logits: &[f32], class: usize, rivals: Rivals) -> f64 {
        let logit = f64::from(logits[class]);
        // Exponentials of all logits; most scores do not need them.
        let log_probability = || {
            let (greatest, sum) = exponentials(logits);
            logit - greatest - sum.ln()
        };
        match self {
            Self::Logit | Self::Own | Self::Number | Self::Cosine | Self::Difference(_) => logit,
            Self::Against(rival) => logit - f64::from(logits[rival]),
            Self::LogOwn => logit.ln(),
            Self::Prob => log_probability().exp(),
            Self::LogProb => log_probability(),
            Self::Sigmoid => 1.0 / (1.0 + (-logit).exp()),
            Self::LogSigmoid => -(-logit).exp().ln_1p(),
            Self::Rest => logit + log_probability(),
            Self::RestSigmoid => logit - (-logit).exp().ln_1p(),
            Self::Margin => match rivals.iter().map(|rival| logits[rival]).reduce(f32::max) {
                Some(rival) => logit - f64::from(rival),
                None => logit,
            },
        }
    }

    /// Refuses a class, or one that it is compared with, that is out of range.
    pub(super) fn check(self, class: usize, classes: usize) -> Result<()> {
        // Burn panics on an index out of range.
        match std::iter::once(class).chain(self.rival()).find(|class| *class >= classes) {
            Some(class) => Err(Error::internal(format!("class {class} of {classes} was asked for"))),
            None => Ok(()),
        }
    }

    /// Refuses a contrast with a class out of range.
    pub(super) fn check_contrast(Contrast { class, rivals, .. }: &Contrast, classes: usize) -> Result<()> {
        rivals.iter().try_for_each(|rival| Self::Against(*rival).check(*class, classes))
    }

    /// Whether the score is a probability that rounds to one, so that its slope is noise.
    #[must_use]
    pub fn is_saturated(self, logits: &[f32], class: usize) -> bool {
        let probability = || {
            let (greatest, sum) = exponentials(logits);
            (f64::from(logits[class]) - greatest).exp() / sum
        };
        self == Self::Prob && 1.0 - probability() < f64::from(f32::EPSILON)
    }

    /// The score as a scalar tensor for differentiation. `logits` is `[batch, classes]`; for several pictures it is
    /// the sum of their scores.
    pub(super) fn of(self, logits: Tensor<2>, class: usize, rivals: Rivals) -> Tensor<1> {
        let at = |tensor: Tensor<2>| tensor.narrow(1, class, 1).sum();
        match self {
            Self::Logit | Self::Own | Self::Number | Self::Cosine | Self::Difference(_) => at(logits),
            Self::Against(rival) => at(logits.clone()) - logits.narrow(1, rival, 1).sum(),
            Self::LogOwn => at(logits.log()),
            Self::Prob => at(activation::softmax(logits, 1)),
            Self::LogProb => at(activation::log_softmax(logits, 1)),
            Self::Sigmoid => at(activation::sigmoid(logits)),
            Self::LogSigmoid => at(activation::log_sigmoid(logits)),
            Self::Margin => margin(logits, class, rivals),
            Self::Rest => at(logits.clone()) + at(activation::log_softmax(logits, 1)),
            Self::RestSigmoid => at(logits.clone()) + at(activation::log_sigmoid(logits)),
        }
    }
}

/// The greatest logit, and the sum of the exponentials of all, less that.
fn exponentials(logits: &[f32]) -> (f64, f64) {
    let greatest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    (greatest, logits.iter().map(|logit| (f64::from(*logit) - greatest).exp()).sum())
}

impl std::str::FromStr for Score {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        by_name("score", text, Self::NAMES.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_within_rounding_of_one_is_saturated() {
        let saturated = |score: Score, rival: f32| score.is_saturated(&[0.0, rival], 0);
        assert!(saturated(Score::Prob, -17.0) && !saturated(Score::Prob, -15.0));
        assert!(!saturated(Score::Logit, -17.0) && !saturated(Score::LogProb, -17.0));
    }

    #[test]
    fn the_numbers_of_the_scores() {
        let logits = [1.0, 5.0, 3.0];
        let value = |score: Score, class| score.value(&logits, class, Rivals { own: class, classes: 3 });
        assert_eq!(value(Score::Margin, 1), 2.0);
        assert_eq!(value(Score::Margin, 2), -2.0);
        assert_eq!(value(Score::Against(0), 2), 2.0);
        let sum = 1.0_f64.exp() + 5.0_f64.exp() + 3.0_f64.exp();
        assert!((value(Score::Prob, 2) - 3.0_f64.exp() / sum).abs() < 1e-12);
        assert!((value(Score::LogProb, 0) - (1.0 - sum.ln())).abs() < 1e-12);
        assert!((value(Score::Sigmoid, 0) - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-12);
    }

    #[test]
    fn a_box_competes_with_the_classes_that_are_not_its_own() {
        // Two classes and a box of each: the surest box of a class has the class's own number.
        let numbers = [5.0, 2.0, 5.0, 1.5];
        let of_first = Rivals { own: 0, classes: 2 };
        assert_eq!(Score::Margin.value(&numbers, 0, of_first), 3.0);
        assert_eq!(Score::Margin.value(&numbers, 2, of_first), 3.0);
        assert_eq!(Score::Margin.value(&numbers, 3, Rivals { own: 1, classes: 2 }), -3.5);
        assert_eq!(Score::Margin.value(&numbers[..1], 0, Rivals { own: 0, classes: 1 }), 5.0);
    }
}
