//! A backward pass that visits every operation.
//!
//! Receives pictures and a rule for rectifiers, shows a visitor the gradient with respect to every operation's
//! output, returns the one with respect to the input. One pass forward serves every class. That is what methods need that look at more than a few layers
//! or put something else in the place of a derivative: guided backpropagation, deconvolution, FullGrad. Their
//! mathematics is left to the methods; methods of one layer use [`Network::record`], which is faster.

use burn::tensor::Tensor;

use super::operands::Params;
use super::ops;
use super::recording::features;
use super::reduction::Reduction;
use super::score::Score;
use super::step::Step;
use super::steps::Slots;
use super::value::{Value, map_tensor, on_tensor, zip_tensors};
use super::{Features, Network};
use crate::card::{Op, ValueId};
use crate::error::{Error, Result};

/// The backward rule of a rectifier with input `x`, for the gradient `g` of its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `g` where `x > 0`: the derivative.
    Plain,
    /// `g` where `x > 0` and `g > 0`: guided backpropagation, Springenberg et al. 2015, arXiv:1412.6806, equation 1.
    Guided(Rectifiers),
    /// `g` where `g > 0`, for any input: the deconvolution of Zeiler & Fergus 2014, arXiv:1311.2901.
    ///
    /// The paper passes the gradient through the same rectifier. For `relu6` only the lower bound applies: the upper
    /// one is in units of activations, which gradients do not have.
    Deconvolution(Rectifiers),
}

/// The operations that a [`Rule`] treats as rectifiers; all others use the derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rectifiers {
    /// `relu` alone, as in captum and pytorch-grad-cam.
    Relu,
    /// `relu` and `relu6`, which passes guided gradients only where `x < 6` too.
    ReluAndRelu6,
}

/// A pass forward that keeps every value, to be run backward as often as there are classes.
#[derive(Debug)]
pub struct Sweep<'a> {
    pub(super) network: &'a Network,
    pub(super) slots: Slots,
    reduction: Reduction,
}

/// One operation of the backward pass.
#[derive(Debug)]
pub struct SweptStep<'a> {
    /// Index of its node in the graph; for a batch norm folded into a convolution, that of the batch norm.
    pub node: usize,
    /// The operation.
    pub op: &'a Op,
    params: &'a Params,
    gradient: &'a Value,
}

impl Network {
    /// Number of operations of this network that a rule would treat as rectifiers.
    #[must_use]
    pub fn rectifiers(&self, which: Rectifiers) -> usize {
        self.steps.iter().filter(|step| which.hold(&step.node.op)).count()
    }

    /// Runs forward without autodiff and keeps every value.
    ///
    /// # Shapes
    /// `values` is `[batch, channels, height, width]`, row-major.
    ///
    /// # Errors
    /// When there are not as many values as whole pictures have.
    pub fn sweep(&self, values: Vec<f32>) -> Result<Sweep<'_>> {
        self.count(&values)?;
        self.swept(self.steps.start(values)?)
    }

    /// As [`Network::sweep`], forward and backward in double precision, where the device has it: for what divides by sums that may
    /// cancel.
    ///
    /// # Errors
    /// As [`Network::sweep`].
    pub fn sweep_precisely(&self, values: Vec<f32>) -> Result<Sweep<'_>> {
        self.count(&values)?;
        self.swept(self.steps.start_precisely(values)?)
    }

    fn swept(&self, mut slots: Slots) -> Result<Sweep<'_>> {
        for step in self.steps.iter() {
            let inputs = inputs(&slots, step)?;
            let value = ops::apply(&step.node.op, &*step.params_for(&inputs)?, inputs)?;
            slots[step.output()] = Some(value);
        }
        Ok(Sweep { network: self, slots, reduction: Reduction::Values })
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
        let steps = &self.network.steps;
        let mut gradients = steps.empty();
        gradients[steps.logits] = Some(self.seed(*score, class, Reduction::of)?);
        for step in steps.iter().rev() {
            // The score does not depend on this operation: there is nothing to pass back, or to visit.
            let Some(gradient) = gradients[step.output()].take() else { continue };
            visit(SweptStep {
                node: step.position,
                op: &step.node.op,
                params: step.params()?,
                gradient: &gradient,
            })?;
            let parts = backward(step, inputs(&self.slots, step)?, gradient, rule)?;
            for (&id, part) in step.node.inputs.iter().zip(parts) {
                gradients[id] = sum(gradients[id].take(), part)?;
            }
        }
        self.of_input(gradients[ValueId::INPUT].take())
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
        let last = self.network.steps.logits;
        let shape = self.slots[last].as_ref().map(Value::shape).unwrap_or_default();
        // Only the score is recorded here, from a leaf of logits: the rest of the network is not.
        let leaf = self.network.flat_logits(&mut self.slots.clone())?.autodiff().require_grad();
        let reduced = reduce(&self.reduction, leaf.clone());
        let [_, classes] = reduced.dims();
        score.check(class, classes)?;
        let gradients = score.of(reduced, class, self.reduction.rivals(class, classes)).backward();
        let gradient = leaf.grad(&gradients).unwrap_or_else(|| leaf.inner().zeros_like());
        Value::R2(gradient).reshape(&shape)
    }
}

