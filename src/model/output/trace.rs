//! What a graph proves about its last node: probabilities, their logarithms, or nothing.
//!
//! Visits every tensor in graph order and keeps what its operation guarantees: values that sum to a constant along an
//! axis (softmax), values in the range of a sigmoid, values that are not negative. Means, scales, clips and reshapes
//! keep some of it; all other operations discard it.

use super::kind::{GUARD, Kind, TINY, greater, limited, pooled, product, ranged, scaled, squashed, sum};
use super::proof::{Origin, Proof};
use crate::card::{Class, Graph, Node, Op};

/// A graph with the knowledge about its tensors so far.
pub(super) struct Trace<'a> {
    pub(super) graph: &'a Graph,
    pub(super) shapes: &'a [Vec<usize>],
    kinds: Vec<Kind>,
}

/// What the graph proves about the node at `last`. `shapes` are those of the nodes, for a batch of one.
pub(super) fn prove(graph: &Graph, shapes: &[Vec<usize>], last: usize) -> Proof {
    let mut trace = Trace { graph, shapes, kinds: Vec::with_capacity(last + 1) };
    for at in 0..=last {
        let kind = trace.kind_of(at);
        trace.kinds.push(kind);
    }
    trace.proof(last)
}

/// Number of values per picture, when all are along one axis; `shape` is `[1, ...]`.
pub(super) fn listed(shape: &[usize]) -> Option<usize> {
    let wide = shape.iter().skip(1).filter(|side| **side != 1).count();
    (shape.first() == Some(&1) && wide <= 1).then(|| shape.iter().product())
}

impl<'a> Trace<'a> {
    fn proof(&self, last: usize) -> Proof {
        let count: usize = self.shapes[last].iter().product();
        let whole = |axis: usize| self.shapes[last].get(axis) == Some(&count);
        let near = |number: f64, expected: f64| (number - expected).abs() <= TINY;
        match self.kinds[last] {
            Kind::Shares { axis, sum, origin } if whole(axis) && near(sum, 1.0) => {
                Proof::Softmax(self.usable(origin, count))
            }
            Kind::Squashed { low, high, origin } if near(low, 0.0) && near(high, 1.0) => {
                Proof::Sigmoid(self.usable(origin, count))
            }
            Kind::LogShares { axis, origin } if whole(axis) => Proof::LogSoftmax(self.usable(origin, count)),
            Kind::LogSquashed { origin } => Proof::LogSigmoid(self.usable(origin, count)),
            // Of several, logits may be squashed on both sides of zero, or end in a ReLU.
            Kind::Shares { axis, .. } if whole(axis) => Proof::Bounded,
            Kind::Squashed { low, .. } if low >= -TINY => Proof::Bounded,
            Kind::Squashed { .. } | Kind::NotNegative | Kind::Shares { .. } if count == 1 => Proof::Bounded,
            _ => Proof::Nothing,
        }
    }

    /// The logits, if there are as many as outputs, in the same order.
    fn usable(&self, origin: Origin, count: usize) -> Origin {
        match origin {
            Origin::Node(at) if listed(&self.shapes[at]) != Some(count) => Origin::Unknown,
            Origin::Sides { node, .. } if listed(&self.shapes[node]) != Some(1) => Origin::Unknown,
            other => other,
        }
    }

