//! Runs a graph on Burn tensors: a trunk without autodiff, then a head that records.
//!
//! Receives a [`Model`] and the indices of the layers to tap; gives logits, activations and gradients as plain
//! arrays. Everything up to the earliest tapped layer is plain inference, once per image; from there to the logits a
//! short head is recorded and run backward, once per class score. `burncam::cam` interprets the results.

mod classifier;
mod curvature;
mod device;
mod features;
mod fold;
mod head;
mod kink;
mod local;
mod norm;
mod ops;
mod pool;
mod program;
mod resize;
mod runtime;
mod score;
mod segment;
mod step;
mod sums;
mod sweep;
mod tangent;
mod value;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Burn's device, in the version of Burn that is used here.
pub use burn::tensor::Device;

use crate::digest::Pending;
use crate::error::{Error, Problem, Result};
use crate::model::Model;
use burncam_graph::{card, digest, error};
use burncam_kernels::{self as native, Workspace};
pub use burncam_kernels::{Isa, Precision};
use burncam_model as model;
pub use device::{DEVICES, DeviceName};
pub use features::{Evidence, Features};
pub use head::{Recording, Trunk};
pub use local::{Local, Locals};
use program::{Place, Program};
pub use runtime::{Engine, Runtime};
pub use score::{Contrast, Score};
use step::Step;
pub use sweep::{Rectifiers, Rule, Sweep, SweptStep};
use value::Value;
pub use walk::Walk;

/// A network on a device, ready to be explained at some layers.
#[derive(Debug)]
pub struct Network {
    device: Device,
    steps: Vec<Step>,
    /// The steps up to the cut, if the native kernels run them.
    program: Option<Program>,
    /// Slots of the tapped tensors, in the caller's order.
    taps: Vec<usize>,
    /// The earliest tapped slot: where the trunk ends and the head begins.
    cut: usize,
    logits: usize,
    input: [usize; 3],
    /// Slot -> index of the last step that reads it.
    last_use: Vec<usize>,
    sha256: Arc<Pending>,
    passes: AtomicUsize,
}

impl Network {
    /// Reads the model's weights onto a device and prepares the taps (indices of nodes in the graph).
    ///
    /// # Errors
    /// When the weights cannot be read or are damaged.
    pub fn load(model: &Model, taps: &[usize], runtime: impl Into<Runtime>) -> Result<Self> {
        Self::prepare(model, taps, taps, model.scores(), &runtime.into())
    }

