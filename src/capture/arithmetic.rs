//! Products, sums and differences in which either side may be a parameter.
//!
//! Receives two tensors; adds a linear layer or the plain operation. [`passes`](burncam_graph::passes) combine what
//! Burn decomposes further.

use burn::backend::ir::{NumericOperationIr, TensorIr};

use super::context::{Constant, Context};
use super::masked::Masked;
use crate::card::Op;

impl Context {
    /// A sum, difference, product or quotient of two tensors.
    pub(super) fn arithmetic(&mut self, operation: &NumericOperationIr) -> Option<()> {
        let (op, it) = match operation {
            NumericOperationIr::Sub(it) => return self.difference(&it.lhs, &it.rhs, &it.out),
            NumericOperationIr::Add(it) => (Op::Add { scalar: None }, it),
            NumericOperationIr::Mul(it) => (Op::Mul { scalar: None }, it),
            NumericOperationIr::Div(it) => (Op::Div { scalar: None }, it),
            _ => return None,
        };
        self.two_sided(op, &it.lhs, &it.rhs, &it.out)
    }

    /// A function of one element, between two factors where these are not one.
    pub(super) fn formula(&mut self, formula: &Masked, output: &TensorIr) -> Option<()> {
        let Masked { input, before, op, after } = formula;
        self.alias(input, output)?;
        let factor = |factor: f64| (factor != 1.0).then_some(Op::Mul { scalar: Some(factor) });
        for op in [factor(*before), Some(op.clone()), factor(*after)].into_iter().flatten() {
            let input = self.tensor(output)?;
            self.push(op, &[&input], vec![], output)?;
        }
        Some(())
    }

    /// A matrix product; with a parameter on the right it is a linear layer without bias.
    pub(super) fn product(&mut self, left: &TensorIr, right: &TensorIr, output: &TensorIr) -> Option<()> {
        let input = self.tensor(left)?;
        if let Some(weight) = self.constant(right) {
            let weight = ("weight", of_rank(2, &weight)?);
            return match self.whole(&input) {
                Some(whole) => self.push_on_rows(Op::Linear {}, &whole, weight, output),
                None => self.push(Op::Linear {}, &[&input], vec![weight], output),
            };
        }
        let other = self.tensor(right)?;
        self.push(Op::Matmul {}, &[&input, &other], vec![], output)
    }

    /// A difference; a constant minus a tensor is the negative tensor plus the constant.
    fn difference(&mut self, left: &TensorIr, right: &TensorIr, output: &TensorIr) -> Option<()> {
        let Some(constant) = self.constant(left) else {
            return self.two_sided(Op::Sub { scalar: None }, left, right, output);
        };
        let input = self.tensor(right)?;
        self.push(Op::Mul { scalar: Some(-1.0) }, &[&input], vec![], output)?;
        let negative = self.tensor(output)?;
        self.push(Op::Add { scalar: None }, &[&negative], vec![("other", constant)], output)
    }

    /// Two tensors, or a tensor and a constant; sums and products may have the constant first.
    fn two_sided(&mut self, op: Op, left: &TensorIr, right: &TensorIr, output: &TensorIr) -> Option<()> {
        let commutes = matches!(op, Op::Add { .. } | Op::Mul { .. });
        match (self.tensor(left), self.tensor(right)) {
            (Some(left), Some(right)) => self.push(op, &[&left, &right], vec![], output),
            (Some(input), None) => {
                let other = self.constant(right)?;
                if let (Some(whole), Some(list)) = (self.whole(&input), of_rank(1, &other)) {
                    return self.push_on_rows(op, &whole, ("other", list), output);
                }
                self.push(op, &[&input], vec![("other", other)], output)
            }
            // Cards have the constant second; of a difference or quotient the order matters.
            (None, Some(input)) if commutes => {
                let other = self.constant(left)?;
                self.push(op, &[&input], vec![("other", other)], output)
            }
            _ => None,
        }
    }
}

/// Burn brings parameters to the rank of what they meet by ones in front; without these.
fn of_rank(rank: usize, constant: &Constant) -> Option<Constant> {
    let at = constant.shape.len().checked_sub(rank)?;
    let (ones, shape) = constant.shape.split_at(at);
    ones.iter().all(|side| *side == 1).then(|| Constant { id: constant.id, shape: shape.to_vec() })
}
