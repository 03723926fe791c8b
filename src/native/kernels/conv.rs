//! Convolution: which tiles cover a value, in which order, and the weights in the order in which tiles read them.

use super::tile::{self, Tile, TileKernel};
use super::{Run, spread};
use crate::native::memory::Memory;
use crate::native::simd::Isa;
use crate::native::view::View;

/// Weights that one pass over a band may take, in numbers: half of a small second-level cache.
const CHUNK: usize = 64 * 1024;
/// Numbers of the input that a band may cover while all output channels pass over it.
const BAND: usize = 48 * 1024;

/// The numbers of a convolution as the model has them.
#[derive(Debug, Clone)]
pub(in crate::native) struct Filters<'a> {
    /// `[out, in / groups, height, width]`, row-major.
    pub(in crate::native) weight: &'a [f32],
    pub(in crate::native) shape: [usize; 4],
    /// `[out]`, or nothing.
    pub(in crate::native) bias: Option<&'a [f32]>,
    pub(in crate::native) groups: usize,
}

/// How the kernel moves over its input.
#[derive(Debug, Clone, Copy)]
pub(in crate::native) struct Motion {
    pub(in crate::native) kernel: [usize; 2],
    pub(in crate::native) stride: [usize; 2],
    pub(in crate::native) dilation: [usize; 2],
    /// Top and left.
    pub(in crate::native) padding: [usize; 2],
}

/// A convolution with its weights in order, whose sums may take a residual and are kept within a range.
#[derive(Debug)]
pub(in crate::native) struct Conv {
    pub(in crate::native) input: View,
    pub(in crate::native) output: View,
    pub(in crate::native) residual: Option<View>,
    pub(in crate::native) range: [f32; 2],
    motion: Motion,
    lanes: usize,
    weights: Memory,
    bias: Memory,
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

/// Output blocks that one tile computes at once.
#[derive(Debug)]
struct Panel {
    first: usize,
    registers: usize,
    /// First input block of its group, and how many blocks and channels the group has.
    input: usize,
    blocks: usize,
    channels: usize,
    /// Where its weights begin.
    weights: usize,
}

#[derive(Debug)]
struct Column {
    start: usize,
    width: usize,
    /// By the panel's registers, less one.
    kernels: Vec<TileKernel>,
}

impl Conv {
    /// Orders the weights. `None` where the groups do not divide into whole registers.
    pub(in crate::native) fn new(
        isa: Isa,
        filters: &Filters<'_>,
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
        let panels = panels(filters, merged, &motion, input.lanes, lanes, registers);
        let (weights, bias) = packed(filters, &panels, merged, input.lanes, lanes);
        let columns = columns(isa, registers, width);
        let per_block = motion.kernel[0] * motion.kernel[1] * input.lanes * registers * lanes;
        let chunk = (CHUNK / per_block).max(1);
        let (band, band_first) = band(&input, &motion, rows, &columns, weights.as_slice().len());
        Some(Self {
            input, output, residual, range, motion, lanes, weights, bias, panels, chunk, rows, columns, band, band_first,
        })
    }

    fn bands(&self) -> usize {
        let all = if self.rows == 1 { self.columns.len() } else { self.rows };
        all.div_ceil(self.band)
    }

    /// Parts that threads may compute side by side.
    pub(in crate::native) fn units(&self, batch: usize) -> usize {
        self.panels.len() * self.bands() * batch
    }

    /// Computes one part.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(in crate::native) unsafe fn unit(&self, run: &Run<'_>, unit: usize) {
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
                    let tile = self.tile(run, panel, image, row, column.start, block);
                    // SAFETY: the tile's pixels lie in the views, its weights and biases in the packed memory, which
                    // was filled by the same counts; the kernel was compiled for the instruction set of the plan.
                    unsafe { column.kernels[panel.registers - 1](&tile) };
                }
            }
        }
    }

    fn tile(&self, run: &Run<'_>, panel: &Panel, image: usize, row: usize, column: usize, block: usize) -> Tile {
        let Motion { kernel, stride, dilation, padding } = self.motion;
        let (input, output) = (&self.input, &self.output);
        let blocks = self.chunk.min(panel.blocks - block);
        let last = block + blocks == panel.blocks;
        let x = input.before(run.batch, image, panel.input + block, padding[0], padding[1])
            + row * stride[0] * input.row()
            + column * stride[1] * input.lanes;
        let at = |view: &View| view.at(run.batch, image, panel.first, row, 0) + column * self.lanes;
        let per_block = kernel[0] * kernel[1] * input.lanes * panel.registers * self.lanes;
        let residual = self.residual.as_ref().filter(|_| last);
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
            w: self.weights.as_slice()[panel.weights + block * per_block..].as_ptr(),
            y: run.write(at(output)),
            y_block: output.block(),
            residual: residual.map_or(std::ptr::null(), |view| run.read(at(view))),
            residual_block: residual.map_or(0, View::block),
            bias: if block == 0 {
                self.bias.as_slice()[panel.first * self.lanes..].as_ptr()
            } else {
                std::ptr::null()
            },
            range: last.then_some(self.range),
        }
    }
}

