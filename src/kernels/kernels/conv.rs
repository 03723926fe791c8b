//! Convolution: which tiles cover a value, in which order, and the weights in the order in which tiles read them.

use super::filters::{self, Filters, Numbers, Panel, merged_groups, panels};
use super::tile::{self, Column, Sums, Tile};
use super::{Packed, Run};
use crate::simd::Isa;
use crate::view::View;

/// Weights that one pass over a band may take, in numbers: half of a small second-level cache.
const CHUNK: usize = 64 * 1024;
/// Numbers of the input that a band may cover while all output channels pass over it.
const BAND: usize = 48 * 1024;

/// How the kernel moves over its input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Motion {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Top and left.
    pub(crate) padding: [usize; 2],
}

/// A convolution whose sums may take a residual and are kept within a range.
#[derive(Debug)]
pub(crate) struct Conv {
    pub(crate) input: View,
    pub(crate) output: View,
    pub(crate) residual: Option<View>,
    pub(crate) range: [f32; 2],
    pub(crate) filters: Filters,
    motion: Motion,
    lanes: usize,
    /// Groups that share registers.
    merged: usize,
    panels: Vec<Panel>,
    /// Blocks of the input that one pass over a band takes.
    chunk: usize,
    /// Rows of tiles (one, where pixels follow each other without a gap) and their columns.
    rows: usize,
    columns: Vec<Column>,
    /// Rows or, with one row only, columns a band.
    band: usize,
    /// All panels pass over a band before the next band.
    band_first: bool,
}

impl Conv {
    /// `None` where the groups do not divide into whole registers.
    pub(crate) fn new(
        isa: Isa,
        filters: Filters,
        motion: Motion,
        [input, output]: [View; 2],
        residual: Option<View>,
        range: [f32; 2],
    ) -> Option<Self> {
        let lanes = isa.lanes();
        let merged = merged_groups(filters.shape, filters.groups, input.lanes, lanes)?;
        let dense = motion.kernel == [1, 1]
            && motion.stride == [1, 1]
            && input.is_dense()
            && output.is_dense()
            && residual.is_none_or(|residual| residual.is_dense());
        let (rows, width) =
            if dense { (1, output.height * output.width) } else { (output.height, output.width) };
        let groups = filters.groups / merged;
        let registers = registers(isa, output.blocks() / groups, width);
        let panels = panels(filters, merged, input.lanes, lanes, registers);
        let weights = panels.iter().map(|panel| panel.len(filters, lanes)).sum();
        let columns = tile::columns(isa, registers, width, |o, w| tile::kernel(isa, o, w));
        let per_block = motion.kernel[0] * motion.kernel[1] * input.lanes * registers * lanes;
        let chunk = (CHUNK / per_block).max(1);
        let (band, band_first) = band(&input, &motion, rows, &columns, weights);
        Some(Self {
            input,
            output,
            residual,
            range,
            filters,
            motion,
            lanes,
            merged,
            panels,
            chunk,
            rows,
            columns,
            band,
            band_first,
        })
    }

    /// Orders the weights.
    pub(crate) fn pack(&self, numbers: &Numbers<'_>, packed: &mut Packed) {
        let lanes = [self.input.lanes, self.lanes];
        filters::pack(self.filters, numbers, &self.panels, self.merged, lanes, packed);
    }

    fn bands(&self) -> usize {
        let all = if self.rows == 1 { self.columns.len() } else { self.rows };
        all.div_ceil(self.band)
    }

    /// Parts that threads may compute side by side.
    pub(crate) fn units(&self, batch: usize) -> usize {
        self.panels.len() * self.bands() * batch
    }

    /// Computes one part.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, packed: &Packed, unit: usize) {
        let (panels, bands) = (self.panels.len(), self.bands());
        let (image, panel, band) = if self.band_first {
            (unit / (panels * bands), unit % panels, unit / panels % bands)
        } else {
            (unit / bands % run.batch, unit / (bands * run.batch), unit % bands)
        };
        let panel = &self.panels[panel];
        let first = band * self.band;
        let (rows, columns) = if self.rows == 1 {
            (0..1, first..(first + self.band).min(self.columns.len()))
        } else {
            (first..(first + self.band).min(self.rows), 0..self.columns.len())
        };
        for block in (0..panel.blocks).step_by(self.chunk) {
            for row in rows.clone() {
                for column in &self.columns[columns.clone()] {
                    let tile = self.tile((run, packed), panel, image, row, column.start, block);
                    // SAFETY: the tile's pixels lie in the views, its weights and biases in the packed memory, which
                    // was filled by the same counts; the kernel was compiled for the instruction set of the plan.
                    unsafe { column.kernels[panel.registers - 1](&tile) };
                }
            }
        }
    }

    fn tile(
        &self,
        (run, packed): (&Run<'_>, &Packed),
        panel: &Panel,
        image: usize,
        row: usize,
        column: usize,
        block: usize,
    ) -> Tile {
        let Motion { kernel, stride, dilation, padding } = self.motion;
        let (input, output) = (&self.input, &self.output);
        let blocks = self.chunk.min(panel.blocks - block);
        let last = block + blocks == panel.blocks;
        let x = input.before(run.batch, image, panel.input + block, padding[0], padding[1])
            + row * stride[0] * input.row()
            + column * stride[1] * input.lanes;
        let per_block = kernel[0] * kernel[1] * input.lanes * panel.registers * self.lanes;
        Tile {
            x: run.read(x),
            x_block: input.block(),
            x_row: dilation[0] * input.row(),
            x_column: dilation[1] * input.lanes,
            x_pixel: stride[1] * input.lanes,
            blocks,
            lanes: input.lanes,
            last_lanes: if last { panel.channels - (panel.blocks - 1) * input.lanes } else { input.lanes },
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

/// Registers of output channels a tile: as many as leave the fewest tiles half empty.
pub(super) fn registers(isa: Isa, blocks: usize, width: usize) -> usize {
    let cost = |registers: &usize| {
        let widest = tile::widest(isa, *registers);
        let tiles = width.div_ceil(widest);
        let pixels = width.div_ceil(tiles);
        // A tile takes a step for every product and about half a one for every number that it loads.
        let step = 2 * registers * pixels + registers + pixels;
        blocks.div_ceil(*registers) * tiles * step
    };
    (1..=3).filter(|registers| tile::widest(isa, *registers) > 0).min_by_key(cost).unwrap_or(1)
}

/// Rows (or columns) a band, and whether all output channels pass over a band before the next.
fn band(input: &View, motion: &Motion, rows: usize, columns: &[Column], weights: usize) -> (usize, bool) {
    let channels = input.blocks() * input.lanes;
    if rows == 1 {
        let widest = columns.iter().map(|column| column.width).max().unwrap_or(1);
        let band = (BAND / (channels * widest)).clamp(1, columns.len());
        return if weights < 4 * CHUNK { (band, true) } else { (columns.len(), false) };
    }
    let row = channels * (input.halo.left + input.width + input.halo.right) * motion.stride[0];
    let band = (BAND / row).clamp(motion.kernel[0].min(rows), rows);
    if weights < 4 * CHUNK { (band, true) } else { (rows, false) }
}
