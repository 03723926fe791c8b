//! A method's queries about a picture: classes, the explained score, and the scores of changed inputs.
//!
//! A question is about all classes at once: a changed input passes through the network once, and the scores of all
//! classes are read from its logits.

use std::ops::Range;
use std::slice::ChunksExact;
use std::sync::Mutex;

use super::options::{Library, Options};
use super::passes::{Lane, in_batches};
use super::scene::Scene;
use crate::engine::{Contrast, Evidence, Features};
use crate::engine::{HeadPass, Network, Reduction, Region, Rivals, Score, Trunk};
use crate::error::{Hint, OptionName, Problem, Result};

/// Classes of a picture, and how to explain them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) scene: &'a Scene<'a>,
    /// Indices of the classes, all valid.
    pub(super) classes: &'a [usize],
    /// The explained function of the logits.
    pub(super) score: Score,
    /// Options of the methods.
    pub(super) options: &'a Options,
    /// The original input, also when the scene is of a changed copy.
    pub(super) asked_about: &'a [f32],
}

/// Limit on results kept for several classes at once; more classes need more passes.
const MOST_BYTES: usize = 256 << 20;

impl<'a> Question<'a> {
    pub(super) fn network(&self) -> &'a Network {
        self.scene.network()
    }

    /// The network's input, `[1, channels, height, width]`.
    pub(super) fn values(&self) -> &'a [f32] {
        self.scene.values()
    }

    pub(super) fn logits(&self) -> &'a [f32] {
        self.scene.logits()
    }

    /// How the output becomes the number of each class.
    pub(super) fn reduction(&self) -> &'a Reduction {
        self.scene.reduction()
    }

    /// The classes that one is compared with.
    pub(super) fn rivals(&self, class: usize) -> Rivals {
        self.reduction().rivals(class, self.logits().len())
    }

    pub(super) fn library(&self) -> Option<Library> {
        self.options.library
    }

    pub(super) fn follows(&self, library: Library) -> bool {
        self.options.library == Some(library)
    }

    /// One, or minus one for evidence against the class.
    pub(super) fn sign(&self) -> f32 {
        if self.options.counterfactual { -1.0 } else { 1.0 }
    }

    /// The same question about parts of the classes, small enough to keep `bytes` for each class.
    pub(super) fn parts(&self, bytes: usize) -> impl Iterator<Item = Self> + use<'a> {
        let question = *self;
        // At least one: a class whose results exceed the limit must still be explained.
        let together = (MOST_BYTES / bytes.max(1)).max(1);
        question.classes.chunks(together).map(move |classes| Self { classes, ..question })
    }

    /// Activations and gradients of a class's score at every layer.
    ///
    /// `head` is the scene's pass through the head, which is run now where there is none.
    pub(super) fn evidence(&self, class: usize, head: &mut Option<HeadPass<'a>>) -> Result<Vec<Evidence>> {
        let evidence = self.head(head)?.evidence(&self.score, class)?;
        Ok(self.signed(evidence))
    }

    /// As [`Question::evidence`], for the difference between a class and others.
    pub(super) fn contrast(
        &self,
        contrast: &Contrast,
        head: &mut Option<HeadPass<'a>>,
    ) -> Result<Vec<Evidence>> {
        let evidence = self.head(head)?.contrast(contrast)?;
        Ok(self.signed(evidence))
    }

    fn head<'b>(&self, head: &'b mut Option<HeadPass<'a>>) -> Result<&'b mut HeadPass<'a>> {
        head.take().map_or_else(|| self.scene.record(), Ok).map(move |known| head.insert(known))
    }

    fn signed(&self, evidence: Vec<Evidence>) -> Vec<Evidence> {
        if !self.options.counterfactual {
            return evidence;
        }
        // The gradients change their sign and not the map, because methods rectify gradients and squares of them:
        // evidence against the class would be gone before the map is made.
        let negated = |Evidence { activations, gradients }| {
            let Features { channels, height, width, values } = gradients;
            let values = values.into_iter().map(|value| -value).collect();
            Evidence { activations, gradients: Features { channels, height, width, values } }
        };
        evidence.into_iter().map(negated).collect()
    }

    /// The trunk up to a layer, by its index among the tapped ones.
    pub(super) fn trunk_to(&self, tap: usize) -> Result<Trunk> {
        self.network().trunk_to(self.scene.trunk()?, tap)
    }

    /// A layer's activations, without gradients.
    pub(super) fn activations(&self, tap: usize) -> Result<&'a Features> {
        self.scene.activations(tap)
    }

    /// A class's score from logits, negated for evidence against the class.
    pub(super) fn score_of(&self, logits: &[f32], class: usize) -> f64 {
        f64::from(self.sign()) * self.score.value(logits, class, self.rivals(class))
    }

    /// For each class the scores of `count` changed inputs, each written by `make`, in batches.
    pub(super) fn scores_of_inputs(
        &self,
        count: usize,
        make: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Vec<Vec<f64>>> {
        self.values_of_inputs(count, make, self.scores())
    }

    /// As [`Question::scores_of_inputs`], with what `read` gives of a whole output: one number for each class.
    pub(super) fn values_of_inputs(
        &self,
        count: usize,
        make: impl Fn(usize, &mut [f32]) + Sync,
        read: impl Fn(&[f32]) -> Vec<f64> + Sync,
    ) -> Result<Vec<Vec<f64>>> {
        let (network, size) = (self.network(), self.values().len());
        network.prepare_passes()?;
        self.in_batches(count, size, make, |_, lane| network.logits_on(lane.threads, &lane.values), read)
    }

    /// As [`Question::scores_of_inputs`], of the picture changed in one of these regions each: `change` writes into a copy of the picture.
    pub(super) fn scores_of_regions(
        &self,
        regions: &[Region],
        change: impl Fn(&Region, &mut [f32]) + Sync,
    ) -> Result<Vec<Vec<f64>>> {
        let whole = self.values();
        let copies = self.network().copies(whole, regions)?;
        let make = |at: usize, values: &mut [f32]| {
            values.copy_from_slice(whole);
            change(&regions[at], values);
        };
        let run = |range: Range<usize>, lane: &mut Lane| {
            copies.logits_on(lane.threads, &lane.values, &regions[range])
        };
        self.in_batches(regions.len(), whole.len(), make, run, self.scores())
    }

    /// For each class the scores of `count` variants of a layer's activations, each written by `make`, in batches.
    pub(super) fn scores_of_activations(
        &self,
        trunk: &Trunk,
        count: usize,
        size: usize,
        make: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Vec<Vec<f64>>> {
        let (network, scores) = (self.network(), self.scores());
        let run = |_, lane: &mut Lane| network.logits_from(trunk, std::mem::take(&mut lane.values));
        self.in_batches(count, size, make, run, scores)
    }

    /// What reads the score of each class in one row of outputs: the pass does not depend on the class.
    fn scores(&self) -> impl Fn(&[f32]) -> Vec<f64> + Sync + use<'a> {
        // Of the question what passes need: it cannot be shared by threads itself.
        let (reduction, classes, score, sign) = (self.reduction(), self.classes, self.score, self.sign());
        move |row| {
            let row = reduction.numbers(row);
            let rivals = |class: usize| reduction.rivals(class, row.len());
            let of_class = |class: &usize| f64::from(sign) * score.value(&row, *class, rivals(*class));
            classes.iter().map(of_class).collect()
        }
    }

    /// The numbers below `count` in batches.
    pub(super) fn batches(&self, count: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        // `step_by` panics at zero, and the field is public.
        let size = self.options.batch_size.max(1);
        (0..count).step_by(size).map(move |start| start..(start + size).min(count))
    }

    /// Runs `count` batched inputs of `size` values.
    fn in_batches(
        &self,
        count: usize,
        size: usize,
        make: impl Fn(usize, &mut [f32]) + Sync,
        run: impl Fn(Range<usize>, &mut Lane) -> Result<Vec<f32>> + Sync,
        read: impl Fn(&[f32]) -> Vec<f64> + Sync,
    ) -> Result<Vec<Vec<f64>>> {
        let outputs = self.scene.output().len();
        let progress = self.options.progress.as_ref();
        let done = Mutex::new(0);
        let batch = |range: Range<usize>, lane: &mut Lane| {
            lane.values.resize(range.len() * size, 0.0);
            let copies = range.clone().zip(lane.values.chunks_exact_mut(size));
            copies.for_each(|(at, values)| make(at, values));
            let logits = run(range.clone(), lane)?;
            let rows: Vec<_> = rows_of(&logits, range.len(), outputs)?.map(&read).collect();
            // Reported while it is locked, so that a listener hears of rising numbers.
            if let (Some(progress), Ok(mut done)) = (progress, done.lock()) {
                *done += range.len();
                progress.report(*done, count);
            }
            Ok(rows)
        };
        let rows = in_batches(self.network().threads(), count, self.options.batch_size, batch)?;
        let of_class = |class: usize| rows.iter().map(|row: &Vec<f64>| row[class]).collect();
        Ok((0..self.classes.len()).map(of_class).collect())
    }

    /// Each block's attention, with heads as channels.
    pub(super) fn attention(&self) -> Result<Vec<Features>> {
        self.network().attention(self.values().to_vec())
    }

    /// Each block's attention, and the gradients of a class's score with respect to it.
    pub(super) fn attention_evidence(&self, class: usize) -> Result<Vec<Evidence>> {
        let (values, asked) = (self.values().to_vec(), (&self.score, class));
        Ok(self.signed(self.network().attention_evidence(values, self.reduction(), asked)?))
    }

    /// The gradients of a score of each block with respect to its attention, as
    /// [`Network::gradients_of_blocks`](crate::engine::Network::gradients_of_blocks) has them, without the sign of the question.
    pub(super) fn gradients_of_blocks(
        &self,
        visit: &mut dyn FnMut(usize, usize, Features) -> Result<()>,
    ) -> Result<()> {
        let values = self.values().to_vec();
        self.network().gradients_of_blocks(values, self.reduction(), (&self.score, self.classes), visit)
    }

    /// Reports the number of finished passes and of all.
    pub(super) fn report(&self, done: usize, total: usize) {
        if let Some(progress) = &self.options.progress {
            progress.report(done, total);
        }
    }
}

/// The outputs of the inputs of a batch, each of `values` numbers.
///
/// # Errors
/// When there are not as many: a graph that fixes its batch, or moves it to another axis, gives another number of rows, and a row could not be
/// attributed to its input.
pub(crate) fn rows_of(outputs: &[f32], inputs: usize, values: usize) -> Result<ChunksExact<'_, f32>> {
    if outputs.len() == inputs * values {
        return Ok(outputs.chunks_exact(values.max(1)));
    }
    let problem = Problem::new("the network mixes the pictures of a batch, so it cannot be perturbed");
    Err(problem.hint(Hint::set(OptionName::BatchSize, 1)).into())
}
