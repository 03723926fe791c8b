//! One operation recorded alone, for passes back that go from one to the next.
//!
//! Receives an operation with its inputs and the gradient of its output; gives those of its inputs.

use burn::tensor::Tensor;

use super::operands::Params;
use super::ops;
use super::step::Step;
use super::steps::Slots;
use super::value::{Value, map_tensor, on_tensor, zip_tensors};
use crate::card::{Class, Op};
use crate::error::{Error, Result};
use crate::native::Rule;

/// The gradients with respect to a step's inputs, of which only this step is recorded.
pub(super) fn derivative(step: &Step, inputs: Vec<Value>, gradient: Value) -> Result<Vec<Option<Value>>> {
    let params = step.params_for(&inputs)?;
    if let (Class::Linear, Some(Value::R2(weight)), [x]) =
        (step.node.op.class(), params.get("weight"), &inputs[..])
    {
        return through_linear(weight.clone(), &x.shape(), gradient).map(|found| vec![Some(found)]);
    }
    Recorded::new(&step.node.op, &params, inputs)?.back(gradient)
}

/// `g W^T`: of a linear layer nothing has to be recorded, which would read its weights, often most of a network's, once more.
fn through_linear(weight: Tensor<2>, shape: &[usize], gradient: Value) -> Result<Value> {
    let [features, outputs] = weight.dims();
    let rows = shape.iter().product::<usize>() / features;
    match gradient.reshape(&[rows, outputs])? {
        Value::R2(gradient) => Value::R2(gradient.matmul(weight.transpose())).reshape(shape),
        _ => Err(Error::internal("rows and columns are not of rank 2")),
    }
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

/// The gradients with respect to a step's inputs; `None` is zero.
pub(super) fn backward(
    step: &Step,
    inputs: Vec<Value>,
    gradient: Value,
    rule: Rule,
) -> Result<Vec<Option<Value>>> {
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

/// The inputs of a step. Nothing is moved out, because the backward pass reads them again.
pub(super) fn inputs(slots: &Slots, step: &Step) -> Result<Vec<Value>> {
    let missing = || Error::internal(format!("a value that '{}' reads is gone", step.node.op.name()));
    step.node.inputs.iter().map(|id| slots[*id].clone().ok_or_else(missing)).collect()
}
