//! Functions of one number, in double precision.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// The constants of GELU's tanh form: `sqrt(2 / π)`, and the factor of the cube.
const GELU_TANH: [f64; 2] = [FRAC_2_SQRT_PI * FRAC_1_SQRT_2, 0.044_715];

/// One strictly between the bounds, else zero: the slope of a clamp.
pub(super) fn inside(x: f64, [min, max]: [f64; 2]) -> f64 {
    f64::from(min < x && x < max)
}

pub(super) fn sigmoid(x: f64) -> f64 {
    (1.0 + (-x).exp()).recip()
}

pub(super) fn sigmoid_slope(x: f64) -> f64 {
    // Not `s (1 - s)`, which loses all digits where `s` is nearly one.
    sigmoid(x) * sigmoid(-x)
}

/// `ln(1 + e^x)`, without overflow.
pub(super) fn softplus(x: f64) -> f64 {
    // The exponential of a negative number only, which cannot overflow.
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The standard normal distribution up to `x`.
pub(super) fn normal_below(x: f64) -> f64 {
    0.5 * (1.0 + erf(x * FRAC_1_SQRT_2))
}

pub(super) fn normal_density(x: f64) -> f64 {
    0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (-0.5 * x * x).exp()
}

/// `tanh(u)`, `u'` and `u''` of `u = sqrt(2 / π) (x + 0.044715 x^3)`.
pub(super) fn gelu_tanh(x: f64) -> [f64; 3] {
    let [root, cubic] = GELU_TANH;
    let u = root * (x + cubic * x * x * x);
    [u.tanh(), root * (1.0 + 3.0 * cubic * x * x), 6.0 * root * cubic * x]
}

/// `2 / sqrt(π) e^(-x^2) (x + 2 x^3 / 3 + 4 x^5 / 15 + ...)`, a series whose terms all have one sign, so that no digits cancel.
pub(super) fn erf(x: f64) -> f64 {
    // Beyond 6 the difference from one is below double precision.
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut sum, mut term, mut count) = (x, x, 1.0);
    while term.abs() > sum.abs() * f64::EPSILON {
        count += 2.0;
        term *= 2.0 * x * x / count;
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}