    pub(super) fn node(&self, at: usize) -> &'a Node {
        &self.graph.nodes[at]
    }

    /// Index of an input's node; `None` for the picture itself.
    pub(super) fn input(&self, at: usize, which: usize) -> Option<usize> {
        self.graph.nodes[at].inputs.get(which)?.node()
    }

    pub(super) fn kind(&self, at: Option<usize>) -> Kind {
        at.and_then(|at| self.kinds.get(at)).copied().unwrap_or(Kind::Other)
    }

    /// The shape of an input; empty for the picture itself.
    fn shape_of_input(&self, at: usize, which: usize) -> &[usize] {
        self.input(at, which).map_or(&[], |input| &self.shapes[input])
    }

    fn kind_of(&self, at: usize) -> Kind {
        let node = self.node(at);
        let x = self.kind(self.input(at, 0));
        let origin = self.input(at, 0).map_or(Origin::Unknown, Origin::Node);
        if let Some(kind) = limited(&node.op, x) {
            return kind;
        }
        match &node.op {
            // Along the batch it would mix pictures; such values are no shares of one picture.
            Op::Softmax { axis } if *axis > 0 => Kind::Shares { axis: *axis, sum: 1.0, origin },
            Op::LogSoftmax { axis } if *axis > 0 => Kind::LogShares { axis: *axis, origin },
            Op::Sigmoid {} => Kind::Squashed { low: 0.0, high: 1.0, origin },
            Op::LogSigmoid {} => Kind::LogSquashed { origin },
            Op::Pow { exponent: -1.0 } => self.reciprocal(at),
            Op::Pow { .. } if x.is_not_negative() => Kind::NotNegative,
            Op::Mul { scalar: Some(factor) } => {
                self.negated_softplus(at).unwrap_or_else(|| scaled(x, *factor))
            }
            Op::Div { scalar: Some(divisor) } => scaled(x, divisor.recip()),
            Op::Add { scalar: Some(number) } => self.shifted(at, x, *number),
            Op::Sub { scalar: Some(number) } => self.shifted(at, x, -number),
            op if op.is_arithmetic() && node.params.is_empty() => self.pair(at, x),
            Op::Concat { axis, .. } if node.params.is_empty() => self.joined(at, *axis),
            Op::Slice { axis, .. } | Op::Split { axis, .. } => self.part(at, *axis, x),
            Op::ReduceMean { .. } | Op::ReduceSum { .. } | Op::ReduceMax { .. } | Op::ReduceMin { .. } => {
                self.reduced(at, x)
            }
            Op::GlobalAvgPool {} | Op::AdaptiveAvgPool2d { .. } => pooled(x, true),
            Op::GlobalMaxPool {} => pooled(x, false),
            op => match op.class() {
                Class::Nothing => x,
                Class::Movement => self.moved(at, x),
                Class::Pointwise(function) => ranged(function.range()),
                _ => Kind::Other,
            },
        }
    }

    /// Elementwise on two tensors of the same shape.
    fn pair(&self, at: usize, x: Kind) -> Kind {
        let y = self.kind(self.input(at, 1));
        let same = self.shape_of_input(at, 0) == self.shape_of_input(at, 1);
        match &self.node(at).op {
            Op::Add { .. } if same => sum(x, y),
            Op::Mul { .. } => self.softmax(at).unwrap_or_else(|| product(x, y)),
            Op::Div { .. } => match self.softmax(at).or_else(|| self.ratio_of_exponentials(at)) {
                Some(kind) => kind,
                None if x.is_not_negative() && y.is_not_negative() => Kind::NotNegative,
                None => Kind::Other,
            },
            Op::Sub { .. } => self.log_softmax(at).unwrap_or(Kind::Other),
            Op::Maximum { .. } if same => greater(x, y),
            _ => Kind::Other,
        }
    }

    /// The same values in another shape.
    fn moved(&self, at: usize, x: Kind) -> Kind {
        let (from, to) = (self.shape_of_input(at, 0), &self.shapes[at]);
        let before = |shape: &[usize], axis: usize| shape[..axis].iter().product::<usize>();
        let follow = |axis: usize| match &self.node(at).op {
            Op::Transpose { perm } => perm.iter().position(|source| *source == axis),
            _ => (0..to.len()).find(|new| to[*new] == from[axis] && before(to, *new) == before(from, axis)),
        };
        x.along(follow)
    }

    /// Plus a constant.
    fn shifted(&self, at: usize, x: Kind, number: f64) -> Kind {
        match x {
            _ if number == 0.0 => x,
            // A guard against log(0) or division by zero does not change what the values are.
            Kind::Shares { .. } | Kind::Squashed { .. } if number.abs() <= GUARD => x,
            Kind::Shares { axis, sum, .. } if number > 0.0 => {
                let sum = sum + number * self.shapes[at][axis] as f64;
                Kind::Shares { axis, sum, origin: Origin::Unknown }
            }
            Kind::Squashed { low, high, .. } => {
                Kind::Squashed { low: low + number, high: high + number, origin: Origin::Unknown }
            }
            Kind::NotNegative if number >= 0.0 => Kind::NotNegative,
            _ => Kind::Other,
        }
    }

    fn joined(&self, at: usize, axis: usize) -> Kind {
        if let Some(kind) = self.both_sides(at, axis) {
            return kind;
        }
        let parts = (0..self.node(at).inputs.len()).map(|which| self.kind(self.input(at, which)));
        let parts: Vec<Kind> = parts.collect();
        let (Some(first), all) = (parts.first().copied(), &parts) else { return Kind::Other };
        let alike = |part: &Kind| match (first, *part) {
            (Kind::Shares { axis: a, sum: s, .. }, Kind::Shares { axis: b, sum: t, .. }) => {
                a == b && a != axis && (s - t).abs() <= TINY
            }
            _ => false,
        };
        if all.iter().all(alike) {
            return first.forgotten();
        }
        let ranges: Option<Vec<(f64, f64)>> = all.iter().map(|part| part.range()).collect();
        match ranges {
            Some(ranges) => squashed(
                ranges.iter().map(|range| range.0).fold(f64::INFINITY, f64::min),
                ranges.iter().map(|range| range.1).fold(f64::NEG_INFINITY, f64::max),
            ),
            None if all.iter().all(|part| part.is_not_negative()) => Kind::NotNegative,
            None => Kind::Other,
        }
    }

    /// A subset of the values.
    fn part(&self, at: usize, axis: usize, x: Kind) -> Kind {
        match x {
            Kind::Shares { axis: along, .. } if along != axis => x.forgotten(),
            Kind::LogShares { axis: along, .. } if along != axis => x.forgotten(),
            Kind::LogShares { .. } | Kind::LogSquashed { .. } => Kind::Other,
            Kind::Shares { sum, .. } if self.shapes[at][axis] > 0 => squashed(0.0, sum),
            _ => x.forgotten(),
        }
    }

    fn reduced(&self, at: usize, x: Kind) -> Kind {
        let (axes, keep, is_sum, is_mean) = match &self.node(at).op {
            Op::ReduceMean { axes, keep_dims } => (axes, *keep_dims, false, true),
            Op::ReduceSum { axes, keep_dims } => (axes, *keep_dims, true, false),
            Op::ReduceMax { axes, keep_dims } | Op::ReduceMin { axes, keep_dims } => {
                (axes, *keep_dims, false, false)
            }
            _ => return Kind::Other,
        };
        let from = self.shape_of_input(at, 0);
        let count: usize = axes.iter().filter_map(|axis| from.get(*axis)).product();
        let factor = if is_sum { count as f64 } else { 1.0 };
        let kept =
            |axis: usize| axis - if keep { 0 } else { axes.iter().filter(|gone| **gone < axis).count() };
        match x {
            // A single value is its own mean, sum and maximum.
            _ if count == 1 => x.along(|axis| Some(kept(axis))),
            Kind::Shares { axis, sum, .. } if !axes.contains(&axis) && (is_sum || is_mean) => {
                Kind::Shares { axis: kept(axis), sum: sum * factor, origin: Origin::Unknown }
            }
            Kind::NotNegative => Kind::NotNegative,
            _ => match x.range() {
                Some((low, high)) => squashed(low * factor, high * factor),
                None => Kind::Other,
            },
        }
    }
}
