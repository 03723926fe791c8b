//! Resizing of maps by the rules of other libraries. For placing a map on a picture see [`crate::render`].

use super::Heatmap;

/// How a map is interpolated. No mode averages when the map shrinks, as in those libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Linear between cell centres, edge cells extended: OpenCV's `INTER_LINEAR`, PyTorch's `align_corners=False`.
    Bilinear,
    /// Linear, corner cells on corner cells: PyTorch's `align_corners=True`, scipy's `zoom` of order 1.
    BilinearCorners,
    /// The cell under the upper left corner of the new cell: PyTorch's `nearest`.
    Nearest,
    /// Keys' cubic with `a = -0.5` between cell centres: TensorFlow's `bicubic`.
    Bicubic,
}

impl Heatmap {
    /// The map at another size. A size of zero is taken as one.
    #[must_use]
    pub fn resized(&self, height: usize, width: usize, how: Sampling) -> Self {
        let (height, width) = (height.max(1), width.max(1));
        if (height, width) == (self.height, self.width) {
            return self.clone();
        }
        let mut values = vec![0.0; height * width];
        Resizer::new([self.height, self.width], [height, width], how).fill(
            &self.values,
            [0, 0],
            width,
            &mut values,
        );
        Self { height, width, values }
    }
}

/// The way from one size to another, for many maps of that size: what does not depend on their values is computed once.
///
/// ```
/// use burncam_picture::heatmap::{Resizer, Sampling};
///
/// let mut larger = [0.0; 4];
/// Resizer::new([1, 2], [1, 4], Sampling::Bilinear).fill(&[0.0, 4.0], [0, 0], 4, &mut larger);
/// assert_eq!(larger, [0.0, 1.0, 3.0, 4.0]);
/// ```
#[derive(Debug)]
pub struct Resizer {
    /// By row and by column of the new size.
    rows: Vec<Taps>,
    columns: Vec<Taps>,
    /// Columns of the old size.
    cells: usize,
}

impl Resizer {
    /// From and to these rows and columns, none of which is zero.
    #[must_use]
    pub fn new(from: [usize; 2], to: [usize; 2], how: Sampling) -> Self {
        let along = |axis: usize| (0..to[axis]).map(|at| taps(at, to[axis], from[axis], how)).collect();
        Self { rows: along(0), columns: along(1), cells: from[1] }
    }

    /// Rows times columns of the new size.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// Writes a window of the resized map, row by row: `width` columns from `corner` (row, column) on, and as many rows as fill
    /// `window`. `values` are those of a map of the old size.
    pub fn fill(&self, values: &[f32], [top, left]: [usize; 2], width: usize, window: &mut [f32]) {
        let columns = &self.columns[left..left + width];
        let across = |row: &[f32]| -> Vec<f64> {
            let pixel = |taps: &Taps| taps.iter().map(|(x, weight)| weight * f64::from(row[*x])).sum();
            columns.iter().map(pixel).collect()
        };
        let widened: Vec<Vec<f64>> = values.chunks(self.cells).map(across).collect();
        let mut row = vec![0.0_f64; width];
        for (taps, pixels) in self.rows[top..].iter().zip(window.chunks_exact_mut(width)) {
            row.fill(0.0);
            for (y, weight) in taps {
                row.iter_mut().zip(&widened[*y]).for_each(|(sum, value)| *sum += weight * value);
            }
            pixels.iter_mut().zip(&row).for_each(|(pixel, value)| *pixel = *value as f32);
        }
    }
}

/// Cells with their weights, which sum to one.
type Taps = Vec<(usize, f64)>;

fn taps(at: usize, length: usize, cells: usize, how: Sampling) -> Taps {
    let last = cells - 1;
    let scale = cells as f64 / length as f64;
    let centered = (at as f64 + 0.5) * scale - 0.5;
    let line = |position: f64| {
        let position = position.clamp(0.0, last as f64);
        let first = position.floor() as usize;
        let share = position - first as f64;
        vec![(first, 1.0 - share), ((first + 1).min(last), share)]
    };
    match how {
        Sampling::Bilinear => line(centered),
        Sampling::BilinearCorners if length > 1 => line(at as f64 * last as f64 / (length - 1) as f64),
        Sampling::BilinearCorners => line(0.0),
        Sampling::Nearest => vec![(((at as f64 * scale) as usize).min(last), 1.0)],
        Sampling::Bicubic => cubic(centered, last),
    }
}

/// Taps outside the map are dropped and the remaining weights renormalised, as TensorFlow does.
fn cubic(position: f64, last: usize) -> Taps {
    let weight = |distance: f64| match distance.abs() {
        x if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        x if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        _ => 0.0,
    };
    let base = position.floor();
    // TensorFlow reads its weights from a table of 1024 entries; without this rounding the last digits differ.
    let share = ((position - base) * 1024.0).round() / 1024.0;
    let inside = (-1..3).map(|step| (base as i64 + step, step as f64 - share));
    let inside = inside.filter(|(cell, _)| (0..=last as i64).contains(cell));
    let taps: Taps = inside.map(|(cell, distance)| (cell as usize, weight(distance))).collect();
    let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
    taps.into_iter().map(|(cell, weight)| (cell, weight / sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f32], width: usize, how: Sampling) -> Vec<f32> {
        let map = Heatmap::new(1, values.len(), values.to_vec()).unwrap();
        map.resized(1, width, how).values().to_vec()
    }

    #[test]
    fn two_cells_over_four_pixels() {
        assert_eq!(row(&[0.0, 4.0], 4, Sampling::Bilinear), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(row(&[0.0, 3.0], 4, Sampling::BilinearCorners), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(row(&[0.0, 4.0], 4, Sampling::Nearest), [0.0, 0.0, 4.0, 4.0]);
    }

    #[test]
    fn a_constant_stays_a_constant() {
        for how in [Sampling::Bilinear, Sampling::BilinearCorners, Sampling::Nearest, Sampling::Bicubic] {
            for width in [1, 2, 5, 17] {
                assert!(row(&[2.0, 2.0, 2.0], width, how).iter().all(|value| (value - 2.0).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn a_window_is_that_part_of_the_whole() {
        let map = Heatmap::new(2, 3, vec![1.0, -2.0, 0.5, 3.0, 0.0, 7.0]).unwrap();
        for how in [Sampling::Bilinear, Sampling::BilinearCorners, Sampling::Nearest, Sampling::Bicubic] {
            let whole = map.resized(9, 11, how);
            let mut window = [0.0; 4 * 5];
            Resizer::new([2, 3], [9, 11], how).fill(map.values(), [3, 2], 5, &mut window);
            let part = |at: usize| whole.values()[(3 + at / 5) * 11 + 2 + at % 5];
            assert_eq!(window.to_vec(), (0..20).map(part).collect::<Vec<f32>>(), "{how:?}");
        }
    }
}
