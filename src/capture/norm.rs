//! Group norm and instance norm, which Burn writes as arithmetic on the groups.
//!
//! Receives the last step of each part (back to channels, times `gamma`, plus `beta`), hands on the whole layer.

use burn::backend::ir::TensorIr;

use super::draft::{Constant, Draft};
use crate::card::{Node, Op};

impl Draft {
    /// Takes the nodes back that normalise over groups, if a reshape to `shape` ends them. Gives the layer and what
    /// it reads.
    pub(super) fn takes_group_norm(&mut self, input: &TensorIr, shape: &[usize]) -> Option<(Op, String)> {
        self.only_just_made(input)?;
        let start = self.nodes.len().checked_sub(8)?;
        let [grouped, mean, centered, square, variance, shifted, root, normed] = &self.nodes[start..] else {
            return None;
        };
        let reads =
            |node: &Node, inputs: &[&Node]| node.inputs.iter().eq(inputs.iter().map(|node| &node.name));
        let wired = reads(mean, &[grouped])
            && reads(centered, &[grouped, mean])
            && reads(square, &[centered, centered])
            && reads(variance, &[square])
            && reads(shifted, &[variance])
            && reads(root, &[shifted])
            && reads(normed, &[centered, root]);
        let &[1, groups, _] = input.shape.to_vec().as_slice() else { return None };
        let over_groups = |op: &Op| matches!(op, Op::ReduceMean { axes, keep_dims: true } if axes[..] == [2]);
        let computed = over_groups(&mean.op)
            && over_groups(&variance.op)
            && matches!(square.op, Op::Mul { scalar: None })
            && matches!(centered.op, Op::Sub { scalar: None })
            && matches!((&root.op, &normed.op), (Op::Sqrt { .. }, Op::Div { scalar: None }));
        let reshaped = matches!(grouped.op, Op::Reshape { .. } | Op::Flatten { .. });
        let Op::Add { scalar: Some(epsilon) } = shifted.op else { return None };
        let input = grouped.inputs.first()?.clone();
        if !(wired && computed && reshaped && self.shape_of(&input)? == shape) {
            return None;
        }
        for node in self.nodes.drain(start..) {
            self.names.release(&node.name);
        }
        Some((Op::GroupNorm { groups, epsilon }, input))
    }

    /// Takes a group norm without parameters back, if a parameter a channel multiplies it.
    pub(super) fn takes_plain_group_norm(
        &mut self,
        left: &TensorIr,
        right: &TensorIr,
    ) -> Option<(Op, String, Constant)> {
        let gamma = of_channels(left, &self.constant(right)?)?;
        let norm = self.only_just_made(left)?;
        if !matches!(norm.op, Op::GroupNorm { .. }) || !norm.params.is_empty() {
            return None;
        }
        let Node { name, mut inputs, op, .. } = self.nodes.pop()?;
        self.names.release(&name);
        Some((op, inputs.pop()?, gamma))
    }

    /// Makes a parameter a channel that is added to a group norm its `beta`.
    pub(super) fn shifts_group_norm(&mut self, left: &TensorIr, right: &TensorIr) -> bool {
        let Some(beta) = self.constant(right).and_then(|beta| of_channels(left, &beta)) else { return false };
        let Some(Node { name, op: Op::GroupNorm { .. }, params, .. }) = self.only_just_made(left) else {
            return false;
        };
        if params.contains_key("beta") {
            return false;
        }
        let name = name.clone();
        let beta = self.store(beta, &name, "beta");
        self.nodes.last_mut().is_some_and(|norm| norm.params.insert("beta".into(), beta).is_none())
    }
}

/// The constant as one number a channel of `x`, if it is that.
fn of_channels(x: &TensorIr, constant: &Constant) -> Option<Constant> {
    let channels = *x.shape.get(1)?;
    let expected = (0..x.shape.num_dims()).map(|axis| if axis == 1 { channels } else { 1 });
    constant.shape.iter().copied().eq(expected).then(|| Constant { id: constant.id, shape: vec![channels] })
}
