//! IS-CAM, integrated Score-CAM.
//!
//! Naidu et al., "IS-CAM: Integrated Score-CAM for axiomatic-based explanations", 2020, arXiv:2010.03023, equation 6:
//! Score-CAM's scores averaged over masks of increasing strength.
//!
//! ```text
//! s_k = 1/N sum_{n=1..N}  y^c( x (.) (n/N) M_k )
//! w   = softmax_k( s_k )
//! ```
//!
//! torchcam 0.5.0 sums up the coefficients, so that its masks are multiplied by up to (N + 1) / 2.

use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::masks::Masks;
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "iscam",
        title: "IS-CAM",
        summary: "Score-CAM averaged over fainter masks",
        formula: "w = softmax_k mean_n y(x (.) n/N M_k)",
        paper: "Naidu et al. 2020, arXiv:2010.03023",
        cost: "1 forward, N more per channel (N = 10)",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Layer(terms),
    traits: Traits {
        libraries: &[Library::Torchcam],
        reads: &[Reads::Samples, Reads::Channels, Reads::BatchSize],
        ..Traits::PLAIN
    },
};

/// Masks per channel, as in torchcam.
const SAMPLES: usize = 10;

fn terms(question: &Question, tap: usize) -> Result<Vec<Terms>> {
    let masks = Masks::new(question, question.activations(tap)?)?;
    let steps = question.options.samples_or(SAMPLES);
    let library = question.library();
    let fainter = |step: usize, mask: &mut [f32]| {
        let share = coefficient(step, steps, library);
        mask.iter_mut().for_each(|value| *value *= share);
    };
    let scores = masks.scores(question, steps, fainter)?;
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / steps as f64;
    let means = scores.iter().map(|scores| scores.chunks(steps).map(mean).collect());
    Ok(masks.terms(question, means))
}

fn coefficient(step: usize, steps: usize, library: Option<Library>) -> f32 {
    let n = step + 1;
    match library {
        Some(Library::Torchcam) => (n * (n + 1)) as f32 / (2 * steps) as f32,
        _ => n as f32 / steps as f32,
    }
}
