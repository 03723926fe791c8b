//! The greatest element or the mean of a window, channel by channel.

use std::cell::Cell;

use super::Unit;
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::{Region, View};

/// What a window becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its greatest element.
    Max,
    /// The mean of what is inside the tensor.
    Mean,
    /// The mean of the whole window, the padding counted in as zeros. What hangs over the padding does not count.
    MeanWithPadding,
}

/// The window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Top, bottom, left, right.
    pub(crate) padding: [usize; 4],
}

/// A pooling operation.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(super) kind: Kind,
    window: Window,
    pixel: Compiled<Pixels>,
}

/// The part of one window that is inside the tensor, for one block.
#[derive(Debug, Clone, Copy)]
struct Pixel<'a> {
    /// The input from the window's first pixel on.
    x: &'a [f32],
    rows: usize,
    columns: usize,
    x_row: usize,
    y: &'a [Cell<f32>],
    kind: Kind,
    /// What a sum is divided by.
    count: usize,
}

/// Windows of at most this many elements are summed in single precision, whose error is then at most 1e-6 of the greatest element.
const SHORT: usize = 16;

/// Elements of a row that are summed in single precision in longer windows; the sums of these strips are added in double
/// precision. As exact at any size, and faster than one long chain of additions, since no strip waits for the one before.
const STRIP: usize = 8;

/// [`Pixel`] as arguments, and the loop over it.
#[derive(Debug)]
struct Pixels;

impl Arguments for Pixels {
    type With<'a> = Pixel<'a>;
}

impl InnerLoop for Pixels {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, p: Pixel<'_>) {
        let result = match p.kind {
            Kind::Max => fold(simd, &p, simd.load(p.x), |a, b| simd.nan_max(a, b)),
            _ if p.rows * p.columns > SHORT => long_mean(simd, &p),
            _ => {
                let sum = fold(simd, &p, simd.splat(0.0), |a, b| simd.add(a, b));
                simd.mul(sum, simd.splat(1.0 / p.count as f32))
            }
        };
        simd.store(p.y, result);
    }
}

impl<'a> Pixel<'a> {
    /// A row of the window.
    #[inline(always)]
    fn row(&self, row: usize, lanes: usize) -> &'a [f32] {
        &self.x[row * self.x_row..][..self.columns * lanes]
    }
}

#[inline(always)]
fn fold<S: Simd>(
    simd: S,
    p: &Pixel<'_>,
    first: S::Register,
    join: impl Fn(S::Register, S::Register) -> S::Register,
) -> S::Register {
    let mut result = first;
    for row in 0..p.rows {
        for pixel in p.row(row, S::LANES).chunks_exact(S::LANES) {
            result = join(result, simd.load(pixel));
        }
    }
    result
}

#[inline(always)]
fn long_mean<S: Simd>(simd: S, p: &Pixel<'_>) -> S::Register {
    let mut sum = simd.widen(simd.splat(0.0));
    for row in 0..p.rows {
        let strips = p.row(row, S::LANES).chunks_exact(STRIP * S::LANES);
        let rest = strips.remainder();
        for strip in strips {
            let at = |column: usize| simd.load(&strip[column * S::LANES..]);
            let pair = |column: usize| simd.add(at(column), at(column + 1));
            // As a tree: three dependent additions instead of seven.
            let strip = simd.add(simd.add(pair(0), pair(2)), simd.add(pair(4), pair(6)));
            sum = simd.add_wide(sum, simd.widen(strip));
        }
        if !rest.is_empty() {
            let mut strip = simd.load(rest);
            for pixel in rest[S::LANES..].chunks_exact(S::LANES) {
                strip = simd.add(strip, simd.load(pixel));
            }
            sum = simd.add_wide(sum, simd.widen(strip));
        }
    }
    simd.narrow(sum, 1.0 / p.count as f64)
}

impl Pool {
    pub(crate) fn new(
        instructions: Instructions,
        kind: Kind,
        window: Window,
        [input, output]: [View; 2],
    ) -> Self {
        Self { input, output, kind, window, pixel: instructions.compile::<Pixels>() }
    }

    /// The same pool, of a region of its output.
    pub(crate) fn window(&self, region: &Region) -> Self {
        let (mut window, sides) = (self.window, self.input.sides());
        let from = [0, 1].map(|axis| {
            let first = region[axis].start * window.stride[axis];
            let before = &mut window.padding[2 * axis];
            let start = first.saturating_sub(*before).min(sides[axis]);
            *before = before.saturating_sub(first);
            start..sides[axis]
        });
        let (input, output) = (self.input.window(&from), self.output.window(region));
        Self { input, output, window, ..*self }
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Computes one block of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (input, output, batch) = (&self.input, &self.output, unit.run.batch);
        let (image, block) = (unit.index / output.blocks(), unit.index % output.blocks());
        // SAFETY: the input is no unit's output; a unit writes the pixels of its block.
        let (x, y) = unsafe {
            (
                unit.read(input.block_range(batch, image, block)),
                unit.cells(output.block_range(batch, image, block)),
            )
        };
        for row in 0..output.height {
            let (first_row, rows, high) = self.span(0, row, input.height);
            for column in 0..output.width {
                let (first_column, columns, wide) = self.span(1, column, input.width);
                let count = if self.kind == Kind::Mean { rows * columns } else { high * wide };
                self.pixel.call(Pixel {
                    x: &x[input.at(0, first_row, first_column)..],
                    rows,
                    columns,
                    x_row: input.row(),
                    y: &y[output.at(0, row, column)..],
                    kind: self.kind,
                    count,
                });
            }
        }
    }

    /// First cell and number of cells of a window inside the tensor, and of those inside its padding too, along an axis.
    pub(super) fn span(&self, axis: usize, at: usize, side: usize) -> (usize, usize, usize) {
        let (before, after) = (self.window.padding[2 * axis], self.window.padding[2 * axis + 1]);
        let start = at * self.window.stride[axis];
        let end = start + self.window.kernel[axis];
        let [first, last] = [start, end].map(|tap| tap.clamp(before, before + side) - before);
        (first, last - first, end.min(before + side + after).saturating_sub(start))
    }
}