/// How many groups are taken together so that they fill whole registers, the weights between them being zeros.
pub(in crate::native) fn merged_groups(
    [out, per_group, ..]: [usize; 4],
    groups: usize,
    input_lanes: usize,
    lanes: usize,
) -> Option<usize> {
    if groups == 1 {
        return Some(1);
    }
    let out = out / groups;
    let whole = |merged: &usize| {
        groups.is_multiple_of(*merged)
            && (merged * per_group).is_multiple_of(input_lanes)
            && (merged * out).is_multiple_of(lanes)
    };
    // More zeros than that are not worth their multiplications.
    (1..=8).find(whole)
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

fn panels(
    filters: &Filters<'_>,
    merged: usize,
    motion: &Motion,
    input_lanes: usize,
    lanes: usize,
    registers: usize,
) -> Vec<Panel> {
    let [out, per_group, ..] = filters.shape;
    let groups = filters.groups / merged;
    let channels = per_group * merged;
    let blocks = channels.div_ceil(input_lanes);
    let out_blocks = (out / groups).div_ceil(lanes);
    let mut panels = Vec::new();
    let mut weights = 0;
    for group in 0..groups {
        for first in (0..out_blocks).step_by(registers) {
            let registers = registers.min(out_blocks - first);
            let first = group * out_blocks + first;
            panels.push(Panel { first, registers, input: group * blocks, blocks, channels, weights });
            weights += channels * motion.kernel[0] * motion.kernel[1] * registers * lanes;
        }
    }
    panels
}

/// Weights by panel, then `[block][kernel row][kernel column][lane][register]`, and one bias a channel.
fn packed(
    filters: &Filters<'_>,
    panels: &[Panel],
    merged: usize,
    input_lanes: usize,
    lanes: usize,
) -> (Memory, Memory) {
    let [out, per_group, height, width] = filters.shape;
    let area = height * width;
    let out_per_group = out / filters.groups;
    let total = panels.iter().map(|panel| panel.channels * area * panel.registers * lanes).sum();
    let mut weights = Memory::zeros(total);
    let mut bias = Memory::zeros(out.next_multiple_of(lanes));
    if let Some(values) = filters.bias {
        bias.as_mut_slice()[..out].copy_from_slice(values);
    }
    for panel in panels {
        let step = panel.registers * lanes;
        let to = &mut weights.as_mut_slice()[panel.weights..];
        for o in 0..step.min(out - panel.first * lanes) {
            let channel = panel.first * lanes + o;
            let group = channel / out_per_group % merged;
            for c in 0..per_group {
                let inside = group * per_group + c;
                let (block, lane) = (inside / input_lanes, inside % input_lanes);
                let in_block = input_lanes.min(panel.channels - block * input_lanes);
                let from = &filters.weight[(channel * per_group + c) * area..][..area];
                for (at, value) in from.iter().enumerate() {
                    to[(block * input_lanes * area + at * in_block + lane) * step + o] = *value;
                }
            }
        }
    }
    (weights, bias)
}

/// Cuts a row into tiles of nearly equal widths.
fn columns(isa: Isa, registers: usize, width: usize) -> Vec<Column> {
    let parts = width.div_ceil(tile::widest(isa, registers));
    let mut start = 0;
    (0..parts)
        .map(|part| {
            let end = spread(width, parts, part + 1);
            let column = Column {
                start,
                width: end - start,
                kernels: (1..=registers).filter_map(|o| tile::kernel(isa, o, end - start)).collect(),
            };
            start = end;
            column
        })
        .collect()
}

/// Rows (or columns) a band, and whether all output channels pass over a band before the next.
fn band(input: &View, motion: &Motion, rows: usize, columns: &[Column], weights: usize) -> (usize, bool) {
    let channels = input.blocks() * input.lanes;
    if rows == 1 {
        let widest = columns.iter().map(|column| column.width).max().unwrap_or(1);
        let band = (BAND / (channels * widest)).clamp(1, columns.len());
        return if weights <= 4 * CHUNK { (band, true) } else { (columns.len(), false) };
    }
    let row = channels * (input.halo.left + input.width + input.halo.right) * motion.stride[0];
    let band = (BAND / row).clamp(motion.kernel[0].min(rows), rows);
    if weights <= 4 * CHUNK { (band, true) } else { (rows, false) }
}
impl Conv { pub(in crate::native) fn about(&self) -> (String, f64) { let p = &self.panels[0]; let o = &self.output; (format!("{}->{} {}x{} k{:?} s{:?} panels {} regs {} chunk {} cols {:?} rows {} band {} first {}", p.channels, o.channels, o.height, o.width, self.motion.kernel, self.motion.stride, self.panels.len(), p.registers, self.chunk, self.columns.iter().map(|c| c.width).take(6).collect::<Vec<_>>(), self.rows, self.band, self.band_first), 2.0 * (p.channels * o.channels * o.height * o.width * self.motion.kernel[0] * self.motion.kernel[1]) as f64) } }
