//! Convolution over elements that hold several channels: a lower precision, more products per instruction.
//!
//! A unit converts the pixels that it needs into a scratch buffer and passes all its output channels over them with the inner loop
//! of the usual convolution. Tensors are in single precision before and after it, so every other kernel stays as it is. What
//! elements hold, and how weights are packed, is left to [`super::bf16`] and [`super::int8`].

use std::cell::Cell;

use super::Unit;
use super::conv::{self, ConvGeometry, Layer};
use super::filters::{Filters, Panel, panels};
use super::sums::{Parameters, Target};
use super::tile::{self, Column, Pattern, Tile, TileKernel};
use crate::memory::LINE;
use crate::simd::Instructions;
use crate::view::View;

// Second-level caches have at least 512 KiB (Zen 1 to 3), and 1 MiB or more on the CPUs with instructions for bf16.

/// Weights that one pass over a band may take, in elements: 256 KiB.
const CHUNK: usize = 64 * 1024;
/// Elements of the input that a band may take: 192 KiB. It is gathered into scratch, so input, weights and sums fit the cache together.
const BAND: usize = 48 * 1024;
/// Weights up to which bands may be cut shorter than that, so that small images make [`MIN_UNITS`]: 1 MiB is read again per band
/// from a cache, more would come from memory.
const LIGHT: usize = 4 * CHUNK;
/// Units that an image is cut into where that costs little: one for each of eight threads.
const MIN_UNITS: usize = 8;
/// Fewest blocks of output channels per unit: each unit converts its input once more, a cost that they must outweigh.
const MIN_BLOCKS: usize = 8;

/// A convolution whose sums may take a residual and are clamped.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) layer: Layer,
    /// Elements that a block of the input's channels becomes.
    elements: usize,
    /// Rows and columns of the input from one that is needed to the next: a kernel of one row skips what the stride skips.
    steps: [usize; 2],
    pub(super) panels: Vec<Panel>,
    panels_per_unit: usize,
    /// Blocks of the input that one pass over a band takes.
    chunk: usize,
    /// Pixels of the output follow each other without a gap and read one pixel each: a single row of tiles.
    is_flat: bool,
    rows: usize,
    columns: Vec<Column>,
    /// Rows per band or, where it is flat, columns of tiles.
    band: usize,
}

/// Some pixels of one block of channels. Distances are in elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The input from the first pixel on.
    pub(super) x: &'a [f32],
    pub(super) x_pixel: usize,
    pub(super) pixels: usize,
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "integers do without"))]
    /// Lanes that hold channels; the others may hold anything.
    pub(super) lanes: usize,
    /// The converted elements of each pixel.
    pub(super) y: &'a [Cell<f32>],
}

impl Gathered {
    /// With `channels` channels in an element and tiles of at most `most` registers of output channels, which `kernel` gives.
    pub(super) fn new(
        instructions: Instructions,
        [channels, most]: [usize; 2],
        layer: Layer,
        kernel: impl Fn(usize, usize) -> Option<TileKernel>,
    ) -> Self {
        let Layer { filters, geometry, output, residual, .. } = layer;
        let lanes = instructions.lanes();
        let elements = lanes / channels;
        let is_flat =
            geometry.kernel == [1, 1] && [Some(output), residual].iter().flatten().all(View::is_dense);
        let (rows, width) = output.rows_of_tiles(is_flat);
        let registers = conv::registers(instructions, output.blocks(), width).min(most);
        let [out, inside, kernel_height, kernel_width] = filters.shape;
        let shape = [out, inside.div_ceil(channels), kernel_height, kernel_width];
        let panels = panels(Filters { shape, groups: 1 }, 1, elements, lanes, registers);
        let per_block = kernel_height * kernel_width * elements * registers * lanes;
        let steps = [0, 1].map(|axis| if geometry.kernel[axis] == 1 { geometry.stride[axis] } else { 1 });
        let mut conv = Self {
            layer,
            elements,
            steps,
            panels,
            panels_per_unit: 1,
            chunk: (CHUNK / per_block).max(1),
            is_flat,
            rows,
            columns: tile::columns(instructions, registers, width, kernel),
            band: 1,
        };
        conv.divide();
        conv
    }

    /// Cuts the image into bands and the panels into groups. Weights that stay in a cache may pass over many bands, others over few.
    fn divide(&mut self) {
        let all = if self.is_flat { self.columns.len() } else { self.rows };
        let [rows, columns] = self.pixels(&Band { rows: [0, self.rows], columns: [0, self.columns.len()] });
        let needed = (rows * columns * self.layer.input.blocks() * self.elements).div_ceil(BAND);
        let weights: usize =
            self.panels.iter().map(|panel| panel.len(self.layer.filters, self.layer.output.lanes)).sum();
        // Heavy weights are not read again only to get more units.
        let bands = if weights <= LIGHT { needed.max(MIN_UNITS) } else { needed };
        self.band = all.div_ceil(bands).max(1);
        let groups = MIN_UNITS.div_ceil(self.bands()).min(self.layer.output.blocks() / MIN_BLOCKS).max(1);
        self.panels_per_unit = self.panels.len().div_ceil(groups);
    }

    fn bands(&self) -> usize {
        let all = if self.is_flat { self.columns.len() } else { self.rows };
        all.div_ceil(self.band)
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.panels.len().div_ceil(self.panels_per_unit) * self.bands() * batch
    }

    /// The image that a unit computes a part of.
    pub(super) fn image(&self, unit: &Unit<'_>) -> usize {
        unit.index / self.bands() % unit.run.batch
    }

