//! Passes from the layers to the logits that can go back.
//!
//! Receives a trunk; gives logits, and for each class what it says of the layers. On the native kernels where they run most of the head,
//! with one pass forward for all classes; else recorded on Burn. Of a head without a convolution nothing runs on the kernels.

use super::head::Trunk;
use super::recording::{Recording, features};
use super::reduction::Reduction;
use super::rivals::Contrast;
use super::score::Score;
use super::steps::Slots;
use super::sweep::{Sweep, SweptStep};
use super::tap::Tap;
use super::value::{Value, map_tensor};
use super::{Evidence, Features, Network};
use crate::card::ValueId;
use crate::error::Result;
use crate::native::Rule;

/// A pass from the earliest tapped layer to the logits. It supports any number of passes backward.
#[derive(Debug)]
pub struct HeadPass<'a>(Way<'a>);

#[derive(Debug)]
enum Way<'a> {
    Burn(Box<Recorded<'a>>),
    Native(Box<Sweep<'a>>),
}

/// What a recording is made of: autodiff runs back through one once.
#[derive(Debug)]
struct Recorded<'a> {
    network: &'a Network,
    slots: Slots,
    cut: ValueId,
    reduction: Reduction,
    recording: Option<Recording>,
}

impl Network {
    /// Runs the head so that it can be run backward: from the tapped layers to the logits.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub fn record(&self, trunk: &Trunk) -> Result<HeadPass<'_>> {
        if let Some(sweep) = self.sweep_behind(trunk)? {
            return Ok(HeadPass(Way::Native(Box::new(sweep))));
        }
        let (slots, cut) = (trunk.slots().clone(), trunk.cut());
        let recording = Some(self.record_from(slots.clone(), &self.taps, cut)?);
        let reduction = Reduction::Values;
        Ok(HeadPass(Way::Burn(Box::new(Recorded { network: self, slots, cut, reduction, recording }))))
    }

    /// The logits, `[1, classes]`, of the picture whose trunk this is: the same bits as those of a pass that can go back.
    ///
    /// # Errors
    /// As [`Network::record`].
    pub fn logits_behind(&self, trunk: &Trunk) -> Result<Vec<f32>> {
        match self.sweep_behind(trunk)? {
            Some(sweep) => sweep.logits(),
            None => self.finish(trunk.slots().clone(), self.steps.first_after(trunk.cut())),
        }
    }

    /// The pass on the native kernels, where they run most of the head. A trunk that was continued past the first layer is left to Burn.
    fn sweep_behind(&self, trunk: &Trunk) -> Result<Option<Sweep<'_>>> {
        let is_whole = trunk.cut() == self.cut;
        let course = if is_whole { self.courses.of_layers(&self.steps, &self.taps)? } else { None };
        course.map(|course| self.swept(trunk.slots().clone(), course, 1)).transpose()
    }
}

impl HeadPass<'_> {
    /// The same pass with the output reduced to one number per target, which are the classes of the other calls.
    ///
    /// # Errors
    /// When the reduction is of another output.
    pub fn reduced(self, reduction: &Reduction) -> Result<Self> {
        Ok(Self(match self.0 {
            Way::Native(sweep) => Way::Native(Box::new(sweep.reduced(reduction)?)),
            Way::Burn(mut recorded) => {
                recorded.recording = Some(recorded.take()?.reduced(reduction)?);
                recorded.reduction = reduction.clone();
                Way::Burn(recorded)
            }
        }))
    }

    /// The logits, `[1, classes]`.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn logits(&mut self) -> Result<Vec<f32>> {
        match &mut self.0 {
            Way::Native(sweep) => sweep.logits(),
            Way::Burn(recorded) => {
                let recording = recorded.take()?;
                recorded.recording.insert(recording).logits()
            }
        }
    }

    /// Runs backward from one class score and gives each tap's evidence, in order.
    ///
    /// # Errors
    /// When `class` is out of range, or the logits do not depend on a tap.
    pub fn evidence(&mut self, score: &Score, class: usize) -> Result<Vec<Evidence>> {
        match &mut self.0 {
            Way::Native(sweep) => sweep.evidence(sweep.seed(*score, class, Reduction::of)?),
            Way::Burn(recorded) => recorded.take()?.evidence(score, class),
        }
    }

    /// As [`HeadPass::evidence`], for the difference between a class and others.
    ///
    /// # Errors
    /// As [`HeadPass::evidence`].
    pub fn contrast(&mut self, contrast: &Contrast) -> Result<Vec<Evidence>> {
        match &mut self.0 {
            Way::Native(sweep) => sweep.evidence(sweep.contrast(contrast)?),
            Way::Burn(recorded) => recorded.take()?.contrast(contrast),
        }
    }
}

impl Recorded<'_> {
    /// A recording that has not been run backward.
    fn take(&mut self) -> Result<Recording> {
        if let Some(recording) = self.recording.take() {
            return Ok(recording);
        }
        let Self { network, slots, cut, reduction, .. } = self;
        network.record_from(slots.clone(), &network.taps, *cut)?.reduced(reduction)
    }
}

impl Sweep<'_> {
    /// What came of a gradient of the output at every tapped layer; the sweep began at the earliest.
    fn evidence(&self, seed: Value) -> Result<Vec<Evidence>> {
        let (taps, cut) = (&self.network.taps, self.network.cut);
        let place = |id: ValueId| taps.iter().position(|tap| tap.id == id);
        let of_tap = |tap: &Tap, value: Value| features(tap.cells(value)?.map);
        let mut found: Vec<Option<Features>> = vec![None; taps.len()];
        let mut visit = |step: SweptStep<'_>| {
            if let Some(at) = place(step.id()) {
                found[at] = Some(of_tap(&taps[at], step.gradient(&self.network.steps.device)?)?);
            }
            Ok(())
        };
        let mut left = self.from(seed, Rule::Plain, &mut visit)?;
        if let (Some(at), Some(gradient)) = (place(cut), left[cut].take()) {
            found[at] = Some(of_tap(&taps[at], gradient)?);
        }
        let evidence = |(tap, gradients): (&Tap, Option<Features>)| {
            let value = self.value(tap.id)?;
            let gradients = match gradients {
                Some(gradients) => gradients,
                // A layer without a gradient does not affect the score.
                None => of_tap(tap, map_tensor!(value.clone(), t => t.zeros_like()))?,
            };
            Ok(Evidence { activations: of_tap(tap, value)?, gradients })
        };
        taps.iter().zip(found).map(evidence).collect()
    }
}
