//! 3x3 convolution with a quarter of the multiplications.
//!
//! Winograd's F(4x4, 3x3) after Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015): a patch of 6x6
//! pixels becomes 36 frequencies, at each of which the channels meet in a matrix product of their own, whose results become
//! 4x4 outputs. The products are those of a 1x1 convolution, tiles in place of pixels, so they use its inner loop. A band of
//! tiles passes through all three steps in a scratch buffer that stays in the caches.

#[cfg(test)]
mod tests;
mod transform;

use std::cell::Cell;
use std::ops::Range;

use super::conv::{self, ConvGeometry, Layer};
use super::filters::{self, ConvWeights, Filters};
use super::sums::Sums;
use super::tile::{self, Pattern, Tile, TileKernel};
use super::{Packed, Unit, split_work};
use crate::memory::LINE;
use crate::simd::{Compiled, Instructions};
use crate::threads;
use crate::view::{Region, View};
use transform::{FREQUENCIES, FromFrequencies, Output, PATCH, Patch, TILE, ToFrequencies};

/// Tiles per band. All weights are read once per band, so it should be long; its frequencies should stay in a second-level cache
/// or near it: 36 frequencies of 28 tiles and 512 channels are 2 MB, of 128 channels 0.5 MB. 28 is twice the widest tile kernel.
const BAND: usize = 28;
/// Bands are not cut shorter than this to get a unit for each thread: all weights are loaded for each band.
const MIN_BAND: usize = 12;
/// Units that a small image is cut into where that costs little: one for each of eight threads.
const MIN_UNITS: usize = 8;
/// Fewest blocks of output channels per unit: each unit transforms its input once more, a cost that they must outweigh.
const MIN_BLOCKS: usize = 8;
/// Minimum tiles per image for Winograd to pay for its 4 times larger weights. Measured on images of 7x7, 4 tiles: a quarter
/// faster at best, for 38 MB with 512 channels; on 14x14, 16 tiles: twice as fast; larger: three times.
const MIN_TILES: usize = 16;

/// A 3x3 convolution whose sums may take a residual and are clamped.
#[derive(Debug)]
pub(crate) struct Winograd {
    pub(crate) layer: Layer,
    /// Registers of output channels per panel.
    registers: usize,
    panels_per_unit: usize,
    /// Fewest bands, as long as they do not get too short.
    min_bands: usize,
    /// Rows and columns of tiles in an image.
    tiles: [usize; 2],
    /// By registers and tiles, both less one.
    products: Vec<Vec<TileKernel>>,
    to_frequencies: Compiled<ToFrequencies>,
    from_frequencies: Compiled<FromFrequencies>,
}

/// Whether this kernel can run the convolution to an output of this size, and is faster than direct convolution on it. Its input
/// must have full blocks.
pub(crate) fn pays(filters: Filters, geometry: &ConvGeometry, [height, width]: [usize; 2]) -> bool {
    let ConvGeometry { kernel, stride, dilation, .. } = *geometry;
    let fits = kernel == [3, 3] && stride == [1, 1] && dilation == [1, 1] && filters.groups == 1;
    fits && height.div_ceil(TILE) * width.div_ceil(TILE) >= MIN_TILES
}

impl Winograd {
    pub(crate) fn new(instructions: Instructions, layer: Layer) -> Self {
        let output = &layer.output;
        let tiles = [output.height.div_ceil(TILE), output.width.div_ceil(TILE)];
        let registers = conv::registers(instructions, output.blocks(), BAND.min(tiles[0] * tiles[1]));
        let bands = (tiles[0] * tiles[1]).div_ceil(BAND);
        let groups = MIN_UNITS.div_ceil(bands).min(output.blocks() / MIN_BLOCKS).max(1);
        let panels_per_unit = output.blocks().div_ceil(registers).div_ceil(groups);
        let all_widths = |registers| {
            let widths = 1..=tile::widest(instructions, registers);
            widths.filter_map(move |width| tile::kernel(instructions, registers, width))
        };
        Self {
            layer,
            registers,
            panels_per_unit,
            min_bands: MIN_UNITS / groups,
            tiles,
            products: (1..=registers).map(|registers| all_widths(registers).collect()).collect(),
            to_frequencies: instructions.compile::<ToFrequencies>(),
            from_frequencies: instructions.compile::<FromFrequencies>(),
        }
    }

    /// The tiles that hold a region of the output. All that a tile sees rounds each of its pixels.
    pub(crate) fn whole_tiles(&self, region: &Region) -> Region {
        let sides = self.layer.output.sides();
        [0, 1].map(|axis| {
            let Range { start, end } = region[axis];
            start / TILE * TILE..end.next_multiple_of(TILE).min(sides[axis])
        })
    }

