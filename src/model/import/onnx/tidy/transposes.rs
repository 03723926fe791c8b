//! Transposes that undo each other.

use ndarray::{ArrayD, Axis, IxDyn};

use super::Tidy;
use crate::card::Op;

impl Tidy<'_> {
    /// Applies both rules until neither does anything; removing a pair may bring another together.
    pub(super) fn join_transposes(&mut self) {
        while self.sink_transposes() | self.cancel_transposes() {}
    }

    /// A transpose of a transpose is one transpose, or nothing at all.
    fn cancel_transposes(&mut self) -> bool {
        let mut changed = false;
        for at in self.positions() {
            while let Some((source, perm)) = self.joined_transpose(at) {
                changed = true;
                if perm.iter().copied().eq(0..perm.len()) {
                    self.replace(at, &source);
                    break;
                }
                self.change(at, |node| (node.op, node.inputs) = (Op::Transpose { perm }, vec![source]));
            }
        }
        changed
    }

    /// What two transposes in a row read, and the order of axes that they give together.
    fn joined_transpose(&self, at: usize) -> Option<(String, Vec<usize>)> {
        let node = self.node(at);
        let Op::Transpose { perm: second } = &node.op else { return None };
        let before = self.node(self.place(&node.inputs[0])?);
        let Op::Transpose { perm: first } = &before.op else { return None };
        Some((before.inputs[0].clone(), second.iter().map(|axis| first[*axis]).collect()))
    }

    /// Pushes a transpose through elementwise operations when its inverse follows, and removes both.
    fn sink_transposes(&mut self) -> bool {
        let mut changed = false;
        // The transpose before the elementwise operations that lead to each node.
        let mut openers: Vec<Option<usize>> = vec![None; self.counts.len()];
        for at in self.positions() {
            let Some(before) = self.only_before(at) else { continue };
            openers[at] = match &self.node(before).op {
                Op::Transpose { .. } => Some(before),
                op if pointwise(op) => self.standing(&openers, before),
                _ => None,
            };
            // Two transposes in a row are joined, not pushed.
            let Some(first) = openers[at].filter(|first| *first != before) else { continue };
            if let (Op::Transpose { perm }, Op::Transpose { perm: back }) =
                (&self.node(first).op, &self.node(at).op)
                && undoes(perm, back)
            {
                self.swap(first, at, &back.clone());
                changed = true;
            }
        }
        changed
    }

    /// The opener of `at`; for one that is removed by now, that which it had itself.
    fn standing(&self, openers: &[Option<usize>], at: usize) -> Option<usize> {
        let mut opener = openers[at]?;
        while self.is_removed(opener) {
            opener = openers[opener]?;
        }
        Some(opener)
    }

    /// Removes the transposes `first` and `last`; the constants between them turn.
    fn swap(&mut self, first: usize, last: usize, back: &[usize]) {
        let mut end = last;
        while let Some(before) = self.only_before(end).filter(|before| *before != first) {
            for key in self.builder.drafts[before].node.params.values() {
                if let Some(weight) = self.builder.weights.get_mut(key) {
                    weight.values = turned(&weight.values, back);
                }
            }
            end = before;
        }
        let (source, result) = (self.node(first).inputs[0].clone(), self.node(last).inputs[0].clone());
        self.replace(first, &source);
        self.replace(last, &result);
    }
}

fn undoes(first: &[usize], second: &[usize]) -> bool {
    first.len() == second.len() && second.iter().map(|axis| first[*axis]).eq(0..first.len())
}

/// Elementwise operations; their constants can be turned along.
fn pointwise(op: &Op) -> bool {
    matches!(
        op,
        Op::Add { .. }
            | Op::Sub { .. }
            | Op::Mul { .. }
            | Op::Div { .. }
            | Op::Minimum { .. }
            | Op::Maximum { .. }
            | Op::Relu {}
            | Op::Relu6 {}
            | Op::LeakyRelu { .. }
            | Op::Elu { .. }
            | Op::Selu {}
            | Op::Gelu { .. }
            | Op::Silu {}
            | Op::Mish {}
            | Op::Sigmoid {}
            | Op::HardSigmoid { .. }
            | Op::HardSwish {}
            | Op::Tanh {}
            | Op::Softplus {}
            | Op::Clip { .. }
            | Op::Exp {}
            | Op::Sqrt { .. }
            | Op::Log {}
            | Op::Pow { .. }
            | Op::Abs {}
            | Op::Erf {}
            | Op::Dropout {}
            | Op::Identity {}
    )
}

/// A constant that broadcasts against a value, after that value's axes are permuted by `perm`.
fn turned(values: &ArrayD<f32>, perm: &[usize]) -> ArrayD<f32> {
    let mut wide = values.clone();
    while wide.ndim() < perm.len() {
        wide.insert_axis_inplace(Axis(0));
    }
    wide.permuted_axes(IxDyn(perm)).as_standard_layout().into_owned()
}
