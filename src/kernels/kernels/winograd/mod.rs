//! 3x3 convolution with a quarter of the multiplications.
//!
//! Winograd's F(4x4, 3x3) after Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015): a patch of 6x6
//! pixels becomes 36 frequencies, at each of which the channels meet in a matrix product of their own, whose results become
//! 4x4 outputs. The products are those of a 1x1 convolution, tiles in place of pixels, so they use its inner loop. A band of
//! tiles passes through all three steps in memory that stays in the caches.

#[cfg(test)]
mod tests;
mod transform;

use rayon::prelude::*;

use super::conv::{self, Motion};
use super::filters::{self, Filters, Numbers};
use super::tile::{self, Sums, Tile, TileKernel};
use super::{Packed, Run, spread};
use crate::memory::LINE;
use crate::simd::Isa;
use crate::view::View;
use transform::{FREQUENCIES, Input, Output, PATCH, TILE};

/// Tiles a band: enough that the weights, which pass by once a band, come fast enough from memory; few enough that the
/// frequencies stay near (2 MB with 512 channels).
const BAND: usize = 28;
/// Bands are not cut shorter than this to have one for every thread.
const SHORT: usize = 12;
/// Parts that a small image is cut into if it goes without much extra work.
const PARTS: usize = 8;
/// Blocks of output channels that are worth transforming the input for.
const GROUP: usize = 8;
/// Tiles an image from which on transformed weights, which take four times the memory, are paid for. Measured on images of
/// 7x7, 4 tiles: a quarter faster at best, but 38 MB for 512 channels; on 14x14, 16 tiles: twice as fast; larger: three times.
const ENOUGH: usize = 16;

/// A 3x3 convolution whose sums may take a residual and are kept within a range.
#[derive(Debug)]
pub(crate) struct Winograd {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) residual: Option<View>,
    range: [f32; 2],
    pub(crate) filters: Filters,
    /// Top and left.
    padding: [usize; 2],
    /// Registers of output channels a panel.
    registers: usize,
    /// Panels a unit.
    together: usize,
    /// Bands at least, as long as they do not get too short.
    fewest: usize,
    /// Rows and columns of tiles in an image.
    tiles: [usize; 2],
    /// By registers and tiles, both less one.
    products: Vec<Vec<TileKernel>>,
    to_frequencies: unsafe fn(&Input),
    from_frequencies: unsafe fn(&Output),
}

/// The convolution is one of those that this kernel does, and large enough.
pub(crate) fn pays(filters: Filters, motion: &Motion, [input, output]: [&View; 2], lanes: usize) -> bool {
    let Motion { kernel, stride, dilation, .. } = *motion;
    let fits = kernel == [3, 3] && stride == [1, 1] && dilation == [1, 1] && filters.groups == 1;
    // Fewer lanes mean an input of a few channels, which the transforms would fill up with zeros.
    fits && input.lanes == lanes && output.height.div_ceil(TILE) * output.width.div_ceil(TILE) >= ENOUGH
}

impl Winograd {
    /// Divides the work.
    pub(crate) fn new(
        isa: Isa,
        filters: Filters,
        padding: [usize; 2],
        [input, output]: [View; 2],
        residual: Option<View>,
        range: [f32; 2],
    ) -> Self {
        let tiles = [output.height.div_ceil(TILE), output.width.div_ceil(TILE)];
        let registers = conv::registers(isa, output.blocks(), BAND.min(tiles[0] * tiles[1]));
        let bands = (tiles[0] * tiles[1]).div_ceil(BAND);
        let groups = PARTS.div_ceil(bands).min(output.blocks() / GROUP).max(1);
        let together = output.blocks().div_ceil(registers).div_ceil(groups);
        let widest = |registers| {
            (1..=tile::widest(isa, registers)).filter_map(move |w| tile::kernel(isa, registers, w))
        };
        Self {
            input,
            output,
            residual,
            range,
            filters,
            padding,
            registers,
            together,
            fewest: PARTS / groups,
            tiles,
            products: (1..=registers).map(|registers| widest(registers).collect()).collect(),
            to_frequencies: transform::compiled_input(isa),
            from_frequencies: transform::compiled_output(isa),
        }
    }

