//! The largest number or the mean of a window, channel by channel.

use super::{Run, compiled};
use crate::simd::{Isa, Simd};
use crate::view::View;

/// How a window becomes one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The largest.
    Max,
    /// The mean of what lies inside the value.
    Mean,
    /// The mean of the whole window, the padding counted in as zeros. What hangs over the padding does not count.
    MeanWithPadding,
}

/// The window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Top, bottom, left, right.
    pub(crate) padding: [usize; 4],
}

/// A pooling operation.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) input: View,
    pub(crate) output: View,
    kind: Kind,
    window: Window,
    pixel: unsafe fn(&Pixel),
}

/// The part of one window that lies inside the value, for one block.
#[derive(Debug)]
struct Pixel {
    x: *const f32,
    rows: usize,
    columns: usize,
    x_row: usize,
    x_column: usize,
    y: *mut f32,
    kind: Kind,
    /// What a sum is divided by.
    count: usize,
}

/// Windows of up to so many numbers are summed in single precision, which is then at most 1e-6 of the largest number off.
const SHORT: usize = 16;

/// In longer ones, so many numbers of a row are, and their sums in double precision: as near at any size, and faster than one
/// sum after another, since no strip waits for the one before.
const STRIP: usize = 8;

/// # Safety
/// The pixel's pointers are good for its window, and the instruction set is there.
#[inline(always)]
unsafe fn pixel<S: Simd>(p: &Pixel) {
    // SAFETY: the caller's promise.
    unsafe {
        let result = match p.kind {
            Kind::Max => fold::<S>(p, S::load(p.x), |a, b| S::larger(a, b)),
            _ if p.rows * p.columns > SHORT => long_mean::<S>(p),
            _ => {
                let sum = fold::<S>(p, S::splat(0.0), |a, b| S::add(a, b));
                S::mul(sum, S::splat(1.0 / p.count as f32))
            }
        };
        S::store(p.y, result);
    }
}

/// # Safety
/// As for [`pixel`].
#[inline(always)]
unsafe fn fold<S: Simd>(
    p: &Pixel,
    first: S::Register,
    join: impl Fn(S::Register, S::Register) -> S::Register,
) -> S::Register {
    let mut result = first;
    for row in 0..p.rows {
        for column in 0..p.columns {
            // SAFETY: within the window.
            result = join(result, unsafe { S::load(p.x.add(row * p.x_row + column * p.x_column)) });
        }
    }
    result
}

/// # Safety
/// As for [`pixel`].
#[inline(always)]
unsafe fn long_mean<S: Simd>(p: &Pixel) -> S::Register {
    // SAFETY: the caller's promise; all addresses lie within the window.
    unsafe {
        let mut sum = S::widen(S::splat(0.0));
        for row in 0..p.rows {
            let at = |column: usize| S::load(p.x.add(row * p.x_row + column * p.x_column));
            let whole = p.columns / STRIP * STRIP;
            for first in (0..whole).step_by(STRIP) {
                let pair = |column: usize| S::add(at(first + column), at(first + column + 1));
                let strip = S::add(S::add(pair(0), pair(2)), S::add(pair(4), pair(6)));
                sum = S::add_wide(sum, S::widen(strip));
            }
            if whole < p.columns {
                let strip = (whole + 1..p.columns).fold(at(whole), |strip, column| S::add(strip, at(column)));
                sum = S::add_wide(sum, S::widen(strip));
            }
        }
        S::narrow(sum, 1.0 / p.count as f64)
    }
}

compiled!(compiled_pixel(Pixel) = pixel);

impl Pool {
    pub(crate) fn new(isa: Isa, kind: Kind, window: Window, [input, output]: [View; 2]) -> Self {
        Self { input, output, kind, window, pixel: compiled_pixel(isa) }
    }

    /// Parts that threads may compute side by side.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Computes one block of one image.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, unit: usize) {
        let (image, block) = (unit / self.output.blocks(), unit % self.output.blocks());
        for y in 0..self.output.height {
            let (row, rows, high) = self.span(0, y, self.input.height);
            for x in 0..self.output.width {
                let (column, columns, wide) = self.span(1, x, self.input.width);
                let count = if self.kind == Kind::Mean { rows * columns } else { high * wide };
                let pixel = Pixel {
                    x: run.read(self.input.at(run.batch, image, block, row, column)),
                    rows,
                    columns,
                    x_row: self.window.dilation[0] * self.input.row(),
                    x_column: self.window.dilation[1] * self.input.lanes,
                    y: run.write(self.output.at(run.batch, image, block, y, x)),
                    kind: self.kind,
                    count,
                };
                // SAFETY: `span` keeps the window inside the value.
                unsafe { (self.pixel)(&pixel) };
            }
        }
    }

    /// First cell and number of cells of a window inside the value, and of those inside its padding too, along an axis.
    fn span(&self, axis: usize, at: usize, side: usize) -> (usize, usize, usize) {
        let (before, after) = (self.window.padding[2 * axis], self.window.padding[2 * axis + 1]);
        let step = self.window.dilation[axis];
        let taps = (0..self.window.kernel[axis]).map(|tap| at * self.window.stride[axis] + tap * step);
        let inside = taps.clone().filter(|tap| (before..before + side).contains(tap));
        let first = inside.clone().next().unwrap_or(before) - before;
        (first, inside.count(), taps.filter(|tap| *tap < before + side + after).count())
    }
}
