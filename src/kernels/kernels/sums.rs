//! What the sums of a tile start from, and what becomes of them: the first and the last step of every convolution.

use std::cell::Cell;

use super::Packed;
use crate::simd::Simd;
use crate::view::View;

/// What a tile's sums start from and where they are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums<'a> {
    /// The output from the tile's first pixel on.
    pub(crate) y: &'a [Cell<f32>],
    pub(crate) y_block: usize,
    /// Elements per pixel.
    pub(crate) lanes: usize,
    /// Added at the end.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) residual_block: usize,
    /// What the sums start from; without one they go on from what `y` holds.
    pub(crate) bias: Option<&'a [f32]>,
    /// What makes numbers of sums of integers.
    pub(crate) rescale: Option<Rescale<'a>>,
    /// The sums are complete after this call: add the residual and clamp.
    pub(crate) range: Option<[f32; 2]>,
}

/// By channel: what a sum of integers is multiplied by, and what is added to it then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rescale<'a> {
    pub(crate) scale: &'a [f32],
    pub(crate) bias: &'a [f32],
}

/// What a unit reads besides tensors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub(super) weights: &'a [f32],
    /// What the sums start from, by channel.
    pub(super) start: &'a [f32],
    pub(super) rescale: Option<Rescale<'a>>,
}

impl<'a> Parameters<'a> {
    /// Of sums that are numbers and start from the bias.
    pub(super) fn of(packed: &'a Packed) -> Self {
        Self { weights: packed.weights.as_slice(), start: packed.bias.as_slice(), rescale: None }
    }
}

/// An image's output and what is added to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) output: (&'a View, &'a [Cell<f32>]),
    pub(crate) residual: Option<(&'a View, &'a [f32])>,
    /// What the sums start from, by channel.
    pub(crate) start: &'a [f32],
    pub(crate) rescale: Option<Rescale<'a>>,
    pub(crate) range: [f32; 2],
}

impl<'a> Target<'a> {
    /// The sums of a panel's channels from one pixel of a row on, over some of the input's blocks: the first of them, the last, or
    /// both.
    pub(crate) fn sums(
        &self,
        first_block: usize,
        [row, column]: [usize; 2],
        [is_first, is_last]: [bool; 2],
    ) -> Sums<'a> {
        let at = |view: &View| view.at(first_block, row, 0) + column * view.lanes;
        let (view, y) = self.output;
        let residual = self.residual.filter(|_| is_last);
        Sums {
            y: &y[at(view)..],
            y_block: view.block(),
            lanes: view.lanes,
            residual: residual.map(|(view, values)| &values[at(view)..]),
            residual_block: residual.map_or(0, |(view, _)| view.block()),
            bias: is_first.then(|| &self.start[first_block * view.lanes..]),
            rescale: self.rescale.filter(|_| is_last).map(|Rescale { scale, bias }| Rescale {
                scale: &scale[first_block * view.lanes..],
                bias: &bias[first_block * view.lanes..],
            }),
            range: is_last.then_some(self.range),
        }
    }
}

/// Biases, or what was stored by the tile before.
#[inline(always)]
pub(super) fn start<S: Simd, const O: usize, const W: usize>(simd: S, t: &Sums<'_>) -> [[S::Sum; W]; O] {
    let mut sums = [[simd.sum_of_bits(simd.splat(0.0)); W]; O];
    for (o, sums) in sums.iter_mut().enumerate() {
        if let Some(bias) = t.bias {
            *sums = [simd.sum_of_bits(simd.load(&bias[o * S::LANES..])); W];
        } else {
            // A slice of constant length: the compiler drops the checks of its parts.
            let y = &t.y[o * t.y_block..][..W * S::LANES];
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = simd.sum_of_bits(simd.load_cells(&y[p * S::LANES..]));
            }
        }
    }
    sums
}

/// Rescales integers, adds the residual, clamps, stores.
#[inline(always)]
pub(super) fn finish<S: Simd, const O: usize, const W: usize>(
    simd: S,
    t: &Sums<'_>,
    sums: &[[S::Sum; W]; O],
) {
    if S::INTEGERS {
        finish_integers::<S, O, W>(simd, t, sums);
    } else {
        finish_numbers::<S, O, W>(simd, t, sums);
    }
}

#[inline(always)]
fn finish_numbers<S: Simd, const O: usize, const W: usize>(simd: S, t: &Sums<'_>, sums: &[[S::Sum; W]; O]) {
    let [low, high] = t.range.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
    let (low, high) = (simd.splat(low), simd.splat(high));
    // A copy: it may be in memory where these loops are not unrolled, and the sums themselves stay in registers (`tests/registers/run`).
    let sums = *sums;
    for (o, sums) in sums.iter().enumerate() {
        let y = &t.y[o * t.y_block..][..W * S::LANES];
        let residual = t.residual.map(|residual| &residual[o * t.residual_block..][..W * S::LANES]);
        for (p, sum) in sums.iter().enumerate() {
            let mut sum = simd.bits_of_sum(*sum);
            // Sums of a chunk that is not the last go on later: a clamp in between would be wrong.
            if t.range.is_some() {
                if let Some(residual) = residual {
                    sum = simd.add(sum, simd.load(&residual[p * S::LANES..]));
                }
                sum = simd.min(high, simd.max(low, sum));
            }
            simd.store(&y[p * S::LANES..], sum);
        }
    }
}

#[inline(always)]
fn finish_integers<S: Simd, const O: usize, const W: usize>(simd: S, t: &Sums<'_>, sums: &[[S::Sum; W]; O]) {
    // Stored first and then read again: with all steps in one loop the compiler no longer unrolls it, and would keep the sums in
    // memory while the products pass by.
    for (o, sums) in sums.iter().enumerate() {
        let y = &t.y[o * t.y_block..][..W * S::LANES];
        for (p, sum) in sums.iter().enumerate() {
            simd.store(&y[p * S::LANES..], simd.bits_of_sum(*sum));
        }
    }
    let (Some([low, high]), Some(Rescale { scale, bias })) = (t.range, t.rescale) else { return };
    let (low, high) = (simd.splat(low), simd.splat(high));
    for o in 0..O {
        let y = &t.y[o * t.y_block..][..W * S::LANES];
        let residual = t.residual.map(|residual| &residual[o * t.residual_block..][..W * S::LANES]);
        let [scale, bias] = [scale, bias].map(|values| simd.load(&values[o * S::LANES..]));
        for p in 0..W {
            let value = simd.value_of_bits(simd.load_cells(&y[p * S::LANES..]));
            // Not fused, so that all instruction sets round alike.
            let mut value = simd.add(simd.mul(value, scale), bias);
            if let Some(residual) = residual {
                value = simd.add(value, simd.load(&residual[p * S::LANES..]));
            }
            simd.store(&y[p * S::LANES..], simd.min(high, simd.max(low, value)));
        }
    }
}
