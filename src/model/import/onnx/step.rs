//! What integers of a tensor stand for, where a file has integers and the graph has real numbers.

/// What the integers of a tensor stand for: `(integer - zero) * scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) scale: f64,
    pub(super) zero: f64,
}

impl Step {
    /// The integers are the numbers.
    pub(super) const ONE: Self = Self { scale: 1.0, zero: 0.0 };

    /// The number that an integer stands for.
    pub(super) fn real(self, integer: f64) -> f64 {
        (integer - self.zero) * self.scale
    }
}
