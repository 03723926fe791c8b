//! Backward through a pool: every window's gradient goes to its greatest element, or in equal parts to all of them.

use std::cell::Cell;

use super::Unit;
use super::pool::{Kind, Pool};
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::View;

/// Backward through one pooling operation.
#[derive(Debug)]
pub(crate) struct Unpool {
    /// The pool's output, of which this is the gradient.
    pub(crate) gradient: View,
    /// The pool's input, where it decides.
    pub(crate) kept: Option<View>,
    /// The gradient of the pool's input.
    pub(crate) output: View,
    pool: Pool,
    window: Compiled<Windows>,
}

/// The part of one window that is inside the tensor, for one block.
#[derive(Debug, Clone, Copy)]
struct Window<'a> {
    gradient: &'a [f32],
    /// The input from the window's first pixel on, if its greatest element gets the gradient.
    x: Option<(&'a [f32], usize)>,
    rows: usize,
    columns: usize,
    y: &'a [Cell<f32>],
    y_row: usize,
    /// What a mean was divided by.
    count: usize,
}

/// [`Window`] as arguments, and the loop over it.
#[derive(Debug)]
struct Windows;

impl Arguments for Windows {
    type With<'a> = Window<'a>;
}

impl InnerLoop for Windows {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, w: Window<'_>) {
        let gradient = simd.load(w.gradient);
        match w.x {
            Some((x, x_row)) => {
                greatest(simd, &w, gradient, |row, column| simd.load(&x[row * x_row + column * S::LANES..]));
            }
            None => {
                let part = simd.mul(gradient, simd.splat(1.0 / w.count as f32));
                for row in 0..w.rows {
                    for y in w.y[row * w.y_row..][..w.columns * S::LANES].chunks_exact(S::LANES) {
                        simd.store(y, simd.add(simd.load_cells(y), part));
                    }
                }
            }
        }
    }
}

/// The first of several equal elements in reading order gets the gradient, as in PyTorch.
#[inline(always)]
fn greatest<S: Simd>(
    simd: S,
    w: &Window<'_>,
    gradient: S::Register,
    x: impl Fn(usize, usize) -> S::Register,
) {
    let mut most = simd.splat(f32::NEG_INFINITY);
    for row in 0..w.rows {
        for column in 0..w.columns {
            most = simd.nan_max(most, x(row, column));
        }
    }
    // What no element has got yet: in each lane all of it or nothing.
    let mut left = gradient;
    for row in 0..w.rows {
        for column in 0..w.columns {
            let passed_on = simd.above(most, x(row, column), left);
            let taken = simd.mul_add(passed_on, simd.splat(-1.0), left);
            let y = &w.y[row * w.y_row + column * S::LANES..];
            simd.store(y, simd.add(simd.load_cells(y), taken));
            left = passed_on;
        }
    }
}

impl Unpool {
    /// `views` are the gradient of the pool's output, that of its input, and the input itself, if the pool is of greatest elements.
    pub(crate) fn new(
        instructions: Instructions,
        pool: Pool,
        [gradient, output]: [View; 2],
        kept: Option<View>,
    ) -> Self {
        Self { gradient, kept, output, pool, window: instructions.compile::<Windows>() }
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Computes one block of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (gradient, output, batch) = (&self.gradient, &self.output, unit.run.batch);
        let (image, block) = (unit.index / output.blocks(), unit.index % output.blocks());
        // SAFETY: what is read is no unit's output; a unit writes the pixels of its block.
        let (g, x, y) = unsafe {
            (
                unit.read(gradient.block_range(batch, image, block)),
                self.kept.as_ref().map(|view| (view, unit.read(view.block_range(batch, image, block)))),
                unit.cells(output.block_range(batch, image, block)),
            )
        };
        for row in 0..output.height {
            let pixels = &y[output.at(0, row, 0)..][..output.width * output.lanes];
            pixels.iter().for_each(|cell| cell.set(0.0));
        }
        for row in 0..gradient.height {
            let (first_row, rows, high) = self.pool.span(0, row, output.height);
            for column in 0..gradient.width {
                let (first_column, columns, wide) = self.pool.span(1, column, output.width);
                self.window.call(Window {
                    gradient: &g[gradient.at(0, row, column)..],
                    x: x.map(|(view, x)| (&x[view.at(0, first_row, first_column)..], view.row())),
                    rows,
                    columns,
                    y: &y[output.at(0, first_row, first_column)..],
                    y_row: output.row(),
                    count: if self.pool.kind == Kind::Mean { rows * columns } else { high * wide },
                });
            }
        }
    }
}
