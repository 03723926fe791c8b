//! Random numbers that depend only on the seed, on every machine.

use chacha20::ChaCha8Rng;
use rand::SeedableRng as _;
use rand_distr::{Distribution as _, StandardNormal};

/// A stream of random numbers.
#[derive(Debug)]
pub(crate) struct Noise(ChaCha8Rng);

impl Noise {
    /// The stream of a seed and a purpose; separate purposes never share numbers.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        // Not `StdRng`, whose algorithm may change with a version of rand.
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(purpose);
        Self(generator)
    }

    /// Gaussian, mean 0, standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_purpose_give_the_same_numbers_again() {
        let draw = |seed, purpose| Noise::new(seed, purpose).normal();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn numbers_have_mean_zero_and_deviation_one() {
        let mut noise = Noise::new(7, 0);
        let drawn: Vec<f64> = (0..10_000).map(|_| noise.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 1e4;
        let variance = drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1e4;
        // Five standard errors: 5 / sqrt(10^4), and sqrt(2) times that.
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.07, "{mean} {variance}");
    }
}