    /// The same convolution, with the same packed weights, of whole tiles of its output.
    pub(crate) fn window(&self, region: &Region) -> Self {
        let layer = self.layer.window(&self.whole_tiles(region));
        let tiles = layer.output.sides().map(|side| side.div_ceil(TILE));
        // Few tiles are transformed once, for all panels.
        Self { layer, tiles, panels_per_unit: self.panels(), products: self.products.clone(), ..*self }
    }

    /// Transforms and packs the weights: by panel, then `[frequency][input channel][register]`.
    pub(crate) fn pack(&self, weights: &ConvWeights<'_>, packed: &mut Packed) {
        filters::pack_bias(self.layer.filters, weights, self.layer.output.lanes, packed);
        let [_, channels, ..] = self.layer.filters.shape;
        let whole = FREQUENCIES * weight_stride(channels, self.registers, self.layer.output.lanes);
        let to = packed.weights.grow(self.panels() * whole);
        let panels = to.chunks_exact_mut(whole).enumerate().collect();
        threads::share(panels, |(panel, to)| self.pack_panel(weights, panel, to));
    }

    fn pack_panel(&self, weights: &ConvWeights<'_>, panel: usize, to: &mut [f32]) {
        let ([_, channels, ..], lanes) = (self.layer.filters.shape, self.layer.output.lanes);
        let first = panel * self.registers;
        let registers = self.registers.min(self.layer.output.blocks() - first);
        let (step, stride) = (registers * lanes, weight_stride(channels, registers, lanes));
        let filter = |o: usize, c: usize| {
            weights.weight.get((o * channels + c) * 9..).and_then(|rest| rest.first_chunk())
        };
        for c in 0..channels {
            for eight in (0..step).step_by(8) {
                let mut taps = [[0.0; 8]; 9];
                for at in 0..8 {
                    let filter: &[f32; 9] = filter(first * lanes + eight + at, c).unwrap_or(&[0.0; 9]);
                    // In double precision: the transform divides by products of the points, and packing is done once.
                    filter.iter().zip(&mut taps).for_each(|(value, tap)| tap[at] = f64::from(*value));
                }
                for (frequency, values) in transform::filters(&taps).iter().enumerate() {
                    to[frequency * stride + c * step + eight..][..8].copy_from_slice(values);
                }
            }
        }
    }

    fn panels(&self) -> usize {
        self.layer.output.blocks().div_ceil(self.registers)
    }

    /// Tiles of all images follow each other, so that weights serve small images together.
    fn bands(&self, batch: usize) -> usize {
        let tiles = self.tiles[0] * self.tiles[1] * batch;
        tiles.div_ceil(BAND).max(self.min_bands.min(tiles / MIN_BAND))
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.bands(batch) * self.panels().div_ceil(self.panels_per_unit)
    }

