//! Products and sums, and the layers that Burn takes apart into them.
//!
//! Receives two tensors, hands on a linear layer, a gated activation, or the plain operation.

use burn::backend::ir::TensorIr;

use super::draft::{Constant, Draft};
use crate::card::{Node, Op};

impl Draft {
    /// A matrix product; with a parameter on the right it is a linear layer without bias.
    pub(super) fn product(&mut self, left: &TensorIr, right: &TensorIr, output: &TensorIr) -> Option<()> {
        let input = self.node(left)?;
        if let Some(weight) = self.constant(right) {
            return self.push(Op::Linear {}, vec![input], vec![("weight", of_rank(2, &weight)?)], output);
        }
        let other = self.node(right)?;
        self.push(Op::Matmul {}, vec![input, other], vec![], output)
    }

    /// A sum; a parameter that is added to a linear layer is its bias.
    pub(super) fn sum(&mut self, left: &TensorIr, right: &TensorIr, output: &TensorIr) -> Option<()> {
        let bias = self.constant(right).and_then(|bias| of_rank(1, &bias));
        let features = left.shape.iter().next_back().copied().unwrap_or_default();
        if let Some(bias) = bias.filter(|bias| bias.shape == [features])
            && let Some(Node { name, op: Op::Linear {}, params, .. }) = self.only_just_made(left)
            && !params.contains_key("bias")
        {
            let name = name.clone();
            let bias = self.store(bias, &name, "bias");
            self.nodes.last_mut()?.params.insert("bias".into(), bias);
            return self.alias(left, output);
        }
        if self.shifts_group_norm(left, right) {
            return self.alias(left, output);
        }
        self.two_sided(Op::Add { scalar: None }, left, right, output)
    }

    /// A difference; a constant minus a value is the negative value plus the constant.
    pub(super) fn difference(&mut self, left: &TensorIr, right: &TensorIr, output: &TensorIr) -> Option<()> {
        let Some(constant) = self.constant(left) else {
            return self.two_sided(Op::Sub { scalar: None }, left, right, output);
        };
        let input = self.node(right)?;
        self.push(Op::Mul { scalar: Some(-1.0) }, vec![input], vec![], output)?;
        let negative = self.node(output)?;
        self.push(Op::Add { scalar: None }, vec![negative], vec![("other", constant)], output)
    }

    /// A product by elements; a value times its own sigmoid is SiLU, times its own hard sigmoid hard swish.
    pub(super) fn scaled(&mut self, left: &TensorIr, right: &TensorIr, output: &TensorIr) -> Option<()> {
        for (value, gate) in [(left, right), (right, left)] {
            let Some(input) = self.node(value) else { continue };
            let Some(gate) = self.only_just_made(gate).filter(|gate| gate.inputs == [&*input]) else {
                continue;
            };
            let op = match gate.op {
                Op::Sigmoid {} => Op::Silu {},
                Op::HardSigmoid { alpha, beta: 0.5 } if (alpha - 1.0 / 6.0).abs() < 1e-6 => Op::HardSwish {},
                _ => continue,
            };
            let gate = self.nodes.pop()?;
            self.names.release(&gate.name);
            return self.push(op, vec![input], vec![], output);
        }
        if let Some((op, input, gamma)) = self.takes_plain_group_norm(left, right) {
            return self.push(op, vec![input], vec![("gamma", gamma)], output);
        }
        self.two_sided(Op::Mul { scalar: None }, left, right, output)
    }

    /// Two values, or a value and a constant; sums and products may have the constant first.
    pub(super) fn two_sided(
        &mut self,
        op: Op,
        left: &TensorIr,
        right: &TensorIr,
        output: &TensorIr,
    ) -> Option<()> {
        let commutes = matches!(op, Op::Add { .. } | Op::Mul { .. });
        match (self.node(left), self.node(right)) {
            (Some(left), Some(right)) => self.push(op, vec![left, right], vec![], output),
            (Some(input), None) => {
                let other = self.constant(right)?;
                self.push(op, vec![input], vec![("other", other)], output)
            }
            (None, Some(input)) if commutes => {
                let other = self.constant(left)?;
                self.push(op, vec![input], vec![("other", other)], output)
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
