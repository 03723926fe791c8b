//! Moving values: into blocks and out of them, from one place to another, and the zeros around them.

use super::Run;
use crate::view::View;

/// Writes the zeros around some blocks of a value.
///
/// # Safety
/// The view lies within the run's memory, and nobody else writes to or reads these blocks' halo meanwhile.
pub(crate) unsafe fn clear_halo(run: &Run<'_>, view: &View, image: usize, block: usize) {
    if view.is_dense() {
        return;
    }
    let (row, halo) = (view.row(), view.halo);
    let (left, right) = (halo.left * view.lanes, halo.right * view.lanes);
    let start = view.before(run.batch, image, block, halo.top, halo.left);
    // SAFETY: each range lies within the block, outside its pixels.
    let zero = |from: usize, len: usize| unsafe {
        if len > 0 {
            run.write(from + len - 1);
            std::ptr::write_bytes(run.write(from), 0, len);
        }
    };
    // The right border of a row and the left one of the next are one run of zeros.
    zero(start, halo.top * row + left);
    let inner = view.width * view.lanes;
    for y in 0..view.height {
        let end = start + (halo.top + y) * row + left + inner;
        let last = y + 1 == view.height;
        zero(end, right + if last { halo.bottom * row } else { left });
    }
}

/// `[batch, channels, height, width]` to blocks. Lanes without a channel become zero.
///
/// # Safety
/// As for [`clear_halo`], the pixels included.
pub(crate) unsafe fn import(run: &Run<'_>, view: &View, values: &[f32], unit: usize) {
    let (image, block) = (unit / view.blocks(), unit % view.blocks());
    let area = view.height * view.width;
    let channels = view.lanes_of(block);
    let from = &values[(image * view.channels + block * view.lanes) * area..][..channels * area];
    for y in 0..view.height {
        let at = view.at(run.batch, image, block, y, 0);
        run.write(at + view.width * view.lanes - 1);
        // SAFETY: a row of the block, whose last number was checked.
        let row = unsafe { std::slice::from_raw_parts_mut(run.write(at), view.width * view.lanes) };
        for (x, pixel) in row.chunks_exact_mut(view.lanes).enumerate() {
            for (lane, to) in pixel.iter_mut().enumerate() {
                *to = if lane < channels { from[lane * area + y * view.width + x] } else { 0.0 };
            }
        }
    }
}

/// Blocks to `[batch, channels, height, width]`.
///
/// # Safety
/// The view lies within the run's memory, and nobody writes to it meanwhile.
pub(crate) unsafe fn export(run: &Run<'_>, view: &View) -> Vec<f32> {
    let area = view.height * view.width;
    let mut values = vec![0.0; run.batch * view.channels * area];
    for (plane, to) in values.chunks_exact_mut(area).enumerate() {
        let (image, channel) = (plane / view.channels, plane % view.channels);
        let (block, lane) = (channel / view.lanes, channel % view.lanes);
        for (y, to) in to.chunks_exact_mut(view.width).enumerate() {
            let at = view.at(run.batch, image, block, y, 0);
            run.read(at + view.width * view.lanes - 1);
            // SAFETY: a row of the block, whose last number was checked.
            let row = unsafe { std::slice::from_raw_parts(run.read(at), view.width * view.lanes) };
            for (to, pixel) in to.iter_mut().zip(row.chunks_exact(view.lanes)) {
                *to = pixel[lane];
            }
        }
    }
    values
}

/// A value, or some channels of it, copied to the channels from `to_channel` on and the rows and columns from `to_pixel` on of
/// another.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) input: View,
    pub(crate) output: View,
    /// First channel that is read, and how many.
    pub(crate) channels: [usize; 2],
    /// First channel that is written.
    pub(crate) to_channel: usize,
    pub(crate) to_pixel: [usize; 2],
    /// The output is zero elsewhere.
    pub(crate) clear: bool,
}

impl Copy {
    /// Parts that threads may copy side by side.
    pub(crate) fn units(&self, batch: usize) -> usize {
        batch
    }

    /// Copies one image.
    ///
    /// # Safety
    /// The views lie within the run's memory, and nobody else writes to them or reads the output meanwhile.
    pub(crate) unsafe fn unit(&self, run: &Run<'_>, image: usize) {
        for (block, y) in self.cleared() {
            let at = self.output.at(run.batch, image, block, y, 0);
            let len = self.output.width * self.output.lanes;
            run.write(at + len - 1);
            // SAFETY: a row of the output, whose last number was checked. The zeros around it are another unit's.
            unsafe { std::ptr::write_bytes(run.write(at), 0, len) };
        }
        let [first, count] = self.channels;
        let lanes = self.input.lanes;
        let whole = lanes == self.output.lanes
            && first.is_multiple_of(lanes)
            && self.to_channel.is_multiple_of(lanes);
        let step = if whole { lanes } else { 1 };
        for channel in (0..count).step_by(step) {
            for y in 0..self.input.height {
                let from = self.place(run, &self.input, image, first + channel, [y, 0]);
                let [down, right] = self.to_pixel;
                let to = self.place(run, &self.output, image, self.to_channel + channel, [y + down, right]);
                // SAFETY: both are rows of their views, and the views do not overlap.
                unsafe {
                    if whole {
                        std::ptr::copy_nonoverlapping(
                            run.read(from),
                            run.write(to),
                            self.input.width * lanes,
                        );
                    } else {
                        for x in 0..self.input.width {
                            *run.write(to + x * self.output.lanes) = *run.read(from + x * lanes);
                        }
                    }
                }
            }
        }
    }

    /// Blocks and rows that become zero before anything is copied.
    fn cleared(&self) -> impl Iterator<Item = (usize, usize)> {
        let blocks = if self.clear { self.output.blocks() } else { 0 };
        (0..blocks).flat_map(|block| (0..self.output.height).map(move |y| (block, y)))
    }

    fn place(&self, run: &Run<'_>, view: &View, image: usize, channel: usize, [y, x]: [usize; 2]) -> usize {
        view.at(run.batch, image, channel / view.lanes, y, x) + channel % view.lanes
    }
}
