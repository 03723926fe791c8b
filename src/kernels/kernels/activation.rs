//! Activations on registers.

use crate::card::PointwiseKernel;
use crate::simd::Simd;

/// What is applied where there is no activation.
pub(crate) const IDENTITY: PointwiseKernel = PointwiseKernel::Range([f32::NEG_INFINITY, f32::INFINITY]);

#[inline(always)]
pub(crate) fn apply<S: Simd>(kernel: PointwiseKernel, simd: S, x: S::Register) -> S::Register {
    match kernel {
        PointwiseKernel::Range([low, high]) => simd.min(simd.splat(high), simd.max(simd.splat(low), x)),
        PointwiseKernel::Leaky(slope) => {
            // Both halves are computed, since lanes cannot branch; one of them is zero.
            let above = simd.max(simd.splat(0.0), x);
            let below = simd.min(simd.splat(0.0), x);
            simd.mul_add(below, simd.splat(slope), above)
        }
        PointwiseKernel::Sigmoid => sigmoid(simd, x),
        PointwiseKernel::Silu => simd.mul(x, sigmoid(simd, x)),
        PointwiseKernel::HardSigmoid([alpha, beta]) => hard_sigmoid(simd, x, alpha, beta),
        PointwiseKernel::HardSwish => simd.mul(x, hard_sigmoid(simd, x, 1.0 / 6.0, 0.5)),
        PointwiseKernel::Gelu => {
            // `x` above zero, less what the tail beyond `|x|` takes on both sides.
            let size = simd.min(simd.splat(FAR), magnitude(simd, x));
            let tail = simd.mul(normal_density(simd, size), mills_ratio(simd, size));
            simd.mul_add(simd.mul(size, tail), simd.splat(-1.0), simd.max(simd.splat(0.0), x))
        }
        PointwiseKernel::GeluByTanh => {
            let x = simd.max(simd.splat(-FAR), x);
            simd.mul(x, sigmoid(simd, gelu_argument(simd, x)))
        }
    }
}

/// Whether the slope is known from the function's value, so that its argument need not be kept.
pub(crate) fn slope_of_value(kernel: PointwiseKernel) -> bool {
    match kernel {
        PointwiseKernel::Range(_) => true,
        // With a slope below zero both halves have positive values.
        PointwiseKernel::Leaky(slope) => slope >= 0.0,
        _ => false,
    }
}

/// The gradient times the function's slope, where `kept` is its value if [`slope_of_value`] says so, otherwise its argument. At corners
/// PyTorch's slopes: 0 at both ends of a range or a ramp, the lower one at zero.
#[inline(always)]
pub(crate) fn times_slope<S: Simd>(
    kernel: PointwiseKernel,
    simd: S,
    kept: S::Register,
    gradient: S::Register,
) -> S::Register {
    let one = simd.splat(1.0);
    let inside = |line, then| simd.above(line, simd.splat(0.0), simd.above(one, line, then));
    match kernel {
        PointwiseKernel::Range([low, high]) => {
            simd.above(kept, simd.splat(low), simd.above(simd.splat(high), kept, gradient))
        }
        PointwiseKernel::Leaky(slope) => {
            let above = simd.above(kept, simd.splat(0.0), gradient);
            let below = simd.mul_add(above, simd.splat(-1.0), gradient);
            simd.mul_add(below, simd.splat(slope), above)
        }
        PointwiseKernel::Sigmoid => {
            // Not `s (1 - s)`, which loses all digits where `s` is nearly one.
            let other = sigmoid(simd, simd.mul(kept, simd.splat(-1.0)));
            simd.mul(gradient, simd.mul(sigmoid(simd, kept), other))
        }
        PointwiseKernel::Silu => {
            let (here, other) = (sigmoid(simd, kept), sigmoid(simd, simd.mul(kept, simd.splat(-1.0))));
            simd.mul(gradient, simd.mul_add(simd.mul(kept, here), other, here))
        }
        PointwiseKernel::HardSigmoid([alpha, beta]) => {
            let line = simd.mul_add(kept, simd.splat(alpha), simd.splat(beta));
            inside(line, simd.mul(gradient, simd.splat(alpha)))
        }
        PointwiseKernel::HardSwish => {
            let sixth = simd.mul(kept, simd.splat(1.0 / 6.0));
            let line = simd.add(sixth, simd.splat(0.5));
            let ramp = hard_sigmoid(simd, kept, 1.0 / 6.0, 0.5);
            simd.mul(gradient, simd.add(ramp, inside(line, sixth)))
        }
        PointwiseKernel::Gelu => simd.mul(gradient, gelu_slope(simd, kept)),
        PointwiseKernel::GeluByTanh => simd.mul(gradient, gelu_by_tanh_slope(simd, kept)),
    }
}

