//! Matching of formulas in a graph.
//!
//! Sums and products match in any order and grouping, with their constants combined, so that `0.5 * (x * (1 + g))`,
//! `(0.5 * x) * (1 + g)` and `x * (g + 1) / 2` are one formula. [`super::formula`] is the notation.

use crate::card::{Op, ValueId};
use crate::draft::Draft;

/// Tolerance for a formula's constants; exporters write single precision.
pub(super) const TOLERANCE: f64 = 1e-5;

/// Limit on consecutive constant factors or summands; exporters write fewer. It bounds the search.
const MAX_NUMBERS: usize = 4;

/// A formula.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Any tensor, the same for every use of this letter.
    Any(usize),
    /// The match of the pattern, under a letter.
    Named(usize, Box<Self>),
    /// An elementwise function with settings near these.
    Function(Op, Box<Self>),
    /// A mean that keeps its axes, which are the same throughout the formula.
    Mean(Box<Self>),
    /// A sum with its constants combined; `None` is any constant, which is captured.
    Sum(Vec<Self>, Option<f64>),
    /// A product with its constants combined.
    Product(Vec<Self>, f64),
    Difference(Box<Self>, Box<Self>),
    Quotient(Box<Self>, Box<Self>),
    /// The minimum of a tensor and a constant.
    Least(Box<Self>, f64),
    Either(Box<Self>, Box<Self>),
}

/// The bindings of a formula's letters.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) tensors: [Option<ValueId>; 2],
    /// The axes of its means.
    pub(super) axes: Option<Vec<usize>>,
    /// The captured constant.
    pub(super) number: Option<f64>,
}

impl Pattern {
    /// The bindings, if the tensor `id` matches this formula.
    pub(super) fn find(&self, draft: &Draft, id: ValueId) -> Option<Found> {
        self.matches(draft, id, Found::default())
    }

    fn matches(&self, draft: &Draft, id: ValueId, mut found: Found) -> Option<Found> {
        let (letter, inner) = match self {
            Self::Any(letter) => (*letter, None),
            Self::Named(letter, inner) => (*letter, Some(inner)),
            _ => return self.operation(draft, id, found),
        };
        if let Some(inner) = inner {
            found = inner.matches(draft, id, found)?;
        }
        (*found.tensors[letter].get_or_insert(id) == id).then_some(found)
    }

    // An operation with a stored tensor is none of a formula: their constants are numbers.
    fn operation(&self, draft: &Draft, id: ValueId, mut found: Found) -> Option<Found> {
        if let Self::Either(first, second) = self {
            return first.matches(draft, id, found.clone()).or_else(|| second.matches(draft, id, found));
        }
        let node = draft.node(id).filter(|node| node.params.is_empty())?;
        match (self, &node.op, &node.inputs[..]) {
            (Self::Function(wanted, of), op, [input]) if is_near(op, wanted) => {
                of.matches(draft, *input, found)
            }
            (Self::Mean(of), Op::ReduceMean { axes, keep_dims: true }, [input]) => {
                let same = found.axes.get_or_insert_with(|| axes.clone()) == axes;
                same.then(|| of.matches(draft, *input, found)).flatten()
            }
            (Self::Difference(a, b), Op::Sub { scalar: None }, [first, second])
            | (Self::Quotient(a, b), Op::Div { scalar: None }, [first, second]) => {
                b.matches(draft, *second, a.matches(draft, *first, found)?)
            }
            (Self::Least(of, wanted), Op::Minimum { scalar: Some(number) }, [input])
                if near(*number, *wanted) =>
            {
                of.matches(draft, *input, found)
            }
            (Self::Sum(parts, number), ..) => {
                let parts: Vec<&Self> = parts.iter().collect();
                let mut ways = Chain::SUM.ways(&parts, draft, id, (found, MAX_NUMBERS)).into_iter();
                let fits = |sum: f64| number.is_none_or(|number| near(sum, number));
                let (mut found, sum) = ways.find(|(_, sum)| fits(*sum))?;
                if number.is_none() {
                    found.number = Some(sum);
                }
                Some(found)
            }
            (Self::Product(parts, number), ..) => {
                let parts: Vec<&Self> = parts.iter().collect();
                let mut ways = Chain::PRODUCT.ways(&parts, draft, id, (found, MAX_NUMBERS)).into_iter();
                ways.find(|(_, factor)| near(*factor, *number)).map(|(found, _)| found)
            }
            _ => None,
        }
    }
}

