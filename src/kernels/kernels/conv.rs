//! Convolution: which tiles cover a tensor, in which order, and the weights packed as tiles read them.

use super::filters::{self, ConvWeights, Filters, Panel, merged_groups, panels};
use super::sums::{Parameters, Target};
use super::tile::{self, Column, Pattern, Tile};
use super::{Packed, Unit};
use crate::simd::Instructions;
use crate::view::{Region, View};

// A pass over a band reads the band's input, a chunk of one panel's weights, and the sums. Together they should stay in a
// second-level cache, the smallest of which (Zen 1 to 3) has 512 KiB: 256 KiB for weights, 192 KiB for input, the rest for sums.

/// Weights that one pass over a band may take: 256 KiB.
const CHUNK: usize = 64 * 1024;
/// Elements of the input that a band may cover while all output channels pass over it: 192 KiB.
const BAND: usize = 48 * 1024;
/// Weights up to which all output channels pass over a band before the next band begins: 1 MiB stays in the second or third level
/// from band to band. More would be read from memory once per band, so then each panel passes over the whole image instead.
const LIGHT: usize = 4 * CHUNK;

/// How the kernel moves over its input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvGeometry {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Top and left.
    pub(crate) padding: [usize; 2],
}

/// What is computed: all of a convolution but its arithmetic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer {
    pub(crate) filters: Filters,
    pub(crate) geometry: ConvGeometry,
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) residual: Option<View>,
    pub(crate) range: [f32; 2],
}

impl Layer {
    /// An image's input, and where the sums of a unit go.
    ///
    /// # Safety
    /// The input and the residual are no unit's output. Of the output the unit accesses elements that no other unit of the kernel does.
    pub(super) unsafe fn tensors<'a>(
        &'a self,
        unit: &Unit<'a>,
        image: usize,
        parameters: &Parameters<'a>,
    ) -> (&'a [f32], Target<'a>) {
        let Parameters { start, rescale, .. } = *parameters;
        let batch = unit.run.batch;
        // SAFETY: as the caller promises.
        unsafe {
            let target = Target {
                output: (&self.output, unit.cells(self.output.range(batch, image))),
                residual: self.residual.as_ref().map(|view| (view, unit.read(view.range(batch, image)))),
                start,
                rescale,
                range: self.range,
            };
            (unit.read(self.input.range(batch, image)), target)
        }
    }

    /// What computes a region of the output.
    pub(super) fn window(&self, region: &Region) -> Self {
        let (geometry, input) = self.geometry.of_region(self.input, region);
        let residual = self.residual.map(|view| view.window(region));
        Self { geometry, input, output: self.output.window(region), residual, ..*self }
    }

    /// Rows that tiles are cut from, and their width.
    fn rows_of_tiles(&self) -> (usize, usize) {
        let Self { input, output, residual, .. } = *self;
        let is_dense = self.geometry.is_pointwise([&input, &output])
            && [Some(input), Some(output), residual].iter().flatten().all(View::is_dense);
        output.rows_of_tiles(is_dense)
    }
}

impl ConvGeometry {
    /// Of one pixel.
    pub(crate) fn of_pixels() -> Self {
        Self { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0] }
    }

    /// Whether each pixel of the output is made of the pixel at the same place.
    fn is_pointwise(self, [input, output]: [&View; 2]) -> bool {
        // Backward through padding at one end, an input is larger than the output.
        let is_same = [input.height, input.width] == [output.height, output.width];
        is_same && self.kernel == [1, 1] && self.stride == [1, 1]
    }

    /// The windows of a region of the output: the input from about their first pixel on, and what is left of the padding.
    pub(super) fn of_region(self, input: View, region: &Region) -> (Self, View) {
        let sides = input.sides();
        let first = [0, 1].map(|axis| region[axis].start * self.stride[axis]);
        // A window may begin in the padding and reach an input that ends before the next step.
        let start = [0, 1].map(|axis| first[axis].min(sides[axis]));
        let padding = [0, 1].map(|axis| self.padding[axis] + start[axis] - first[axis]);
        (Self { padding, ..self }, input.window(&[start[0]..sides[0], start[1]..sides[1]]))
    }

    fn pattern(self, input: &View) -> Pattern {
        let Self { kernel, stride, dilation, .. } = self;
        let steps = [dilation[0] * input.row(), dilation[1] * input.lanes];
        Pattern::new(kernel, steps, stride[1] * input.lanes, input.block(), input.lanes)
    }
}

