//! RISE.
//!
//! Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC 2018,
//! arXiv:1806.07421, equations 5 to 7: random masks, weighted by the score of the masked picture.
//!
//! ```text
//! M_n  = a grid of 7 x 7 cells, each open with p = 0.5, enlarged with straight lines and shifted at random
//! M_ij = 1 / (N p (1 - p)) sum_n  ( y^c(x (.) M_n) - mean y^c ) M_n,ij
//! ```
//!
//! The paper does not subtract the mean score, which adds nearly the same to every pixel; with it zero means "no
//! evidence" here too.

use burncam_metrics::Noise;

use crate::Heatmap;
use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::question::Question;
use crate::error::Result;
use crate::heatmap::Sampling;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "rise",
        title: "RISE",
        summary: "random masks weighted by the score of the masked picture",
        formula: "sum_n (y(x (.) M_n) - mean y) M_n",
        paper: "Petsiuk et al., BMVC 2018, arXiv:1806.07421",
        cost: "1 forward, N more (N = 1000)",
        uses_layer: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits { reads: &[Reads::Samples, Reads::Seed, Reads::BatchSize], ..Traits::PLAIN },
};

/// Random masks. The paper takes 4000 to 8000; fewer give a noisier map, but each costs a forward pass.
const SAMPLES: usize = 1000;
/// Cells of a mask in each direction, as in the paper.
const CELLS: usize = 7;
/// Share of the cells that are open, as in the paper.
const OPEN: f64 = 0.5;

fn maps(question: &Question) -> Result<Vec<Vec<f32>>> {
    let [_, height, width] = question.network().input();
    let samples = question.options.samples_or(SAMPLES);
    let mask_of =
        |draw: usize| mask(Noise::new(question.options.seed, (3 << 32) + draw as u64), height, width);
    let seen = |draw: usize| {
        let mask = mask_of(draw);
        let colours = question.values().chunks(height * width);
        colours.flat_map(|colour| colour.iter().zip(&mask).map(|(value, open)| value * open)).collect()
    };
    let scores = question.scores_of_inputs(samples, seen)?;
    // Relative to the first score, so that equal scores have exactly their mean and rounding is not taken for
    // evidence.
    let mean = |scores: &Vec<f64>| {
        scores[0] + scores.iter().map(|score| score - scores[0]).sum::<f64>() / samples as f64
    };
    let means: Vec<f64> = scores.iter().map(mean).collect();
    let mut sums = vec![vec![0.0_f64; height * width]; scores.len()];
    for draw in 0..samples {
        // Masks are generated again: a thousand of them would take 200 MB.
        let mask = mask_of(draw);
        for ((sum, scores), mean) in sums.iter_mut().zip(&scores).zip(&means) {
            // Where the score is a sum over cells, its covariance with a cell's mask is the cell's part times p (1
            // - p).
            let weight = (scores[draw] - mean) / (samples as f64 * OPEN * (1.0 - OPEN));
            sum.iter_mut().zip(&mask).for_each(|(sum, open)| *sum += weight * f64::from(*open));
        }
    }
    Ok(sums.into_iter().map(|sum| sum.into_iter().map(|value| value as f32).collect()).collect())
}

/// The grid enlarged to one cell more than the input, and a window of the input's size at a random offset.
fn mask(mut noise: Noise, height: usize, width: usize) -> Vec<f32> {
    let cells: Vec<f32> = (0..CELLS.pow(2)).map(|_| if noise.uniform() < OPEN { 1.0 } else { 0.0 }).collect();
    // One cell more than the input on each axis, so that a window at any offset is covered.
    let (down, across) = (height.div_ceil(CELLS), width.div_ceil(CELLS));
    let (top, left) = ((noise.uniform() * down as f64) as usize, (noise.uniform() * across as f64) as usize);
    let Some(grid) = Heatmap::new(CELLS, CELLS, cells) else { return Vec::new() };
    let (tall, wide) = ((CELLS + 1) * down, (CELLS + 1) * across);
    let large = grid.resized(tall, wide, Sampling::Bilinear);
    (top..top + height).flat_map(|y| large.values()[y * wide + left..][..width].to_vec()).collect()
}
