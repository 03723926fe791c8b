//! The difference between two lists of values.

use serde::Serialize;

/// The greatest difference between values that should be equal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// `max |a - b|`. Infinite, in JSON `null`, when a value is not finite or the lengths differ.
    pub absolute: f64,
    /// `max |a - b| / max |b|`; divided by `max |a|` when every `b` is zero.
    pub relative: f64,
}

impl Difference {
    /// No difference.
    pub const NONE: Self = Self { absolute: 0.0, relative: 0.0 };

    const INFINITE: Self = Self { absolute: f64::INFINITY, relative: f64::INFINITY };

    /// The difference between `found` and `expected`.
    #[must_use]
    pub fn between(found: &[f32], expected: &[f32]) -> Self {
        Self::on_scale(found, expected, 0.0)
    }

    /// As [`Difference::between`], with a divisor of at least `least`.
    #[must_use]
    pub fn on_scale(found: &[f32], expected: &[f32], least: f64) -> Self {
        if found.len() != expected.len() || found.iter().chain(expected).any(|value| !value.is_finite()) {
            return Self::INFINITE;
        }
        let greatest = |values: &[f32]| values.iter().map(|value| f64::from(value.abs())).fold(0.0, f64::max);
        let pairs = found.iter().zip(expected);
        let absolute = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).fold(0.0, f64::max);
        let scale = if greatest(expected) > 0.0 { greatest(expected) } else { greatest(found) };
        let scale = scale.max(least);
        Self { absolute, relative: if absolute > 0.0 { absolute / scale } else { 0.0 } }
    }

    /// Whichever has the greater relative difference.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.relative > self.relative { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_difference_is_measured_by_the_greatest_expected_number() {
        let difference = Difference::between(&[1.0, -4.0, 0.5], &[1.0, -5.0, 0.0]);
        assert_eq!(difference, Difference { absolute: 1.0, relative: 0.2 });
        assert_eq!(Difference::between(&[3.0, -1.0], &[3.0, -1.0]), Difference::NONE);
    }

    #[test]
    fn a_scale_may_have_a_least_value() {
        let saturated = [1e-13, 2e-9];
        let clamped = [1.5e-8, 1.5e-8];
        assert!(Difference::between(&saturated, &clamped).relative > 0.8);
        assert!(Difference::on_scale(&saturated, &clamped, 1e-2).relative < 2e-6);
        assert_eq!(Difference::on_scale(&[0.25], &[0.5], 1e-2).relative, 0.5);
    }

    #[test]
    fn zeros_are_equal_to_zeros_and_to_nothing_else() {
        assert_eq!(Difference::between(&[0.0, -0.0], &[0.0, 0.0]), Difference::NONE);
        assert_eq!(Difference::between(&[0.0, 0.25], &[0.0, 0.0]).relative, 1.0);
    }

    #[test]
    fn what_is_not_finite_or_not_there_never_passes() {
        for (found, expected) in
            [(&[f32::NAN][..], &[f32::NAN][..]), (&[f32::INFINITY], &[f32::INFINITY]), (&[1.0], &[1.0, 1.0])]
        {
            assert_eq!(Difference::between(found, expected), Difference::INFINITE);
        }
    }
}
