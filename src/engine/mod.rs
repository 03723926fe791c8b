//! Runs a graph on Burn tensors: a trunk without autodiff, then a head that records.
//!
//! Receives a [`Model`] and the positions of the layers to tap, hands on logits, activations and gradients as
//! plain numbers. Everything up to the earliest tapped layer is plain inference, done once an image; from there
//! to the logits a short head is recorded and run backward, once a class score. What the numbers mean is left to
//! [`crate::cam`].

mod fold;
mod norm;
mod ops;
mod resize;
mod score;
mod value;
mod walk;

use burn::tensor::{Device, Gradients, Tensor};

use crate::device::DeviceName;
use crate::error::{Error, Result};
use crate::model::Model;
use fold::Step;
pub use score::Score;
use value::Value;
pub use walk::Walk;

/// A network on a device, ready to be explained at some layers.
#[derive(Debug)]
pub struct Network {
    device: Device,
    steps: Vec<Step>,
    /// Slots of the tapped values, in the caller's order.
    taps: Vec<usize>,
    /// The earliest tapped slot: where the trunk ends and the head begins.
    cut: usize,
    logits: usize,
    input: [usize; 3],
    /// Slot -> position of the last step that reads it.
    last_use: Vec<usize>,
    sha256: String,
}

/// What one pass through the trunk leaves for the head: every value that later steps still read.
#[derive(Debug)]
pub struct Trunk {
    slots: Vec<Option<Value>>,
}

/// One recorded pass through the head, good for one backward pass.
#[derive(Debug)]
pub struct Recording {
    logits: Tensor<2>,
    leaves: Vec<Tensor<4>>,
    activations: Vec<Tensor<4>>,
}

/// A layer's numbers for one picture, `[channels, height, width]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Number of channels.
    pub channels: usize,
    /// Rows of the grid.
    pub height: usize,
    /// Columns of the grid.
    pub width: usize,
    /// The numbers.
    pub values: Vec<f32>,
}

/// A tapped layer's activations, and the gradients of one class score with respect to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// `A`.
    pub activations: Features,
    /// `dy / dA`, of the same shape.
    pub gradients: Features,
}

impl Network {
    /// Reads the model's weights onto a device and prepares the taps (positions of nodes in the graph).
    ///
    /// # Errors
    /// When the weights cannot be read or are damaged.
    pub fn load(model: &Model, taps: &[usize], device: &DeviceName) -> Result<Self> {
        Self::prepare(model, taps, taps, model.logits(), device)
    }

