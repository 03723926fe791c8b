//! What is known about a tensor's values, and how arithmetic changes it.

use super::proof::Origin;
use crate::card::Op;

/// Tolerance for rounding, and for constants that only keep a logarithm finite.
pub(super) const TINY: f64 = 1e-4;

/// A clip that removes at most this much does not change a probability's meaning.
pub(super) const GUARD: f64 = 1e-5;

/// Knowledge about a tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Other,
    NotNegative,
    /// Such as sums of logarithms of probabilities.
    NotPositive,
    /// From a sigmoid or similar, between `low` and `high`.
    Squashed {
        low: f64,
        high: f64,
        origin: Origin,
    },
    /// Not negative, with this sum along the axis.
    Shares {
        axis: usize,
        sum: f64,
        origin: Origin,
    },
    LogShares {
        axis: usize,
        origin: Origin,
    },
    LogSquashed {
        origin: Origin,
    },
}

impl Kind {
    pub(super) fn is_not_negative(self) -> bool {
        matches!(self, Self::NotNegative | Self::Shares { .. })
            || matches!(self, Self::Squashed { low, .. } if low >= 0.0)
    }

    fn is_not_positive(self) -> bool {
        matches!(self, Self::NotPositive | Self::LogShares { .. } | Self::LogSquashed { .. })
    }

    /// The range of values derived from probabilities.
    pub(super) fn range(self) -> Option<(f64, f64)> {
        match self {
            Self::Squashed { low, high, .. } => Some((low, high)),
            Self::Shares { sum, .. } => Some((0.0, sum)),
            _ => None,
        }
    }

    /// The same without the logits, which no longer correspond to the values.
    pub(super) fn forgotten(self) -> Self {
        let origin = Origin::Unknown;
        match self {
            Self::Squashed { low, high, .. } => Self::Squashed { low, high, origin },
            Self::Shares { axis, sum, .. } => Self::Shares { axis, sum, origin },
            Self::LogShares { axis, .. } => Self::LogShares { axis, origin },
            Self::LogSquashed { .. } => Self::LogSquashed { origin },
            other => other,
        }
    }

    /// The same with its axis mapped by `follow`.
    pub(super) fn along(self, follow: impl Fn(usize) -> Option<usize>) -> Self {
        match self {
            Self::Shares { axis, sum, origin } => {
                follow(axis).map_or(Self::NotNegative, |axis| Self::Shares { axis, sum, origin })
            }
            Self::LogShares { axis, origin } => {
                follow(axis).map_or(Self::Other, |axis| Self::LogShares { axis, origin })
            }
            other => other,
        }
    }
}

pub(super) fn squashed(low: f64, high: f64) -> Kind {
    Kind::Squashed { low, high, origin: Origin::Unknown }
}

/// What a function's range says of its values.
pub(super) fn ranged([low, high]: [f64; 2]) -> Kind {
    if low.is_finite() && high.is_finite() {
        squashed(low, high)
    } else if low >= 0.0 {
        Kind::NotNegative
    } else {
        Kind::Other
    }
}

/// What a function of each element makes of what is known about them; `None` where only its range says something.
pub(super) fn limited(op: &Op, x: Kind) -> Option<Kind> {
    Some(match op {
        Op::Exp {} => exponential(x),
        Op::Log {} => logarithm(x),
        Op::Abs {} if !x.is_not_negative() => Kind::NotNegative,
        Op::Abs {} => x,
        op => {
            let [least, most] = op.clip()?;
            clipped(x, least, most)
        }
    })
}

fn exponential(x: Kind) -> Kind {
    match x {
        Kind::LogShares { axis, origin } => Kind::Shares { axis, sum: 1.0, origin },
        Kind::LogSquashed { origin } => Kind::Squashed { low: 0.0, high: 1.0, origin },
        Kind::NotPositive => squashed(0.0, 1.0),
        _ => Kind::NotNegative,
    }
}

