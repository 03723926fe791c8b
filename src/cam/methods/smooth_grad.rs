//! SmoothGrad.
//!
//! Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017, arXiv:1706.03825, equation 1: the gradient averaged
//! over noisy inputs.
//!
//! ```text
//! G    = 1/N sum_n  dy^c/dx at x + e_n        e_n ~ N(0, s^2), s = 0.15 (max x - min x)
//! M_ij = max_colour | G_ij |                  signed: the sum over the colours
//! ```

use burncam_metrics::Noise;

use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::pixels::{self, Reduction};
use crate::cam::question::Question;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "smoothgrad",
        title: "SmoothGrad",
        summary: "the gradient averaged over noisy inputs",
        formula: "max_colour |mean_n dy/dx(x + e_n)|",
        paper: "Smilkov et al. 2017, arXiv:1706.03825",
        cost: "N forwards and backwards (N = 50)",
        uses_layer: false,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        reads: &[Reads::Samples, Reads::Noise, Reads::Seed, Reads::BatchSize],
        fine: true,
        ..Traits::PLAIN
    },
};

/// Noisy copies of the input. The paper finds little change with more than 50.
const SAMPLES: usize = 50;
/// Standard deviation of the noise, as a share of the input's range: the paper recommends 10 to 20 %.
const NOISE: f32 = 0.15;

fn maps(question: &Question) -> Result<Vec<Vec<f32>>> {
    let values = question.values();
    let deviation = question.options.noise.unwrap_or(NOISE) * pixels::range(values);
    let samples = question.options.samples_or(SAMPLES);
    let noisy =
        // Every draw has its own stream, so that the batch size has no effect.
        |draw: usize| Noise::new(question.options.seed, (2 << 32) + draw as u64).added_to(values, deviation);
    let means = pixels::weighted_gradients(question, samples, noisy, |_| 1.0 / samples as f64)?;
    Ok(means.iter().map(|mean| pixels::reduced(question, mean, Reduction::Size)).collect())
}
