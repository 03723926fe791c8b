//! Convolution with pixels and weights rounded to bf16, sums in single precision: two products in the place of one.
//!
//! A part rounds the pixels that it needs into memory of its own, pairs of channels side by side, and passes all its output
//! channels over them with the inner loop of the usual convolution, in which a pair stands where a number did. Values before
//! and behind it are in single precision, so that every other kernel stays as it is.

mod round;

use super::conv::{self, Motion};
use super::filters::{Filters, Numbers, Panel, panels};
use super::tile::{self, Column, Sums, Tile};
use super::{Packed, Run};
use crate::memory::LINE;
use crate::simd::Isa;
use crate::view::View;
use round::{Line, rounding};

/// Pairs of channels in a block.
const PAIRS: usize = 8;
/// Weights that one pass over a band may take, in pairs: a quarter of a second-level cache.
const CHUNK: usize = 64 * 1024;
/// Pairs of the input that a band may take.
const BAND: usize = 48 * 1024;
/// Parts that a small image is cut into if it goes without much extra work.
const PARTS: usize = 8;
/// Blocks of output channels that are worth rounding the input for.
const GROUP: usize = 8;

/// A convolution whose sums may take a residual and are kept within a range.
#[derive(Debug)]
pub(crate) struct ConvBf16 {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) residual: Option<View>,
    range: [f32; 2],
    pub(crate) filters: Filters,
    motion: Motion,
    /// Rows and columns of the input from one that is needed to the next.
    steps: [usize; 2],
    panels: Vec<Panel>,
    /// Panels a part.
    together: usize,
    /// Blocks of the input that one pass over a band takes.
    chunk: usize,
    /// Pixels of the output follow each other without a gap and see one pixel each: a single row of tiles.
    is_flat: bool,
    rows: usize,
    columns: Vec<Column>,
    /// Rows or, where it is flat, columns of tiles a band.
    band: usize,
    round: unsafe fn(&Line),
}

/// The convolution is one of those that this kernel does.
pub(crate) fn fits(filters: Filters, input: &View) -> bool {
    filters.groups == 1 && input.lanes == 2 * PAIRS
}

impl ConvBf16 {
    /// `None` where the target has no instructions for it.
    pub(crate) fn new(
        isa: Isa,
        filters: Filters,
        motion: Motion,
        [input, output]: [View; 2],
        residual: Option<View>,
        range: [f32; 2],
    ) -> Option<Self> {
        let lanes = isa.lanes();
        let is_flat = motion.kernel == [1, 1]
            && output.is_dense()
            && residual.is_none_or(|residual| residual.is_dense());
        let (rows, width) =
            if is_flat { (1, output.height * output.width) } else { (output.height, output.width) };
        let registers = conv::registers(isa, output.blocks(), width);
        let [out, channels, ..] = filters.shape;
        let [height, width_] = motion.kernel;
        let pairs = Filters { shape: [out, channels.div_ceil(2), height, width_], groups: 1 };
        let panels = panels(pairs, 1, PAIRS, lanes, registers);
        let per_block = motion.kernel[0] * motion.kernel[1] * PAIRS * registers * lanes;
        let steps = [0, 1].map(|axis| if motion.kernel[axis] == 1 { motion.stride[axis] } else { 1 });
        let mut conv = Self {
            input,
            output,
            residual,
            range,
            filters,
            motion,
            steps,
            panels,
            together: 1,
            chunk: (CHUNK / per_block).max(1),
            is_flat,
            rows,
            columns: tile::columns(isa, registers, width, tile::kernel_of_pairs),
            band: 1,
            round: rounding()?,
        };
        conv.divide();
        Some(conv)
    }

    /// Rounds and orders the weights.
    pub(crate) fn pack(&self, numbers: &Numbers<'_>, packed: &mut Packed) {
        round::pack(self.filters, numbers, &self.panels, self.output.lanes, packed);
    }

    /// Into bands, and the panels into groups: weights that stay in a cache pass over many bands, others over few.
    fn divide(&mut self) {
        let all = if self.is_flat { self.columns.len() } else { self.rows };
        let whole = self.pixels(&Band { rows: [0, self.rows], columns: [0, self.columns.len()] });
        let needed = (whole[0] * whole[1] * self.input.blocks() * PAIRS).div_ceil(BAND);
        let weights: usize = self.panels.iter().map(|panel| panel.len(self.filters, self.output.lanes)).sum();
        let light = weights <= 4 * CHUNK;
        let bands = if light { needed.max(PARTS) } else { needed };
        self.band = all.div_ceil(bands).max(1);
        let groups = PARTS.div_ceil(self.bands()).min(self.output.blocks() / GROUP).max(1);
        self.together = self.panels.len().div_ceil(groups);
    }

    fn bands(&self) -> usize {
        let all = if self.is_flat { self.columns.len() } else { self.rows };
        all.div_ceil(self.band)
    }

