//! Gradients with respect to pixels, of several pictures and classes.
//!
//! Receives inputs of the network, gives the gradients of class scores there. A sweep on the native kernels where they run most of the
//! network, else one recording on Burn. What inputs these are is left to the methods.

use super::Network;
use super::course::{TOGETHER, Visits};
use super::program::Program;
use super::recording::Recording;
use super::reduction::Reduction;
use super::score::Score;
use super::sweep::Sweep;
use super::tap::Tap;
use crate::card::ValueId;
use crate::error::Result;
use crate::native::{Rule, Runs};
use burncam_graph::layout::Grid;

impl Network {
    /// For each class the gradients of its score with respect to the input, `[batch, channels, height, width]`; every picture's is that
    /// of its own score. `runs` says whether a method calls this for many pictures.
    ///
    /// # Errors
    /// When there are not as many values as whole pictures have, the reduction is of another output, or a class is out of range.
    pub fn input_gradients(
        &self,
        values: &[f32],
        reduction: &Reduction,
        (score, classes): (&Score, &[usize]),
        runs: Runs,
    ) -> Result<Vec<Vec<f32>>> {
        let course = match runs {
            Runs::Few => self.courses.of_picture(&self.steps, Visits::Nothing)?,
            Runs::Many => self.courses.of_copies(&self.steps)?,
        };
        if !course.is_mostly_native() {
            // One recording of everything is faster on Burn than one per operation. A pass backward frees it.
            let gradient = |class: &usize| {
                self.record_input(values.to_vec())?.reduced(reduction)?.gradient(score, *class)
            };
            return classes.iter().map(gradient).collect();
        }
        let one = values.len() / self.steps.batch(values)?;
        let mut found = vec![Vec::with_capacity(values.len()); classes.len()];
        for pictures in values.chunks(TOGETHER * one) {
            let slots = self.steps.start(pictures.to_vec())?;
            let sweep = self.swept(slots, course, pictures.len() / one)?.reduced(reduction)?;
            for (found, class) in found.iter_mut().zip(classes) {
                found.extend(sweep.back(score, *class, Rule::Plain, &mut |_| Ok(()))?);
            }
        }
        Ok(found)
    }

    /// A pass of one picture, and its logits, which serve a caller that goes back to the pixels anyway; `None` where two passes are better, because
    /// Burn runs most of it or all other passes multiply in another precision.
    ///
    /// Its logits differ from those of [`Network::logits`] by rounding: it does without Winograd's transforms.
    ///
    /// # Errors
    /// When there are not as many values as one picture has.
    pub fn sweep_for_logits(&self, picture: &[f32], visits: Visits) -> Result<Option<(Sweep<'_>, Vec<f32>)>> {
        self.expect_one(picture)?;
        let is_rounded = self.program.as_ref().is_some_and(Program::is_rounded);
        let pays = !is_rounded && self.courses.of_picture(&self.steps, visits)?.is_mostly_native();
        let swept = || {
            let sweep = self.sweep(picture.to_vec(), visits)?;
            let logits = sweep.logits()?;
            Ok((sweep, logits))
        };
        pays.then(swept).transpose()
    }

    /// Records the whole network for one or several pictures, with its input as the only leaf.
    ///
    /// # Shapes
    /// `values` is `[batch, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as whole pictures have.
    fn record_input(&self, values: Vec<f32>) -> Result<Recording> {
        self.count(&values)?;
        let picture = Tap { id: ValueId::INPUT, grid: Grid::channels_first(self.input()) };
        self.record_from(self.steps.start(values)?, &[picture], ValueId::INPUT)
    }
}
