//! Convolution of each channel with a filter of its own.

use std::cell::Cell;

use super::conv::ConvGeometry;
use super::filters::{self, ConvWeights, Filters};
use super::{Packed, Unit, split_work};
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd, reach};
use crate::view::{Region, View};

/// Pixels whose sums are in registers at once: enough to hide the latency of a multiply-add (4 cycles, two per cycle), few enough
/// that they and the weights fit the 16 registers of AVX2. It divides the usual widths 7, 14, 28, 56 and 112.
const PIXELS: usize = 7;
/// Rows per unit, about: units large enough to be worth handing out, and enough of them for all threads.
const ROWS: usize = 14;

/// A depthwise convolution whose sums are clamped.
#[derive(Debug)]
pub(crate) struct Depthwise {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) range: [f32; 2],
    pub(crate) filters: Filters,
    geometry: ConvGeometry,
    row: Compiled<Rows>,
    bands: usize,
}

/// One row of one block of the output. Distances are in elements.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    /// The input from the row's first pixel on.
    x: &'a [f32],
    x_row: usize,
    x_column: usize,
    x_pixel: usize,
    kernel: [usize; 2],
    w: &'a [f32],
    bias: &'a [f32],
    /// The row's pixels.
    y: &'a [Cell<f32>],
    range: [f32; 2],
}

/// [`Row`] as arguments, and the loop over it.
#[derive(Debug)]
struct Rows;

impl Arguments for Rows {
    type With<'a> = Row<'a>;
}

impl InnerLoop for Rows {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, r: Row<'_>) {
        let width = r.y.len() / S::LANES;
        let whole = width / PIXELS * PIXELS;
        for first in (0..whole).step_by(PIXELS) {
            pixels::<S, PIXELS>(simd, &r, first);
        }
        // One at a time: the rest is below 7 pixels, and zero at the usual widths.
        for at in whole..width {
            pixels::<S, 1>(simd, &r, at);
        }
    }
}

#[inline(always)]
fn pixels<S: Simd, const W: usize>(simd: S, r: &Row<'_>, first: usize) {
    let [rows, columns] = r.kernel;
    let x = &r.x[first * r.x_pixel..];
    let taps = reach([[rows, r.x_row], [columns, r.x_column], [W, r.x_pixel]], S::LANES);
    let weights = rows.saturating_mul(columns).saturating_mul(S::LANES);
    assert!(taps <= x.len() && weights <= r.w.len(), "a row reaches too far");
    let mut sums = [simd.load(r.bias); W];
    let mut w = r.w.as_ptr();
    // SAFETY: rows, columns and pixels stay below the counts that `taps` was computed from, and `w` advances by a register per tap.
    unsafe {
        for row in 0..rows {
            for column in 0..columns {
                let x = x.as_ptr().add(row * r.x_row + column * r.x_column);
                let weights = simd.load_from(w);
                w = w.add(S::LANES);
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.mul_add(simd.load_from(x.add(p * r.x_pixel)), weights, *sum);
                }
            }
        }
    }
    let (low, high) = (simd.splat(r.range[0]), simd.splat(r.range[1]));
    let y = &r.y[first * S::LANES..][..W * S::LANES];
    for (p, sum) in sums.into_iter().enumerate() {
        simd.store(&y[p * S::LANES..], simd.min(high, simd.max(low, sum)));
    }
}

impl Depthwise {
    /// Of a convolution with as many groups as channels in and out.
    pub(crate) fn new(
        instructions: Instructions,
        filters: Filters,
        geometry: ConvGeometry,
        [input, output]: [View; 2],
        range: [f32; 2],
    ) -> Self {
        let bands = output.height.div_ceil(ROWS);
        Self { input, output, range, filters, geometry, row: instructions.compile::<Rows>(), bands }
    }

    /// The same convolution, with the same packed weights, of a region of its output.
    pub(crate) fn window(&self, region: &Region) -> Self {
        let (geometry, input) = self.geometry.of_region(self.input, region);
        let output = self.output.window(region);
        Self { input, output, geometry, bands: output.height.div_ceil(ROWS), ..*self }
    }

    /// Packs the weights as `[block][kernel row][kernel column][lane]`.
    pub(crate) fn pack(&self, weights: &ConvWeights<'_>, packed: &mut Packed) {
        let (lanes, [.., height, width]) = (self.output.lanes, self.filters.shape);
        filters::pack_bias(self.filters, weights, lanes, packed);
        let to = packed.weights.grow(self.output.blocks() * height * width * lanes);
        // The memory may hold another kernel's weights (low-memory mode); lanes without a channel get none of them.
        to.fill(0.0);
        for (at, value) in weights.weight.iter().enumerate() {
            let (channel, tap) = (at / (height * width), at % (height * width));
            to[(channel / lanes * height * width + tap) * lanes + channel % lanes] = *value;
        }
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * self.bands * batch
    }

    /// Computes a band of rows of one block.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let (band, block) = (unit.index % self.bands, unit.index / self.bands);
        let (image, block) = (block / self.output.blocks(), block % self.output.blocks());
        let ConvGeometry { kernel, stride, dilation, padding } = self.geometry;
        let (input, output, batch) = (&self.input, &self.output, unit.run.batch);
        let lanes = output.lanes;
        // SAFETY: the input is no unit's output; a unit writes the pixels of its rows in its block.
        let (x, y) = unsafe {
            (
                unit.read(input.block_range(batch, image, block)),
                unit.cells(output.block_range(batch, image, block)),
            )
        };
        let start = input.before(0, padding[0], padding[1]);
        // Bands of nearly equal height, so that no thread gets a short one last.
        let [first, end] = [band, band + 1].map(|band| split_work(output.height, self.bands, band));
        for row in first..end {
            self.row.call(Row {
                x: &x[start + row * stride[0] * input.row()..],
                x_row: dilation[0] * input.row(),
                x_column: dilation[1] * lanes,
                x_pixel: stride[1] * lanes,
                kernel,
                w: &packed.weights.as_slice()[block * kernel[0] * kernel[1] * lanes..],
                bias: &packed.bias.as_slice()[block * lanes..],
                y: &y[output.at(0, row, 0)..][..output.width * lanes],
                range: self.range,
            });
        }
    }
}
