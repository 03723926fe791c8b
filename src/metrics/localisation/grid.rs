//! Mosaics of several pictures, of which the network is asked for one: the grid pointing game and DiFull.
//!
//! Rao et al., "Towards better understanding attribution methods", 2022, arXiv:2205.10435; the grid pointing game is of Böhle et al.,
//! "Convolutional dynamic alignment networks", 2021, arXiv:2104.00032. No boxes are needed: the object of a class is
//! somewhere in its cell, and nowhere else as each cell shows another class.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::map::Map;
use crate::noise::Noise;

/// The stream of random numbers that is the mosaics'.
const PURPOSE: u64 = 7 << 32;

/// A grid of `side` by `side` cells over an input or a map. Sides that cannot be divided give cells whose sizes differ by one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    side: usize,
    height: usize,
    width: usize,
}

impl Grid {
    /// Over `height` and `width` pixels; papers have a side of 2 or 3. `None` when a cell would have no pixel.
    #[must_use]
    pub fn new(side: usize, height: usize, width: usize) -> Option<Self> {
        (side > 0 && height >= side && width >= side).then_some(Self { side, height, width })
    }

    /// Number of cells; they are numbered row by row. An even map has one part in this many in each, if they are of one size.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.side * self.side
    }

    /// Which pictures stand together in `count` mosaics: for each the pictures of its cells, each of another class. `classes` has the
    /// class of each picture; take pictures that the network classifies correctly and with confidence, else the figure is about the network.
    ///
    /// Classes, their pictures and the cells are drawn with the seed. Empty when there are fewer classes than cells.
    #[must_use]
    pub fn arrangements(&self, classes: &[usize], count: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut by_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (picture, class) in classes.iter().enumerate() {
            by_class.entry(*class).or_default().push(picture);
        }
        let mut by_class: Vec<Vec<usize>> = by_class.into_values().collect();
        if by_class.len() < self.cells() {
            return Vec::new();
        }
        let mut noise = Noise::new(seed, PURPOSE);
        let mut mosaic = || {
            let draw = |cell: usize| {
                // The first cells of a shuffle (Fisher and Yates).
                let chosen = cell + noise.below(by_class.len() - cell);
                by_class.swap(cell, chosen);
                by_class[cell][noise.below(by_class[cell].len())]
            };
            (0..self.cells()).map(draw).collect()
        };
        (0..count).map(|_| mosaic()).collect()
    }

    /// The mosaic, `[channels, height, width]`, of `parts`, one per cell, each `[channels, part_height, part_width]`: inputs, which are made
    /// smaller by the mean over what each pixel covers, or feature maps of the cells' size, which stay as they are.
    ///
    /// `None` for another number of parts or of values.
    #[must_use]
    pub fn mosaic(&self, parts: &[&[f32]], channels: usize, part: [usize; 2]) -> Option<Vec<f32>> {
        let [part_height, part_width] = part;
        let size = channels.checked_mul(part_height)?.checked_mul(part_width)?;
        if parts.len() != self.cells() || size == 0 || parts.iter().any(|values| values.len() != size) {
            return None;
        }
        let mut mosaic = vec![0.0; channels * self.height * self.width];
        for (cell, values) in parts.iter().enumerate() {
            let (rows, columns) = self.cell(cell);
            let down = covers(part_height, rows.len());
            let across = covers(part_width, columns.len());
            for channel in 0..channels {
                let plane = &values[channel * part_height * part_width..][..part_height * part_width];
                for (row, down) in rows.clone().zip(&down) {
                    for (column, across) in columns.clone().zip(&across) {
                        let at = (channel * self.height + row) * self.width + column;
                        mosaic[at] = mean(plane, part_width, down, across);
                    }
                }
            }
        }
        Some(mosaic)
    }

    /// Share of the positive values' sum that is in a cell, 0 to 1: the grid pointing game, with the map of that cell's class. The chance level
    /// is the cell's share of the area.
    ///
    /// `None` when no value is positive, for a map of another size, and for no cell of the grid.
    #[must_use]
    pub fn share(&self, map: &Map, cell: usize) -> Option<f64> {
        let [inside, all] = self.sums(map, cell, |value| value.max(0.0))?;
        (all > 0.0).then(|| inside / all)
    }

    /// Share of the values' sizes that is outside of a cell, 0 to 1: DiFull's figure, of a score that reads this cell alone. Evidence elsewhere is
    /// wrong for certain, so that a gradient must give exactly 0. Ask it of a map on the layer's own grid: enlarged maps leak over the edge.
    ///
    /// `None` when all values are 0, for a map of another size, and for no cell of the grid.
    #[must_use]
    pub fn leak(&self, map: &Map, cell: usize) -> Option<f64> {
        let outside = |rows: &Range<usize>, columns: &Range<usize>, at: usize| {
            !rows.contains(&(at / self.width)) || !columns.contains(&(at % self.width))
        };
        let [_, all] = self.sums(map, cell, f64::abs)?;
        let (rows, columns) = self.cell(cell);
        // Summed on its own: the whole less the cell would be a rounding error where 0 is meant.
        let values = map.values().iter().enumerate();
        let values = values.filter(|(at, _)| outside(&rows, &columns, *at));
        let leaked: f64 = values.map(|(_, value)| f64::from(value.abs())).sum();
        (all > 0.0).then(|| leaked / all)
    }

    /// What a function of the values adds up to in the cell, and in all.
    fn sums(&self, map: &Map, cell: usize, of: impl Fn(f64) -> f64) -> Option<[f64; 2]> {
        if (map.height(), map.width()) != (self.height, self.width) || cell >= self.cells() {
            return None;
        }
        let (rows, columns) = self.cell(cell);
        let sum = |values: &[f32]| values.iter().map(|value| of(f64::from(*value))).sum::<f64>();
        let inside = rows.map(|row| sum(&map.values()[row * self.width..][columns.clone()])).sum();
        Some([inside, sum(map.values())])
    }

    /// Rows and columns of a cell.
    fn cell(&self, cell: usize) -> (Range<usize>, Range<usize>) {
        let range = |at: usize, extent: usize| at * extent / self.side..(at + 1) * extent / self.side;
        (range(cell / self.side, self.height), range(cell % self.side, self.width))
    }
}

