//! Moving elements: into blocks and out of them, from one tensor to another, and the zeros around them.

use std::cell::Cell;

use super::Unit;
use crate::view::{Region, View};

/// Writes the zeros around some blocks of an image.
///
/// # Safety
/// No other unit of the kernel accesses the halo of these blocks.
pub(crate) unsafe fn clear_halo(
    unit: &Unit<'_>,
    view: &View,
    image: usize,
    blocks: impl IntoIterator<Item = usize>,
) {
    if view.is_dense() {
        return;
    }
    for block in blocks {
        // SAFETY: only the halo is accessed, which is this unit's.
        let cells = unsafe { unit.cells(view.block_range(unit.run.batch, image, block)) };
        let (row, halo) = (view.row(), view.halo);
        let (left, right) = (halo.left * view.lanes, halo.right * view.lanes);
        // The rows above and the left border of the first row are one range.
        let first = halo.top * row + left;
        fill(&cells[..first]);
        // The right border of a row and the left one of the next are one range.
        for y in 0..view.height {
            let end = first + y * row + view.width * view.lanes;
            let last = y + 1 == view.height;
            fill(&cells[end..][..right + if last { halo.bottom * row } else { left }]);
        }
    }
}

fn fill(cells: &[Cell<f32>]) {
    cells.iter().for_each(|cell| cell.set(0.0));
}

/// How many units an input takes.
pub(crate) fn import_units(view: &View, batch: usize) -> usize {
    view.blocks() * batch
}

/// One block of one image of `[batch, channels, height, width]`, or with the channels last, with its halo. Lanes without a channel become zero.
pub(crate) fn import(unit: &Unit<'_>, view: &View, values: &[f32]) {
    let (image, block) = (unit.index / view.blocks(), unit.index % view.blocks());
    let area = view.height * view.width;
    let channels = view.lanes_of(block);
    let from = &values[image * view.channels * area..][..view.channels * area];
    let from = &from[block * view.lanes * if view.channels_last { 1 } else { area }..];
    // SAFETY: the block, with its halo, is this unit's.
    let cells = unsafe {
        clear_halo(unit, view, image, [block]);
        unit.cells(view.block_range(unit.run.batch, image, block))
    };
    // From one channel to the next, and from one pixel to the next.
    let [channel, step] = if view.channels_last { [1, view.channels] } else { [area, 1] };
    for y in 0..view.height {
        let row = &cells[view.at(0, y, 0)..][..view.width * view.lanes];
        for (x, pixel) in row.chunks_exact(view.lanes).enumerate() {
            let from = &from[(y * view.width + x) * step..];
            for (lane, to) in pixel.iter().enumerate() {
                to.set(if lane < channels { from[lane * channel] } else { 0.0 });
            }
        }
    }
}

/// As [`import`], of a region of one image `[channels, height, width]`, into the memory of one image.
pub(crate) fn import_region(memory: &mut [f32], view: &View, values: &[f32], [rows, columns]: &Region) {
    let to = &mut memory[view.range(1, 0)];
    let area = view.height * view.width;
    for (channel, plane) in values.chunks_exact(area).enumerate() {
        for y in rows.clone() {
            let to = to[lane(view, channel, [y, columns.start])..].iter_mut().step_by(view.lanes);
            to.zip(&plane[y * view.width..][columns.clone()]).for_each(|(to, value)| *to = *value);
        }
    }
}

/// Copies the pixels of a tensor, without those around them, from one memory of an image to another.
pub(crate) fn copy_pixels(from: &[f32], to: &mut [f32], view: &View) {
    let start = view.range(1, 0).start;
    for (block, y) in (0..view.blocks()).flat_map(|block| (0..view.height).map(move |y| (block, y))) {
        let at = start + view.at(block, y, 0);
        let row = at..at + view.width * view.lanes;
        to[row.clone()].copy_from_slice(&from[row]);
    }
}

/// Blocks to `[batch, channels, height, width]`, or with the channels last.
pub(crate) fn export(memory: &[f32], view: &View, batch: usize) -> Vec<f32> {
    if view.channels_last {
        return export_channels_last(memory, view, batch);
    }
    let area = view.height * view.width;
    let mut values = vec![0.0; batch * view.channels * area];
    // By plane of the result, which is written once and in order; the blocks are read with a stride instead.
    for (plane, to) in values.chunks_exact_mut(area).enumerate() {
        let (image, channel) = (plane / view.channels, plane % view.channels);
        let (block, lane) = (channel / view.lanes, channel % view.lanes);
        let block = &memory[view.block_range(batch, image, block)];
        for (y, to) in to.chunks_exact_mut(view.width).enumerate() {
            let row = &block[view.at(0, y, 0)..][..view.width * view.lanes];
            for (to, pixel) in to.iter_mut().zip(row.chunks_exact(view.lanes)) {
                *to = pixel[lane];
            }
        }
    }
    values
}

