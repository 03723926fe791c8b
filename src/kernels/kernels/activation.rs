//! Activations on registers.

use crate::simd::Simd;

/// What is done to every number of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Activation {
    /// `min(max(x, low), high)`: ReLU, ReLU6 and clipping; without bounds nothing.
    Range([f32; 2]),
    /// `x` above zero, `slope x` below.
    Leaky(f32),
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `x / (1 + e^-x)`.
    Silu,
    /// `min(max(alpha x + beta, 0), 1)`.
    HardSigmoid([f32; 2]),
    /// `x min(max(x / 6 + 1/2, 0), 1)`.
    HardSwish,
}

impl Activation {
    /// Leaves every number as it is.
    pub(crate) const NONE: Self = Self::Range([f32::NEG_INFINITY, f32::INFINITY]);

    /// # Safety
    /// The instruction set is there.
    #[inline(always)]
    pub(crate) unsafe fn apply<S: Simd>(self, x: S::Register) -> S::Register {
        // SAFETY: the caller's promise; nothing touches memory.
        unsafe {
            match self {
                Self::Range([low, high]) => S::at_most(S::splat(high), S::at_least(S::splat(low), x)),
                Self::Leaky(slope) => {
                    let above = S::at_least(S::splat(0.0), x);
                    let below = S::at_most(S::splat(0.0), x);
                    S::mul_add(below, S::splat(slope), above)
                }
                Self::Sigmoid => sigmoid::<S>(x),
                Self::Silu => S::mul(x, sigmoid::<S>(x)),
                Self::HardSigmoid([alpha, beta]) => unit::<S>(x, alpha, beta),
                Self::HardSwish => S::mul(x, unit::<S>(x, 1.0 / 6.0, 0.5)),
            }
        }
    }
}

/// `alpha x + beta`, kept between zero and one.
#[inline(always)]
unsafe fn unit<S: Simd>(x: S::Register, alpha: f32, beta: f32) -> S::Register {
    // SAFETY: as for `apply`.
    unsafe {
        let line = S::mul_add(x, S::splat(alpha), S::splat(beta));
        S::at_most(S::splat(1.0), S::at_least(S::splat(0.0), line))
    }
}

#[inline(always)]
unsafe fn sigmoid<S: Simd>(x: S::Register) -> S::Register {
    // SAFETY: as for `apply`.
    unsafe {
        let one = S::splat(1.0);
        S::div(one, S::add(one, exp::<S>(S::mul(x, S::splat(-1.0)))))
    }
}

/// `e^x` to about two units in the last place: `2^n e^r` with `|r| <= ln 2 / 2`, `e^r` by its series to the seventh power.
/// Below and above what single precision can hold it stays at the smallest and largest normal power.
#[inline(always)]
unsafe fn exp<S: Simd>(x: S::Register) -> S::Register {
    // SAFETY: as for `apply`.
    unsafe {
        let x = S::at_most(S::splat(88.0), S::at_least(S::splat(-87.0), x));
        let n = S::round(S::mul(x, S::splat(std::f32::consts::LOG2_E)));
        // ln 2 in two parts, the first of which has few enough bits that its product with `n` is exact.
        let r = S::mul_add(n, S::splat(-0.693_359_4), x);
        let r = S::mul_add(n, S::splat(2.121_944_4e-4), r);
        let mut sum = S::splat(1.0 / 5040.0);
        for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
            sum = S::mul_add(sum, r, S::splat(1.0 / factorial));
        }
        S::mul(sum, S::power_of_two(n))
    }
}