/// For each of `to` pixels over `from` pixels the first that it covers, and how much of each.
fn covers(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    let step = from as f64 / to as f64;
    let cover = |at: usize| {
        let (begin, end) = (at as f64 * step, ((at + 1) as f64 * step).min(from as f64));
        let first = (begin as usize).min(from - 1);
        let last = (end.ceil() as usize).clamp(first + 1, from);
        let part =
            |pixel: usize| (end.min(pixel as f64 + 1.0) - begin.max(pixel as f64)).max(0.0) / (end - begin);
        (first, (first..last).map(part).collect())
    };
    (0..to).map(cover).collect()
}

fn mean(plane: &[f32], width: usize, down: &(usize, Vec<f64>), across: &(usize, Vec<f64>)) -> f32 {
    let row = |(at, weight): (usize, &f64)| {
        let values = &plane[(down.0 + at) * width + across.0..];
        let sum: f64 = values.iter().zip(&across.1).map(|(value, weight)| f64::from(*value) * weight).sum();
        sum * weight
    };
    down.1.iter().enumerate().map(row).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mosaics_have_pictures_of_different_classes() {
        let classes = [7, 7, 3, 3, 3, 1, 9, 4];
        let grid = Grid::new(2, 8, 8).unwrap();
        let mosaics = grid.arrangements(&classes, 50, 0);
        assert_eq!(mosaics.len(), 50);
        for mosaic in &mosaics {
            let mut shown: Vec<usize> = mosaic.iter().map(|picture| classes[*picture]).collect();
            shown.sort_unstable();
            shown.dedup();
            assert_eq!(shown.len(), 4);
        }
        assert!((0..classes.len()).all(|picture| mosaics.iter().any(|mosaic| mosaic.contains(&picture))));
        assert_eq!(mosaics, grid.arrangements(&classes, 50, 0));
        assert_ne!(mosaics, grid.arrangements(&classes, 50, 1));
        assert!(Grid::new(3, 9, 9).unwrap().arrangements(&classes, 5, 0).is_empty());
    }

    #[test]
    fn inputs_shrink_to_their_cells_by_the_mean() {
        let grid = Grid::new(2, 2, 4).unwrap();
        // Two channels of 2x4 each; cells are 1x2.
        let part: Vec<f32> = (0..16).map(|value| value as f32).collect();
        let zeros = vec![0.0; 16];
        let mosaic = grid.mosaic(&[&zeros, &part, &zeros, &zeros], 2, [2, 4]).unwrap();
        // (0 + 1 + 4 + 5) / 4 and (2 + 3 + 6 + 7) / 4, then the same of the second channel.
        assert_eq!(mosaic[..4], [0.0, 0.0, 2.5, 4.5]);
        assert_eq!(mosaic[8..12], [0.0, 0.0, 10.5, 12.5]);
        assert_eq!(mosaic.iter().filter(|value| **value != 0.0).count(), 4);
        assert!(grid.mosaic(&[&part[..]; 3], 2, [2, 4]).is_none());
        assert!(grid.mosaic(&[&part[..]; 4], 2, [2, 3]).is_none());
    }

    #[test]
    fn cells_of_uneven_grids_cover_everything_once() {
        let grid = Grid::new(3, 7, 10).unwrap();
        let ones = vec![1.0; 70];
        let mosaic = grid.mosaic(&[&ones[..]; 9], 1, [7, 10]).unwrap();
        assert!(mosaic.iter().all(|value| (value - 1.0).abs() < 1e-6), "{mosaic:?}");
        let even = Map::new(7, 10, ones).unwrap();
        let sum: f64 = (0..9).map(|cell| grid.share(&even, cell).unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert!((grid.share(&even, 8).unwrap() - 3.0 * 4.0 / 70.0).abs() < 1e-12);
    }

    #[test]
    fn parts_of_the_cells_size_stay_as_they_are() {
        let parts: Vec<Vec<f32>> =
            (0..4).map(|cell| (0..6).map(|at| (cell * 6 + at) as f32 / 7.0).collect()).collect();
        let parts: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        let mosaic = Grid::new(2, 4, 6).unwrap().mosaic(&parts, 1, [2, 3]).unwrap();
        assert_eq!(mosaic[..3], parts[0][..3]);
        assert_eq!(mosaic[3..6], parts[1][..3]);
        assert_eq!(mosaic[21..], parts[3][3..]);
    }

    #[test]
    fn positive_evidence_counts_for_the_cell_and_any_evidence_as_a_leak() {
        let grid = Grid::new(2, 2, 2).unwrap();
        let map = Map::new(2, 2, vec![3.0, 1.0, -4.0, 0.0]).unwrap();
        assert_eq!(grid.share(&map, 0), Some(0.75));
        assert_eq!(grid.share(&map, 2), Some(0.0));
        assert_eq!(grid.leak(&map, 0), Some(5.0 / 8.0));
        let exact = Map::new(2, 2, vec![0.1, 0.0, -0.0, 0.0]).unwrap();
        assert_eq!(grid.leak(&exact, 0), Some(0.0));
        // Too little to change the sum of all, and still seen.
        let tiny = Map::new(2, 2, vec![1.0, 1e-30, 0.0, 0.0]).unwrap();
        assert!(grid.leak(&tiny, 0).unwrap() > 0.0);
        assert_eq!((grid.share(&map, 4), grid.leak(&Map::new(1, 1, vec![1.0]).unwrap(), 0)), (None, None));
        assert_eq!(grid.share(&Map::new(2, 2, vec![-1.0; 4]).unwrap(), 0), None);
        assert!(Grid::new(3, 2, 9).is_none());
    }
}