fn export_channels_last(memory: &[f32], view: &View, batch: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(batch * view.channels * view.height * view.width);
    for image in 0..batch {
        let from = &memory[view.range(batch, image)];
        for (y, x) in (0..view.height).flat_map(|y| (0..view.width).map(move |x| (y, x))) {
            for block in 0..view.blocks() {
                values.extend_from_slice(&from[view.at(block, y, x)..][..view.lanes_of(block)]);
            }
        }
    }
    values
}

/// A tensor, or some of its channels from the pixel `from_pixel` on, copied to the channels from `to_channel` on and the rows and
/// columns from `to_pixel` on of another, as far as both go.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) input: View,
    pub(crate) output: View,
    /// First channel that is read, and how many.
    pub(crate) channels: [usize; 2],
    /// First channel that is written.
    pub(crate) to_channel: usize,
    pub(crate) from_pixel: [usize; 2],
    pub(crate) to_pixel: [usize; 2],
    /// The output is zero elsewhere.
    pub(crate) clear: bool,
}

impl Copy {
    pub(crate) fn units(&self, batch: usize) -> usize {
        batch
    }

    /// Copies one image.
    pub(crate) fn unit(&self, unit: &Unit<'_>) {
        let (input, output, batch) = (&self.input, &self.output, unit.run.batch);
        let [from, to] = [input, output].map(|view| {
            // SAFETY: of this image no other unit accesses the input or the output's pixels, and the zeros around these are not
            // accessed here. The input are cells since it may share a block with the output: one holds the lanes that the other
            // leaves free.
            unsafe { unit.cells(view.range(batch, unit.index)) }
        });
        if self.clear {
            for (block, y) in
                (0..output.blocks()).flat_map(|block| (0..output.height).map(move |y| (block, y)))
            {
                fill(&to[output.at(block, y, 0)..][..output.width * output.lanes]);
            }
        }
        for (channel, is_block) in self.pieces() {
            self.copy(channel, is_block, [from, to]);
        }
    }

    /// What goes in one piece: the first channel, of those that are copied, and whether it is a block.
    fn pieces(&self) -> impl Iterator<Item = (usize, bool)> {
        let ([first, count], lanes) = (self.channels, self.input.lanes);
        // Whole blocks have the same lanes in the same order on both sides; otherwise each lane goes by itself. Lanes after the last
        // channel hold anything: they are copied only where the output has no channel either.
        let same = lanes == self.output.lanes
            && first.is_multiple_of(lanes)
            && self.to_channel.is_multiple_of(lanes);
        let whole = match (same, self.to_channel + count == self.output.channels) {
            (false, _) => 0,
            (true, false) => count / lanes * lanes,
            (true, true) => count,
        };
        let blocks = (0..whole).step_by(lanes).map(|channel| (channel, true));
        blocks.chain((whole..count).map(|channel| (channel, false)))
    }

    /// Copies one piece.
    fn copy(&self, channel: usize, is_block: bool, [from, to]: [&[Cell<f32>]; 2]) {
        let (input, output) = (&self.input, &self.output);
        let ([down, right], [up, left]) = (self.to_pixel, self.from_pixel);
        let rows = (input.height - up).min(output.height - down);
        let columns = (input.width - left).min(output.width - right);
        for y in 0..rows {
            let from = &from[lane(input, self.channels[0] + channel, [y + up, left])..];
            let to = &to[lane(output, self.to_channel + channel, [y + down, right])..];
            if is_block {
                // A row is one copy.
                let pixels = columns * input.lanes;
                to[..pixels].iter().zip(&from[..pixels]).for_each(|(to, from)| to.set(from.get()));
            } else {
                let pixels = to.iter().step_by(output.lanes).zip(from.iter().step_by(input.lanes));
                pixels.take(columns).for_each(|(to, from)| to.set(from.get()));
            }
        }
    }
}

/// From the start of an image to one element.
fn lane(view: &View, channel: usize, [y, x]: [usize; 2]) -> usize {
    view.at(channel / view.lanes, y, x) + channel % view.lanes
}
