//! Functions with a corner, recorded with PyTorch's slope at the corner.
//!
//! Receives tensors; returns Burn's own values. Only the slopes at corners differ: Burn's depend on how a function is
//! composed there. This matters because quantised networks and rectified inputs have whole regions of exact zeros.
//! `docs/methods.md` has the table of slopes, `tangent::slope` their expressions.

use burn::tensor::{Tensor, activation};

use crate::card::SELU_CONSTANTS;

/// `min(max(x, least), most)`; slope 0 at both bounds, as in `hardtanh`, `relu6` and `clamp`.
pub(super) fn clamp<const RANK: usize>(x: Tensor<RANK>, least: f64, most: f64) -> Tensor<RANK> {
    if !x.is_tracked() {
        // Without a recording only values count, and this is one operation instead of four.
        return x.clamp(least, most);
    }
    let (below, above) = (x.clone().lower_equal_elem(least), x.clone().greater_equal_elem(most));
    x.mask_fill(below, least).mask_fill(above, most)
}

/// `x` above zero and `below` elsewhere, zero itself included.
fn above_zero_or<const RANK: usize>(x: Tensor<RANK>, below: Tensor<RANK>) -> Tensor<RANK> {
    let is_below = x.clone().lower_equal_elem(0.0);
    x.mask_where(is_below, below)
}

/// `x` above zero, else `slope x`; the slope at zero is `slope`.
pub(super) fn leaky_relu<const RANK: usize>(x: Tensor<RANK>, slope: f64) -> Tensor<RANK> {
    if !x.is_tracked() {
        return activation::leaky_relu(x, slope);
    }
    above_zero_or(x.clone(), x.mul_scalar(slope))
}

/// As [`leaky_relu`] with one slope per channel, or one for all.
pub(super) fn prelu<const RANK: usize>(x: Tensor<RANK>, slopes: Tensor<1>) -> Tensor<RANK> {
    if !x.is_tracked() {
        return activation::prelu(x, slopes);
    }
    let mut shape = [1; RANK];
    shape[1.min(RANK - 1)] = slopes.dims()[0];
    above_zero_or(x.clone(), x * slopes.reshape(shape))
}

/// `x` above zero, else `alpha (e^x - 1)`; the slope at zero is `alpha`.
pub(super) fn elu<const RANK: usize>(x: Tensor<RANK>, alpha: f64) -> Tensor<RANK> {
    above_zero_or(x.clone(), tail(x).mul_scalar(alpha))
}

/// ELU with the constants of the paper; the slope at zero is their product.
pub(super) fn selu<const RANK: usize>(x: Tensor<RANK>) -> Tensor<RANK> {
    let [alpha, scale] = SELU_CONSTANTS;
    let is_below = x.clone().lower_equal_elem(0.0);
    let below = tail(x.clone()).mul_scalar(alpha * scale);
    x.mul_scalar(scale).mask_where(is_below, below)
}

/// `e^x - 1` up to zero. Clamped at zero, because the slope of an exponential that overflows, times a mask's zero, is
/// NaN.
fn tail<const RANK: usize>(x: Tensor<RANK>) -> Tensor<RANK> {
    x.clamp_max(0.0).exp().sub_scalar(1.0)
}

/// `clamp(alpha x + beta, 0, 1)`; slope 0 at both ends of the ramp.
pub(super) fn hard_sigmoid<const RANK: usize>(x: Tensor<RANK>, alpha: f64, beta: f64) -> Tensor<RANK> {
    if !x.is_tracked() {
        return activation::hard_sigmoid(x, alpha, beta);
    }
    clamp(x.mul_scalar(alpha).add_scalar(beta), 0.0, 1.0)
}

/// `x` times its hard sigmoid; slope 0 at -3 and 1 at 3.
pub(super) fn hard_swish<const RANK: usize>(x: Tensor<RANK>) -> Tensor<RANK> {
    x.clone() * hard_sigmoid(x, 1.0 / 6.0, 0.5)
}

/// The minimum, or the maximum, of each element and a constant; at equality the slope is 1/2, as in `torch.minimum`
/// and `torch.maximum`.
pub(super) fn bounded<const RANK: usize>(x: Tensor<RANK>, bound: f64, greater: bool) -> Tensor<RANK> {
    let chosen = if greater { x.clone().clamp_min(bound) } else { x.clone().clamp_max(bound) };
    if !x.is_tracked() {
        return chosen;
    }
    let tie = x.clone().equal_elem(bound);
    chosen.mask_where(tie, x.mul_scalar(0.5).add_scalar(0.5 * bound))
}

/// The minimum, or the maximum, of two tensors of one shape; at equality each gets half of the gradient.
pub(super) fn chosen<const RANK: usize>(a: Tensor<RANK>, b: Tensor<RANK>, greater: bool) -> Tensor<RANK> {
    let is_tracked = a.is_tracked() || b.is_tracked();
    let (left, right) = (a.clone(), b.clone());
    let chosen = if greater { left.max_pair(right) } else { left.min_pair(right) };
    if !is_tracked {
        return chosen;
    }
    let tie = a.clone().equal(b.clone());
    chosen.mask_where(tie, a.mul_scalar(0.5) + b.mul_scalar(0.5))
}

/// The maximum, or the minimum, along `axes`, which are kept with size 1.
///
/// Along one axis the first of several equal elements gets the gradient, as in `torch.max` and in pools; along
/// several axes they share it, as in `torch.amax`, the only one of PyTorch's that takes several.
pub(super) fn extreme<const RANK: usize>(x: Tensor<RANK>, axes: &[usize], greatest: bool) -> Tensor<RANK> {
    let along = |x: Tensor<RANK>| if greatest { x.max_dims(axes) } else { x.min_dims(axes) };
    if axes.len() < 2 || !x.is_tracked() {
        return along(x);
    }
    // The shares are constants: what is equal does not change with an infinitesimal step.
    let plain = x.clone().inner();
    let shares = shares(plain.clone(), axes, greatest);
    // Adds zero: only the gradient comes from here.
    along(plain.clone()) + ((x - plain) * shares).sum_dims(axes)
}

/// One over the number of equal extremes along `axes` where `x` is one of them, otherwise zero.
pub(super) fn shares<const RANK: usize>(x: Tensor<RANK>, axes: &[usize], greatest: bool) -> Tensor<RANK> {
    let most = extreme(x.clone(), axes, greatest).expand(x.dims());
    let extremes = x.zeros_like().mask_fill(x.equal(most), 1.0);
    extremes.clone() / extremes.sum_dims(axes)
}

/// Each map as a row, so that the first of equal elements is the first in reading order, as in PyTorch's pools.
pub(super) fn rows(x: Tensor<4>) -> Tensor<3> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch, channels, height * width])
}
