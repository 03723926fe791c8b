//! Orders of axes: transposes that undo each other.

use ndarray::{ArrayD, Axis, IxDyn};

use super::Tidy;
use crate::card::Op;

impl Tidy<'_> {
    /// A transpose of a transpose is one transpose, or nothing at all.
    pub(super) fn cancel_transposes(&mut self) -> bool {
        for at in 0..self.builder.drafts.len() {
            let Op::Transpose { perm: second } = &self.builder.drafts[at].node.op else { continue };
            let input = &self.builder.drafts[at].node.inputs[0];
            let Some(before) = self.builder.drafts[..at].iter().find(|draft| draft.node.name == *input)
            else {
                continue;
            };
            let Op::Transpose { perm: first } = &before.node.op else { continue };
            let perm: Vec<usize> = second.iter().map(|axis| first[*axis]).collect();
            let (source, name) = (before.node.inputs[0].clone(), self.builder.drafts[at].node.name.clone());
            if perm.iter().copied().eq(0..perm.len()) {
                self.redirect(&name, &source);
                self.drafts().remove(at);
            } else {
                let node = &mut self.drafts()[at].node;
                node.op = Op::Transpose { perm };
                node.inputs = vec![source];
            }
            return true;
        }
        false
    }

    /// A transpose before arithmetic on each number by itself goes behind it, if the chain ends in a transpose back.
    pub(super) fn sink_transposes(&mut self) -> bool {
        let readers = self.readers();
        for at in 0..self.builder.drafts.len() {
            let Op::Transpose { perm: back } = self.builder.drafts[at].node.op.clone() else { continue };
            let mut chain = Vec::new();
            let mut end = at;
            while let Some(before) = self.only_before(end, &readers) {
                match &self.builder.drafts[before].node.op {
                    Op::Transpose { perm } if !chain.is_empty() && undoes(perm, &back) => {
                        self.swap(before, &chain, at, &back);
                        return true;
                    }
                    op if pointwise(op) => chain.push(before),
                    _ => break,
                }
                end = before;
            }
        }
        false
    }

    /// Takes the transpose `first` before a chain and the one `last` behind it away; the chain's constants turn.
    fn swap(&mut self, first: usize, chain: &[usize], last: usize, back: &[usize]) {
        for at in chain {
            let keys: Vec<String> = self.builder.drafts[*at].node.params.values().cloned().collect();
            for key in keys {
                if let Some(weight) = self.builder.weights.get_mut(&key) {
                    weight.values = turned(&weight.values, back);
                }
            }
        }
        let [source, gone] = [first, last].map(|at| self.builder.drafts[at].node.clone());
        let (Some(front), Some(end)) = (chain.last().copied(), chain.first().copied()) else { return };
        self.drafts()[front].node.inputs = source.inputs;
        let name = self.builder.drafts[end].node.name.clone();
        self.redirect(&gone.name, &name);
        self.drafts().remove(last);
        self.drafts().remove(first);
    }
}

fn undoes(first: &[usize], second: &[usize]) -> bool {
    first.len() == second.len() && second.iter().map(|axis| first[*axis]).eq(0..first.len())
}

/// Operations on each number by itself, whose constants can be turned along.
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

/// A constant that broadcasts against a value, after that value's axes were put in the order `perm`.
fn turned(values: &ArrayD<f32>, perm: &[usize]) -> ArrayD<f32> {
    let mut wide = values.clone();
    while wide.ndim() < perm.len() {
        wide.insert_axis_inplace(Axis(0));
    }
    wide.permuted_axes(IxDyn(perm)).as_standard_layout().into_owned()
}