    /// Computes some panels of output channels in one band of one image.
    pub(super) fn unit(&self, unit: &Unit<'_>, parameters: Parameters<'_>, convert: &impl Fn(Line<'_>)) {
        let (bands, batch) = (self.bands(), unit.run.batch);
        let image = self.image(unit);
        let band = self.nth(unit.index % bands);
        // SAFETY: the input and the residual are no unit's output; a unit accesses the pixels of its band in the blocks of its
        // panels.
        let (x, target) = unsafe { self.layer.tensors(unit, image, &parameters) };
        let block_stride = self.block_stride(&band);
        let mut scratch = unit.run.scratch.take(block_stride * self.layer.input.blocks());
        self.gather(x, &band, Cell::from_mut(scratch.as_mut_slice()).as_slice_of_cells(), convert);
        let first = unit.index / (bands * batch) * self.panels_per_unit;
        for panel in &self.panels[first..(first + self.panels_per_unit).min(self.panels.len())] {
            self.panel(panel, &band, (scratch.as_slice(), block_stride), (&target, parameters.weights));
        }
        unit.run.scratch.give(scratch);
    }

    fn panel(
        &self,
        panel: &Panel,
        band: &Band,
        (pixels, block_stride): (&[f32], usize),
        to: (&Target<'_>, &[f32]),
    ) {
        let pattern = self.pattern(block_stride);
        let columns = &self.columns[band.columns[0]..band.columns[1]];
        for block in (0..panel.blocks).step_by(self.chunk) {
            for row in band.rows[0]..band.rows[1] {
                let place = [row, columns[0].start];
                let x = &pixels[self.place(band, place) + block * block_stride..];
                let first = self.tile((&pattern, x), to, panel, place, block);
                for column in columns {
                    column.kernels[panel.registers - 1].call(first.right(column.start - columns[0].start));
                }
            }
        }
    }

    fn nth(&self, band: usize) -> Band {
        let first = band * self.band;
        if self.is_flat {
            Band { rows: [0, 1], columns: [first, (first + self.band).min(self.columns.len())] }
        } else {
            Band { rows: [first, (first + self.band).min(self.rows)], columns: [0, self.columns.len()] }
        }
    }

    /// Converts the pixels that a band needs: `[block][row][column][element]`.
    fn gather(&self, x: &[f32], band: &Band, to: &[Cell<f32>], convert: &impl Fn(Line<'_>)) {
        let ConvGeometry { padding, stride, .. } = self.layer.geometry;
        let (input, [rows, columns], block_stride) =
            (&self.layer.input, self.pixels(band), self.block_stride(band));
        // Row and column of the first pixel, how many, and where they go.
        let lines: Vec<[usize; 4]> = if self.is_flat {
            let width = self.layer.output.width;
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
                convert(Line {
                    x: &x[start + first..],
                    x_pixel: self.steps[1] * input.lanes,
                    pixels: *pixels,
                    lanes: input.lanes_of(block),
                    y: &to[block * block_stride + at * self.elements..][..pixels * self.elements],
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
        let ConvGeometry { kernel, stride, dilation, .. } = self.layer.geometry;
        let reach = |axis: usize, cells: usize| {
            (cells - 1) * (stride[axis] / self.steps[axis]) + (kernel[axis] - 1) * dilation[axis] + 1
        };
        [reach(0, band.rows[1] - band.rows[0]), reach(1, end - first)]
    }

    /// From one block's pixels to the next one's: an odd number of cache lines, since at multiples of many lines the blocks would
    /// compete for a few sets of the first-level cache.
    fn block_stride(&self, band: &Band) -> usize {
        let [rows, columns] = self.pixels(band);
        (rows * columns * self.elements).div_ceil(LINE) / 2 * 2 * LINE + LINE
    }

    /// Where the pixels of a tile begin.
    fn place(&self, band: &Band, [row, column]: [usize; 2]) -> usize {
        let strides = [0, 1].map(|axis| self.layer.geometry.stride[axis] / self.steps[axis]);
        let [_, columns] = self.pixels(band);
        let first = if self.is_flat { self.flat(band)[0] } else { 0 };
        ((row - band.rows[0]) * strides[0] * columns + (column - first) * strides[1]) * self.elements
    }

    /// Over the gathered pixels.
    fn pattern(&self, block_stride: usize) -> Pattern {
        let ConvGeometry { kernel, stride, dilation, .. } = self.layer.geometry;
        let columns = self.pixels(&Band { rows: [0, 1], columns: [0, self.columns.len()] })[1];
        let steps = [dilation[0] * columns * self.elements, dilation[1] * self.elements];
        Pattern::new(kernel, steps, stride[1] / self.steps[1] * self.elements, block_stride, self.elements)
    }

    /// The first tile of a row of the band.
    fn tile<'a>(
        &'a self,
        (pattern, x): (&'a Pattern, &'a [f32]),
        (target, weights): (&Target<'a>, &'a [f32]),
        panel: &Panel,
        place: [usize; 2],
        block: usize,
    ) -> Tile<'a> {
        let [rows, columns] = self.layer.geometry.kernel;
        let blocks = self.chunk.min(panel.blocks - block);
        let last = block + blocks == panel.blocks;
        let per_block = rows * columns * self.elements * panel.registers * self.layer.output.lanes;
        Tile {
            pattern,
            x,
            blocks,
            last_lanes: if last {
                panel.channels - (panel.blocks - 1) * self.elements
            } else {
                self.elements
            },
            w: &weights[panel.weights + block * per_block..],
            sums: target.sums(panel.first, place, [block == 0, last]),
        }
    }
}

/// Rows and columns of tiles, each from the first to one past the last.
struct Band {
    rows: [usize; 2],
    columns: [usize; 2],
}
