//! The sum over the pixels of each channel: backward through an operand with one element per channel.

use std::cell::Cell;

use super::Unit;
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::View;

/// The sum of a tensor's pixels, or of their products with another's.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) input: View,
    pub(crate) other: Option<View>,
    pub(crate) output: View,
    block: Compiled<Blocks>,
}

/// One block, from its first pixel on.
#[derive(Debug, Clone, Copy)]
struct Block<'a> {
    x: &'a [f32],
    x_row: usize,
    /// The other tensor, and from one of its rows to the next.
    other: Option<(&'a [f32], usize)>,
    height: usize,
    width: usize,
    y: &'a [Cell<f32>],
}

/// [`Block`] as arguments, and the loop over it.
#[derive(Debug)]
struct Blocks;

impl Arguments for Blocks {
    type With<'a> = Block<'a>;
}

impl InnerLoop for Blocks {
    type Arguments = Self;

    #[inline(always)]
    fn run<S: Simd>(simd: S, b: Block<'_>) {
        let mut sum = simd.widen(simd.splat(0.0));
        for row in 0..b.height {
            let pixels = b.x[row * b.x_row..][..b.width * S::LANES].chunks_exact(S::LANES).enumerate();
            let mut strip = simd.splat(0.0);
            for (column, x) in pixels {
                let factor = match b.other {
                    Some((other, other_row)) => simd.load(&other[row * other_row + column * S::LANES..]),
                    None => simd.splat(1.0),
                };
                strip = simd.mul_add(simd.load(x), factor, strip);
            }
            // Rows are added in double precision: a map may have thousands of pixels, whose products nearly cancel.
            sum = simd.add_wide(sum, simd.widen(strip));
        }
        simd.store(b.y, simd.narrow(sum, 1.0));
    }
}

impl Contract {
    pub(crate) fn new(instructions: Instructions, [input, output]: [View; 2], other: Option<View>) -> Self {
        Self { input, other, output, block: instructions.compile::<Blocks>() }
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.output.blocks() * batch
    }

    /// Computes one block of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (image, block) = (unit.index / self.output.blocks(), unit.index % self.output.blocks());
        let batch = unit.run.batch;
        // SAFETY: what is read is no unit's output; a unit writes the only pixel of its block.
        let (x, other, y) = unsafe {
            (
                unit.read(self.input.block_range(batch, image, block)),
                self.other.as_ref().map(|view| (view, unit.read(view.block_range(batch, image, block)))),
                unit.cells(self.output.block_range(batch, image, block)),
            )
        };
        self.block.call(Block {
            x: &x[self.input.at(0, 0, 0)..],
            x_row: self.input.row(),
            other: other.map(|(view, values)| (&values[view.at(0, 0, 0)..], view.row())),
            height: self.input.height,
            width: self.input.width,
            y: &y[self.output.at(0, 0, 0)..],
        });
    }
}
