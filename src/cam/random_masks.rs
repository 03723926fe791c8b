//! Random masks over the input, for methods that sample what happens where the picture is hidden.
//!
//! Petsiuk et al., BMVC 2018, arXiv:1806.07421: a coarse grid of cells, each open or not, enlarged with straight lines and shifted at
//! random. What a masked picture is worth is left to the method.

use burncam_metrics::Noise;

use super::definition::PixelMaps;
use super::masks::through;
use super::question::Question;
use crate::heatmap::{Resizer, Sampling};

/// Share of the cells that are open, as in the paper.
const OPEN: f64 = 0.5;

/// Masks over the input of a network, each made again when it is asked for: a thousand of them would take 200 MB.
#[derive(Debug)]
pub(super) struct RandomMasks<'a> {
    input: &'a [f32],
    seed: u64,
    /// Stream of the first; each draw has its own.
    stream: u64,
    /// Cells in each direction.
    cells: usize,
    height: usize,
    width: usize,
    /// Rows and columns of the input that a cell covers.
    cell: [usize; 2],
    /// From the grid to one cell more than the input on each axis, so that a window at any offset is covered.
    resizer: Resizer,
}

impl<'a> RandomMasks<'a> {
    pub(super) fn new(question: &Question<'a>, stream: u64, cells: usize) -> Self {
        let [_, height, width] = question.network().input();
        let cell = [height, width].map(|side| side.div_ceil(cells));
        let resizer = Resizer::new([cells; 2], cell.map(|side| (cells + 1) * side), Sampling::Bilinear);
        let input = question.values();
        Self { input, seed: question.options.seed, stream, cells, height, width, cell, resizer }
    }

    /// The input `[channels, height, width]` behind a mask.
    pub(super) fn seen(&self, draw: usize, values: &mut [f32]) {
        let pixels = self.height * self.width;
        self.mask(draw, &mut values[..pixels]);
        through(self.input, pixels, values);
    }

    /// For each class the sum of the masks, weighted by what each masked input is worth to it, less the mean of all: equal worths
    /// are evidence of nothing.
    pub(super) fn weighted(&self, worths: &[Vec<f64>]) -> PixelMaps {
        let samples = worths.first().map_or(0, Vec::len);
        // Relative to the first, so that equal worths have exactly their mean and rounding is not taken for evidence.
        let mean = |worths: &Vec<f64>| {
            worths[0] + worths.iter().map(|worth| worth - worths[0]).sum::<f64>() / samples as f64
        };
        let means: Vec<f64> = worths.iter().map(mean).collect();
        let mut sums = vec![vec![0.0_f64; self.height * self.width]; worths.len()];
        let mut mask = vec![0.0; self.height * self.width];
        for draw in 0..samples {
            self.mask(draw, &mut mask);
            for ((sum, worths), mean) in sums.iter_mut().zip(worths).zip(&means) {
                // Where the worth is a sum over cells, its covariance with a cell's mask is the cell's part times p (1 - p).
                let weight = (worths[draw] - mean) / (samples as f64 * OPEN * (1.0 - OPEN));
                sum.iter_mut().zip(&mask).for_each(|(sum, open)| *sum += weight * f64::from(*open));
            }
        }
        sums.into_iter().map(|sum| sum.into_iter().map(|value| value as f32).collect()).collect()
    }

    /// The grid enlarged, and a window of the input's size at a random offset.
    fn mask(&self, draw: usize, mask: &mut [f32]) {
        let mut noise = Noise::new(self.seed, self.stream + draw as u64);
        let open: Vec<f32> =
            (0..self.cells.pow(2)).map(|_| if noise.uniform() < OPEN { 1.0 } else { 0.0 }).collect();
        let corner = self.cell.map(|side| (noise.uniform() * side as f64) as usize);
        self.resizer.fill(&open, corner, self.width, mask);
    }
}
