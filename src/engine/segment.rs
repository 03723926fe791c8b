//! A run of consecutive steps that the native kernels execute, and when its weights are packed.
//!
//! Receives steps and the tensors that they read, returns the tensors that others read. What runs between two segments is left
//! to [`super::program`].

use std::collections::HashSet;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::outline::Outline;
use super::parameters::Floats;
use super::runtime::Runtime;
use super::step::Step;
use super::steps::{Slots, Steps};
use super::value::Value;
use crate::card::{Class, ValueId};
use crate::error::Result;
use crate::model;
use crate::native::{Arithmetic, Original, PartialPlan, Plan, Weights, Workspace};

/// Where and how segments run.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) arithmetic: Arithmetic,
    pub(super) threads: usize,
    pub(super) workspace: Workspace,
    /// Low-memory mode: pack weights when a kernel runs, and free them after the first pass.
    pub(super) low_memory: bool,
    /// What weights are packed from, before the file is verified.
    pub(super) ahead: model::Weights,
}

impl Place {
    pub(super) fn new(arithmetic: Arithmetic, runtime: &Runtime, ahead: &model::Weights) -> Self {
        let (threads, low_memory) = (runtime.thread_count(), runtime.low_memory);
        Self { arithmetic, threads, workspace: Workspace::default(), low_memory, ahead: ahead.clone() }
    }
}

/// Steps that one plan runs.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) plan: Plan,
    /// Positions of the steps.
    pub(super) steps: Range<usize>,
    /// Tensors that it reads.
    pub(super) inputs: Vec<ValueId>,
    /// Tensors that later parts or the head read, with their shapes for one picture.
    pub(super) outputs: Vec<(ValueId, Vec<usize>)>,
    /// Packed weights; empty until the second pass in low-memory mode.
    weights: OnceLock<Weights>,
    has_run: AtomicBool,
}

impl Segment {
    /// Plans the steps in `range`. A run returns the tensor `cut` and what is read after the range. In low-memory mode it verifies the
    /// file of the weights, too; otherwise that is left to the caller.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn new(
        outline: &Outline,
        steps: &Steps,
        range: Range<usize>,
        cut: ValueId,
        place: &Place,
    ) -> Result<Self> {
        let inside = &steps[range.clone()];
        let filled: HashSet<ValueId> = inside.iter().map(Step::output).collect();
        let read = inside.iter().flat_map(|step| &step.node.inputs);
        let mut inputs: Vec<ValueId> = read.filter(|id| !filled.contains(id)).copied().collect();
        inputs.sort_unstable();
        inputs.dedup();
        let wanted = |id: &ValueId| *id == cut || steps.last_use(*id) >= range.end;
        let wanted: Vec<ValueId> = inside.iter().map(Step::output).filter(wanted).collect();
        let operations: Vec<_> = range.clone().map(|at| outline.operation(steps, at)).collect();
        let plan = Plan::new(place.arithmetic, &operations, &outline.shapes, [&inputs, &wanted])?;
        let outputs = wanted.into_iter().map(|id| (id, outline.shapes.array(id, 1))).collect();
        let (weights, has_run) = Default::default();
        let segment = Self { plan, steps: range, inputs, outputs, weights, has_run };
        if !place.low_memory {
            segment.packed(steps, place)?;
        }
        Ok(segment)
    }

    /// Whether these steps are worth a plan: moving a tensor into blocks and out of them costs more than a few cheap operations.
    pub(super) fn pays(steps: &[Step]) -> bool {
        steps.iter().any(|step| step.node.op.class() == Class::Linear)
    }

    /// The outputs, `[batch, channels, height, width]` or with the channels last, of inputs in the same layout.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn run(
        &self,
        steps: &[Step],
        place: &Place,
        threads: usize,
        inputs: &[&[f32]],
        batch: usize,
    ) -> Result<Vec<Vec<f32>>> {
        let is_first = !self.has_run.swap(true, Ordering::Relaxed);
        if self.weights.get().is_none() && is_first && batch == 1 {
            let outputs = self.plan.run_once(&|at| self.parameters(steps, place, at), inputs, threads)?;
            place.ahead.verify()?;
            return Ok(outputs);
        }
        let weights = self.weights(steps, place)?;
        Ok(self.plan.run(weights, &place.workspace, inputs, batch, threads))
    }

    /// Fills the slots of its outputs.
    ///
    /// # Errors
    /// On an internal error.
    pub(super) fn fill(
        &self,
        steps: &Steps,
        slots: &mut Slots,
        outputs: Vec<Vec<f32>>,
        batch: usize,
    ) -> Result<()> {
        for ((id, shape), values) in self.outputs.iter().zip(outputs) {
            slots[*id] = Some(Value::new(values, &[&[batch][..], &shape[1..]].concat(), &steps.device)?);
        }
        Ok(())
    }

    /// Runs a picture, for copies that differ from it in a rectangle of about `extent`; `None` where computing a part is not worth it.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn original<'a>(
        &'a self,
        steps: &Steps,
        place: &'a Place,
        outline: &Outline,
        (picture, extent): (&[f32], [usize; 2]),
    ) -> Result<Option<Original<'a>>> {
        let operations: Vec<_> = self.steps.clone().map(|at| outline.operation(steps, at)).collect();
        let wanted: Vec<ValueId> = self.outputs.iter().map(|(id, _)| *id).collect();
        let outside = [&self.inputs[..], &wanted];
        let plan = PartialPlan::new(place.arithmetic, &operations, &outline.shapes, outside, extent)?;
        let Some(plan) = plan else { return Ok(None) };
        let weights = self.weights(steps, place)?;
        Ok(Some(plan.original(weights, &place.workspace, &[picture], place.threads)))
    }

    /// The packed weights, which are kept from here on.
    ///
    /// # Errors
    /// When they cannot be read or are damaged.
    pub(super) fn weights(&self, steps: &[Step], place: &Place) -> Result<&Weights> {
        let weights = self.packed(steps, place)?;
        place.ahead.verify()?;
        Ok(weights)
    }

    fn packed(&self, steps: &[Step], place: &Place) -> Result<&Weights> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights);
        }
        // Threads that come here at the same time all pack: one that waited would hold a thread of the pool that packing needs.
        let weights = self.plan.pack(&|at| self.parameters(steps, place, at))?;
        Ok(self.weights.get_or_init(|| weights))
    }

    fn parameters(&self, steps: &[Step], place: &Place, operation: usize) -> Result<Floats> {
        steps[self.steps.start + operation].floats(&place.ahead)
    }
}
