//! Recipro-CAM.
//!
//! Byun and Lee, "Recipro-CAM: Fast gradient-free visual explanations for convolutional neural networks", 2022,
//! arXiv:2209.14074, equations 3 to 5: the head's score for each position alone.
//!
//! ```text
//! y_ij = score of the head on A with every other position set to zero
//! L_ij = y_ij - min y
//! ```

use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits, rounding_of_scores};
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "reciprocam",
        title: "Recipro-CAM",
        summary: "what the head makes of each position alone",
        formula: "y(A at one position, else 0)",
        paper: "Byun and Lee 2022, arXiv:2209.14074",
        cost: "1 forward, head per position",
        ..MethodInfo::PLAIN
    },
    run: Run::Layer(terms),
    traits: Traits { reads: &[Reads::BatchSize], rounding: rounding_of_scores, ..Traits::PLAIN },
};

fn terms(question: &Question, tap: usize) -> Result<Vec<Terms>> {
    terms_of(question, tap, |down, across| if (down, across) == (0, 0) { 1.0 } else { 0.0 })
}

/// The scores of the layer masked around each position; `share` is what a position keeps, by its rows and columns from there.
pub(super) fn terms_of(
    question: &Question,
    tap: usize,
    share: impl Fn(usize, usize) -> f32 + Sync,
) -> Result<Vec<Terms>> {
    let trunk = question.trunk_to(tap)?;
    let activations = question.network().activations(&trunk)?;
    let (width, cells) = (activations.width, activations.height * activations.width);
    let around = |position: usize, values: &mut [f32]| {
        let kept = |at: usize, value: f32| {
            let cell = at % cells;
            let share =
                share((cell / width).abs_diff(position / width), (cell % width).abs_diff(position % width));
            // Not a product with zero, which is NaN for an infinite activation.
            if share == 0.0 { 0.0 } else { value * share }
        };
        let all = values.iter_mut().zip(&activations.values).enumerate();
        all.for_each(|(at, (to, value))| *to = kept(at, *value));
    };
    let size = activations.values.len();
    let scores = question.scores_of_activations(&trunk, cells, size, around)?;
    let above_least = |scores: Vec<f64>| {
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        Terms::Map(scores.into_iter().map(|score| score - least).collect())
    };
    Ok(scores.into_iter().map(above_least).collect())
}