    /// Transforms and orders the weights: by panel, then `[frequency][input channel][register]`.
    pub(crate) fn pack(&self, numbers: &Numbers<'_>, packed: &mut Packed) {
        filters::pack_bias(self.filters, numbers, self.output.lanes, packed);
        let [_, channels, ..] = self.filters.shape;
        let whole = FREQUENCIES * weights_apart(channels, self.registers, self.output.lanes);
        let weights = packed.weights.grow(self.panels() * whole);
        let parts = weights.par_chunks_exact_mut(whole).enumerate();
        parts.for_each(|(panel, to)| self.pack_panel(numbers, panel, to));
    }

    fn pack_panel(&self, numbers: &Numbers<'_>, panel: usize, to: &mut [f32]) {
        let ([_, channels, ..], lanes) = (self.filters.shape, self.output.lanes);
        let first = panel * self.registers;
        let registers = self.registers.min(self.output.blocks() - first);
        let (step, apart) = (registers * lanes, weights_apart(channels, registers, lanes));
        let filter = |o: usize, c: usize| {
            numbers.weight.get((o * channels + c) * 9..).and_then(|rest| rest.first_chunk())
        };
        for c in 0..channels {
            for eight in (0..step).step_by(8) {
                let mut taps = [[0.0; 8]; 9];
                for at in 0..8 {
                    let filter: &[f32; 9] = filter(first * lanes + eight + at, c).unwrap_or(&[0.0; 9]);
                    filter.iter().zip(&mut taps).for_each(|(value, tap)| tap[at] = f64::from(*value));
                }
                for (frequency, values) in transform::filters(&taps).iter().enumerate() {
                    to[frequency * apart + c * step + eight..][..8].copy_from_slice(values);
                }
            }
        }
    }

    fn panels(&self) -> usize {
        self.output.blocks().div_ceil(self.registers)
    }

    /// Tiles of all images follow each other, so that weights serve small images together.
    fn bands(&self, batch: usize) -> usize {
        let tiles = self.tiles[0] * self.tiles[1] * batch;
        tiles.div_ceil(BAND).max(self.fewest.min(tiles / SHORT))
    }