/// Sums or products in any order and grouping.
struct Chain {
    /// The neutral element.
    neutral: f64,
    join: fn(f64, f64) -> f64,
    /// The constant that an operation combines with its input.
    number: fn(&Op) -> Option<f64>,
    is_pair: fn(&Op) -> bool,
}

impl Chain {
    const SUM: Self = Self {
        neutral: 0.0,
        join: |a, b| a + b,
        number: |op| match op {
            Op::Add { scalar } => *scalar,
            Op::Sub { scalar } => scalar.map(|number| -number),
            _ => None,
        },
        is_pair: |op| matches!(op, Op::Add { scalar: None }),
    };

    const PRODUCT: Self = Self {
        neutral: 1.0,
        join: |a, b| a * b,
        number: |op| match op {
            Op::Mul { scalar } => *scalar,
            Op::Div { scalar } => scalar.map(f64::recip),
            _ => None,
        },
        is_pair: |op| matches!(op, Op::Mul { scalar: None }),
    };

    /// The ways to form the tensor `id` from these parts and constants, each with the combined constant. `left` is
    /// the number of further constants allowed.
    fn ways(
        &self,
        parts: &[&Pattern],
        draft: &Draft,
        id: ValueId,
        (found, left): (Found, usize),
    ) -> Vec<(Found, f64)> {
        let mut ways = Vec::new();
        // One part left: the tensor itself may be it, and may at the same time be the part with more constants around
        // it.
        if let [part] = parts {
            ways.extend(part.matches(draft, id, found.clone()).map(|found| (found, self.neutral)));
        }
        let Some(node) = draft.node(id).filter(|node| node.params.is_empty()) else { return ways };
        match (&node.inputs[..], (self.number)(&node.op)) {
            ([input], Some(number)) if left > 0 => {
                let others = self.ways(parts, draft, *input, (found, left - 1));
                ways.extend(others.into_iter().map(|(found, others)| (found, (self.join)(others, number))));
            }
            ([first, second], None) if parts.len() > 1 && (self.is_pair)(&node.op) => {
                self.divided(parts, draft, [*first, *second], (found, left), &mut ways);
            }
            _ => {}
        }
        ways
    }

    /// Every way to divide the parts between two tensors.
    fn divided(
        &self,
        parts: &[&Pattern],
        draft: &Draft,
        [first, second]: [ValueId; 2],
        (found, left): (Found, usize),
        ways: &mut Vec<(Found, f64)>,
    ) {
        // Neither side may be empty. Formulas have few parts, so that all divisions are few.
        for choice in 1..(1_usize << parts.len()) - 1 {
            let side = |wanted: usize| -> Vec<&Pattern> {
                let parts = parts.iter().enumerate();
                parts.filter(|(at, _)| choice >> at & 1 == wanted).map(|(_, part)| *part).collect()
            };
            // All ways and not the first: a letter bound on one side may fail on the other, and another way may fit.
            for (found, one) in self.ways(&side(1), draft, first, (found.clone(), left)) {
                let others = self.ways(&side(0), draft, second, (found, left));
                ways.extend(others.into_iter().map(|(found, other)| (found, (self.join)(one, other))));
            }
        }
    }
}

pub(super) fn near(number: f64, expected: f64) -> bool {
    (number - expected).abs() < TOLERANCE
}

/// The same function with settings near each other.
fn is_near(op: &Op, wanted: &Op) -> bool {
    match (op.function(), wanted.function()) {
        (Some(own), Some(wanted)) => own.is_near(wanted, TOLERANCE),
        _ => false,
    }
}
