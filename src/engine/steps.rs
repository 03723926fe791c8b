//! The steps of a network in the order in which they run, on Burn, one at a time.
//!
//! Receives pictures and the tensors that earlier steps gave, fills in what a step gives. Which steps run, and what is recorded, is
//! left to the passes of a network.

use std::ops::Deref;

use burn::tensor::Device;

use super::ops;
use super::step::Step;
use super::value::Value;
use crate::card::{Graph, ValueId, Values};
use crate::error::{Error, Problem, Result};

/// What is there of each tensor.
pub(crate) type Slots<T = Value> = Values<Option<T>>;

/// All steps up to the logits.
#[derive(Debug)]
pub(crate) struct Steps {
    all: Vec<Step>,
    /// The last step that reads a tensor; zero where none does.
    last_use: Values<usize>,
    /// The tensor at which the steps end.
    pub(crate) logits: ValueId,
    /// Channels, height and width of the network's input.
    pub(crate) input: [usize; 3],
    pub(crate) device: Device,
}

impl Deref for Steps {
    type Target = [Step];

    fn deref(&self) -> &[Step] {
        &self.all
    }
}

impl Steps {
    pub(crate) fn new(all: Vec<Step>, graph: &Graph, logits: ValueId, device: Device) -> Self {
        let mut last_use = Values::filled(0, logits);
        for (at, step) in all.iter().enumerate() {
            step.node.inputs.iter().for_each(|id| last_use[*id] = at);
        }
        let input = &graph.input;
        let input = [input.channels, input.height, input.width];
        Self { all, last_use, logits, input, device }
    }

    /// Position of the last step that reads a tensor; zero when none does.
    pub(crate) fn last_use(&self, id: ValueId) -> usize {
        self.last_use[id]
    }

    /// The step that gives a tensor, if it is neither the input nor inside of a folded step.
    pub(crate) fn giving(&self, id: ValueId) -> Option<&Step> {
        // Steps are in the order of the tensors that they give.
        self.binary_search_by_key(&id, Step::output).ok().map(|at| &self[at])
    }

    /// Position of the first step that fills a later tensor than this one.
    pub(crate) fn first_after(&self, id: ValueId) -> usize {
        self.iter().position(|step| step.output() > id).unwrap_or(self.len())
    }

    /// Number of pictures in `values`.
    ///
    /// # Errors
    /// When it is not a whole one or more.
    pub(crate) fn batch(&self, values: &[f32]) -> Result<usize> {
        let [channels, height, width] = self.input;
        let one = channels * height * width;
        if values.is_empty() || !values.len().is_multiple_of(one) {
            return Err(Error::request(
                Problem::new(format!("input has {} numbers", values.len()))
                    .expected(format!("{channels}x{height}x{width}")),
            ));
        }
        Ok(values.len() / one)
    }

    /// Slots without any tensor.
    pub(crate) fn empty(&self) -> Slots {
        Values::filled(None, self.logits)
    }

    /// Slots with only the input filled, for all pictures in `values`.
    ///
    /// # Errors
    /// As [`Steps::batch`].
    pub(crate) fn start(&self, values: Vec<f32>) -> Result<Slots> {
        let batch = self.batch(&values)?;
        let [channels, height, width] = self.input;
        let mut slots = self.empty();
        slots[ValueId::INPUT] = Some(Value::new(values, &[batch, channels, height, width], &self.device)?);
        Ok(slots)
    }

    /// As [`Steps::start`], in double precision where the device has it.
    ///
    /// # Errors
    /// As [`Steps::batch`].
    pub(crate) fn start_precisely(&self, values: Vec<f32>) -> Result<Slots> {
        let mut slots = self.start(values)?;
        slots[ValueId::INPUT] = slots[ValueId::INPUT].take().map(Value::precise);
        Ok(slots)
    }

    /// Runs the step at a position.
    ///
    /// # Errors
    /// When its parameters cannot be read.
    pub(crate) fn run(&self, slots: &mut Slots, at: usize) -> Result<Value> {
        let step = &self[at];
        ops::apply(&step.node.op, step.params()?, self.gather(slots, at)?)
    }

    /// Runs the step at a position and keeps what it gives.
    ///
    /// # Errors
    /// As [`Steps::run`].
    pub(crate) fn fill(&self, slots: &mut Slots, at: usize) -> Result<()> {
        let value = self.run(slots, at)?;
        slots[self[at].output()] = Some(value);
        Ok(())
    }

    /// The inputs of a step. A tensor that no later step reads is moved out, so that its memory is freed after use.
    pub(crate) fn gather<T: Clone>(&self, slots: &mut Slots<T>, at: usize) -> Result<Vec<T>> {
        let missing = || Error::internal(format!("a value that step {at} reads is gone"));
        let inputs = &self[at].node.inputs;
        let mut taken = Vec::with_capacity(inputs.len());
        for (position, &id) in inputs.iter().enumerate() {
            // A step may read a tensor twice; all but the last time it is copied.
            let again = inputs[position + 1..].contains(&id);
            let dead = self.last_use[id] == at && !again;
            let value = if dead { slots[id].take() } else { slots[id].clone() };
            taken.push(value.ok_or_else(missing)?);
        }
        Ok(taken)
    }
}
