//! Convolution with pixels and weights rounded to bf16 and sums in single precision: two products per lane instead of one.
//!
//! A unit rounds the pixels that it needs into a scratch buffer, pairs of channels in one element, and passes all its output
//! channels over them with the inner loop of the usual convolution, in which a pair takes the place of an element. Tensors
//! are in single precision before and after it, so every other kernel stays as it is.

mod round;

use std::cell::Cell;

use super::conv::{self, ConvGeometry};
use super::filters::{ConvWeights, Filters, Panel, panels};
use super::tile::{self, Column, Pattern, Target, Tile};
use super::{Packed, Unit};
use crate::memory::LINE;
use crate::simd::{Avx512Bf16, Compiled, Instructions};
use crate::view::View;
use round::{Line, Lines, PAIRS, rounding};

// CPUs with these instructions have second-level caches of at least 1 MiB (Zen 4; Intel's have 2).

/// Weights that one pass over a band may take, in pairs: 256 KiB, a quarter of the second-level cache.
const CHUNK: usize = 64 * 1024;
/// Pairs of the input that a band may take: 192 KiB. It is gathered into scratch, so input, weights and sums fit the cache together.
const BAND: usize = 48 * 1024;
/// Weights up to which bands may be cut shorter than that, so that small images make [`MIN_UNITS`]: 1 MiB is read again per band
/// from a cache, more would come from memory.
const LIGHT: usize = 4 * CHUNK;
/// Units that an image is cut into where that costs little: one for each of eight threads.
const MIN_UNITS: usize = 8;
/// Fewest blocks of output channels per unit: each unit rounds its input once more, a cost that they must outweigh.
const MIN_BLOCKS: usize = 8;

/// A convolution whose sums may take a residual and are clamped.
#[derive(Debug)]
pub(crate) struct ConvBf16 {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) residual: Option<View>,
    range: [f32; 2],
    pub(crate) filters: Filters,
    geometry: ConvGeometry,
    /// Rows and columns of the input from one that is needed to the next: a kernel of one row skips what the stride skips.
    steps: [usize; 2],
    panels: Vec<Panel>,
    panels_per_unit: usize,
    /// Blocks of the input that one pass over a band takes.
    chunk: usize,
    /// Pixels of the output follow each other without a gap and read one pixel each: a single row of tiles.
    is_flat: bool,
    rows: usize,
    columns: Vec<Column>,
    /// Rows per band or, where it is flat, columns of tiles.
    band: usize,
    round: Compiled<Lines>,
}

/// Whether this kernel can run the convolution.
pub(crate) fn fits(filters: Filters, input: &View) -> bool {
    filters.groups == 1 && input.lanes == 2 * PAIRS
}

impl ConvBf16 {
    pub(crate) fn new(
        (instructions, bf16): (Instructions, Avx512Bf16),
        filters: Filters,
        geometry: ConvGeometry,
        [input, output]: [View; 2],
        residual: Option<View>,
        range: [f32; 2],
    ) -> Self {
        let lanes = instructions.lanes();
        let is_flat =
            geometry.kernel == [1, 1] && [Some(output), residual].iter().flatten().all(View::is_dense);
        let (rows, width) = output.rows_of_tiles(is_flat);
        let registers = conv::registers(instructions, output.blocks(), width);
        let [out, channels, ..] = filters.shape;
        let [kernel_height, kernel_width] = geometry.kernel;
        let pairs = Filters { shape: [out, channels.div_ceil(2), kernel_height, kernel_width], groups: 1 };
        let panels = panels(pairs, 1, PAIRS, lanes, registers);
        let per_block = kernel_height * kernel_width * PAIRS * registers * lanes;
        let steps = [0, 1].map(|axis| if geometry.kernel[axis] == 1 { geometry.stride[axis] } else { 1 });
        let kernel = |registers, pixels| tile::kernel_of_pairs(bf16, registers, pixels);
        let mut conv = Self {
            input,
            output,
            residual,
            range,
            filters,
            geometry,
            steps,
            panels,
            panels_per_unit: 1,
            chunk: (CHUNK / per_block).max(1),
            is_flat,
            rows,
            columns: tile::columns(instructions, registers, width, kernel),
            band: 1,
            round: rounding(bf16),
        };
        conv.divide();
        conv
    }

