//! Activations written out in a graph: softmax, sigmoid, their logarithms, and `[1 - p, p]`.
//!
//! | formula | is |
//! |---|---|
//! | `e / sum(e)`, `e sum(e)^-1`, with `e = exp(x)` or `exp(x - max(x))` | softmax of `x`; of any other `e >= 0`, shares |
//! | `x - log(sum(exp(x)))`, with a maximum taken off and added again or not | log-softmax of `x` |
//! | `1 / (1 + exp(-x))`, `exp(x) / (1 + exp(x))` | sigmoid of `x` |
//! | `-softplus(-x)` | log-sigmoid of `x` |
//! | `[1 - p, p]`, `[p, 1 - p]`, `[sigmoid(-x), sigmoid(x)]` | both sides of one probability |

use super::kind::{Kind, TINY};
use super::proof::Origin;
use super::trace::Trace;
use crate::card::Op;

/// Limit on the depth of a formula; bounds the comparison of repeated subexpressions.
const DEPTH: usize = 6;

impl Trace<'_> {
    fn op(&self, at: usize) -> &Op {
        &self.node(at).op
    }

    /// The node itself, or the one before it when it only reshapes, renames or guards against division by zero.
    fn behind(&self, mut at: usize) -> usize {
        for _ in 0..DEPTH {
            let passes = match self.op(at) {
                Op::Identity {} | Op::Dropout {} | Op::Flatten { .. } | Op::Reshape { .. } => true,
                Op::Squeeze { .. } | Op::Unsqueeze { .. } => true,
                Op::Add { scalar: Some(tiny) } | Op::Maximum { scalar: Some(tiny) } => {
                    (0.0..=TINY).contains(tiny)
                }
                Op::Clip { min, max } => (0.0..=TINY).contains(min) && *max > 1.0 / TINY,
                _ => false,
            };
            match self.input(at, 0).filter(|_| passes) {
                Some(before) => at = before,
                None => return at,
            }
        }
        at
    }

    /// Whether two nodes compute the same value: exporters repeat subexpressions of the program.
    fn same(&self, a: usize, b: usize, depth: usize) -> bool {
        let (first, second) = (self.node(a), self.node(b));
        a == b
            || first.inputs == second.inputs && first.op == second.op && first.params == second.params
            || depth > 0
                && first.op == second.op
                && first.params == second.params
                && first.inputs.len() == second.inputs.len()
                && (0..first.inputs.len()).all(|which| match (self.input(a, which), self.input(b, which)) {
                    (Some(a), Some(b)) => self.same(a, b, depth - 1),
                    _ => first.inputs[which] == second.inputs[which],
                })
    }

    /// `z` for a node that computes `-z`.
    fn negated(&self, at: usize) -> Option<usize> {
        match self.op(at) {
            Op::Mul { scalar: Some(-1.0) } => self.input(at, 0),
            Op::Add { scalar: Some(0.0) } => self.negated(self.input(at, 0)?),
            _ => None,
        }
    }

    /// `x` for a node that computes `x` minus something constant along the axis, otherwise the node itself.
    fn unshifted(&self, at: usize, axis: usize) -> usize {
        let (Op::Sub { scalar: None }, Some(x), Some(shift)) =
            (self.op(at), self.input(at, 0), self.input(at, 1))
        else {
            return at;
        };
        let (wide, narrow) = (&self.shapes[x], &self.shapes[shift]);
        let same_along = wide.len() == narrow.len() && narrow[axis] == 1 && *wide == self.shapes[at];
        if same_along { x } else { at }
    }

    /// A quotient or product at `at` that divides values by their sum.
    pub(super) fn softmax(&self, at: usize) -> Option<Kind> {
        let (first, second) = (self.input(at, 0)?, self.input(at, 1)?);
        if let Op::Div { .. } = self.op(at) {
            return self.normalised(first, second);
        }
        // A quotient may be written as a product with a reciprocal.
        let inverse = |at: usize| match self.op(at) {
            Op::Pow { exponent: -1.0 } => self.input(at, 0),
            _ => None,
        };
        let of = |numbers: usize, factor: usize| self.normalised(numbers, inverse(factor)?);
        of(first, second).or_else(|| of(second, first))
    }

    fn normalised(&self, numbers: usize, total: usize) -> Option<Kind> {
        let axis = self.sum_along(total, numbers)?;
        let origin = match self.op(numbers) {
            Op::Exp {} => {
                self.input(numbers, 0).map_or(Origin::Unknown, |x| Origin::Node(self.unshifted(x, axis)))
            }
            _ if self.kind(Some(numbers)).is_not_negative() => Origin::Unknown,
            _ => return None,
        };
        Some(Kind::Shares { axis, sum: 1.0, origin })
    }

    /// The one axis that `total` sums `numbers` over.
    fn sum_along(&self, total: usize, numbers: usize) -> Option<usize> {
        let total = self.behind(total);
        let Op::ReduceSum { axes, .. } = self.op(total) else { return None };
        let source = self.input(total, 0).filter(|source| self.same(*source, numbers, DEPTH))?;
        // Axes of size 1 add nothing to a sum and may be listed as well.
        let mut wide = axes.iter().copied().filter(|axis| self.shapes[source][*axis] > 1);
        match (wide.next(), wide.next(), axes.first()) {
            (Some(axis), None, _) => Some(axis),
            (None, _, Some(axis)) => Some(*axis),
            _ => None,
        }
    }

    /// A difference at `at` of `x` and the logarithm of the sum of its exponentials.
    pub(super) fn log_softmax(&self, at: usize) -> Option<Kind> {
        let (x, total) = (self.input(at, 0)?, self.behind(self.input(at, 1)?));
        let axis = self.log_sum_exp(total, x).or_else(|| self.shifted_log_sum_exp(total, x))?;
        Some(Kind::LogShares { axis, origin: Origin::Node(self.unshifted(x, axis)) })
    }

    fn log_sum_exp(&self, at: usize, x: usize) -> Option<usize> {
        let Op::Log {} = self.op(self.behind(at)) else { return None };
        let total = self.behind(self.input(self.behind(at), 0)?);
        let exponential = self.input(total, 0)?;
        let Op::Exp {} = self.op(exponential) else { return None };
        let same = self.input(exponential, 0).is_some_and(|source| self.same(source, x, DEPTH));
        self.sum_along(total, exponential).filter(|_| same)
    }

    /// `m + log(sum(exp(x - m)))`.
    fn shifted_log_sum_exp(&self, at: usize, x: usize) -> Option<usize> {
        let Op::Add { scalar: None } = self.op(at) else { return None };
        let logarithm = |at: usize| matches!(self.op(self.behind(at)), Op::Log {});
        let parts = [self.input(at, 0)?, self.input(at, 1)?];
        let log = self.behind(*parts.iter().find(|part| logarithm(**part))?);
        let exponential = self.input(self.behind(self.input(log, 0)?), 0)?;
        let shifted = self.input(exponential, 0)?;
        let axis = self.log_sum_exp(log, shifted)?;
        // The same maximum must be subtracted and added: the shift is the other operand.
        let shift = self.input(shifted, 1)?;
        let added = parts.iter().any(|part| self.same(self.behind(*part), self.behind(shift), DEPTH));
        (added && self.same(self.unshifted(shifted, axis), x, DEPTH) && shifted != x).then_some(axis)
    }

    /// A reciprocal at `at`: of `1 + exp(-x)`, or of another value.
    pub(super) fn reciprocal(&self, at: usize) -> Kind {
        let Some(below) = self.input(at, 0) else { return Kind::Other };
        match self.one_plus_exponential(below) {
            Some(power) => {
                let origin = self.negated(power).map_or(Origin::Unknown, Origin::Node);
                Kind::Squashed { low: 0.0, high: 1.0, origin }
            }
            None if self.kind(Some(below)).is_not_negative() => Kind::NotNegative,
            None => Kind::Other,
        }
    }

    /// `a` for a node that computes `1 + exp(a)`.
    fn one_plus_exponential(&self, at: usize) -> Option<usize> {
        let Op::Add { scalar: Some(1.0) } = self.op(at) else { return None };
        let exponential = self.input(at, 0)?;
        match self.op(exponential) {
            Op::Exp {} => self.input(exponential, 0),
            _ => None,
        }
    }

    /// A quotient at `at`: `exp(x) / (1 + exp(x))`.
    pub(super) fn ratio_of_exponentials(&self, at: usize) -> Option<Kind> {
        let (above, below) = (self.input(at, 0)?, self.input(at, 1)?);
        let power = self.one_plus_exponential(below)?;
        let same = matches!(self.op(above), Op::Exp {})
            && self.input(above, 0).is_some_and(|x| self.same(x, power, DEPTH));
        same.then_some(Kind::Squashed { low: 0.0, high: 1.0, origin: Origin::Node(power) })
    }

    /// A product with a constant at `at`: `-softplus(-x)`.
    pub(super) fn negated_softplus(&self, at: usize) -> Option<Kind> {
        let softplus = self.negated(at)?;
        let Op::Softplus {} = self.op(softplus) else { return None };
        let x = self.negated(self.input(softplus, 0)?)?;
        Some(Kind::LogSquashed { origin: Origin::Node(x) })
    }

    /// Two values joined at `at`, each of which is one minus the other.
    pub(super) fn both_sides(&self, at: usize, axis: usize) -> Option<Kind> {
        // Exactly two: the sides of one probability are two classes.
        let [_, _] = self.node(at).inputs[..] else { return None };
        let [first, second] = [self.behind(self.input(at, 0)?), self.behind(self.input(at, 1)?)];
        let own_first = match (self.completes(second, first), self.completes(first, second)) {
            (true, _) => true,
            (_, true) => false,
            _ => return None,
        };
        let own = if own_first { first } else { second };
        let Kind::Squashed { low, high, origin } = self.kind(Some(own)) else { return None };
        if low.abs() > TINY || (high - 1.0).abs() > TINY || self.shapes[own].iter().any(|side| *side != 1) {
            return None;
        }
        let origin = match origin {
            Origin::Node(node) => Origin::Sides { node, own_first },
            other => other,
        };
        Some(Kind::Shares { axis, sum: 1.0, origin })
    }

    /// Whether `other` is one minus `own`.
    fn completes(&self, other: usize, own: usize) -> bool {
        let less = || {
            let Op::Add { scalar: Some(1.0) } = self.op(other) else { return None };
            self.negated(self.input(other, 0)?)
        };
        let of_negative = || match (self.op(other), self.op(own)) {
            (Op::Sigmoid {}, Op::Sigmoid {}) => {
                Some((self.negated(self.input(other, 0)?)?, self.input(own, 0)?))
            }
            _ => None,
        };
        less().is_some_and(|source| self.same(self.behind(source), own, DEPTH))
            || of_negative().is_some_and(|(source, logit)| self.same(source, logit, DEPTH))
    }
}