/// A convolution whose sums may take a residual and are clamped.
#[derive(Debug)]
pub(crate) struct Conv {
    pub(crate) layer: Layer,
    instructions: Instructions,
    pattern: Pattern,
    lanes: usize,
    /// Groups that share registers.
    merged: usize,
    panels: Vec<Panel>,
    /// Blocks of the input that one pass over a band takes.
    chunk: usize,
    /// Rows of tiles (one, where pixels follow each other without a gap) and their columns.
    rows: usize,
    columns: Vec<Column>,
    /// Rows per band or, with one row only, columns.
    band: usize,
    /// All panels pass over a band before the next band.
    band_first: bool,
}

impl Conv {
    /// `None` where the groups do not divide into whole registers.
    pub(crate) fn new(instructions: Instructions, layer: Layer) -> Option<Self> {
        let Layer { filters, input, output, .. } = layer;
        let lanes = instructions.lanes();
        let merged = merged_groups(filters.shape, filters.groups, input.lanes, lanes)?;
        let groups = filters.groups / merged;
        let registers = registers(instructions, output.blocks() / groups, layer.rows_of_tiles().1);
        let panels = panels(filters, merged, input.lanes, lanes, registers);
        Some(Self::tiled(instructions, layer, merged, panels))
    }

    /// The same convolution, with the same packed weights, of a region of its output. Every pixel gets the same sums.
    pub(crate) fn window(&self, region: &Region) -> Self {
        Self::tiled(self.instructions, self.layer.window(region), self.merged, self.panels.clone())
    }

    fn tiled(instructions: Instructions, layer: Layer, merged: usize, panels: Vec<Panel>) -> Self {
        let Layer { filters, geometry, input, .. } = layer;
        let lanes = instructions.lanes();
        let (rows, width) = layer.rows_of_tiles();
        let registers = panels.iter().map(|panel| panel.registers).max().unwrap_or(1);
        let weights = panels.iter().map(|panel| panel.len(filters, lanes)).sum();
        let columns = tile::columns(instructions, registers, width, |o, w| tile::kernel(instructions, o, w));
        let per_block = geometry.kernel[0] * geometry.kernel[1] * input.lanes * registers * lanes;
        let chunk = (CHUNK / per_block).max(1);
        let (band, band_first) = band(&input, &geometry, rows, &columns, weights);
        let pattern = geometry.pattern(&input);
        Self { layer, instructions, pattern, lanes, merged, panels, chunk, rows, columns, band, band_first }
    }

    pub(crate) fn pack(&self, weights: &ConvWeights<'_>, packed: &mut Packed) {
        let Layer { filters, input, .. } = self.layer;
        let lanes = [input.lanes, self.lanes];
        filters::pack(filters, weights, &self.panels, self.merged, lanes, packed);
    }

    fn bands(&self) -> usize {
        let all = if self.rows == 1 { self.columns.len() } else { self.rows };
        all.div_ceil(self.band)
    }

    pub(crate) fn units(&self, batch: usize) -> usize {
        self.panels.len() * self.bands() * batch
    }

