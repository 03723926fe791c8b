//! What settings of operations are when a card leaves them out, and the modes of padding.
//!
//! Receives nothing, gives serde its defaults; the operations themselves are in `ops`.

use serde::{Deserialize, Serialize};

/// What `pad` fills with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadMode {
    /// The number `value`.
    #[default]
    Constant,
    /// The picture mirrored at its border pixels.
    Reflect,
    /// The border pixels repeated.
    Edge,
}

pub(super) fn one() -> usize {
    1
}
pub(super) fn one_one() -> [usize; 2] {
    [1, 1]
}
pub(super) fn yes() -> bool {
    true
}
pub(super) fn one_float() -> f64 {
    1.0
}
pub(super) fn half() -> f64 {
    0.5
}
pub(super) fn one_sixth() -> f64 {
    1.0 / 6.0
}
pub(super) fn leaky_slope() -> f64 {
    0.01
}
pub(super) fn norm_epsilon() -> f64 {
    1e-5
}
pub(super) fn is_zero(number: &usize) -> bool {
    *number == 0
}