    /// Parts that threads may compute side by side.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.panels.len().div_ceil(self.together) * self.bands() * batch
    }

    /// Computes one part: a band of one image, some panels of output channels.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, packed: &Packed, unit: usize) {
        let bands = self.bands();
        let image = unit / bands % run.batch;
        let first = unit % bands * self.band;
        let band = if self.is_flat {
            Band { rows: [0, 1], columns: [first, (first + self.band).min(self.columns.len())] }
        } else {
            Band { rows: [first, (first + self.band).min(self.rows)], columns: [0, self.columns.len()] }
        };
        let apart = self.apart(&band);
        let mut scratch = run.scratch.take(apart * self.input.blocks());
        let pixels = scratch.as_mut_slice();
        // SAFETY: the input's halo is as wide as the padding.
        unsafe { self.gather(run, &band, image, pixels) };
        let first = unit / (bands * run.batch) * self.together;
        for panel in &self.panels[first..(first + self.together).min(self.panels.len())] {
            for block in (0..panel.blocks).step_by(self.chunk) {
                for row in band.rows[0]..band.rows[1] {
                    for column in &self.columns[band.columns[0]..band.columns[1]] {
                        let x = self.place(&band, row, column.start) + block * apart;
                        let tile = self.tile(
                            (run, packed),
                            panel,
                            [image, row, column.start],
                            block,
                            &pixels[x..],
                            apart,
                        );
                        // SAFETY: the tile's pixels were gathered and lie in the scratch, its weights and biases in the packed
                        // memory, its sums in the output's view, all by the same counts; the instructions are there.
                        unsafe { column.kernels[panel.registers - 1](&tile) };
                    }
                }
            }
        }
        run.scratch.give(scratch);
    }

    /// Rounds the pixels that a band needs: `[block][row][column][pair]`.
    ///
    /// # Safety
    /// As for [`ConvBf16::unit`].
    unsafe fn gather(&self, run: &Run<'_>, band: &Band, image: usize, to: &mut [f32]) {
        let Motion { padding, stride, .. } = self.motion;
        let (input, [rows, columns], apart) = (&self.input, self.pixels(band), self.apart(band));
        // Row and column of the first pixel, how many, and where they go.
        let lines: Vec<[usize; 4]> = if self.is_flat {
            let width = self.output.width;
            let [first, end] = self.flat(band);
            let in_row = |y: usize| [first.max(y * width), end.min((y + 1) * width)];
            let line =
                |y: usize| [y, in_row(y)[0] - y * width, in_row(y)[1] - in_row(y)[0], in_row(y)[0] - first];
            (first / width..end.div_ceil(width)).map(line).collect()
        } else {
            let first = band.rows[0] * (stride[0] / self.steps[0]);
            (0..rows).map(|row| [first + row, 0, columns, row * columns]).collect()
        };
        for block in 0..input.blocks() {
            let x = input.before(run.batch, image, block, padding[0], padding[1]);
            for [row, column, pixels, at] in &lines {
                let line = Line {
                    x: run.read(x + row * self.steps[0] * input.row() + column * self.steps[1] * input.lanes),
                    x_pixel: self.steps[1] * input.lanes,
                    pixels: *pixels,
                    lanes: input.lanes_of(block),
                    y: to[block * apart + at * PAIRS..][..pixels * PAIRS].as_mut_ptr(),
                };
                // SAFETY: the pixels lie in the input's view, with its halo; the slice is as long as what is written.
                unsafe { (self.round)(&line) };
            }
        }
    }

    /// First pixel of a band of columns and the one behind its last.
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
        let Motion { kernel, stride, dilation, .. } = self.motion;
        let reach = |axis: usize, cells: usize| {
            (cells - 1) * (stride[axis] / self.steps[axis]) + (kernel[axis] - 1) * dilation[axis] + 1
        };
        [reach(0, band.rows[1] - band.rows[0]), reach(1, end - first)]
    }

    /// From one block's pixels to the next one's: an odd number of cache lines, as they would share a few places in the cache.
    fn apart(&self, band: &Band) -> usize {
        let [rows, columns] = self.pixels(band);
        (rows * columns * PAIRS).div_ceil(LINE) / 2 * 2 * LINE + LINE
    }

    /// Where the pixels of a tile begin.
    fn place(&self, band: &Band, row: usize, column: usize) -> usize {
        let strides = [0, 1].map(|axis| self.motion.stride[axis] / self.steps[axis]);
        let [_, columns] = self.pixels(band);
        let first = if self.is_flat { self.flat(band)[0] } else { 0 };
        ((row - band.rows[0]) * strides[0] * columns + (column - first) * strides[1]) * PAIRS
    }

    fn tile(
        &self,
        (run, packed): (&Run<'_>, &Packed),
        panel: &Panel,
        [image, row, column]: [usize; 3],
        block: usize,
        x: &[f32],
        x_block: usize,
    ) -> Tile {
        let Motion { kernel, stride, dilation, .. } = self.motion;
        let output = &self.output;
        let blocks = self.chunk.min(panel.blocks - block);
        let last = block + blocks == panel.blocks;
        let per_block = kernel[0] * kernel[1] * PAIRS * panel.registers * output.lanes;
        let columns = self.pixels(&Band { rows: [0, 1], columns: [0, self.columns.len()] })[1];
        Tile {
            x: x.as_ptr(),
            x_block,
            x_row: dilation[0] * columns * PAIRS,
            x_column: dilation[1] * PAIRS,
            x_pixel: stride[1] / self.steps[1] * PAIRS,
            blocks,
            lanes: PAIRS,
            last_lanes: if last { panel.channels - (panel.blocks - 1) * PAIRS } else { PAIRS },
            kernel,
            w: packed.weights.as_slice()[panel.weights + block * per_block..].as_ptr(),
            sums: Sums::new(
                (run, packed),
                (output, self.residual.as_ref()),
                panel.first,
                [image, row, column],
                [block == 0, last],
                self.range,
            ),
        }
    }
}

/// Rows and columns of tiles, each from the first to behind the last.
struct Band {
    rows: [usize; 2],
    columns: [usize; 2],
}