    /// As [`Network::load`], without taps, with every operation as in the graph: no batch norm is folded, and all run
    /// on Burn.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_unfolded(model: &Model, runtime: impl Into<Runtime>) -> Result<Self> {
        let all: Vec<usize> = (0..model.graph().nodes.len()).collect();
        let runtime = Runtime { engine: Engine::Burn, ..runtime.into() };
        Self::prepare(model, &[], &all, model.scores(), &runtime)
    }

    /// As [`Network::load`], without taps, up to the graph's last node: [`Network::logits`] then gives its output,
    /// for example probabilities.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_whole(model: &Model, runtime: impl Into<Runtime>) -> Result<Self> {
        let last = model.graph().position(&model.graph().output);
        let last = last.ok_or_else(|| Error::internal("the graph has no output"))?;
        Self::prepare(model, &[], &[], last, &runtime.into())
    }

    /// As [`Network::load`], without taps, up to the scores that the network itself computes: one for a binary
    /// network, even if both sides have names.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_raw(model: &Model, runtime: impl Into<Runtime>) -> Result<Self> {
        Self::prepare(model, &[], &[], model.raw_scores(), &runtime.into())
    }

    fn prepare(
        model: &Model,
        taps: &[usize],
        kept: &[usize],
        last: usize,
        runtime: &Runtime,
    ) -> Result<Self> {
        let weights = Arc::new(model.weights()?);
        let device = runtime.device.open()?;
        let steps = fold::plan(model.graph(), last, kept, &weights, &device);
        let taps: Vec<usize> = taps.iter().map(|position| position + 1).collect();
        let cut = taps.iter().copied().min().unwrap_or(last + 1);
        let mut last_use = vec![0; last + 2];
        for (at, step) in steps.iter().enumerate() {
            step.inputs.iter().for_each(|slot| last_use[*slot] = at);
        }
        let program = match runtime.arithmetic()? {
            Some(arithmetic) => {
                let (threads, workspace) = (runtime.thread_count(), Workspace::default());
                let place = Place { arithmetic, threads, workspace, low_memory: runtime.low_memory };
                Some(Program::new(model, &steps, cut, place)?)
            }
            None => None,
        };
        // Fail on damaged weights at load time, not on the first image.
        for (at, step) in steps.iter().enumerate() {
            if program.as_ref().is_none_or(|program| program.is_on_burn(at)) {
                step.params()?;
            }
        }
        let input = &model.graph().input;
        let input = [input.channels, input.height, input.width];
        let sha256 = Arc::clone(&weights.sha256);
        let (logits, passes) = (last + 1, AtomicUsize::default());
        Ok(Self { device, steps, program, taps, cut, logits, input, last_use, sha256, passes })
    }

    /// SHA-256 of the model file, lower-case hexadecimal; waits until it is computed.
    ///
    /// # Errors
    /// When the file could not be read to its end.
    pub fn sha256(&self) -> Result<&str> {
        self.sha256.get()
    }

    /// The logits of one or several pictures, `[batch, classes]`, without recording.
    ///
    /// # Shapes
    /// `values` is `[batch, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as whole pictures have, or the network mixes the pictures of a batch.
    pub fn logits(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        let slots = self.advance_to_cut(values)?;
        self.finish(slots, self.head())
    }

    /// Index of the first node whose output is not finite for this input, if any.
    ///
    /// # Errors
    /// As [`Network::trunk`].
    pub fn first_not_finite(&self, values: Vec<f32>) -> Result<Option<usize>> {
        let mut walk = self.walk(values)?;
        while let Some((position, numbers)) = walk.step()? {
            if numbers.iter().any(|number| !number.is_finite()) {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Runs the steps from `first` on and gives the last tensor's values, equally many for every picture.
    fn finish(&self, mut slots: Vec<Option<Value>>, first: usize) -> Result<Vec<f32>> {
        for (at, step) in self.steps.iter().enumerate().skip(first) {
            let value = self.run(&mut slots, step, at)?;
            slots[step.output] = Some(value);
        }
        slots[self.logits].take().ok_or_else(|| Error::internal("the network gave no logits"))?.to_vec()
    }

    /// Slots filled up to the cut, as far as later steps read them.
    fn advance_to_cut(&self, values: Vec<f32>) -> Result<Vec<Option<Value>>> {
        let batch = self.count(&values)?;
        if let Some(program) = &self.program {
            return program.run(self, &values, batch);
        }
        let mut slots = self.start(values)?;
        for (at, step) in self.steps[..self.head()].iter().enumerate() {
            let value = self.run(&mut slots, step, at)?;
            slots[step.output] = Some(value);
        }
        Ok(slots)
    }

    /// Index of the first step after the cut.
    fn head(&self) -> usize {
        self.first_behind(self.cut)
    }

    /// Position of the first step that fills a slot behind this one.
    fn first_behind(&self, slot: usize) -> usize {
        self.steps.iter().position(|step| step.output > slot).unwrap_or(self.steps.len())
    }

    /// How many pictures these are, which are about to go through the network.
    fn count(&self, values: &[f32]) -> Result<usize> {
        let batch = self.batch(values)?;
        self.passes.fetch_add(batch, Ordering::Relaxed);
        Ok(batch)
    }

    /// Number of pictures in `values`.
    fn batch(&self, values: &[f32]) -> Result<usize> {
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

    /// Refuses anything but one picture.
    pub fn expect_one(&self, values: &[f32]) -> Result<()> {
        match self.batch(values)? {
            1 => Ok(()),
            count => Err(Error::request(Problem::new(format!("input has {count} pictures")).expected("one"))),
        }
    }

    /// Slots with only the input filled, for all pictures in `values`.
    fn start(&self, values: Vec<f32>) -> Result<Vec<Option<Value>>> {
        let batch = self.batch(&values)?;
        let [channels, height, width] = self.input;
        let mut slots = vec![None; self.logits + 1];
        slots[0] = Some(Value::new(values, &[batch, channels, height, width], &self.device)?);
        Ok(slots)
    }

    /// Channels, height and width of the input.
    #[must_use]
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// How many pictures have gone through the network since it was loaded, up to the earliest tapped layer or to its end: what
    /// explanations cost. Passes from a layer to the logits do not count.
    #[must_use]
    pub fn passes(&self) -> usize {
        self.passes.load(Ordering::Relaxed)
    }

    /// Number of tapped layers.
    #[must_use]
    pub fn taps(&self) -> usize {
        self.taps.len()
    }

    fn run(&self, slots: &mut [Option<Value>], step: &Step, at: usize) -> Result<Value> {
        ops::apply(&step.op, step.params()?, self.gather(slots, step, at)?)
    }

    /// The inputs of a step. A tensor that no later step reads is moved out, so that its memory is freed after use.
    fn gather<T: Clone>(&self, slots: &mut [Option<T>], step: &Step, at: usize) -> Result<Vec<T>> {
        let missing = || Error::internal(format!("a value that step {at} reads is gone"));
        let mut taken = Vec::with_capacity(step.inputs.len());
        for (position, &slot) in step.inputs.iter().enumerate() {
            let again = step.inputs[position + 1..].contains(&slot);
            let dead = self.last_use[slot] == at && !again;
            let value = if dead { slots[slot].take() } else { slots[slot].clone() };
            taken.push(value.ok_or_else(missing)?);
        }
        Ok(taken)
    }
}
