//! A small map laid over a picture's pixels, where the network saw them.
//!
//! Receives a heatmap and its placement; gives the values of any part of any row. The values of all pixels exist
//! nowhere: a map has few rows of cells, and a row of pixels is a weighted sum of some of them, which is computed
//! faster than it is read from memory.

use burncam_graph::wide;

use super::resample::{Axis, Grid, Interpolation, Kernel, Taps};
use crate::Heatmap;
use crate::input::Placement;

/// How much a row may exceed its bound by rounding: some units in the last place of a sum of a few products.
const SLACK: f32 = 1.0 + 1e-5;

/// A box of whole pixels: `left..right` by `top..bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// One past the last column.
    pub right: usize,
    /// One past the last row.
    pub bottom: usize,
}

/// A map at a picture's size, of which rows are computed when they are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Width of the picture in pixels.
    pub(super) width: usize,
    /// Height of the picture in pixels.
    pub(super) height: usize,
    /// Whether the map has negative values, so that values are in -1 to 1 instead of 0 to 1.
    pub(super) signed: bool,
    /// The pixels whose centres the network's input covers. Empty when there are none.
    pub(super) seen: PixelBox,
    /// The map's rows, resampled to the columns that were seen.
    widened: Vec<Vec<f32>>,
    /// Which of them make each row that was seen.
    rows: Vec<Taps>,
    /// The greatest magnitude in each of `widened`.
    magnitudes: Vec<f32>,
    /// The range of the map and zero.
    range: (f32, f32),
}

/// Resamples a map to a picture of `width` by `height` pixels.
///
/// The map covers the rectangle `placement` of the picture. Values stay between the map's minimum and maximum, and
/// zero: the negative lobes of a kernel must not create heat that no cell has.
#[must_use]
pub fn place(
    map: &Heatmap,
    placement: &Placement,
    width: usize,
    height: usize,
    how: Interpolation,
) -> Placed {
    let grid = Grid::new(map, placement, width, height, Kernel { how, widens: true });
    let widened = grid.widen(map.values());
    let magnitude = |row: &Vec<f32>| row.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
    let stats = map.stats();
    let Grid { columns, rows, .. } = grid;
    Placed {
        width,
        height,
        signed: stats.min < 0.0,
        seen: seen(&columns, &rows),
        magnitudes: widened.iter().map(magnitude).collect(),
        widened,
        rows: rows.taps,
        // Zero is within the range, because pixels outside of the map are zero.
        range: (stats.min.min(0.0), stats.max.max(0.0)),
    }
}

fn seen(columns: &Axis, rows: &Axis) -> PixelBox {
    let (x, y) = (&columns.pixels, &rows.pixels);
    if x.is_empty() || y.is_empty() {
        return PixelBox { left: 0, top: 0, right: 0, bottom: 0 };
    }
    PixelBox { left: x.start, top: y.start, right: x.end, bottom: y.end }
}

impl Placed {
    /// The values of row `y` from column `x` on; 0 where the network saw nothing.
    pub fn fill(&self, y: usize, x: usize, out: &mut [f32]) {
        fill_wide(self, y, x, out);
    }

    /// [`Placed::fill`] for loops that are compiled for wide registers.
    #[inline(always)]
    pub(super) fn fill_part(&self, y: usize, x: usize, out: &mut [f32]) {
        out.fill(0.0);
        let PixelBox { left, top, right, bottom } = self.seen;
        let (start, end) = (left.max(x), right.min(x + out.len()));
        if !(top..bottom).contains(&y) || start >= end {
            return;
        }
        let reached = &mut out[start - x..end - x];
        self.rows[y - top].mix(&self.widened, start - left, reached);
        let (least, greatest) = self.range;
        for value in reached {
            *value = value.clamp(least, greatest);
        }
    }

    /// Width of the picture in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether the map has values below zero.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// The values of all pixels, `[height, width]`: four bytes for each.
    #[must_use]
    pub fn values(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.width * self.height];
        for (y, row) in values.chunks_exact_mut(self.width.max(1)).enumerate() {
            self.fill(y, 0, row);
        }
        values
    }

    /// Passes each row of the pixels that the network saw.
    pub(super) fn for_each_seen(&self, mut take: impl FnMut(&[f32])) {
        let PixelBox { left, top, right, bottom } = self.seen;
        let mut row = vec![0.0; right - left];
        for y in top..bottom {
            self.fill(y, left, &mut row);
            take(&row);
        }
    }

    /// No value of row `y` has a greater magnitude.
    pub(super) fn bound(&self, y: usize) -> f32 {
        let PixelBox { top, bottom, .. } = self.seen;
        if !(top..bottom).contains(&y) {
            return 0.0;
        }
        let Taps { first, weights } = &self.rows[y - top];
        let pairs = weights.iter().zip(&self.magnitudes[*first..]);
        pairs.map(|(weight, most)| weight.abs() as f32 * most).sum::<f32>() * SLACK
    }

    /// The greatest value among the pixels that the network saw, at least zero.
    pub(super) fn greatest(&self) -> f32 {
        let PixelBox { left, top, right, bottom } = self.seen;
        let mut rows: Vec<(f32, usize)> = (top..bottom).map(|y| (self.bound(y), y)).collect();
        // The most promising rows first: after few of them no other can have more.
        rows.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let mut row = vec![0.0; right - left];
        let mut most = 0.0_f32;
        for (bound, y) in rows {
            if bound <= most {
                break;
            }
            self.fill(y, left, &mut row);
            most = most.max(greatest(&row));
        }
        most
    }
}

wide!(fn fill_wide(placed: &Placed, y: usize, x: usize, out: &mut [f32]) = Placed::fill_part);
wide!(pub(super) fn greatest(values: &[f32]) -> f32 = greatest_of);

/// The greatest of these values, at least zero. In lanes, because one comparison after the other waits for the last.
#[inline(always)]
fn greatest_of(values: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0_f32; LANES];
    for block in values.chunks(LANES) {
        for (most, value) in lanes.iter_mut().zip(block) {
            *most = most.max(*value);
        }
    }
    lanes.into_iter().fold(0.0, f32::max)
}

#[cfg(test)]
impl Placed {
    /// A map with a cell for each pixel, all of which the network saw.
    pub(super) fn of_values(width: usize, values: &[f32]) -> Self {
        let height = values.len() / width;
        let map = Heatmap::new(height, width, values.to_vec()).unwrap();
        place(&map, &Placement::whole(width, height), width, height, Interpolation::Nearest)
    }
}

#[cfg(test)]
#[path = "placed_tests.rs"]
mod tests;