    /// Rounds and packs the weights.
    pub(crate) fn pack(&self, weights: &ConvWeights<'_>, packed: &mut Packed) {
        round::pack(self.filters, weights, &self.panels, self.output.lanes, packed);
    }

    /// Cuts the image into bands and the panels into groups. Weights that stay in a cache may pass over many bands, others over few.
    fn divide(&mut self) {
        let all = if self.is_flat { self.columns.len() } else { self.rows };
        let [rows, columns] = self.pixels(&Band { rows: [0, self.rows], columns: [0, self.columns.len()] });
        let needed = (rows * columns * self.input.blocks() * PAIRS).div_ceil(BAND);
        let weights: usize = self.panels.iter().map(|panel| panel.len(self.filters, self.output.lanes)).sum();
        // Heavy weights are not read again only to get more units.
        let bands = if weights <= LIGHT { needed.max(MIN_UNITS) } else { needed };
        self.band = all.div_ceil(bands).max(1);
        let groups = MIN_UNITS.div_ceil(self.bands()).min(self.output.blocks() / MIN_BLOCKS).max(1);
        self.panels_per_unit = self.panels.len().div_ceil(groups);
    }

    fn bands(&self) -> usize {
        let all = if self.is_flat { self.columns.len() } else { self.rows };
        all.div_ceil(self.band)
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.panels.len().div_ceil(self.panels_per_unit) * self.bands() * batch
    }

