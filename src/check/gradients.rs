//! Compares the gradient used for a map with difference quotients of the network itself.
//!
//! One activation is moved up and down by a step, the head runs again without autodiff, and the slopes to both sides
//! are taken (`ruler`). With one stable slope, the gradient must equal it. With a different stable slope on each side there
//! is a kink (the corner of a ReLU, a tie in a max pool), and the gradient must be between the two. A gradient that does neither is examined operation by operation (`local`): where several ties meet it may be
//! outside and still be correct. All other positions are unsettled; they are counted, not judged.

use std::collections::BTreeSet;

use super::local::{SecondLook, outside};
use super::noise::Random;
use super::ruler::{Finding, Ruler};
use super::{GradientCheck, Status, Subject, guarded, inner};
use crate::engine::{Evidence, Score, Trunk};
use crate::error::{Error, Result};

/// Half are drawn from the whole layer, half from positions with a nonzero gradient, which sparse gradients would
/// rarely yield.
const POSITIONS: usize = 32;

/// With a smaller share of smooth positions than this, the sample proves nothing.
const ENOUGH: f64 = 0.25;

/// Positions that are examined operation by operation. Each takes many runs of the head; further ones stay unsettled.
const LOOKS: usize = 8;

impl GradientCheck {
    /// The greatest difference between slope and gradient that passes, as a share of the layer's greatest gradient.
    /// Difference quotients of 32-bit floats are accurate to about this; a wrong formula is off by far more.
    pub const LIMIT: f64 = 0.02;
}

/// Checks the gradients at the subject's layer.
pub(super) fn check(subject: &Subject) -> GradientCheck {
    let mut found = GradientCheck {
        status: Status::NotAvailable,
        layer: None,
        class: None,
        positions: 0,
        smooth: 0,
        at_kink: 0,
        unsettled: 0,
        wrong: 0,
        steps: None,
        relative: None,
        limit: GradientCheck::LIMIT,
        problem: None,
    };
    let Some(layer) = subject.layer else {
        found.problem = Some("no layer can be explained".to_owned());
        return found;
    };
    found.layer = Some(subject.model.graph().nodes[layer].name.clone());
    if let Err(error) = guarded(|| compare(subject, &mut found)) {
        found.status = Status::Failed;
        found.problem = Some(inner(&error));
    }
    found
}

fn compare(subject: &Subject, found: &mut GradientCheck) -> Result<()> {
    let class = most_probable(subject)?;
    found.class = Some(subject.model.output().form.class_of(class));
    let trunk = subject.network.trunk(subject.input.clone())?;
    let evidence = subject.network.record(&trunk)?.evidence(&Score::Logit, class)?;
    let evidence = evidence.first().ok_or_else(|| Error::internal("the layer gave no evidence"))?;
    judge(subject, (&trunk, evidence, class), found)
}

/// Compares the gradients of `evidence` with slopes of the head.
fn judge(
    subject: &Subject,
    (trunk, evidence, class): (&Trunk, &Evidence, usize),
    found: &mut GradientCheck,
) -> Result<()> {
    let gradients = &evidence.gradients.values;
    // NaN compares false, so a gradient of NaN would pass every limit below.
    if subject.logits.iter().chain(gradients).any(|number| !number.is_finite()) {
        return Err(Error::request("the logits or the gradients are not finite"));
    }
    let sample = sample(gradients, subject.request.seed);
    let head = Head { subject, trunk, evidence, class };
    let ruler = head.ruler(&sample)?;
    if ruler.allowed == 0.0 {
        found.problem = Some("not conclusive: this layer does not move the score for this input".to_owned());
        return Ok(());
    }
    let mut smallest = ruler.step;
    let mut looks = Looks { head: &head, look: None, taken: 0 };
    for at in sample {
        found.positions += 1;
        let gradient = f64::from(gradients[at]);
        let value = evidence.activations.values[at];
        let mut step = ruler.step;
        let finding = ruler.measure(value, gradient, &mut step, |value| head.score(at, value))?;
        smallest = smallest.min(step);
        let error = match finding {
            Finding::Smooth(slope) => (slope - gradient).abs(),
            Finding::Kink(slopes) => outside(gradient, slopes),
            Finding::Unsettled => 0.0,
        };
        let verdict = if error > ruler.allowed { looks.at(at, gradient, ruler.allowed, step)? } else { None };
        found.count(finding, verdict, error / ruler.allowed * GradientCheck::LIMIT);
    }
    found.steps = Some([ruler.step, smallest]);
    conclude(found);
    Ok(())
}

