//! Random weights: the baseline that every method must beat.
//!
//! ```text
//! w_k ~ U(-1, 1),   others for every picture, the same for its classes
//! L   = ReLU( sum_k  w_k A^k )
//! ```
//!
//! With the same weights for all pictures, a run over many pictures would be a single draw, which may happen to be
//! good, and not a chance level.

use burncam_metrics::Noise;

use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "random",
        title: "Random",
        also: &["random-cam"],
        summary: "channels weighted at random: the baseline",
        formula: "w_k ~ U(-1, 1)",
        paper: "baseline",
        cost: "1 forward",
        uses_class: false,
        has_sign: false,
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Activations(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], reads: &[Reads::Seed], ..Traits::PLAIN },
};

fn terms(question: &Question, tap: usize) -> Result<Terms> {
    let channels = question.activations(tap)?.channels;
    // `asked_about` and not the scene's input: copies for smoothing keep the weights. A stream per layer, so that
    // layers differ.
    let mut noise = Noise::of_picture(question.options.seed, question.asked_about, 2 + tap as u64);
    Ok(Terms::Weights((0..channels).map(|_| 2.0 * noise.uniform() - 1.0).collect()))
}
