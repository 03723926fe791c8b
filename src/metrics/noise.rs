//! Random numbers that depend only on the seed, on every machine: for metrics, baselines, intervals, and methods with noise.

use chacha20::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, StandardNormal};
use sha2::{Digest as _, Sha256};

/// A stream of random numbers.
///
/// ```
/// use burncam_metrics::Noise;
///
/// assert_eq!(Noise::new(1, 2).uniform(), Noise::new(1, 2).uniform());
/// ```
#[derive(Debug)]
pub struct Noise(ChaCha8Rng);

impl Noise {
    /// The stream of a seed and a purpose; separate purposes never share numbers.
    #[must_use]
    pub fn new(seed: u64, purpose: u64) -> Self {
        // Not `StdRng`, whose algorithm may change with a version of rand.
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(purpose);
        Self(generator)
    }

    /// As [`Noise::new`], with different numbers for each picture: the input's values are part of the seed, so that
    /// neither names nor order matter.
    #[must_use]
    pub fn of_picture(seed: u64, picture: &[f32], purpose: u64) -> Self {
        let mut digest = Sha256::new();
        digest.update(seed.to_le_bytes());
        // Little-endian, so that big-endian machines draw the same.
        picture.iter().for_each(|value| digest.update(value.to_le_bytes()));
        let mut generator = ChaCha8Rng::from_seed(digest.finalize().into());
        generator.set_stream(purpose);
        Self(generator)
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// A whole number below `count`, which must not be zero.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count - 1)
    }

    /// Gaussian, mean 0, standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Values with Gaussian noise of the given standard deviation.
    pub fn added_to(&mut self, values: &[f32], deviation: f32) -> Vec<f32> {
        let mut draw = || -> f32 { StandardNormal.sample(&mut self.0) };
        values.iter().map(|value| value + deviation * draw()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_these_numbers_everywhere() {
        let mut noise = Noise::new(1, 2);
        assert_eq!(noise.uniform(), Noise::new(1, 2).uniform());
        assert_ne!(Noise::new(1, 2).uniform(), Noise::new(2, 2).uniform());
        assert_ne!(Noise::new(1, 2).uniform(), Noise::new(1, 3).uniform());
    }

    #[test]
    fn a_picture_has_numbers_of_its_own() {
        let first = |seed, picture: &[f32], purpose| Noise::of_picture(seed, picture, purpose).uniform();
        assert_eq!(first(1, &[0.5, 2.0], 3), first(1, &[0.5, 2.0], 3));
        for (seed, picture, purpose) in [(2, [0.5, 2.0], 3), (1, [2.0, 0.5], 3), (1, [0.5, 2.0], 4)] {
            assert_ne!(first(seed, &picture, purpose), first(1, &[0.5, 2.0], 3));
        }
    }

    #[test]
    fn noise_has_the_deviation_that_was_asked_for() {
        let values = Noise::new(0, 0).added_to(&[1.0; 10_000], 0.5);
        let mean = values.iter().sum::<f32>() / 1e4;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 1e4;
        assert!((mean - 1.0).abs() < 0.02 && (variance.sqrt() - 0.5).abs() < 0.02, "{mean} {variance}");
    }
}
