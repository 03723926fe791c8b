//! The operations of the head with their inputs, to be differentiated one by one.
//!
//! Receives a trunk and activations to continue from; gives every operation after the layer: its output for other
//! inputs, the slopes of one output element, and the chain of all of them. `check` uses this where the head as a
//! whole has no derivative.

use burn::tensor::Device;

use super::recorded::{derivative, inputs};
use super::step::Step;
use super::steps::Slots;
use super::value::{Value, map_tensor, sum};
use super::{Network, Trunk, ops};
use crate::card::ValueId;
use crate::error::{Error, Problem, Result};

/// The operations after a layer, for one set of its activations.
#[derive(Debug)]
pub struct Locals<'a> {
    network: &'a Network,
    cut: ValueId,
    slots: Slots,
}

/// One operation with its inputs.
#[derive(Debug)]
pub struct Local<'a> {
    step: &'a Step,
    device: &'a Device,
    inputs: Vec<Value>,
    output: &'a Value,
    /// Indices of the inputs that depend on the layer.
    moving: Vec<usize>,
}

impl Network {
    /// The operations after the layer at which `trunk` ends, with its activations replaced.
    ///
    /// # Shapes
    /// `activations` is `[1, channels, height, width]` of that layer, row-major.
    ///
    /// # Errors
    /// When it has another count of numbers.
    pub fn locals(&self, trunk: &Trunk, activations: Vec<f32>) -> Result<Locals<'_>> {
        let (mut slots, cut) = (trunk.slots().clone(), trunk.cut());
        let cells = self.cells(trunk)?;
        let shape = cells.map.dims();
        if shape.iter().product::<usize>() != activations.len() {
            return Err(Error::request(
                Problem::new(format!("{} activations were given", activations.len()))
                    .expected(format!("{shape:?}")),
            ));
        }
        let value = Value::new(activations, &shape, &self.steps.device)?;
        slots[cut] = Some(cells.with(value.into_rank4()?)?);
        for step in self.steps.iter().filter(|step| step.output() > cut) {
            let value = ops::apply(&step.node.op, step.params()?, inputs(&slots, step)?)?;
            slots[step.output()] = Some(value);
        }
        Ok(Locals { network: self, cut, slots })
    }
}

impl Locals<'_> {
    /// The operations that depend on the layer, in execution order.
    ///
    /// # Errors
    /// Only on an internal error.
    pub fn steps(&self) -> Result<Vec<Local<'_>>> {
        // Branches around the layer do not move with it, so they have no slope to check.
        let mut depends = self.slots.map(|_| false);
        depends[self.cut] = true;
        let mut steps = Vec::new();
        for step in self.network.steps.iter().filter(|step| step.output() > self.cut) {
            let read = &step.node.inputs;
            let moving: Vec<usize> = (0..read.len()).filter(|at| depends[read[*at]]).collect();
            depends[step.output()] = !moving.is_empty();
            if moving.is_empty() {
                continue;
            }
            let output = self.slots[step.output()].as_ref();
            let output = output.ok_or_else(|| Error::internal("an operation has no value"))?;
            let device = &self.network.steps.device;
            steps.push(Local { step, device, inputs: inputs(&self.slots, step)?, output, moving });
        }
        Ok(steps)
    }

    /// The gradient of one logit with respect to the layer, `[1, channels, height, width]`, chained from each
    /// operation's own.
    ///
    /// # Errors
    /// When `class` is out of range.
    pub fn gradient(&self, class: usize) -> Result<Vec<f32>> {
        let steps = &self.network.steps;
        let value = |id: ValueId| self.slots[id].as_ref().ok_or_else(|| Error::internal("a value is gone"));
        let logits = value(steps.logits)?.shape();
        let mut gradients = steps.empty();
        gradients[steps.logits] = Some(one_hot(&logits, class, &steps.device)?);
        for step in steps.iter().rev().filter(|step| step.output() > self.cut) {
            let Some(gradient) = gradients[step.output()].take() else { continue };
            let parts = derivative(step, inputs(&self.slots, step)?, gradient)?;
            for (&id, part) in step.node.inputs.iter().zip(parts) {
                gradients[id] = sum(gradients[id].take(), part)?;
            }
        }
        let gradient = match gradients[self.cut].take() {
            Some(gradient) => gradient,
            None => map_tensor!(value(self.cut)?.clone(), t => t.zeros_like()),
        };
        Value::R4(self.network.tap_at(self.cut)?.cells(gradient)?.map).to_vec()
    }
}

impl Local<'_> {
    /// Indices of the inputs that depend on the layer.
    #[must_use]
    pub fn moving(&self) -> &[usize] {
        &self.moving
    }

    /// The values of an input.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn input(&self, which: usize) -> Result<Vec<f32>> {
        self.inputs[which].to_vec()
    }

    /// The values of the output.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn output(&self) -> Result<Vec<f32>> {
        self.output.to_vec()
    }

    /// The values of the output with one input replaced.
    ///
    /// # Errors
    /// When the device does not give them back.
    pub fn output_of(&self, which: usize, values: Vec<f32>) -> Result<Vec<f32>> {
        let mut inputs = self.inputs.clone();
        inputs[which] = Value::new(values, &inputs[which].shape(), self.device)?;
        ops::apply(&self.step.node.op, self.step.params()?, inputs)?.to_vec()
    }

    /// The slopes of output element `at` with respect to an input, one per input element.
    ///
    /// # Errors
    /// When the operation cannot be run backward.
    pub fn slopes(&self, at: usize, which: usize) -> Result<Vec<f32>> {
        let shape = self.output.shape();
        // The gradient of one output element: the product with a vector that is one there.
        let mut seed = vec![0.0; shape.iter().product()];
        seed[at] = 1.0;
        let seed = Value::new(seed, &shape, self.device)?;
        let part = derivative(self.step, self.inputs.clone(), seed)?.swap_remove(which);
        match part {
            Some(slopes) => slopes.to_vec(),
            None => Ok(vec![0.0; self.inputs[which].shape().iter().product()]),
        }
    }
}

/// One at a class of the logits, zero elsewhere.
fn one_hot(shape: &[usize], class: usize, device: &Device) -> Result<Value> {
    let mut values = vec![0.0; shape.iter().product()];
    let place = values.get_mut(class);
    *place.ok_or_else(|| Error::internal(format!("class {class} of {shape:?} was asked for")))? = 1.0;
    Value::new(values, shape, device)
}