    /// Parts that threads may compute side by side.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.bands(batch) * self.panels().div_ceil(self.together)
    }

    /// Computes one part: a band of tiles, some panels of output channels.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, packed: &Packed, unit: usize) {
        let bands = self.bands(run.batch);
        let all = self.tiles[0] * self.tiles[1] * run.batch;
        let [first, end] = [0, 1].map(|next| spread(all, bands, unit % bands + next));
        let band = Band::new(self, first, end - first);
        let mut scratch = run.scratch.take(band.products + FREQUENCIES * band.m_frequency);
        let memory = scratch.as_mut_slice();
        for at in 0..band.count {
            // SAFETY: the transform's reach is the patch in the input's view and one register a frequency of the scratch.
            unsafe { (self.to_frequencies)(&self.patch(run, &band, at, memory)) };
        }
        let panels = unit / bands * self.together;
        for panel in panels..(panels + self.together).min(self.panels()) {
            // SAFETY: the frequencies are filled; the tile's pixels and sums lie in the scratch, its weights in the packed
            // memory, all by the same counts.
            unsafe { self.multiply(packed, &band, panel, memory) };
            for at in 0..band.count {
                // SAFETY: the sums are filled; the tile lies in the output's view.
                unsafe { (self.from_frequencies)(&self.pixels((run, packed), &band, panel, at, memory)) };
            }
        }
        run.scratch.give(scratch);
    }

    /// Image, row and column of a tile's first pixel in the output.
    fn place(&self, tile: usize) -> [usize; 3] {
        let [rows, columns] = self.tiles;
        [tile / (rows * columns), tile / columns % rows * TILE, tile % columns * TILE]
    }

    fn patch(&self, run: &Run<'_>, band: &Band, at: usize, memory: &mut [f32]) -> Input {
        let (view, [image, row, column]) = (&self.input, self.place(band.first + at));
        let [up, left] = self.padding;
        let start = view.before(run.batch, image, 0, up, left) + row * view.row() + column * view.lanes;
        Input {
            x: run.read(start),
            x_block: view.block(),
            x_row: view.row(),
            blocks: view.blocks(),
            rows: PATCH.min(up + view.height + view.halo.bottom - row),
            columns: PATCH.min(left + view.width + view.halo.right - column),
            v: memory[at * view.lanes..].as_mut_ptr(),
            v_block: band.count * view.lanes,
            v_frequency: band.v_frequency,
        }
    }

    /// The matrix products of a panel at all frequencies.
    ///
    /// # Safety
    /// The band's frequencies are in the memory.
    unsafe fn multiply(&self, packed: &Packed, band: &Band, panel: usize, memory: &mut [f32]) {
        let lanes = self.input.lanes;
        let first = panel * self.registers;
        let registers = self.registers.min(self.output.blocks() - first);
        let kernels = &self.products[registers - 1];
        let parts = band.count.div_ceil(kernels.len());
        let apart = |registers| weights_apart(self.input.channels, registers, lanes);
        let weights = &packed.weights.as_slice()[panel * FREQUENCIES * apart(self.registers)..];
        for (frequency, weights) in weights.chunks_exact(apart(registers)).take(FREQUENCIES).enumerate() {
            for part in 0..parts {
                let [start, end] = [part, part + 1].map(|part| spread(band.count, parts, part));
                let (v, m) = memory.split_at_mut(band.products);
                let tile = Tile {
                    x: v[frequency * band.v_frequency + start * lanes..].as_ptr(),
                    x_block: band.count * lanes,
                    x_row: 0,
                    x_column: 0,
                    x_pixel: lanes,
                    blocks: self.input.blocks(),
                    lanes,
                    last_lanes: self.input.lanes_of(self.input.blocks() - 1),
                    kernel: [1, 1],
                    w: weights.as_ptr(),
                    sums: Sums {
                        y: m[frequency * band.m_frequency + start * lanes..].as_mut_ptr(),
                        y_block: band.count * lanes,
                        residual: std::ptr::null(),
                        residual_block: 0,
                        bias: ZEROS.as_ptr(),
                        range: None,
                    },
                };
                // SAFETY: `x` and `y` reach over the tiles from `start` to `end` of all blocks of one frequency, `w` over its
                // weights; the bias is as long as any panel.
                unsafe { kernels[end - start - 1](&tile) };
            }
        }
    }

    fn pixels(
        &self,
        (run, packed): (&Run<'_>, &Packed),
        band: &Band,
        panel: usize,
        at: usize,
        memory: &[f32],
    ) -> Output {
        let (view, [image, row, column]) = (&self.output, self.place(band.first + at));
        let block = panel * self.registers;
        let residual = self.residual.as_ref();
        Output {
            m: memory[band.products + at * view.lanes..].as_ptr(),
            m_block: band.count * view.lanes,
            m_frequency: band.m_frequency,
            blocks: self.registers.min(view.blocks() - block),
            rows: TILE.min(view.height - row),
            columns: TILE.min(view.width - column),
            y: run.write(view.at(run.batch, image, block, row, column)),
            y_block: view.block(),
            y_row: view.row(),
            residual: residual
                .map_or(std::ptr::null(), |view| run.read(view.at(run.batch, image, block, row, column))),
            residual_block: residual.map_or(0, View::block),
            residual_row: residual.map_or(0, View::row),
            bias: packed.bias.as_slice()[block * view.lanes..].as_ptr(),
            range: self.range,
        }
    }
}

/// Where a product begins: as many as the widest panel has channels.
static ZEROS: [f32; 64] = [0.0; 64];

/// The tiles of one unit and where their numbers lie: `[frequency][input block][tile]` first, then, for one panel at a time,
/// `[frequency][output block][tile]`.
struct Band {
    first: usize,
    count: usize,
    v_frequency: usize,
    products: usize,
    m_frequency: usize,
}

impl Band {
    fn new(conv: &Winograd, first: usize, count: usize) -> Self {
        // An odd number of cache lines: a tile's frequencies would share a few places in the cache.
        let apart = |numbers: usize| numbers.div_ceil(LINE) / 2 * 2 * LINE + LINE;
        let v_frequency = apart(conv.input.blocks() * count * conv.input.lanes);
        let m_frequency = apart(conv.registers * count * conv.output.lanes);
        Self { first, count, v_frequency, products: FREQUENCIES * v_frequency, m_frequency }
    }
}

/// Numbers from one frequency of a panel's weights to the next; a cache line more than there are, for the same reason.
fn weights_apart(channels: usize, registers: usize, lanes: usize) -> usize {
    channels * registers * lanes + LINE
}
