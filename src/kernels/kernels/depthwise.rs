//! Convolution of every channel with one filter of its own.

use super::conv::Motion;
use super::filters::{self, Filters, Numbers};
use super::{Packed, Run, compiled, spread};
use crate::simd::{Isa, Simd};
use crate::view::View;

/// Pixels whose sums are in registers at once.
const TOGETHER: usize = 7;

/// A depthwise convolution whose sums are kept within a range.
#[derive(Debug)]
pub(crate) struct Depthwise {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) range: [f32; 2],
    pub(crate) filters: Filters,
    motion: Motion,
    row: unsafe fn(&Row),
    bands: usize,
}

/// One row of one block of the output. Distances are in numbers.
#[derive(Debug)]
struct Row {
    x: *const f32,
    x_row: usize,
    x_column: usize,
    x_pixel: usize,
    kernel: [usize; 2],
    w: *const f32,
    bias: *const f32,
    y: *mut f32,
    width: usize,
    range: [f32; 2],
}

/// # Safety
/// The row's pointers are good for all its pixels and weights, and the instruction set is there.
#[inline(always)]
unsafe fn row<S: Simd>(r: &Row) {
    // SAFETY: the caller's promise.
    unsafe {
        let whole = r.width / TOGETHER;
        for at in 0..whole {
            pixels::<S, TOGETHER>(r, at * TOGETHER);
        }
        for at in whole * TOGETHER..r.width {
            pixels::<S, 1>(r, at);
        }
    }
}

/// # Safety
/// As for [`row`].
#[inline(always)]
unsafe fn pixels<S: Simd, const W: usize>(r: &Row, first: usize) {
    // SAFETY: as for `row`.
    unsafe {
        let mut sums = [S::load(r.bias); W];
        let x = r.x.add(first * r.x_pixel);
        let mut w = r.w;
        for row in 0..r.kernel[0] {
            for column in 0..r.kernel[1] {
                let x = x.add(row * r.x_row + column * r.x_column);
                let weights = S::load(w);
                w = w.add(S::LANES);
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum = S::mul_add(S::load(x.add(p * r.x_pixel)), weights, *sum);
                }
            }
        }
        let (low, high) = (S::splat(r.range[0]), S::splat(r.range[1]));
        for (p, sum) in sums.into_iter().enumerate() {
            S::store(r.y.add((first + p) * S::LANES), S::at_most(high, S::at_least(low, sum)));
        }
    }
}

compiled!(compiled_row(Row) = row);

impl Depthwise {
    /// Of a convolution with as many groups as channels in and out.
    pub(crate) fn new(
        isa: Isa,
        filters: Filters,
        motion: Motion,
        [input, output]: [View; 2],
        range: [f32; 2],
    ) -> Self {
        let bands = output.height.div_ceil(14);
        Self { input, output, range, filters, motion, row: compiled_row(isa), bands }
    }

    /// Orders the weights: `[block][kernel row][kernel column][lane]`.
    pub(crate) fn pack(&self, numbers: &Numbers<'_>, packed: &mut Packed) {
        let (lanes, [.., height, width]) = (self.output.lanes, self.filters.shape);
        filters::pack_bias(self.filters, numbers, lanes, packed);
        let weights = packed.weights.grow(self.output.blocks() * height * width * lanes);
        weights.fill(0.0);
        for (at, value) in numbers.weight.iter().enumerate() {
            let (channel, tap) = (at / (height * width), at % (height * width));
            weights[(channel / lanes * height * width + tap) * lanes + channel % lanes] = *value;
        }
    }

    /// Parts that threads may compute side by side.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * self.bands * batch
    }

    /// Computes one part.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, packed: &Packed, unit: usize) {
        let (band, block) = (unit % self.bands, unit / self.bands);
        let (image, block) = (block / self.output.blocks(), block % self.output.blocks());
        let Motion { kernel, stride, dilation, padding } = self.motion;
        let lanes = self.output.lanes;
        let x = self.input.before(run.batch, image, block, padding[0], padding[1]);
        let rows = [band, band + 1].map(|band| spread(self.output.height, self.bands, band));
        for row in rows[0]..rows[1] {
            let row = Row {
                x: run.read(x + row * stride[0] * self.input.row()),
                x_row: dilation[0] * self.input.row(),
                x_column: dilation[1] * lanes,
                x_pixel: stride[1] * lanes,
                kernel,
                w: packed.weights.as_slice()[block * kernel[0] * kernel[1] * lanes..].as_ptr(),
                bias: packed.bias.as_slice()[block * lanes..].as_ptr(),
                y: run.write(self.output.at(run.batch, image, block, row, 0)),
                width: self.output.width,
                range: self.range,
            };
            // SAFETY: the halo is as wide as the padding, so every tap of every pixel lies within the input's view; the
            // weights were ordered by the same counts.
            unsafe { (self.row)(&row) };
        }
    }
}
