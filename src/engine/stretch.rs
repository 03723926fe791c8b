//! Steps that one plan runs forward and backward, and when its weights are packed.
//!
//! Receives tensors that earlier steps gave and gradients of those that later ones read; gives the others. Which steps these are is left
//! to `course`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::outline::Outline;
use super::parameters::Floats;
use super::step::Step;
use super::steps::{Slots, Steps};
use super::value::{Value, sum};
use crate::card::ValueId;
use crate::error::{Error, Result};
use crate::native::{Ends, Reverse, Rule, Runs, Tape, Weights};

/// Steps that one plan runs in both directions.
#[derive(Debug)]
pub(super) struct Stretch {
    reverse: Reverse,
    runs: Runs,
    forward: Packed,
    backward: Packed,
    /// Positions of the steps.
    pub(super) steps: Range<usize>,
    inputs: Vec<ValueId>,
    /// Tensors that are read outside of it.
    outputs: Vec<ValueId>,
    /// Those of them that later parts read, whose gradients they give.
    seeds: Vec<ValueId>,
    /// What gradients are wanted of.
    targets: Vec<ValueId>,
}

/// The weights of one direction.
#[derive(Debug, Default)]
struct Packed {
    /// Empty until the second pass, if there will be few.
    weights: OnceLock<Weights>,
    has_run: AtomicBool,
}

/// Gradients of wanted tensors, with their shapes.
pub(super) type Shown = HashMap<ValueId, (Vec<f32>, Vec<usize>)>;

/// What is there, or is made now.
///
/// # Errors
/// Those of `make`.
pub(super) fn filled<T>(place: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    match place.get() {
        Some(found) => Ok(found),
        // Threads that come here at the same time all make one: one that waited would hold a thread of the pool that packing needs.
        None => make().map(|made| place.get_or_init(|| made)),
    }
}

impl Packed {
    /// Whether a pass packs each kernel's weights when it runs, and keeps none: that is faster for one pass, because memory for all of
    /// them takes longer to get than to fill.
    fn runs_once(&self, runs: Runs) -> bool {
        let is_first = !self.has_run.swap(true, Ordering::Relaxed);
        is_first && runs == Runs::Few && self.weights.get().is_none()
    }
}

impl Stretch {
    /// Plans the steps in `range`. `needed` are tensors with gradients, `wanted` those whose gradients are shown.
    ///
    /// # Errors
    /// When there are no kernels for the machine.
    pub(super) fn new(
        (outline, runs): (&Outline, Runs),
        steps: &Steps,
        range: Range<usize>,
        [needed, wanted]: [&HashSet<ValueId>; 2],
    ) -> Result<Self> {
        let inside = &steps[range.clone()];
        let filled: HashSet<ValueId> = inside.iter().map(Step::output).collect();
        let read = inside.iter().flat_map(|step| &step.node.inputs);
        let mut inputs: Vec<ValueId> = read.filter(|id| !filled.contains(id)).copied().collect();
        inputs.sort_unstable();
        inputs.dedup();
        let read_later = |id: &ValueId| steps.last_use(*id) >= range.end || *id == steps.logits;
        let given = inside.iter().map(Step::output);
        let seeds: Vec<ValueId> = given.clone().filter(|id| read_later(id) && needed.contains(id)).collect();
        let outputs: Vec<ValueId> =
            given.clone().filter(|id| read_later(id) || wanted.contains(id)).collect();
        let shown = given.filter(|id| wanted.contains(id) && needed.contains(id));
        let targets: Vec<ValueId> =
            inputs.iter().copied().filter(|id| needed.contains(id)).chain(shown).collect();
        let operations: Vec<_> = range.clone().map(|at| outline.operation(steps, at)).collect();
        let ends = Ends { inputs: &inputs, outputs: &outputs, seeds: &seeds, targets: &targets };
        let reverse = Reverse::new(outline.isa, &operations, &outline.shapes, ends, runs)?;
        let (forward, backward) = Default::default();
        Ok(Self { reverse, runs, forward, backward, steps: range, inputs, outputs, seeds, targets })
    }

    fn parameters(&self, steps: &Steps, operation: usize) -> Result<Floats> {
        let step = &steps[self.steps.start + operation];
        step.floats(step.weights())
    }

    /// Runs forward and fills the slots of its outputs.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn forward<'a>(
        &'a self,
        outline: &'a Outline,
        steps: &Steps,
        slots: &mut Slots,
        batch: usize,
    ) -> Result<Tape<'a>> {
        let read = |id: &ValueId| match &slots[*id] {
            Some(value) => value.to_vec(),
            None => Err(Error::internal("a tensor that native kernels read is gone")),
        };
        let inputs = self.inputs.iter().map(read).collect::<Result<Vec<_>>>()?;
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let (workspace, threads) = (&outline.workspace, outline.threads);
        let load = |at: usize| self.parameters(steps, at);
        let (tape, outputs) = if self.forward.runs_once(self.runs) {
            self.reverse.forward_once(&load, workspace, &inputs, batch, threads)?
        } else {
            let weights = filled(&self.forward.weights, || self.reverse.pack_forward(&load))?;
            self.reverse.forward(weights, workspace, &inputs, batch, threads)
        };
        for (id, values) in self.outputs.iter().zip(outputs) {
            slots[*id] = Some(value(outline, steps, *id, values, batch)?);
        }
        Ok(tape)
    }

    /// Runs backward: takes the gradients of its outputs, adds those of its inputs, and gives those of wanted tensors.
    ///
    /// # Errors
    /// When weights cannot be read.
    pub(super) fn back(
        &self,
        outline: &Outline,
        steps: &Steps,
        tape: &Tape<'_>,
        gradients: &mut Slots,
        rule: Rule,
    ) -> Result<Shown> {
        let given: Vec<Option<Value>> = self.seeds.iter().map(|id| gradients[*id].take()).collect();
        if given.iter().all(Option::is_none) {
            return Ok(HashMap::new());
        }
        let batch = tape.batch();
        let seed = |(id, value): (&ValueId, &Option<Value>)| match value {
            Some(value) => value.to_vec(),
            None => Ok(vec![0.0; outline.shapes[id].iter().product::<usize>() * batch]),
        };
        let given = self.seeds.iter().zip(&given).map(seed).collect::<Result<Vec<_>>>()?;
        let given: Vec<&[f32]> = given.iter().map(Vec::as_slice).collect();
        let load = |at: usize| self.parameters(steps, at);
        let found = if self.backward.runs_once(self.runs) {
            tape.back_once(&load, &given, rule, outline.threads)?
        } else {
            let weights = filled(&self.backward.weights, || self.reverse.pack_backward(&load))?;
            tape.back(weights, &given, rule, outline.threads)
        };
        let mut shown = HashMap::new();
        for (id, values) in self.targets.iter().zip(found) {
            let Some(values) = values else { continue };
            if self.inputs.contains(id) {
                let part = value(outline, steps, *id, values, batch)?;
                gradients[*id] = sum(gradients[*id].take(), Some(part))?;
            } else {
                shown.insert(*id, (values, outline.shapes.array(*id, batch)));
            }
        }
        Ok(shown)
    }
}

fn value(outline: &Outline, steps: &Steps, id: ValueId, values: Vec<f32>, batch: usize) -> Result<Value> {
    Value::new(values, &outline.shapes.array(id, batch), &steps.device)
}