    /// Computes some panels of output channels in one band of tiles.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let batch = unit.run.batch;
        let bands = self.bands(batch);
        let all = self.tiles[0] * self.tiles[1] * batch;
        let [first, end] = [0, 1].map(|next| split_work(all, bands, unit.index % bands + next));
        let band = Band::new(self, first, end - first);
        let mut scratch = unit.run.scratch.take(band.products + FREQUENCIES * band.m_frequency);
        let (v, m) = scratch.as_mut_slice().split_at_mut(band.products);
        for at in 0..band.count {
            let cells = Cell::from_mut(&mut *v).as_slice_of_cells();
            self.to_frequencies.call(self.patch(unit, &band, at, cells));
        }
        let first = unit.index / bands * self.panels_per_unit;
        for panel in first..(first + self.panels_per_unit).min(self.panels()) {
            self.multiply(packed, &band, panel, v, Cell::from_mut(&mut *m).as_slice_of_cells());
            for at in 0..band.count {
                self.from_frequencies.call(self.pixels(unit, packed, &band, panel, at, m));
            }
        }
        unit.run.scratch.give(scratch);
    }

    /// Image, row and column of a tile's first pixel in the output.
    fn place(&self, tile: usize) -> [usize; 3] {
        let [rows, columns] = self.tiles;
        [tile / (rows * columns), tile / columns % rows * TILE, tile % columns * TILE]
    }

    fn patch<'a>(&self, unit: &Unit<'a>, band: &Band, at: usize, v: &'a [Cell<f32>]) -> Patch<'a> {
        let (view, [image, row, column]) = (&self.layer.input, self.place(band.first + at));
        let [up, left] = self.layer.geometry.padding;
        // SAFETY: the input is no unit's output.
        let x = unsafe { unit.read(view.range(unit.run.batch, image)) };
        Patch {
            x: &x[view.before(0, up, left) + row * view.row() + column * view.lanes..],
            x_block: view.block(),
            x_row: view.row(),
            blocks: view.blocks(),
            // A patch at the lower or right edge reaches past the halo, which is only as wide as the convolution needs.
            rows: PATCH.min(up + view.height + view.halo.bottom - row),
            columns: PATCH.min(left + view.width + view.halo.right - column),
            v: &v[at * view.lanes..],
            v_block: band.count * view.lanes,
            v_frequency: band.v_frequency,
        }
    }

    /// The matrix products of a panel at all frequencies.
    fn multiply(&self, packed: &Packed, band: &Band, panel: usize, v: &[f32], m: &[Cell<f32>]) {
        let lanes = self.layer.input.lanes;
        let first = panel * self.registers;
        let registers = self.registers.min(self.layer.output.blocks() - first);
        let kernels = &self.products[registers - 1];
        let parts = band.count.div_ceil(kernels.len());
        let pattern = Pattern::new([1, 1], [0, 0], lanes, band.count * lanes, lanes);
        let stride = |registers| weight_stride(self.layer.input.channels, registers, lanes);
        let weights = &packed.weights.as_slice()[panel * FREQUENCIES * stride(self.registers)..];
        for (frequency, weights) in weights.chunks_exact(stride(registers)).take(FREQUENCIES).enumerate() {
            for part in 0..parts {
                let [start, end] = [part, part + 1].map(|part| split_work(band.count, parts, part));
                kernels[end - start - 1].call(Tile {
                    pattern: &pattern,
                    x: &v[frequency * band.v_frequency + start * lanes..],
                    blocks: self.layer.input.blocks(),
                    last_lanes: self.layer.input.lanes_of(self.layer.input.blocks() - 1),
                    w: weights,
                    sums: Sums {
                        y: &m[frequency * band.m_frequency + start * lanes..],
                        y_block: band.count * lanes,
                        lanes,
                        residual: None,
                        residual_block: 0,
                        bias: Some(&ZEROS),
                        rescale: None,
                        range: None,
                    },
                });
            }
        }
    }

    fn pixels<'a>(
        &self,
        unit: &Unit<'a>,
        packed: &'a Packed,
        band: &Band,
        panel: usize,
        at: usize,
        m: &'a [f32],
    ) -> Output<'a> {
        let (view, [image, row, column]) = (&self.layer.output, self.place(band.first + at));
        let (batch, block) = (unit.run.batch, panel * self.registers);
        let residual = self.layer.residual.as_ref();
        // SAFETY: the residual is no unit's output; a unit accesses the pixels of its tiles in the blocks of its panels.
        let (y, added) = unsafe {
            let added =
                residual.map(|view| &unit.read(view.range(batch, image))[view.at(block, row, column)..]);
            (&unit.cells(view.range(batch, image))[view.at(block, row, column)..], added)
        };
        Output {
            m: &m[at * view.lanes..],
            m_block: band.count * view.lanes,
            m_frequency: band.m_frequency,
            blocks: self.registers.min(view.blocks() - block),
            rows: TILE.min(view.height - row),
            columns: TILE.min(view.width - column),
            y,
            y_block: view.block(),
            y_row: view.row(),
            residual: added,
            residual_block: residual.map_or(0, View::block),
            residual_row: residual.map_or(0, View::row),
            bias: &packed.bias.as_slice()[block * view.lanes..],
            range: self.layer.range,
        }
    }
}

/// What a product starts from: as many zeros as the widest panel has channels.
static ZEROS: [f32; 64] = [0.0; 64];

/// The tiles of one unit and the layout of its scratch buffer: `[frequency][input block][tile]` first, then, for one panel at a
/// time, `[frequency][output block][tile]`.
struct Band {
    first: usize,
    count: usize,
    v_frequency: usize,
    products: usize,
    m_frequency: usize,
}

impl Band {
    fn new(conv: &Winograd, first: usize, count: usize) -> Self {
        // An odd number of cache lines: at multiples of many lines the frequencies of a tile would compete for a few sets of the
        // first-level cache.
        let stride = |elements: usize| elements.div_ceil(LINE) / 2 * 2 * LINE + LINE;
        let v_frequency = stride(conv.layer.input.blocks() * count * conv.layer.input.lanes);
        let m_frequency = stride(conv.registers * count * conv.layer.output.lanes);
        Self { first, count, v_frequency, products: FREQUENCIES * v_frequency, m_frequency }
    }
}

/// Elements from one frequency of a panel's weights to the next; a cache line more than there are, for the same reason.
fn weight_stride(channels: usize, registers: usize, lanes: usize) -> usize {
    channels * registers * lanes + LINE
}
