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
    }
}

#[inline(always)]
fn hard_sigmoid<S: Simd>(simd: S, x: S::Register, alpha: f32, beta: f32) -> S::Register {
    let line = simd.mul_add(x, simd.splat(alpha), simd.splat(beta));
    simd.min(simd.splat(1.0), simd.max(simd.splat(0.0), line))
}

#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::Register) -> S::Register {
    let one = simd.splat(1.0);
    simd.div(one, simd.add(one, exp(simd, simd.mul(x, simd.splat(-1.0)))))
}

/// `e^x` to about two units in the last place: `2^n e^r` with `|r| <= ln 2 / 2`, `e^r` by its series to the seventh power.
/// Saturates at the smallest and the largest normal power.
#[inline(always)]
fn exp<S: Simd>(simd: S, x: S::Register) -> S::Register {
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
