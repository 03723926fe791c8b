//! Infidelity and sensitivity (Yeh et al. 2019, arXiv:1901.09392): does an explanation follow the network, and does it stay when the
//! picture hardly changes?
//!
//! Receives perturbations and explanations through functions of the caller. Explains nothing itself.

use burncam_graph::error::{Error, Problem};

use super::picture::Picture;
use crate::noise::Noise;
use crate::scorer::Scorer;

/// Streams of perturbations, apart from the noise of other metrics with the same seed.
const GAUSSIAN: u64 = 9 << 32;
const UNIFORM: u64 = 10 << 32;

/// Perturbations for [`infidelity`]: Gaussian noise of this standard deviation in units of the network's input.
///
/// Perturbation `i` is the same for a seed regardless of how many there are.
pub fn gaussian(seed: u64, deviation: f64) -> impl FnMut(usize, &mut [f32]) {
    let mut noise = Noise::new(seed, GAUSSIAN);
    move |_, values| values.iter_mut().for_each(|value| *value = (deviation * noise.normal()) as f32)
}

/// Perturbations for [`Sensitivity`]: uniform from `-radius` to `radius` in units of the network's input; captum's radius is 0.02.
pub fn uniform(seed: u64, radius: f64) -> impl FnMut(usize, &mut [f32]) {
    let mut noise = Noise::new(seed, UNIFORM);
    move |_, values| {
        values.iter_mut().for_each(|value| *value = (radius * (2.0 * noise.uniform() - 1.0)) as f32);
    }
}

/// `mean of (b (I . phi) - (f(x) - f(x - I)))^2` over `samples` perturbations `I`. Lower is better; in squared units of the score.
///
/// `relevances` is `phi`: one value per value of the picture, or one per pixel, which then is that of all channels. `perturb` writes
/// perturbation `I` of an index. `b` is 1, as in the paper's definition 2.1, or with `normalize` the factor for which the mean is smallest
/// over these perturbations, as captum's `normalize`: maps have no scale of their own, and without it their figures do not compare.
///
/// # Errors
///
/// When the number of relevances is neither of the two, there is no sample, and what the scorer reports.
pub fn infidelity(
    picture: &Picture,
    relevances: &[f32],
    samples: usize,
    normalize: bool,
    mut perturb: impl FnMut(usize, &mut [f32]),
    scorer: &mut dyn Scorer,
) -> Result<f64, Error> {
    let size = picture.values().len();
    if ![size, picture.pixels()].contains(&relevances.len()) {
        let problem = Problem::new("explanation has another size than the picture");
        let expected = format!("{size} or {} values", picture.pixels());
        return Err(problem.expected(expected).found(relevances.len().to_string()).into());
    }
    needs_samples(samples)?;
    let mut foreseen = Vec::with_capacity(samples);
    let mut change = vec![0.0; size];
    let scores = picture.scores(scorer, samples, |index, values| {
        perturb(index, &mut change);
        let products = change.iter().zip(relevances.iter().cycle());
        foreseen.push(products.map(|(change, relevance)| f64::from(*change) * f64::from(*relevance)).sum());
        values.iter_mut().zip(&change).for_each(|(value, change)| *value -= change);
    })?;
    let drops: Vec<f64> = scores.iter().map(|score| picture.score() - score).collect();
    let factor = if normalize { best_factor(&foreseen, &drops) } else { 1.0 };
    let squares = foreseen.iter().zip(&drops).map(|(foreseen, drop)| (factor * foreseen - drop).powi(2));
    Ok(squares.sum::<f64>() / samples as f64)
}

/// The factor of least squares; 1 where everything foreseen is 0 and no factor changes it.
fn best_factor(foreseen: &[f64], drops: &[f64]) -> f64 {
    let products: f64 =
        foreseen.iter().zip(drops).map(|(foreseen, drop): (&f64, &f64)| foreseen * drop).sum();
    let squares: f64 = foreseen.iter().map(|foreseen| foreseen * foreseen).sum();
    if squares > 0.0 { products / squares } else { 1.0 }
}

fn needs_samples(samples: usize) -> Result<(), Error> {
    match samples {
        0 => Err(Problem::new("number of perturbations is 0").expected("1 or more").into()),
        _ => Ok(()),
    }
}

/// How far an explanation moves under perturbations `u` of the picture: `norm(phi(x + u) - phi(x)) / norm(phi(x))`, Euclidean norms over
/// all values, as in captum. 0 and up, lower is better; a constant explanation, too, has 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensitivity {
    /// The greatest, as in definition 2.2 of the paper (divided by the norm).
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// Whether `phi(x)` is zero everywhere. Its norm then counts as 1.
    pub is_blank: bool,
}

impl Sensitivity {
    /// Explains the picture `values`, and `samples` perturbed copies of it one by one. `perturb` writes perturbation `u` of an index,
    /// `explain` gives the explanation of a picture, always of the same size.
    ///
    /// # Errors
    ///
    /// When explanations differ in size, there is no sample, and what `explain` reports.
    pub fn new(
        values: &[f32],
        samples: usize,
        mut perturb: impl FnMut(usize, &mut [f32]),
        mut explain: impl FnMut(&[f32]) -> Result<Vec<f32>, Error>,
    ) -> Result<Self, Error> {
        needs_samples(samples)?;
        let first = explain(values)?;
        let size = norm(first.iter().map(|value| f64::from(*value)));
        let is_blank = size == 0.0;
        let (mut max, mut sum) = (0.0_f64, 0.0);
        let mut changed = vec![0.0; values.len()];
        for sample in 0..samples {
            perturb(sample, &mut changed);
            changed.iter_mut().zip(values).for_each(|(changed, value)| *changed += value);
            let other = explain(&changed)?;
            if other.len() != first.len() {
                // Values that do not fit must not be repeated until they do: the figure would be wrong without a sign of it.
                let problem = Problem::new("explanations of one picture differ in size");
                return Err(problem.expected(first.len().to_string()).found(other.len().to_string()).into());
            }
            let differences =
                other.iter().zip(&first).map(|(other, first)| f64::from(*other) - f64::from(*first));
            let moved = norm(differences) / if is_blank { 1.0 } else { size };
            max = max.max(moved);
            sum += moved;
        }
        Ok(Self { max, mean: sum / samples as f64, is_blank })
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests;