impl GradientCheck {
    /// Counts a position. `verdict` is the result of its second look, if any; `relative` the error of its gradient.
    fn count(&mut self, finding: Finding, verdict: Option<Verdict>, relative: f64) {
        match (finding, verdict) {
            (Finding::Unsettled, _) | (_, Some(Verdict::NotTaken)) => self.unsettled += 1,
            (_, Some(Verdict::Sound)) => self.at_kink += 1,
            // Also wrong gradients count as smooth or at a kink, so that the four numbers add up to the positions.
            (finding, verdict) => {
                match finding {
                    Finding::Smooth(_) => self.smooth += 1,
                    _ => self.at_kink += 1,
                }
                self.wrong += usize::from(verdict == Some(Verdict::Wrong));
                self.relative = Some(self.relative.map_or(relative, |worst| worst.max(relative)));
            }
        }
    }
}

/// The result of a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Sound,
    Wrong,
    NotTaken,
}

/// A limited number of second looks.
struct Looks<'a> {
    head: &'a Head<'a>,
    look: Option<SecondLook<'a>>,
    taken: usize,
}

impl Looks<'_> {
    fn at(&mut self, at: usize, gradient: f64, allowed: f64, step: f64) -> Result<Option<Verdict>> {
        if self.taken == LOOKS {
            return Ok(Some(Verdict::NotTaken));
        }
        self.taken += 1;
        let Head { subject, trunk, evidence, class } = *self.head;
        if self.look.is_none() {
            let activations = &evidence.activations.values;
            self.look = Some(SecondLook::new(&subject.network, trunk, activations, class)?);
        }
        let look = self.look.as_ref().ok_or_else(|| Error::internal("there is no second look"))?;
        let is_sound = look.accepts(at, gradient, allowed, step)?;
        Ok(Some(if is_sound { Verdict::Sound } else { Verdict::Wrong }))
    }
}

fn conclude(found: &mut GradientCheck) {
    if found.wrong > 0 {
        found.status = Status::Failed;
    } else if (found.smooth as f64) < ENOUGH * found.positions as f64 {
        found.problem = Some("not conclusive: too few positions have one settled slope".to_owned());
    } else {
        found.status = Status::Ok;
    }
}

/// The part of the network after the layer, as a function of one activation.
struct Head<'a> {
    subject: &'a Subject<'a>,
    trunk: &'a Trunk,
    evidence: &'a Evidence,
    class: usize,
}

impl Head<'_> {
    /// The class score with the activation at `at` replaced.
    fn score(&self, at: usize, value: f32) -> Result<f64> {
        // The trunk is not run again: only what comes after the layer depends on the activation.
        let mut activations = self.evidence.activations.values.clone();
        activations[at] = value;
        let logits = self.subject.network.logits_from(self.trunk, activations)?;
        logits
            .get(self.class)
            .map(|score| f64::from(*score))
            .ok_or_else(|| Error::internal("a logit is gone"))
    }

    /// Everything is measured relative to the layer's greatest gradient, or, if all gradients are zero, to the
    /// steepest slope in the sample: then zero may be the error.
    fn ruler(&self, sample: &BTreeSet<usize>) -> Result<Ruler> {
        let Evidence { activations, gradients } = self.evidence;
        let step = match greatest(&activations.values) {
            // A layer without activation has no unit of its own, and a step of zero would measure nothing.
            0.0 => 1.0,
            greatest => greatest,
        };
        let rounding = 4.0 * f64::from(f32::EPSILON) * greatest(&self.subject.logits);
        let mut scale = greatest(&gradients.values);
        if scale == 0.0 {
            for &at in sample {
                let value = activations.values[at];
                let rise = self.score(at, value + step as f32)? - self.score(at, value - step as f32)?;
                scale = scale.max(if rise.abs() > 2.0 * rounding { rise.abs() / (2.0 * step) } else { 0.0 });
            }
        }
        Ok(Ruler { step, allowed: GradientCheck::LIMIT * scale, rounding })
    }
}

/// The index of the greatest score of a class; a detector's boxes are none.
fn most_probable(subject: &Subject) -> Result<usize> {
    let found = subject.model.output().form.most_probable(&subject.logits);
    found.ok_or_else(|| Error::internal("the network gives no scores"))
}

fn greatest(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(value.abs())).fold(0.0, f64::max)
}

/// Sorted positions without duplicates; all positions of a small layer.
fn sample(gradients: &[f32], seed: u64) -> BTreeSet<usize> {
    if gradients.len() <= POSITIONS {
        return (0..gradients.len()).collect();
    }
    // Where all gradients are zero, all positions are drawn from the whole layer: zero may be what is wrong.
    let telling: Vec<usize> = (0..gradients.len()).filter(|at| gradients[*at] != 0.0).collect();
    let mut random = Random::new(seed);
    let mut sample = BTreeSet::new();
    while sample.len() < POSITIONS / 2 && !telling.is_empty() && sample.len() < telling.len() {
        sample.insert(telling[random.below(telling.len())]);
    }
    while sample.len() < POSITIONS {
        sample.insert(random.below(gradients.len()));
    }
    sample
}

#[cfg(test)]
#[path = "gradients_tests.rs"]
mod tests;
