//! Resampling of a small map to a picture's pixels, along each axis. [`Placed`](super::Placed) is the result.
//!
//! Separable resampling as in Pillow: centres of cells and pixels are at halves, taps outside the map are dropped and
//! the rest renormalised, and a map finer than the picture widens the kernel, so that every cell counts. For a map
//! that covers the whole of a larger picture, `bilinear` equals OpenCV's `INTER_LINEAR`.

use std::f64::consts::PI;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use rayon::prelude::*;

use crate::Heatmap;
use crate::error::{Error, Result};
use crate::input::Placement;

/// How values between the map's cells are interpolated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Interpolation {
    /// The cell itself: shows the map's true resolution.
    Nearest,
    /// Linear between neighbouring cells.
    #[default]
    Bilinear,
    /// Catmull-Rom, `a = -0.5`, as in Pillow.
    Bicubic,
    /// Lanczos with three lobes.
    Lanczos,
}

impl Interpolation {
    /// Every interpolation, simplest first.
    pub const ALL: [Self; 4] = [Self::Nearest, Self::Bilinear, Self::Bicubic, Self::Lanczos];

    /// The name that it is parsed from.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
            Self::Lanczos => "lanczos",
        }
    }

    /// How far the kernel reaches to each side, in cells.
    fn reach(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// The kernel's value at a distance in cells.
    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Self::Nearest => 1.0,
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            Self::Bicubic | Self::Lanczos => 0.0,
        }
    }
}

impl FromStr for Interpolation {
    type Err = Error;

    /// The interpolation of this name, in any case.
    fn from_str(name: &str) -> Result<Self> {
        super::by_name("interpolation", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Interpolation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An interpolation, and whether it widens when cells are smaller than pixels.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    pub(super) how: Interpolation,
    pub(super) widens: bool,
}

/// The cells that contribute to one pixel along one axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taps {
    pub(super) first: usize,
    /// Weights of `first` and the cells after it; they sum to one.
    pub(super) weights: Vec<f64>,
}

impl Taps {
    /// Adds the weighted sum of several rows, from column `start` on.
    #[inline(always)]
    pub(super) fn mix(&self, rows: &[Vec<f32>], start: usize, out: &mut [f32]) {
        for (row, weight) in rows[self.first..].iter().zip(&self.weights) {
            let weight = *weight as f32;
            for (out, value) in out.iter_mut().zip(&row[start..]) {
                *out += value * weight;
            }
        }
    }
}

/// The resampling along one axis.
pub(super) struct Axis {
    /// The pixels whose centres the map covers.
    pub(super) pixels: Range<usize>,
    /// One entry for each of `pixels`.
    pub(super) taps: Vec<Taps>,
}

/// The position of a map's cells on a picture.
pub(super) struct Grid {
    pub(super) columns: Axis,
    pub(super) rows: Axis,
    /// Cells per row of the map.
    cells: usize,
    width: usize,
    height: usize,
}

impl Grid {
    pub(super) fn new(
        map: &Heatmap,
        placement: &Placement,
        width: usize,
        height: usize,
        kernel: Kernel,
    ) -> Self {
        let columns = Axis::new(placement.left..placement.right, map.width(), width, kernel);
        let rows = Axis::new(placement.top..placement.bottom, map.height(), height, kernel);
        Self { columns, rows, cells: map.width(), width, height }
    }

    /// The rows of a map of this size, resampled to the picture's columns.
    pub(super) fn widen(&self, values: &[f32]) -> Vec<Vec<f32>> {
        // Across first: the map has few rows, so that this is done once per row of cells and not per row of pixels.
        widen(values.chunks_exact(self.cells), &self.columns)
    }

    /// The values of any map of this size at every pixel; zero outside the map.
    pub(super) fn resample(&self, values: &[f32]) -> Vec<f32> {
        let widened = self.widen(values);
        let mut values = vec![0.0; self.width * self.height];
        let rows = values.par_chunks_exact_mut(self.width.max(1)).skip(self.rows.pixels.start);
        rows.zip(&self.rows.taps).for_each(|(row, taps)| {
            taps.mix(&widened, 0, &mut row[self.columns.pixels.clone()]);
        });
        values
    }
}

impl Axis {
    /// `cells` of a map over `edges` of a picture that is `length` pixels long.
    fn new(edges: Range<f64>, cells: usize, length: usize, kernel: Kernel) -> Self {
        let first_at = |edge: f64| ((edge - 0.5).ceil().max(0.0) as usize).min(length);
        let start = first_at(edges.start);
        let pixels = start..first_at(edges.end).max(start);
        let cells_a_pixel = cells as f64 / (edges.end - edges.start);
        let taps = pixels.clone().map(|pixel| {
            let center = (pixel as f64 + 0.5 - edges.start) * cells_a_pixel;
            taps(center, cells_a_pixel, cells, kernel)
        });
        Self { taps: taps.collect(), pixels }
    }
}

/// The taps of a pixel whose centre is at `center`, in cells from the map's edge.
fn taps(center: f64, cells_a_pixel: f64, cells: usize, kernel: Kernel) -> Taps {
    let Kernel { how, widens } = kernel;
    if how == Interpolation::Nearest {
        return Taps { first: (center as usize).min(cells - 1), weights: vec![1.0] };
    }
    let stretch = if widens { cells_a_pixel.max(1.0) } else { 1.0 };
    let reach = how.reach() * stretch;
    let first = ((center - reach + 0.5) as usize).min(cells - 1);
    let last = ((center + reach + 0.5) as usize).clamp(first + 1, cells);
    let weight = |cell: usize| how.weight((cell as f64 + 0.5 - center) / stretch);
    // Normalised afterwards: at the border taps are missing, and the sum of the rest is less than one.
    let weights: Vec<f64> = (first..last).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    Taps { first, weights: weights.iter().map(|weight| weight / sum).collect() }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Resamples every row of the map to the picture's columns.
fn widen<'a>(rows: impl Iterator<Item = &'a [f32]>, columns: &Axis) -> Vec<Vec<f32>> {
    let pixel = |row: &[f32], taps: &Taps| -> f32 {
        row[taps.first..].iter().zip(&taps.weights).map(|(value, weight)| value * *weight as f32).sum()
    };
    rows.map(|row| columns.taps.iter().map(|taps| pixel(row, taps)).collect()).collect()
}
