//! Products of two matrices for each row of a map, neither of them stored: attention's scores, and values weighted by them.
//!
//! The tile of convolutions computes them: a row of one tensor has the pixels, and a row of the other the weights, which a unit packs before it
//! runs. That takes a step per weight, and the product one per weight and pixel.

use std::cell::Cell;

use super::Unit;
use super::conv::registers;
use super::sums::Sums;
use super::tile::{self, Column, Pattern, Tile};
use crate::simd::Instructions;
use crate::view::View;

/// Registers of output channels that a tile has at most.
const MOST_REGISTERS: usize = 3;
/// What all sums start from.
static ZEROS: [f32; 16 * MOST_REGISTERS] = [0.0; 16 * MOST_REGISTERS];

/// A matrix has a row for each pixel and a column for each channel, or is turned: the other way round.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) factors: [View; 2],
    pub(crate) output: View,
    turned: [bool; 2],
    /// Columns of the first matrix, rows of the second.
    inner: usize,
    pattern: Pattern,
    lanes: usize,
    /// Output blocks of a panel.
    registers: usize,
    columns: Vec<Column>,
}

impl Product {
    pub(crate) fn new(
        instructions: Instructions,
        turned: [bool; 2],
        factors: [View; 2],
        output: View,
    ) -> Self {
        let (lanes, first) = (instructions.lanes(), factors[0]);
        let width = if turned[0] { lanes.min(output.width) } else { output.width };
        let registers = registers(instructions, output.blocks(), width).min(MOST_REGISTERS);
        let tiles =
            |width| tile::columns(instructions, registers, width, |o, w| tile::kernel(instructions, o, w));
        let (inner, pattern, columns) = if turned[0] {
            // The channels of a block are next to each other, and the pixels as far apart as a block is wide: a kernel of one row, of one
            // channel. Pixels of a tile are channels of one block.
            let of_block = |block: usize| {
                let shift = move |column: Column| Column { start: block * lanes + column.start, ..column };
                tiles(first.lanes_of(block)).into_iter().map(shift)
            };
            let pattern = Pattern::new([1, first.width], [0, first.lanes], 1, 0, 1);
            (first.width, pattern, (0..first.blocks()).flat_map(of_block).collect())
        } else {
            let pattern = Pattern::new([1, 1], [0, 0], first.lanes, first.block(), first.lanes);
            (first.channels, pattern, tiles(output.width))
        };
        Self { factors, output, turned, inner, pattern, lanes, registers, columns }
    }

    fn panels(&self) -> usize {
        self.output.blocks().div_ceil(self.registers)
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.panels() * self.output.height * batch
    }

    /// Computes one panel of output channels of one row of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (panels, height, batch) = (self.panels(), self.output.height, unit.run.batch);
        let (image, row) = (unit.index / (panels * height), unit.index / panels % height);
        let first = unit.index % panels * self.registers;
        let registers = self.registers.min(self.output.blocks() - first);
        // SAFETY: the factors are no unit's output; a unit accesses the pixels of its row in the blocks of its panel.
        let (x, other, y) = unsafe {
            let [x, other] =
                [&self.factors[0], &self.factors[1]].map(|view| unit.read(view.range(batch, image)));
            (x, other, unit.cells(self.output.range(batch, image)))
        };
        let mut scratch = unit.run.scratch.take(self.inner * registers * self.lanes);
        self.pack(other, [row, first, registers], scratch.as_mut_slice());
        for column in &self.columns {
            let tile = self.tile(x, scratch.as_slice(), y, [row, first, column.start]);
            column.kernels[registers - 1].call(tile);
        }
        unit.run.scratch.give(scratch);
    }

    fn tile<'a>(
        &'a self,
        x: &'a [f32],
        w: &'a [f32],
        y: &'a [Cell<f32>],
        [row, block, start]: [usize; 3],
    ) -> Tile<'a> {
        let (view, output) = (&self.factors[0], &self.output);
        let (from, blocks, last_lanes) = if self.turned[0] {
            (view.at(start / view.lanes, row, 0) + start % view.lanes, 1, 1)
        } else {
            let blocks = view.blocks();
            (view.at(0, row, start), blocks, view.lanes_of(blocks - 1))
        };
        let sums = Sums {
            y: &y[output.at(block, row, start)..],
            y_block: output.block(),
            lanes: output.lanes,
            residual: None,
            residual_block: 0,
            bias: Some(&ZEROS),
            rescale: None,
            range: None,
        };
        Tile { pattern: &self.pattern, x: &x[from..], blocks, last_lanes, w, sums }
    }

    /// The second matrix's columns of a panel: `[inner][register][lane]`.
    fn pack(&self, from: &[f32], [row, first, registers]: [usize; 3], to: &mut [f32]) {
        let (view, lanes) = (&self.factors[1], self.lanes);
        let step = registers * lanes;
        let to = &mut to[..self.inner * step];
        if !self.turned[1] {
            for register in 0..registers {
                let pixels = from[view.at(first + register, row, 0)..].chunks_exact(view.lanes);
                for (to, pixel) in to.chunks_exact_mut(step).zip(pixels) {
                    to[register * lanes..][..lanes].copy_from_slice(pixel);
                }
            }
            return;
        }
        let columns = first * lanes..view.width.min((first + registers) * lanes);
        // Lanes after the last column are no one's, but fresh memory may hold what slows arithmetic down.
        if columns.len() < step {
            to.fill(0.0);
        }
        for block in 0..view.blocks() {
            let to = &mut to[block * view.lanes * step..];
            let pixels = from[view.at(block, row, columns.start)..].chunks_exact(view.lanes);
            for (at, pixel) in pixels.take(columns.len()).enumerate() {
                let column = to[at..].iter_mut().step_by(step);
                column.zip(&pixel[..view.lanes_of(block)]).for_each(|(to, value)| *to = *value);
            }
        }
    }
}