    /// Computes some panels of output channels in one band of one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let (bands, batch) = (self.bands(), unit.run.batch);
        let image = unit.index / bands % batch;
        let band = self.nth(unit.index % bands);
        // SAFETY: the input and the residual are no unit's output; a unit accesses the pixels of its band in the blocks of its
        // panels.
        let (x, target) = unsafe {
            let target = Target {
                output: (&self.output, unit.cells(self.output.range(batch, image))),
                residual: self.residual.as_ref().map(|view| (view, unit.read(view.range(batch, image)))),
                range: self.range,
            };
            (unit.read(self.input.range(batch, image)), target)
        };
        let block_stride = self.block_stride(&band);
        let mut scratch = unit.run.scratch.take(block_stride * self.input.blocks());
        self.gather(x, &band, Cell::from_mut(scratch.as_mut_slice()).as_slice_of_cells());
        let pixels = scratch.as_slice();
        let pattern = self.pattern(block_stride);
        let first = unit.index / (bands * batch) * self.panels_per_unit;
        for panel in &self.panels[first..(first + self.panels_per_unit).min(self.panels.len())] {
            for block in (0..panel.blocks).step_by(self.chunk) {
                for row in band.rows[0]..band.rows[1] {
                    let columns = &self.columns[band.columns[0]..band.columns[1]];
                    let place = [row, columns[0].start];
                    let x = &pixels[self.place(&band, place) + block * block_stride..];
                    let first = self.tile((&pattern, x), (&target, packed), panel, place, block);
                    for column in columns {
                        let tile = first.right(column.start - columns[0].start);
                        column.kernels[panel.registers - 1].call(tile);
                    }
                }
            }
        }
        unit.run.scratch.give(scratch);
    }

    fn nth(&self, band: usize) -> Band {
        let first = band * self.band;
        if self.is_flat {
            Band { rows: [0, 1], columns: [first, (first + self.band).min(self.columns.len())] }
        } else {
            Band { rows: [first, (first + self.band).min(self.rows)], columns: [0, self.columns.len()] }
        }
    }

    /// Rounds the pixels that a band needs: `[block][row][column][pair]`.
    fn gather(&self, x: &[f32], band: &Band, to: &[Cell<f32>]) {
        let ConvGeometry { padding, stride, .. } = self.geometry;
        let (input, [rows, columns], block_stride) =
            (&self.input, self.pixels(band), self.block_stride(band));
        // Row and column of the first pixel, how many, and where they go.
        let lines: Vec<[usize; 4]> = if self.is_flat {
            let width = self.output.width;
            let [first, end] = self.flat(band);
            // A band of a flat image begins and ends anywhere in a row; the input, which may have a halo, is read row
            // by row.
            let in_row = |y: usize| [first.max(y * width), end.min((y + 1) * width)];
            let line =
                |y: usize| [y, in_row(y)[0] - y * width, in_row(y)[1] - in_row(y)[0], in_row(y)[0] - first];
            (first / width..end.div_ceil(width)).map(line).collect()
        } else {
            let first = band.rows[0] * (stride[0] / self.steps[0]);
            (0..rows).map(|row| [first + row, 0, columns, row * columns]).collect()
        };
        for block in 0..input.blocks() {
            let start = input.before(block, padding[0], padding[1]);
            for [row, column, pixels, at] in &lines {
                let first = row * self.steps[0] * input.row() + column * self.steps[1] * input.lanes;
                self.round.call(Line {
                    x: &x[start + first..],
                    x_pixel: self.steps[1] * input.lanes,
                    pixels: *pixels,
                    lanes: input.lanes_of(block),
                    y: &to[block * block_stride + at * PAIRS..][..pixels * PAIRS],
                });
            }
        }
    }

    /// First pixel of a band of columns and the one after its last.
    fn flat(&self, band: &Band) -> [usize; 2] {
        let last = &self.columns[band.columns[1] - 1];
        [self.columns[band.columns[0]].start, last.start + last.width]
    }

    /// Rows and columns that a band gathers.
    fn pixels(&self, band: &Band) -> [usize; 2] {
        let [first, end] = self.flat(band);
        if self.is_flat {
            return [1, end - first];
        }
        let ConvGeometry { kernel, stride, dilation, .. } = self.geometry;
        let reach = |axis: usize, cells: usize| {
            (cells - 1) * (stride[axis] / self.steps[axis]) + (kernel[axis] - 1) * dilation[axis] + 1
        };
        [reach(0, band.rows[1] - band.rows[0]), reach(1, end - first)]
    }

    /// From one block's pixels to the next one's: an odd number of cache lines, since at multiples of many lines the blocks would
    /// compete for a few sets of the first-level cache.
    fn block_stride(&self, band: &Band) -> usize {
        let [rows, columns] = self.pixels(band);
        (rows * columns * PAIRS).div_ceil(LINE) / 2 * 2 * LINE + LINE
    }

    /// Where the pixels of a tile begin.
    fn place(&self, band: &Band, [row, column]: [usize; 2]) -> usize {
        let strides = [0, 1].map(|axis| self.geometry.stride[axis] / self.steps[axis]);
        let [_, columns] = self.pixels(band);
        let first = if self.is_flat { self.flat(band)[0] } else { 0 };
        ((row - band.rows[0]) * strides[0] * columns + (column - first) * strides[1]) * PAIRS
    }

    /// Over the gathered pixels.
    fn pattern(&self, block_stride: usize) -> Pattern {
        let ConvGeometry { kernel, stride, dilation, .. } = self.geometry;
        let columns = self.pixels(&Band { rows: [0, 1], columns: [0, self.columns.len()] })[1];
        let steps = [dilation[0] * columns * PAIRS, dilation[1] * PAIRS];
        Pattern::new(kernel, steps, stride[1] / self.steps[1] * PAIRS, block_stride, PAIRS)
    }

    /// The first tile of a row of the band.
    fn tile<'a>(
        &'a self,
        (pattern, x): (&'a Pattern, &'a [f32]),
        (target, packed): (&Target<'a>, &'a Packed),
        panel: &Panel,
        place: [usize; 2],
        block: usize,
    ) -> Tile<'a> {
        let [rows, columns] = self.geometry.kernel;
        let blocks = self.chunk.min(panel.blocks - block);
        let last = block + blocks == panel.blocks;
        let per_block = rows * columns * PAIRS * panel.registers * self.output.lanes;
        Tile {
            pattern,
            x,
            blocks,
            last_lanes: if last { panel.channels - (panel.blocks - 1) * PAIRS } else { PAIRS },
            w: &packed.weights.as_slice()[panel.weights + block * per_block..],
            sums: target.sums(packed, panel.first, place, [block == 0, last]),
        }
    }
}

/// Rows and columns of tiles, each from the first to one past the last.
struct Band {
    rows: [usize; 2],
    columns: [usize; 2],
}
