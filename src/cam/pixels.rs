//! Code shared by methods on the network's input: gradients there, and how the values of all colours become one.

use super::options::Library;
use super::question::Question;
use crate::engine::{Rectifiers, Rule, Runs, Sweep, Visits};
use crate::error::Result;

/// How the values of all colours become one per pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    /// The largest magnitude: for methods whose sign depends on whether something is dark on bright or bright on
    /// dark.
    Size,
    /// The sum: for methods whose values add up to a score.
    Sum,
    /// The largest magnitude for gradients through rectifiers, where libraries differ from the plain gradient.
    Rectified,
}

impl<'a> Question<'a> {
    /// For each class the gradient of its score with respect to the picture.
    pub(super) fn gradients(&self) -> Result<Vec<Vec<f32>>> {
        match self.scene.sweep(Visits::Nothing) {
            Some(sweep) => Ok(self.with_sign(self.back(sweep, Rule::Plain)?)),
            // Not a sweep of its own: where Burn runs most of the network, one recording is faster.
            None => self.input_gradients(self.values(), Runs::Few),
        }
    }

    /// For each class the gradient of its score with respect to inputs `[batch, channels, height, width]`.
    pub(super) fn input_gradients(&self, values: &[f32], runs: Runs) -> Result<Vec<Vec<f32>>> {
        let classes = (&self.score, self.classes);
        Ok(self.with_sign(self.network().input_gradients(values, self.reduction(), classes, runs)?))
    }

    /// As [`Question::gradients`], with another rule at rectifiers.
    pub(super) fn rectified_gradients(&self, rule: fn(Rectifiers) -> Rule) -> Result<Vec<Vec<f32>>> {
        self.swept(Visits::Nothing, |sweep| self.back(sweep, rule(self.options.rectifiers())))
    }

    /// What `read` makes of a pass of the picture that can go back for every class: the one that gave the logits, or one that is run now.
    pub(super) fn swept<T>(&self, visits: Visits, read: impl FnOnce(&Sweep<'a>) -> Result<T>) -> Result<T> {
        match self.scene.sweep(visits) {
            Some(sweep) => read(sweep),
            None => read(&self.network().sweep(self.values().to_vec(), visits)?.reduced(self.reduction())?),
        }
    }

    /// A pass of the picture that can go back for every class, in double precision where the device has it.
    pub(super) fn sweep_precisely(&self) -> Result<Sweep<'a>> {
        self.network().sweep_precisely(self.values().to_vec())?.reduced(self.reduction())
    }

    fn back(&self, sweep: &Sweep<'_>, rule: Rule) -> Result<Vec<Vec<f32>>> {
        let gradient = |class: &usize| sweep.back(&self.score, *class, rule, &mut |_| Ok(()));
        self.classes.iter().map(gradient).collect()
    }

    fn with_sign(&self, mut gradients: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
        gradients.iter_mut().flatten().for_each(|value| *value *= self.sign());
        gradients
    }
}

/// `[channels, height, width]` -> `[height, width]`.
///
/// captum's pictures sum over the colours for every method; pytorch-grad-cam's are in colour, and are summed here.
/// xplique uses the mean over colours except for the gradient. Signed maps are sums.
pub(super) fn reduced(question: &Question, values: &[f32], how: Reduction) -> Vec<f32> {
    let [channels, height, width] = question.network().input();
    let cells = height * width;
    let sum =
        |cell: usize| values.iter().skip(cell).step_by(cells).map(|value| f64::from(*value)).sum::<f64>();
    let size = |cell: usize| {
        values.iter().skip(cell).step_by(cells).fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    let pixel = |cell: usize| match (how, question.library()) {
        (_, Some(Library::Captum)) | (Reduction::Rectified, Some(Library::PytorchGradCam)) => {
            sum(cell) as f32
        }
        (Reduction::Sum | Reduction::Rectified, Some(Library::Xplique)) => {
            (sum(cell) / channels as f64) as f32
        }
        (Reduction::Size | Reduction::Rectified, _) if !question.options.signed => size(cell),
        _ => sum(cell) as f32,
    };
    (0..cells).map(pixel).collect()
}

/// For each class the weighted sum of the gradients at `count` inputs, each created by `make`, in batches.
pub(super) fn weighted_gradients(
    question: &Question,
    count: usize,
    make: impl Fn(usize) -> Vec<f32>,
    weight: impl Fn(usize) -> f64,
) -> Result<Vec<Vec<f32>>> {
    let size = question.values().len();
    // Per class and value of the input: the sum, and the gradients of one batch.
    let bytes = size_of::<f64>() + question.options.batch_size * size_of::<f32>();
    let mut weighted = Vec::with_capacity(question.classes.len());
    for part in question.parts(size * bytes) {
        // In double precision, because gradients of noisy inputs nearly cancel.
        let mut sums = vec![vec![0.0_f64; size]; part.classes.len()];
        for batch in part.batches(count) {
            let inputs: Vec<f32> = batch.clone().flat_map(&make).collect();
            for (sum, gradients) in sums.iter_mut().zip(part.input_gradients(&inputs, Runs::Many)?) {
                for (at, gradient) in batch.clone().zip(gradients.chunks(size)) {
                    let weight = weight(at);
                    sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight * f64::from(*value));
                }
            }
            part.report(batch.end, count);
        }
        let narrow = |sum: Vec<f64>| sum.into_iter().map(|value| value as f32).collect();
        weighted.extend(sums.into_iter().map(narrow));
    }
    Ok(weighted)
}

/// Maximum minus minimum.
pub(super) fn range(values: &[f32]) -> f32 {
    let [least, greatest] = extremes(values);
    greatest - least
}

/// Minimum and maximum.
pub(super) fn extremes(values: &[f32]) -> [f32; 2] {
    // As many chains as a register has lanes: one would wait for itself at every value.
    let (mut least, mut greatest) = ([f32::INFINITY; 16], [f32::NEG_INFINITY; 16]);
    for values in values.chunks(16) {
        least.iter_mut().zip(values).for_each(|(least, value)| *least = least.min(*value));
        greatest.iter_mut().zip(values).for_each(|(greatest, value)| *greatest = greatest.max(*value));
    }
    [least.into_iter().fold(f32::INFINITY, f32::min), greatest.into_iter().fold(f32::NEG_INFINITY, f32::max)]
}