    /// As [`Network::load`], without taps, and every operation stays what the graph says: no batch norm is folded.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_unfolded(model: &Model, device: &DeviceName) -> Result<Self> {
        let all: Vec<usize> = (0..model.graph().nodes.len()).collect();
        Self::prepare(model, &[], &all, model.logits(), device)
    }

    /// As [`Network::load`], without taps, up to the graph's last node: [`Network::logits`] then gives what that gives,
    /// for example probabilities.
    ///
    /// # Errors
    /// As [`Network::load`].
    pub fn load_whole(model: &Model, device: &DeviceName) -> Result<Self> {
        let last = model.graph().position(&model.graph().output);
        let last = last.ok_or_else(|| Error::internal("the graph has no output"))?;
        Self::prepare(model, &[], &[], last, device)
    }

    fn prepare(
        model: &Model,
        taps: &[usize],
        kept: &[usize],
        last: usize,
        device: &DeviceName,
    ) -> Result<Self> {
        let weights = model.weights()?;
        let device = device.open()?;
        let steps = fold::plan(model.graph(), last, kept, &weights, &device)?;
        let taps: Vec<usize> = taps.iter().map(|position| position + 1).collect();
        let cut = taps.iter().copied().min().unwrap_or(last + 1);
        let mut last_use = vec![0; last + 2];
        for (at, step) in steps.iter().enumerate() {
            step.inputs.iter().for_each(|slot| last_use[*slot] = at);
        }
        let input = &model.graph().input;
        let input = [input.channels, input.height, input.width];
        Ok(Self { device, steps, taps, cut, logits: last + 1, input, last_use, sha256: weights.sha256 })
    }

    /// SHA-256 of the model file, lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Runs the network up to the earliest tapped layer, without autodiff.
    ///
    /// # Shapes
    /// `values` is `[1, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as that.
    pub fn trunk(&self, values: Vec<f32>) -> Result<Trunk> {
        let mut slots = self.start(values)?;
        for (at, step) in self.steps.iter().enumerate().take_while(|(_, step)| step.output <= self.cut) {
            let value = self.run(&mut slots, step, at)?;
            slots[step.output] = Some(value);
        }
        Ok(Trunk { slots })
    }

    /// Records the head: from the tapped layers to the logits.
    ///
    /// The earliest tap becomes an autodiff leaf. A later one gets a leaf of zeros added to it, whose gradient is
    /// the gradient with respect to that layer.
    ///
    /// # Errors
    /// Only on a failure inside this program.
    pub fn record(&self, trunk: &Trunk) -> Result<Recording> {
        let mut slots = trunk.slots.clone();
        let mut leaves = vec![None; self.taps.len()];
        let mut activations = vec![None; self.taps.len()];
        let mut tap = |slot: usize, value: Value| -> Result<Value> {
            let Some(which) = self.taps.iter().position(|tap| *tap == slot) else { return Ok(value) };
            let tensor = value.into_rank4()?;
            let plain = tensor.clone().inner();
            let (leaf, value) = if slot == self.cut {
                let leaf = plain.clone().autodiff().require_grad();
                (leaf.clone(), leaf)
            } else {
                let leaf = plain.zeros_like().autodiff().require_grad();
                (leaf.clone(), tensor + leaf)
            };
            activations[which] = Some(plain);
            leaves[which] = Some(leaf);
            Ok(Value::R4(value))
        };
        if let Some(value) = slots[self.cut].take() {
            slots[self.cut] = Some(tap(self.cut, value)?);
        }
        for (at, step) in self.steps.iter().enumerate().skip_while(|(_, step)| step.output <= self.cut) {
            let value = self.run(&mut slots, step, at)?;
            slots[step.output] = Some(tap(step.output, value)?);
        }
        let logits = slots[self.logits].take().ok_or_else(|| Error::internal("the head gave no logits"))?;
        let shape = logits.shape();
        let Value::R2(logits) = logits.reshape(&shape[..2])? else {
            return Err(Error::internal("the logits are not of rank 2"));
        };
        let all = |tensors: Vec<Option<Tensor<4>>>| {
            tensors
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| Error::internal("a tap was not reached"))
        };
        Ok(Recording { logits, leaves: all(leaves)?, activations: all(activations)? })
    }

    /// The logits of one picture, without recording anything.
    ///
    /// # Errors
    /// As [`Network::trunk`].
    pub fn logits(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        let slots = self.start(values)?;
        self.finish(slots, 0)
    }

    /// The logits that the head gives for other activations of the earliest tapped layer, without recording anything.
    ///
    /// # Shapes
    /// `activations` has as many numbers as that layer's value for one picture, row-major.
    ///
    /// # Errors
    /// When it has not.
    pub fn logits_from(&self, trunk: &Trunk, activations: Vec<f32>) -> Result<Vec<f32>> {
        let mut slots = trunk.slots.clone();
        let shape = slots[self.cut].as_ref().map(Value::shape).unwrap_or_default();
        if shape.iter().product::<usize>() != activations.len() {
            return Err(Error::request(format!(
                "{} activations were given, expected {shape:?}",
                activations.len()
            )));
        }
        slots[self.cut] = Some(Value::new(activations, &shape, &self.device)?);
        let head = self.steps.iter().position(|step| step.output > self.cut).unwrap_or(self.steps.len());
        self.finish(slots, head)
    }

    /// Position of the first node whose value is not finite for this input, if there is one.
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

    /// Runs the steps from `first` on and gives the last value's numbers.
    fn finish(&self, mut slots: Vec<Option<Value>>, first: usize) -> Result<Vec<f32>> {
        for (at, step) in self.steps.iter().enumerate().skip(first) {
            let value = self.run(&mut slots, step, at)?;
            slots[step.output] = Some(value);
        }
        slots[self.logits].take().ok_or_else(|| Error::internal("the network gave no logits"))?.to_vec()
    }

    fn start(&self, values: Vec<f32>) -> Result<Vec<Option<Value>>> {
        let [channels, height, width] = self.input;
        if values.len() != channels * height * width {
            return Err(Error::request(format!(
                "input has {} numbers, expected {channels}x{height}x{width}",
                values.len()
            )));
        }
        let mut slots = vec![None; self.logits + 1];
        slots[0] = Some(Value::new(values, &[1, channels, height, width], &self.device)?);
        Ok(slots)
    }

    fn run(&self, slots: &mut [Option<Value>], step: &Step, at: usize) -> Result<Value> {
        ops::apply(&step.op, &step.params, self.gather(slots, step, at)?)
    }

    /// The inputs of a step; a value that no later step reads is moved out, so that its memory is free after use.
    fn gather(&self, slots: &mut [Option<Value>], step: &Step, at: usize) -> Result<Vec<Value>> {
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

impl Recording {
    /// The logits, one a class.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn logits(&self) -> Result<Vec<f32>> {
        Value::R2(self.logits.clone().inner()).to_vec()
    }

    /// Runs backward from one class score and gives each tap's evidence, in the taps' order.
    ///
    /// # Errors
    /// When `class` is out of range, or the logits do not depend on a tap.
    pub fn evidence(self, score: &Score, class: usize) -> Result<Vec<Evidence>> {
        let [_, classes] = self.logits.dims();
        if class >= classes {
            return Err(Error::internal(format!("class {class} of {classes} was asked for")));
        }
        let scalar = score.of(self.logits, class);
        if !scalar.is_tracked() {
            return Err(Error::internal("the class score does not depend on the layer"));
        }
        let gradients: Gradients = scalar.backward();
        let pairs = self.leaves.iter().zip(self.activations);
        pairs
            .map(|(leaf, activations)| {
                // A leaf without a gradient is one that the score is constant in.
                let gradient = leaf.grad(&gradients).unwrap_or_else(|| activations.zeros_like());
                Ok(Evidence { activations: features(activations)?, gradients: features(gradient)? })
            })
            .collect()
    }
}

fn features(tensor: Tensor<4>) -> Result<Features> {
    let [_, channels, height, width] = tensor.dims();
    Ok(Features { channels, height, width, values: Value::R4(tensor).to_vec()? })
}
