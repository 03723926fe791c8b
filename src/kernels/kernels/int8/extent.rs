//! The extent of a tensor in each image: its least and its greatest element.

use std::cell::Cell;

use crate::kernels::Unit;
use crate::simd::{Arguments, Compiled, InnerLoop, Instructions, Simd};
use crate::view::View;

/// Least and greatest elements of a tensor, by lane of each block.
#[derive(Debug)]
pub(crate) struct Extent {
    pub(crate) input: View,
    /// One pixel: a block of least and one of greatest elements for every block of the input.
    pub(crate) output: View,
    block: Compiled<Blocks>,
}

/// One block of an image. Distances are in elements.
#[derive(Debug, Clone, Copy)]
struct Block<'a> {
    /// The input from the first pixel on.
    x: &'a [f32],
    x_row: usize,
    rows: usize,
    /// Elements in a row.
    row: usize,
    least: &'a [Cell<f32>],
    greatest: &'a [Cell<f32>],
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
        let first = simd.load(b.x);
        let zero = simd.splat(0.0);
        // Two of each, so that no instruction waits for the one before.
        let (mut least, mut greatest, mut finite) = ([first; 2], [first; 2], [zero; 2]);
        let mut join = |at: usize, x: &[f32]| {
            let x = simd.load(x);
            least[at] = simd.min(least[at], x);
            greatest[at] = simd.max(greatest[at], x);
            // Stays zero until an element is infinite or NaN, and is NaN from then on.
            finite[at] = simd.mul_add(x, zero, finite[at]);
        };
        for row in 0..b.rows {
            let pairs = b.x[row * b.x_row..][..b.row].chunks_exact(2 * S::LANES);
            let rest = pairs.remainder();
            for pair in pairs {
                join(0, pair);
                join(1, &pair[S::LANES..]);
            }
            if !rest.is_empty() {
                join(0, rest);
            }
        }
        let finite = simd.add(finite[0], finite[1]);
        simd.store(b.least, simd.add(simd.min(least[0], least[1]), finite));
        simd.store(b.greatest, simd.add(simd.max(greatest[0], greatest[1]), finite));
    }
}

impl Extent {
    pub(crate) fn new(instructions: Instructions, [input, output]: [View; 2]) -> Self {
        Self { input, output, block: instructions.compile::<Blocks>() }
    }

    /// Channels of the output for an input with this number of channels.
    pub(crate) fn channels(input: usize, lanes: usize) -> usize {
        2 * input.next_multiple_of(lanes)
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.input.blocks() * batch
    }

    /// Looks at one block of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (input, output, batch) = (&self.input, &self.output, unit.run.batch);
        let (image, block) = (unit.index / input.blocks(), unit.index % input.blocks());
        // SAFETY: the input is no unit's output; a unit writes the two blocks of its block.
        let (x, least, greatest) = unsafe {
            let cells = |block| unit.cells(output.block_range(batch, image, block));
            (unit.read(input.block_range(batch, image, block)), cells(2 * block), cells(2 * block + 1))
        };
        self.block.call(Block {
            x: &x[input.at(0, 0, 0)..],
            x_row: input.row(),
            rows: input.height,
            row: input.width * input.lanes,
            least: &least[output.at(0, 0, 0)..],
            greatest: &greatest[output.at(0, 0, 0)..],
        });
    }
}

/// Least and greatest element of an image with this number of channels, zero included; NaN if any is not finite.
pub(super) fn of_image(view: &View, values: &[f32], channels: usize) -> [f32; 2] {
    let mut extent = [0.0, 0.0];
    for channel in 0..channels {
        let (block, lane) = (channel / view.lanes, channel % view.lanes);
        let [low, high] = [2 * block, 2 * block + 1].map(|block| values[view.at(block, 0, 0) + lane]);
        if low.is_nan() {
            return [f32::NAN; 2];
        }
        extent = [low.min(extent[0]), high.max(extent[1])];
    }
    extent
}