    /// Computes one panel of output channels in one band.
    pub(crate) fn unit(&self, unit: &Unit<'_>, packed: &Packed) {
        let (panels, bands, batch) = (self.panels.len(), self.bands(), unit.run.batch);
        let at = unit.index;
        // Neighbouring units run at the same time: they share a band of the input, or else the weights of a panel.
        let (image, panel, band) = if self.band_first {
            (at / (panels * bands), at % panels, at / panels % bands)
        } else {
            (at / bands % batch, at / (bands * batch), at % bands)
        };
        let panel = &self.panels[panel];
        let first = band * self.band;
        let (rows, columns) = if self.rows == 1 {
            (0..1, first..(first + self.band).min(self.columns.len()))
        } else {
            (first..(first + self.band).min(self.rows), 0..self.columns.len())
        };
        let parameters = Parameters::of(packed);
        // SAFETY: the input and the residual are no unit's output; a unit accesses the pixels of its band in the blocks of its
        // panel.
        let (x, target) = unsafe { self.layer.tensors(unit, image, &parameters) };
        // A chunk of the weights passes over the whole band before the next one is loaded; the sums wait in the output.
        for block in (0..panel.blocks).step_by(self.chunk) {
            for row in rows.clone() {
                let first = self.tile((x, &target, parameters.weights), panel, row, block);
                for column in &self.columns[columns.clone()] {
                    column.kernels[panel.registers - 1].call(first.right(column.start));
                }
            }
        }
    }

    /// The first tile of a row.
    fn tile<'a>(
        &'a self,
        (x, target, weights): (&'a [f32], &Target<'a>, &'a [f32]),
        panel: &Panel,
        row: usize,
        block: usize,
    ) -> Tile<'a> {
        let ConvGeometry { kernel, stride, padding, .. } = self.layer.geometry;
        let input = &self.layer.input;
        let blocks = self.chunk.min(panel.blocks - block);
        let last = block + blocks == panel.blocks;
        let first = input.before(panel.input + block, padding[0], padding[1]) + row * stride[0] * input.row();
        let per_block = kernel[0] * kernel[1] * input.lanes * panel.registers * self.lanes;
        Tile {
            pattern: &self.pattern,
            x: &x[first..],
            blocks,
            last_lanes: if last { panel.channels - (panel.blocks - 1) * input.lanes } else { input.lanes },
            w: &weights[panel.weights + block * per_block..],
            sums: target.sums(panel.first, [row, 0], [block == 0, last]),
        }
    }
}

/// Output-channel registers per tile, chosen to waste the least work on partial tiles.
pub(super) fn registers(instructions: Instructions, blocks: usize, width: usize) -> usize {
    let cost = |registers: &usize| {
        let widest = tile::widest(instructions, *registers);
        let tiles = width.div_ceil(widest);
        let pixels = width.div_ceil(tiles);
        // A tile takes a step per product and about half a step per element that it loads.
        let step = 2 * registers * pixels + registers + pixels;
        blocks.div_ceil(*registers) * tiles * step
    };
    // The numbers that tiles are compiled for: see `tile::kernel`.
    (1..=3).filter(|registers| tile::widest(instructions, *registers) > 0).min_by_key(cost).unwrap_or(1)
}

/// Rows (or columns) per band, and whether all output channels pass over a band before the next.
fn band(
    input: &View,
    geometry: &ConvGeometry,
    rows: usize,
    columns: &[Column],
    weights: usize,
) -> (usize, bool) {
    let channels = input.blocks() * input.lanes;
    if rows == 1 {
        let widest = columns.iter().map(|column| column.width).max().unwrap_or(1);
        let band = (BAND / (channels * widest)).clamp(1, columns.len());
        return if weights < LIGHT { (band, true) } else { (columns.len(), false) };
    }
    let row = channels * (input.halo.left + input.width + input.halo.right) * geometry.stride[0];
    // At least as many rows as the kernel has, or most of what a band reads would be its neighbours'.
    let band = (BAND / row).clamp(geometry.kernel[0].min(rows), rows);
    if weights < LIGHT { (band, true) } else { (rows, false) }
}
