//! The steps of a network forward and backward again: runs of them on the native kernels, Burn where an operation has none.
//!
//! Says which steps form a run, once for each kind of pass. Filling in tensors and gradients is left to `stretch`, what they are of to
//! `sweep`.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::outline::Outline;
use super::segment::Segment;
use super::step::Step;
use super::steps::Steps;
use super::stretch::{Stretch, filled};
use super::tap::Tap;
use crate::card::{Op, ValueId};
use crate::error::{Error, Result};
use crate::native::Runs;

/// Pictures that go forward and backward at once, so that weights in a cache serve all of them. Most of their tensors are kept.
pub(super) const TOGETHER: usize = 4;

/// Which operations a visitor of a backward pass sees. Only their gradients are copied out of the native kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visits {
    /// None.
    Nothing,
    /// Convolutions and batch norms.
    Biases,
    /// All.
    Everything,
}

impl Visits {
    /// Whether an operation is among them.
    pub(super) fn include(self, op: &Op) -> bool {
        match self {
            Self::Nothing => false,
            Self::Biases => matches!(op, Op::Conv2d { .. } | Op::BatchNorm { .. }),
            Self::Everything => true,
        }
    }
}

/// Parts in the order in which they run forward.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) enum Part {
    /// One step, by its position.
    Burn(usize),
    Native(Box<Stretch>),
}

/// The courses of a network, each planned when a pass first needs it.
#[derive(Debug)]
pub(super) struct Courses {
    /// `None` where no native kernels run.
    outline: Option<Outline>,
    /// Every step on Burn.
    burn: Course,
    /// From the picture on, by what is visited.
    of_picture: [OnceLock<Course>; 3],
    /// From many copies of a picture on; nothing is visited.
    of_copies: OnceLock<Course>,
    /// From the earliest layer on.
    of_layers: OnceLock<Course>,
}

impl Courses {
    pub(super) fn new(outline: Option<Outline>, steps: &Steps) -> Self {
        let burn = Course { parts: (0..steps.len()).map(Part::Burn).collect() };
        let (of_picture, of_copies, of_layers) = Default::default();
        Self { outline, burn, of_picture, of_copies, of_layers }
    }

    pub(super) fn on_burn(&self) -> &Course {
        &self.burn
    }

    pub(super) fn outline(&self) -> Result<&Outline> {
        self.outline.as_ref().ok_or_else(|| Error::internal("no native kernels run"))
    }

    /// Whether this step is a convolution whose weights native kernels pack when they go back through it, so that the device does not
    /// have to keep them.
    pub(super) fn packs(&self, steps: &Steps, at: usize) -> bool {
        let is_convolution = matches!(steps[at].node.op, Op::Conv2d { .. });
        is_convolution && self.outline.as_ref().is_some_and(|outline| outline.knows(steps, at))
    }

    /// The whole network, back to the picture.
    ///
    /// # Errors
    /// When there are no kernels for the machine.
    pub(super) fn of_picture(&self, steps: &Steps, visits: Visits) -> Result<&Course> {
        let Some(outline) = &self.outline else { return Ok(&self.burn) };
        let visited = steps.iter().filter(|step| visits.include(&step.node.op)).map(Step::output);
        let plan = || Course::new((outline, Runs::Few), steps, &picture(), &visited.collect());
        filled(&self.of_picture[visits as usize], plan)
    }

    /// As [`Courses::of_picture`], for a method that runs many copies of a picture and visits nothing.
    ///
    /// # Errors
    /// When there are no kernels for the machine.
    pub(super) fn of_copies(&self, steps: &Steps) -> Result<&Course> {
        let Some(outline) = &self.outline else { return Ok(&self.burn) };
        let plan = || Course::new((outline, Runs::Many), steps, &picture(), &HashSet::new());
        filled(&self.of_copies, plan)
    }

    /// From the earliest of these layers to the logits, and back to all of them; `None` where Burn has to run most of it.
    ///
    /// # Errors
    /// When there are no kernels for the machine.
    pub(super) fn of_layers(&self, steps: &Steps, taps: &[Tap]) -> Result<Option<&Course>> {
        let Some(outline) = &self.outline else { return Ok(None) };
        let layers: HashSet<ValueId> = taps.iter().map(|tap| tap.id).collect();
        let plan = || Course::new((outline, Runs::Few), steps, &layers, &layers);
        Ok(Some(filled(&self.of_layers, plan)?).filter(|course| course.is_mostly_native()))
    }
}

impl Course {
    /// All steps behind the first of these leaves, and back to all of them. `wanted` are tensors on the way that are returned, with their
    /// gradients.
    ///
    /// # Errors
    /// When there are no kernels for the machine.
    pub(super) fn new(
        (outline, runs): (&Outline, Runs),
        steps: &Steps,
        leaves: &HashSet<ValueId>,
        wanted: &HashSet<ValueId>,
    ) -> Result<Self> {
        let end = steps.len();
        let needed = dependent(steps, leaves);
        let first = leaves.iter().min().map_or(0, |first| steps.first_after(*first));
        let (mut parts, mut at) = (Vec::new(), first);
        while at < end {
            let stop = (at..end).find(|step| !outline.knows(steps, *step)).unwrap_or(end);
            if Segment::pays(&steps[at..stop]) {
                let stretch = Stretch::new((outline, runs), steps, at..stop, [&needed, wanted])?;
                parts.push(Part::Native(Box::new(stretch)));
                at = stop;
            } else {
                // At least one step, so that the loop comes to an end.
                let stop = stop.max(at + 1);
                parts.extend((at..stop).map(Part::Burn));
                at = stop;
            }
        }
        Ok(Self { parts })
    }

    /// Whether native kernels run more operations than Burn.
    pub(super) fn is_mostly_native(&self) -> bool {
        let native = |part: &Part| match part {
            Part::Burn(_) => -1,
            Part::Native(stretch) => stretch.steps.len() as isize,
        };
        self.parts.iter().map(native).sum::<isize>() > 0
    }
}

fn picture() -> HashSet<ValueId> {
    HashSet::from([ValueId::INPUT])
}

/// Tensors and what depends on any of them.
fn dependent(steps: &Steps, leaves: &HashSet<ValueId>) -> HashSet<ValueId> {
    let mut found = leaves.clone();
    for step in steps.iter() {
        if step.node.inputs.iter().any(|id| found.contains(id)) {
            found.insert(step.output());
        }
    }
    found
}
