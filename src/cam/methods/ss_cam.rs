//! SS-CAM, smoothed Score-CAM.
//!
//! Wang et al., "SS-CAM: Smoothed Score-CAM for Sharper Visual Feature Localization", 2020, arXiv:2006.14255, equation 5:
//! Score-CAM's scores averaged over noisy masks.
//!
//! ```text
//! s_k = 1/N sum_n  y^c( x (.) (M_k + e_n) )        e_n ~ N(0, 2)
//! w   = softmax_k( s_k )
//! ```

use burncam_metrics::Noise;

use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::masks::Masks;
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "sscam",
        title: "SS-CAM",
        summary: "Score-CAM averaged over noisy masks",
        formula: "w = softmax_k mean_n y(x (.) (M_k + e_n))",
        paper: "Wang et al. 2020, arXiv:2006.14255",
        cost: "1 forward, N more per channel (N = 35)",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Layer(terms),
    traits: Traits {
        libraries: &[Library::Torchcam],
        reads: &[Reads::Samples, Reads::Noise, Reads::Channels, Reads::Seed, Reads::BatchSize],
        ..Traits::PLAIN
    },
};

/// Noisy masks per channel, as in torchcam.
const SAMPLES: usize = 35;
/// Standard deviation of the noise, for masks from 0 to 1, as in torchcam.
const NOISE: f32 = 2.0;

fn terms(question: &Question, tap: usize) -> Result<Vec<Terms>> {
    let masks = Masks::new(question, question.activations(tap)?)?;
    let samples = question.options.samples_or(SAMPLES);
    let deviation = question.options.noise.unwrap_or(NOISE);
    let seed = question.options.seed;
    let seen = |draw: usize, values: &mut [f32]| {
        // Every draw has its own stream, so that the batch size has no effect.
        let mut noise = Noise::new(seed, (1 << 32) + draw as u64);
        masks.seen(draw / samples, values, |mask| {
            let noisy = noise.added_to(mask, deviation);
            mask.copy_from_slice(&noisy);
        });
    };
    let scores = question.scores_of_inputs(masks.count() * samples, seen)?;
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / samples as f64;
    let means = scores.iter().map(|scores| scores.chunks(samples).map(mean).collect());
    Ok(masks.terms(question, means))
}