/// Whether a range is that of probabilities.
pub(super) fn is_unit(low: f64, high: f64) -> bool {
    low.abs() <= TINY && (high - 1.0).abs() <= TINY
}

fn logarithm(x: Kind) -> Kind {
    match x {
        Kind::Shares { axis, sum, origin } if (sum - 1.0).abs() <= TINY => Kind::LogShares { axis, origin },
        Kind::Squashed { low, high, origin } if is_unit(low, high) => Kind::LogSquashed { origin },
        _ => Kind::Other,
    }
}

pub(super) fn scaled(x: Kind, factor: f64) -> Kind {
    match x {
        _ if factor == 1.0 => x,
        // A negative factor leaves nothing of a share but its range.
        Kind::Shares { axis, sum, .. } if factor > 0.0 => {
            Kind::Shares { axis, sum: sum * factor, origin: Origin::Unknown }
        }
        Kind::Squashed { .. } | Kind::Shares { .. } => match x.range() {
            Some((low, high)) => {
                squashed((low * factor).min(high * factor), (low * factor).max(high * factor))
            }
            None => Kind::Other,
        },
        Kind::NotNegative if factor > 0.0 => x,
        _ if x.is_not_positive() && factor > 0.0 => Kind::NotPositive,
        _ => Kind::Other,
    }
}

fn clipped(x: Kind, least: f64, most: f64) -> Kind {
    match x.range() {
        Some((low, high)) if least <= low + GUARD && most >= high - GUARD => x,
        // A probability clipped away from its ends is still a probability, but a different one.
        Some((low, high)) if is_unit(low, high) && least < 0.5 && most > 0.5 => squashed(low, high),
        Some((low, high)) => squashed(low.clamp(least, most.max(least)), high.clamp(least, most.max(least))),
        None if least >= 0.0 => Kind::NotNegative,
        None if x.is_not_negative() && most >= 0.0 => Kind::NotNegative,
        None => Kind::Other,
    }
}

pub(super) fn sum(x: Kind, y: Kind) -> Kind {
    match (x, y) {
        // Ensembles add probabilities up and divide by their number, which makes their sum one again.
        (Kind::Shares { axis, sum, .. }, Kind::Shares { axis: other, sum: more, .. }) if axis == other => {
            Kind::Shares { axis, sum: sum + more, origin: Origin::Unknown }
        }
        _ => match (x.range(), y.range()) {
            (Some(x), Some(y)) => squashed(x.0 + y.0, x.1 + y.1),
            _ if x.is_not_negative() && y.is_not_negative() => Kind::NotNegative,
            _ if x.is_not_positive() && y.is_not_positive() => Kind::NotPositive,
            _ => Kind::Other,
        },
    }
}

/// The greater of two values.
pub(super) fn greater(x: Kind, y: Kind) -> Kind {
    match (x.range(), y.range()) {
        (Some(x), Some(y)) => squashed(x.0.max(y.0), x.1.max(y.1)),
        _ if x.is_not_negative() && y.is_not_negative() => Kind::NotNegative,
        _ => Kind::Other,
    }
}

/// Of probabilities; about products of other values only the sign is known.
pub(super) fn product(x: Kind, y: Kind) -> Kind {
    match (x.range(), y.range()) {
        (Some((low, high)), Some((least, most))) if low >= 0.0 && least >= 0.0 => {
            squashed(low * least, high * most)
        }
        _ if x.is_not_negative() && y.is_not_negative() => Kind::NotNegative,
        _ => Kind::Other,
    }
}

/// Over height and width of `[batch, channels, height, width]`.
pub(super) fn pooled(x: Kind, is_mean: bool) -> Kind {
    match x {
        // Means of shares add up as each of them does; maxima do not.
        Kind::Shares { axis: 1, .. } if is_mean => x.forgotten(),
        Kind::NotNegative => x,
        _ => x.range().map_or(Kind::Other, |(low, high)| squashed(low, high)),
    }
}
