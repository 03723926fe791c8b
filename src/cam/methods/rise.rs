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

use crate::cam::definition::{Definition, MethodInfo, PixelMaps, Reads, Run, Traits};
use crate::cam::question::Question;
use crate::cam::random_masks::RandomMasks;
use crate::error::Result;

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
/// Stream of the first mask.
const STREAM: u64 = 3 << 32;

fn maps(question: &Question) -> Result<PixelMaps> {
    let masks = RandomMasks::new(question, STREAM, CELLS);
    let seen = |draw: usize, values: &mut [f32]| masks.seen(draw, values);
    let scores = question.scores_of_inputs(question.options.samples_or(SAMPLES), seen)?;
    Ok(masks.weighted(&scores))
}
