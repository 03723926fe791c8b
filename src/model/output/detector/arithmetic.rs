//! Sums and products in a detector's output: which operations they are, and the product of two probabilities as a logit.
//!
//! Receives operations, or a way to add some; which tensors they read is left to the caller.

use crate::card::{Class, Combination, Op, ValueId};

/// Whether an operation multiplies or divides.
pub(super) fn is_factor(op: &Op) -> bool {
    op.class() == Class::Arithmetic && !is_shift(op) && op.clip().is_none()
}

/// Whether an operation adds or subtracts.
pub(super) fn is_shift(op: &Op) -> bool {
    op.combination() == Some(Combination::Sum)
}

/// Whether an operation subtracts.
pub(super) fn is_difference(op: &Op) -> bool {
    matches!(op, Op::Sub { .. })
}

/// The logit of the product of two probabilities, from their logits `o` and `c`: `o + c - ln(1 + e^o + e^c)`, without an exponential
/// that could overflow, as `o + c - s(c + s(o - c))` with the softplus `s`. `push`
/// adds a node.
pub(super) fn logit_of_both(
    o: ValueId,
    c: ValueId,
    mut push: impl FnMut(Op, &[ValueId]) -> ValueId,
) -> ValueId {
    let (add, subtract) = (Op::Add { scalar: None }, Op::Sub { scalar: None });
    let difference = push(subtract.clone(), &[o, c]);
    let greater = push(Op::Softplus {}, &[difference]);
    let greater = push(add.clone(), &[c, greater]);
    let total = push(Op::Softplus {}, &[greater]);
    let sum = push(add, &[o, c]);
    push(subtract, &[sum, total])
}