#[inline(always)]
fn gelu_slope<S: Simd>(simd: S, x: S::Register) -> S::Register {
    // Further out the slope is 0 or 1, and the density 0.
    let x = simd.min(simd.splat(FAR), simd.max(simd.splat(-FAR), x));
    let size = magnitude(simd, x);
    let density = normal_density(simd, size);
    let tail = simd.mul(density, mills_ratio(simd, size));
    // Below zero the tail is what is below `x`, above zero what is not.
    let rest = simd.mul_add(tail, simd.splat(-2.0), simd.splat(1.0));
    simd.mul_add(x, density, simd.add(tail, simd.above(x, simd.splat(0.0), rest)))
}

#[inline(always)]
fn gelu_by_tanh_slope<S: Simd>(simd: S, x: S::Register) -> S::Register {
    let x = simd.min(simd.splat(FAR), simd.max(simd.splat(-FAR), x));
    let argument = gelu_argument(simd, x);
    let here = sigmoid(simd, argument);
    let other = sigmoid(simd, simd.mul(argument, simd.splat(-1.0)));
    let inner = simd.splat(3.0 * TWICE_ROOT * CUBE);
    let inner = simd.mul_add(simd.mul(x, x), inner, simd.splat(TWICE_ROOT));
    simd.mul_add(simd.mul(simd.mul(x, here), other), inner, here)
}

#[inline(always)]
fn hard_sigmoid<S: Simd>(simd: S, x: S::Register, alpha: f32, beta: f32) -> S::Register {
    let line = simd.mul_add(x, simd.splat(alpha), simd.splat(beta));
    simd.min(simd.splat(1.0), simd.max(simd.splat(0.0), line))
}

/// Beyond this GELU is a line in single precision, and its arguments' squares do not overflow.
const FAR: f32 = 14.0;
/// Twice the root of `2 / pi`, by which the tanh form of GELU multiplies `x + CUBE x^3`: `(1 + tanh u) / 2` is the sigmoid of `2 u`.
const TWICE_ROOT: f32 = 1.595_769;
const CUBE: f32 = 0.044_715;

#[inline(always)]
fn gelu_argument<S: Simd>(simd: S, x: S::Register) -> S::Register {
    let inner = simd.mul_add(simd.mul(x, x), simd.splat(TWICE_ROOT * CUBE), simd.splat(TWICE_ROOT));
    simd.mul(x, inner)
}

#[inline(always)]
fn magnitude<S: Simd>(simd: S, x: S::Register) -> S::Register {
    simd.max(simd.mul(x, simd.splat(-1.0)), x)
}

/// `e^(-x^2 / 2)` over the root of `2 pi`.
#[inline(always)]
fn normal_density<S: Simd>(simd: S, x: S::Register) -> S::Register {
    let power = exp(simd, simd.mul(simd.mul(x, x), simd.splat(-0.5)));
    simd.mul(power, simd.splat(0.398_942_3))
}

/// The share of the normal distribution above `x` over its density at `x`, for `x` from 0 to [`FAR`]: a polynomial of `1 / (1 + x / 4)`,
/// fitted so that its greatest relative error, 1.5e-8, is as small as it can be.
#[inline(always)]
fn mills_ratio<S: Simd>(simd: S, x: S::Register) -> S::Register {
    let one = simd.splat(1.0);
    let t = simd.div(one, simd.mul_add(x, simd.splat(0.25), one));
    let mut sum = simd.splat(0.085_091_285);
    let rest = [
        -0.491_738_9,
        0.990_106_46,
        -0.835_857_87,
        0.763_210_1,
        -0.051_079_597,
        0.304_719_54,
        0.237_680_57,
        0.251_236_65,
        -5.413_265_5e-5,
    ];
    for coefficient in rest {
        sum = simd.mul_add(sum, t, simd.splat(coefficient));
    }
    sum
}

#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::Register) -> S::Register {
    let one = simd.splat(1.0);
    simd.div(one, simd.add(one, exp(simd, simd.mul(x, simd.splat(-1.0)))))
}

/// `e^x` to about two units in the last place: `2^n e^r` with `|r| <= ln 2 / 2`, `e^r` by its series to the seventh power.
/// Saturates at the smallest and the largest normal power.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::Register) -> S::Register {
    // The largest and smallest integers whose powers `2^n` are normal, times ln 2, rounded inwards.
    let x = simd.min(simd.splat(88.0), simd.max(simd.splat(-87.0), x));
    let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    // ln 2 in two parts, the first of which has few enough bits that its product with `n` is exact.
    let r = simd.mul_add(n, simd.splat(-0.693_359_4), x);
    let r = simd.mul_add(n, simd.splat(2.121_944_4e-4), r);
    let mut sum = simd.splat(1.0 / 5040.0);
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        sum = simd.mul_add(sum, r, simd.splat(1.0 / factorial));
    }
    simd.mul(sum, simd.power_of_two(n))
}