impl SweptStep<'_> {
    /// What the operation adds to each channel for any input, where it has such a parameter: the bias of a
    /// convolution or linear layer, the shift of a norm. Batch norm's is
    /// `beta - running_mean gamma / sqrt(running_var + epsilon)`.
    ///
    /// # Errors
    /// When the device does not give it back.
    pub fn bias(&self) -> Result<Option<Vec<f32>>> {
        let role = match self.op {
            Op::BatchNorm { .. } => "shift",
            Op::LayerNorm { .. } | Op::GroupNorm { .. } => "beta",
            _ => "bias",
        };
        self.params.get(role).map(Value::to_vec).transpose()
    }

    /// The gradient with respect to the operation's output, one per picture; `None` unless that is of rank 4.
    ///
    /// # Errors
    /// When the device does not give it back.
    pub fn gradients(&self) -> Result<Option<Vec<Features>>> {
        let Value::R4(gradient) = self.gradient else { return Ok(None) };
        let pictures = (0..gradient.dims()[0]).map(|at| features(gradient.clone().narrow(0, at, 1)));
        pictures.collect::<Result<_>>().map(Some)
    }
}

impl Rectifiers {
    fn hold(self, op: &Op) -> bool {
        match op {
            Op::Relu {} => true,
            Op::Relu6 {} => self == Self::ReluAndRelu6,
            _ => false,
        }
    }
}

/// The gradients with respect to a step's inputs; `None` is zero.
fn backward(step: &Step, inputs: Vec<Value>, gradient: Value, rule: Rule) -> Result<Vec<Option<Value>>> {
    match rule {
        Rule::Guided(which) if which.hold(&step.node.op) => {
            let is_bounded = matches!(step.node.op, Op::Relu6 {});
            let pairs = inputs.into_iter().zip([gradient]);
            pairs.map(|(x, g)| zip_tensors!(x, g, (x, g) => guided(x, g, is_bounded)).map(Some)).collect()
        }
        Rule::Deconvolution(which) if which.hold(&step.node.op) => {
            // Where the input was does not matter to this rule, so it is not looked at.
            Ok(vec![Some(map_tensor!(gradient, g => g.clamp_min(0.0)))])
        }
        _ => derivative(step, inputs, gradient),
    }
}

fn guided<const RANK: usize>(x: Tensor<RANK>, gradient: Tensor<RANK>, is_bounded: bool) -> Tensor<RANK> {
    let passed = gradient.clamp_min(0.0).mask_fill(x.clone().lower_equal_elem(0.0), 0.0);
    if is_bounded { passed.mask_fill(x.greater_equal_elem(6.0), 0.0) } else { passed }
}

/// The gradients with respect to a step's inputs, of which only this step is recorded.
pub(super) fn derivative(step: &Step, inputs: Vec<Value>, gradient: Value) -> Result<Vec<Option<Value>>> {
    let params = step.params_for(&inputs)?;
    Recorded::new(&step.node.op, &params, inputs)?.back(gradient)
}

/// One operation that was recorded alone.
pub(super) struct Recorded {
    name: String,
    leaves: Vec<Value>,
    output: Value,
}

impl Recorded {
    pub(super) fn new(op: &Op, params: &Params, inputs: Vec<Value>) -> Result<Self> {
        let leaf = |value| map_tensor!(value, t => t.autodiff().require_grad());
        let leaves: Vec<Value> = inputs.into_iter().map(leaf).collect();
        let output = ops::apply(op, params, leaves.clone())?;
        Ok(Self { name: op.name(), leaves, output })
    }

    /// What the operation gives.
    pub(super) fn output(&self) -> Value {
        map_tensor!(self.output.clone(), t => t.inner())
    }

    /// The gradients of `<output, gradient>`, which is the vector-Jacobian product; `None` is zero.
    pub(super) fn back(self, gradient: Value) -> Result<Vec<Option<Value>>> {
        // A sum of products, because Burn runs backward from one number only.
        let Value::R1(product) = zip_tensors!(self.output, gradient, (y, g) => (y * g).sum())? else {
            return Err(Error::internal("a sum is not of rank 1"));
        };
        if !product.is_tracked() {
            return Err(Error::internal(format!("'{}' cannot be run backward", self.name)));
        }
        let mut gradients = product.backward();
        let parts = self.leaves.into_iter();
        Ok(parts.map(|leaf| on_tensor!(leaf, t => t.grad_remove(&mut gradients).map(Value::from))).collect())
    }
}

/// The inputs of a step. Nothing is moved out, because the backward pass reads them again.
pub(super) fn inputs(slots: &Slots, step: &Step) -> Result<Vec<Value>> {
    let missing = || Error::internal(format!("a value that '{}' reads is gone", step.node.op.name()));
    step.node.inputs.iter().map(|id| slots[*id].clone().ok_or_else(missing)).collect()
}

pub(super) fn sum(a: Option<Value>, b: Option<Value>) -> Result<Option<Value>> {
    match (a, b) {
        (Some(a), Some(b)) => zip_tensors!(a, b, (a, b) => a.add(b)).map(Some),
        (a, b) => Ok(a.or(b)),
    }
}
