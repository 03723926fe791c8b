//! A backward pass that shows gradients on its way.
//!
//! Receives pictures and a rule for rectifiers, shows a visitor the gradient with respect to operations' outputs, returns the
//! one with respect to the input. One pass forward serves every class. Methods on pixels need it, and those that put something else
//! in the place of a derivative. Their mathematics is left to them; [`super::course`] says which engine runs what.

use burn::tensor::{Device, Tensor};

use super::course::{Course, Part, Visits};
use super::ops;
use super::recorded::{backward, inputs};
use super::recording::features;
use super::reduction::Reduction;
use super::rivals::Contrast;
use super::score::Score;
use super::step::Step;
use super::steps::Slots;
use super::value::{Value, map_tensor, sum};
use super::{Features, Network};
use crate::card::{Op, ValueId};
use crate::error::{Error, Result};
use crate::native::{Rectifiers, Rule, Tape};

/// A pass forward that keeps what the way back depends on, to be run backward as often as there are classes.
#[derive(Debug)]
pub struct Sweep<'a> {
    pub(super) network: &'a Network,
    pub(super) slots: Slots,
    course: &'a Course,
    /// By part of the course; `None` for those on Burn, which read the slots.
    tapes: Vec<Option<Tape<'a>>>,
    visits: Visits,
    reduction: Reduction,
}

/// One operation of the backward pass.
#[derive(Debug)]
pub struct SweptStep<'a> {
    /// Index of its node in the graph; for a batch norm folded into a convolution, that of the batch norm.
    pub node: usize,
    /// The operation.
    pub op: &'a Op,
    step: &'a Step,
    gradient: Gradient<'a>,
}

/// The gradient with respect to an operation's output.
#[derive(Debug)]
enum Gradient<'a> {
    OnDevice(&'a Value),
    /// With its shape.
    Plain(&'a [f32], &'a [usize]),
}

impl Network {
    /// Number of operations of this network that a rule would treat as rectifiers.
    #[must_use]
    pub fn rectifiers(&self, which: Rectifiers) -> usize {
        self.steps.iter().filter(|step| which.hold(&step.node.op)).count()
    }

    /// Runs forward without autodiff and keeps what the way back depends on. `visits` says what a visitor will see there.
    ///
    /// # Shapes
    /// `values` is `[batch, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as whole pictures have.
    pub fn sweep(&self, values: Vec<f32>, visits: Visits) -> Result<Sweep<'_>> {
        let batch = self.count(&values)?;
        let course = self.courses.of_picture(&self.steps, visits)?;
        Ok(Sweep { visits, ..self.swept(self.steps.start(values)?, course, batch)? })
    }

    /// As [`Network::sweep`], forward and backward in double precision, where the device has it: for what divides by sums that may
    /// cancel.
    ///
    /// # Errors
    /// As [`Network::sweep`].
    pub fn sweep_precisely(&self, values: Vec<f32>) -> Result<Sweep<'_>> {
        let batch = self.count(&values)?;
        self.swept(self.steps.start_precisely(values)?, self.courses.on_burn(), batch)
    }

    /// Runs a course from the slots that are filled. A visitor sees what the course returns, and every operation on Burn.
    pub(super) fn swept<'a>(
        &'a self,
        mut slots: Slots,
        course: &'a Course,
        batch: usize,
    ) -> Result<Sweep<'a>> {
        let mut tapes = Vec::with_capacity(course.parts.len());
        for part in &course.parts {
            tapes.push(match part {
                Part::Burn(at) => {
                    let step = &self.steps[*at];
                    let inputs = inputs(&slots, step)?;
                    let value = ops::apply(&step.node.op, &*step.params_for(&inputs)?, inputs)?;
                    slots[step.output()] = Some(value);
                    None
                }
                Part::Native(stretch) => {
                    Some(stretch.forward(self.courses.outline()?, &self.steps, &mut slots, batch)?)
                }
            });
        }
        let (visits, reduction) = (Visits::Everything, Reduction::Values);
        Ok(Sweep { network: self, slots, course, tapes, visits, reduction })
    }
}

