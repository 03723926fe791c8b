//! Smooth Grad-CAM++.
//!
//! Omeiza et al., "Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique for Deep Convolutional Neural
//! Network Models", 2019, arXiv:1908.01224, equations 8 to 10: Grad-CAM++ with every power of the gradient averaged over
//! noisy copies of the input.
//!
//! ```text
//! D1, D2, D3 = means of G, G^2, G^3 over the noisy inputs
//! a_ij^k = D2_ij / ( 2 D2_ij + sum_ab A_ab^k  D3_ij )
//! w_k    = sum_ij  a_ij^k ReLU( D1_ij )
//! ```
//!
//! `A` is the clean input's. torchcam 0.5.0 rectifies the last gradient instead of the mean, weights the last noisy
//! input's activations, and uses the sum over `A D3`.

use burncam_metrics::Noise;

use crate::cam::definition::{Definition, Layers, MethodInfo, Reads, Run, Traits};
use crate::cam::options::Library;
use crate::cam::pixels;
use crate::cam::question::Question;
use crate::cam::scene::{Reach, Scene};
use crate::cam::terms::Terms;
use crate::engine::{Evidence, Features};
use crate::error::{Hint, OptionName, Problem, Result};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "smoothgradcampp",
        title: "Smooth Grad-CAM++",
        summary: "Grad-CAM++ averaged over noisy inputs",
        formula: "w_k = sum_ij D2/(2 D2 + sum(A_k)D3) ReLU(D1)",
        paper: "Omeiza et al. 2019, arXiv:1908.01224",
        cost: "N forwards and backwards (N = 10)",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Layers(terms),
    traits: Traits {
        libraries: &[Library::Torchcam],
        reads: &[Reads::Samples, Reads::Noise, Reads::Seed],
        ..Traits::PLAIN
    },
};

/// Noisy copies of the input.
const SAMPLES: usize = 10;
/// Standard deviation of the noise, as a share of the input's range: SmoothGrad's.
const NOISE: f32 = 0.15;
/// torchcam's values; its deviation is in units of the input.
const TORCHCAM: (usize, f32) = (4, 0.3);

/// For one layer: means over the noisy inputs, `[channels, height, width]`, and the results for the last one.
struct Powers {
    /// Means of the gradient, its square and its cube.
    means: [Vec<f64>; 3],
    last: Option<Evidence>,
}

fn terms(question: &Question) -> Result<Vec<Layers>> {
    let taps = 0..question.network().taps();
    let clean = taps.map(|tap| question.activations(tap)).collect::<Result<Vec<_>>>()?;
    let numbers: usize = clean.iter().map(|clean| clean.values.len()).sum();
    let theirs = question.follows(Library::Torchcam);
    let layer = |(powers, clean): (Powers, &&Features)| -> Result<(Option<Features>, Terms)> {
        let Powers { means, last } = powers;
        let last = last.ok_or_else(|| {
            let problem = Problem::new("smoothgradcampp takes at least one sample");
            problem.hint(Hint::Raise(OptionName::Samples))
        })?;
        let weights = Terms::Weights(weights(&means, clean, theirs.then_some(&last.gradients)));
        Ok((theirs.then_some(last.activations), weights))
    };
    let mut classes = Vec::with_capacity(question.classes.len());
    // Three sums in double precision, and activations and gradients of the last input, per class.
    for part in question.parts(numbers * (3 * size_of::<f64>() + 2 * size_of::<f32>())) {
        for powers in powers(&part, &clean)? {
            classes.push(powers.into_iter().zip(&clean).map(layer).collect::<Result<Layers>>()?);
        }
    }
    Ok(classes)
}

/// `w_k`; with `slopes`, the last gradients, as torchcam does it.
fn weights([first, second, third]: &[Vec<f64>; 3], clean: &Features, slopes: Option<&Features>) -> Vec<f64> {
    let cells = clean.height * clean.width;
    let weight = |channel: usize| -> f64 {
        let here = channel * cells..(channel + 1) * cells;
        let total: f64 = clean.values[here.clone()].iter().map(|value| f64::from(*value)).sum();
        let of_products: f64 = here.clone().map(|at| third[at] * f64::from(clean.values[at])).sum();
        let position = |at: usize| {
            let (third, slope, least) = match slopes {
                Some(slopes) => (of_products, f64::from(slopes.values[at]), 1e-8),
                // No small number is needed, because a quotient of zeros is caught below.
                None => (total * third[at], first[at], 0.0),
            };
            let share = second[at] / (2.0 * second[at] + third + least);
            // A position without any gradient has no share.
            if share.is_finite() { share * slope.max(0.0) } else { 0.0 }
        };
        here.map(position).sum()
    };
    (0..clean.channels).map(weight).collect()
}

/// For each class the powers of every layer.
fn powers(question: &Question, clean: &[&Features]) -> Result<Vec<Vec<Powers>>> {
    let range = pixels::range(question.values());
    let (samples, deviation) =
        if question.follows(Library::Torchcam) { TORCHCAM } else { (SAMPLES, NOISE * range) };
    let samples = question.options.samples_or(samples);
    let deviation = question.options.noise.map_or(deviation, |share| share * range);
    let empty =
        |clean: &&Features| Powers { means: [(); 3].map(|()| vec![0.0; clean.values.len()]), last: None };
    let mut classes: Vec<Vec<Powers>> =
        question.classes.iter().map(|_| clean.iter().map(empty).collect()).collect();
    // Again from the beginning for each part of the classes: all classes see the same noisy inputs.
    let mut noise = Noise::new(question.options.seed, 1);
    for done in 1..=samples {
        let values = noise.added_to(question.values(), deviation);
        let (scene, mut head) =
            Scene::of_copy(question.network(), &values, question.reduction(), Reach::Layers)?;
        let noisy = Question { scene: &scene, ..*question };
        for (layers, class) in classes.iter_mut().zip(question.classes) {
            let evidence = noisy.evidence(*class, &mut head)?;
            layers.iter_mut().zip(evidence).for_each(|(layer, evidence)| layer.add(evidence, samples));
        }
        question.report(done, samples);
    }
    Ok(classes)
}

impl Powers {
    /// Adds the result for one noisy input.
    fn add(&mut self, evidence: Evidence, samples: usize) {
        for (power, mean) in (1..).zip(&mut self.means) {
            let pairs = mean.iter_mut().zip(&evidence.gradients.values);
            pairs.for_each(|(mean, gradient)| *mean += f64::from(*gradient).powi(power) / samples as f64);
        }
        self.last = Some(evidence);
    }
}