impl Sweep<'_> {
    /// The same pass with the output reduced to one number per target, which are the classes of [`Sweep::back`].
    ///
    /// # Errors
    /// When the reduction is of another output.
    pub fn reduced(self, reduction: &Reduction) -> Result<Self> {
        let shape = self.slots[self.network.steps.logits].as_ref().map(Value::shape).unwrap_or_default();
        reduction.check(shape.iter().skip(1).product())?;
        Ok(Self { reduction: reduction.clone(), ..self })
    }

    /// The numbers of the targets, `[batch, targets]`.
    pub(super) fn logits(&self) -> Result<Vec<f32>> {
        let output = self.network.flat_logits(&mut self.slots.clone())?;
        Value::R2(self.reduction.of(output)).to_vec()
    }

    /// The gradient of a class score with respect to the input, `[batch, channels, height, width]`, by `rule`; every picture's is
    /// that of its own score.
    ///
    /// Runs from the last operation to the first, of which only one is recorded at a time; `visit` sees each that the score depends
    /// on, before the pass goes on below it.
    ///
    /// # Errors
    /// When `class` is out of range, or `visit` fails.
    pub fn back(
        &self,
        score: &Score,
        class: usize,
        rule: Rule,
        visit: &mut dyn FnMut(SweptStep<'_>) -> Result<()>,
    ) -> Result<Vec<f32>> {
        let seed = self.seed(*score, class, Reduction::of)?;
        self.of_input(self.from(seed, rule, visit)?[ValueId::INPUT].take())
    }

    /// Runs back from the gradient of the last tensor; what is left of all gradients is that of the tensor at which the pass began.
    pub(super) fn from(
        &self,
        seed: Value,
        rule: Rule,
        visit: &mut dyn FnMut(SweptStep<'_>) -> Result<()>,
    ) -> Result<Slots> {
        let steps = &self.network.steps;
        let mut gradients = steps.empty();
        gradients[steps.logits] = Some(seed);
        for (part, tape) in self.course.parts.iter().zip(&self.tapes).rev() {
            match (part, tape) {
                (Part::Native(stretch), Some(tape)) => {
                    let outline = self.network.courses.outline()?;
                    let mut shown = stretch.back(outline, steps, tape, &mut gradients, rule)?;
                    for step in steps[stretch.steps.clone()].iter().rev() {
                        // Taken out, so that its memory is free for the next one's copy.
                        if let Some((values, shape)) = shown.remove(&step.output()) {
                            visit(SweptStep::of(step, Gradient::Plain(&values, &shape)))?;
                        }
                    }
                }
                (Part::Burn(at), _) => self.back_through(&steps[*at], &mut gradients, rule, visit)?,
                (Part::Native(_), None) => return Err(Error::internal("a part has no tape")),
            }
        }
        Ok(gradients)
    }

    /// Passes a gradient back through one operation, which is recorded alone.
    fn back_through(
        &self,
        step: &Step,
        gradients: &mut Slots,
        rule: Rule,
        visit: &mut dyn FnMut(SweptStep<'_>) -> Result<()>,
    ) -> Result<()> {
        // The score does not depend on this operation: there is nothing to pass back, or to visit.
        let Some(gradient) = gradients[step.output()].take() else { return Ok(()) };
        if self.visits.include(&step.node.op) {
            visit(SweptStep::of(step, Gradient::OnDevice(&gradient)))?;
        }
        let parts = backward(step, inputs(&self.slots, step)?, gradient, rule)?;
        for (&id, part) in step.node.inputs.iter().zip(parts) {
            gradients[id] = sum(gradients[id].take(), part)?;
        }
        Ok(())
    }

    /// What came back to the input, `[batch, channels, height, width]`.
    pub(super) fn of_input(&self, found: Option<Value>) -> Result<Vec<f32>> {
        match found {
            Some(found) => found.to_vec(),
            // A score that does not depend on the picture has a gradient of zero.
            None => map_tensor!(self.value(ValueId::INPUT)?, t => t.zeros_like()).to_vec(),
        }
    }

    /// A tensor of the forward pass.
    pub(super) fn value(&self, id: ValueId) -> Result<Value> {
        self.slots[id].clone().ok_or_else(|| Error::internal("a tensor of the forward pass is gone"))
    }

    /// The gradient of the score with respect to the last tensor, in its shape. `reduce` makes one number per target.
    pub(super) fn seed(
        &self,
        score: Score,
        class: usize,
        reduce: fn(&Reduction, Tensor<2>) -> Tensor<2>,
    ) -> Result<Value> {
        self.seed_of(reduce, &mut |reduced| {
            let [_, classes] = reduced.dims();
            score.check(class, classes)?;
            Ok(score.of(reduced, class, self.reduction.rivals(class, classes)))
        })
    }

    /// As [`Sweep::seed`], for the difference between a class and others.
    pub(super) fn contrast(&self, contrast: &Contrast) -> Result<Value> {
        self.seed_of(Reduction::of, &mut |reduced| {
            let [_, classes] = reduced.dims();
            Score::check_contrast(contrast, classes)?;
            Ok(contrast.of(&reduced))
        })
    }

    /// As [`Sweep::seed`], of any scalar of the numbers.
    pub(super) fn seed_of(
        &self,
        reduce: fn(&Reduction, Tensor<2>) -> Tensor<2>,
        scalar: &mut dyn FnMut(Tensor<2>) -> Result<Tensor<1>>,
    ) -> Result<Value> {
        let shape = self.value(self.network.steps.logits)?.shape();
        // Only the score is recorded here, from a leaf of logits: the rest of the network is not.
        let leaf = self.network.flat_logits(&mut self.slots.clone())?.autodiff().require_grad();
        let gradients = scalar(reduce(&self.reduction, leaf.clone()))?.backward();
        let gradient = leaf.grad(&gradients).unwrap_or_else(|| leaf.inner().zeros_like());
        Value::R2(gradient).reshape(&shape)
    }
}

impl<'a> SweptStep<'a> {
    fn of(step: &'a Step, gradient: Gradient<'a>) -> Self {
        Self { node: step.position, op: &step.node.op, step, gradient }
    }

    /// Its tensor.
    pub(super) fn id(&self) -> ValueId {
        self.step.output()
    }

    /// The gradient with respect to it.
    pub(super) fn gradient(&self, device: &Device) -> Result<Value> {
        match self.gradient {
            Gradient::OnDevice(gradient) => Ok(gradient.clone()),
            Gradient::Plain(values, shape) => Value::new(values.to_vec(), shape, device),
        }
    }

    /// What the operation adds to each channel for any input, where it has such a parameter: the bias of a convolution or linear
    /// layer, the shift of a norm.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bias(&self) -> Result<Option<Vec<f32>>> {
        self.step.bias()
    }

    /// The gradient with respect to the operation's output, one per picture; `None` unless that is of rank 4.
    ///
    /// # Errors
    /// When the device does not give it back.
    pub fn gradients(&self) -> Result<Option<Vec<Features>>> {
        match self.gradient {
            Gradient::OnDevice(Value::R4(gradient)) => {
                let pictures = (0..gradient.dims()[0]).map(|at| features(gradient.clone().narrow(0, at, 1)));
                pictures.collect::<Result<_>>().map(Some)
            }
            Gradient::Plain(values, &[_, channels, height, width]) => {
                let pictures = values.chunks(channels * height * width);
                let features = |values: &[f32]| Features { channels, height, width, values: values.to_vec() };
                Ok(Some(pictures.map(features).collect()))
            }
            Gradient::OnDevice(_) | Gradient::Plain(..) => Ok(None),
        }
    }
}
