//! Reproducible noise pictures and pseudo-random numbers.

use image::{Rgb, RgbImage};

use crate::card::InputSpec;
use crate::error::Result;
use crate::input::preprocess;
use crate::model::Model;

/// Cells per side of the picture's coarse component.
const CELLS: usize = 8;

/// SplitMix64: small, and good enough for noise and samples. A fixed algorithm keeps checks reproducible.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream for one use among several with the same seed, by the name of the use.
    pub(super) fn named(seed: u64, name: &str) -> Self {
        name.bytes().fold(Self(seed), |mut random, byte| Self(random.next() ^ u64::from(byte)))
    }

    /// Uniform in [0, 1), with 24 bits, as many as an f32 holds.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, which must not be zero.
    pub(super) fn below(&mut self, count: usize) -> usize {
        // Slightly uneven for counts that are no powers of two, which does not matter for a sample.
        (self.next() % count as u64) as usize
    }
}

/// A noise picture of the network's size, preprocessed as the card says: `[1, channels, height, width]`.
///
/// It has large patches and fine grain, so that early and late layers both respond to it.
pub(super) fn input(model: &Model, seed: u64) -> Result<Vec<f32>> {
    let spec = &model.graph().input;
    let mut random = Random::new(seed);
    if spec.is_signal() {
        return Ok(signal(spec, &mut random));
    }
    let mut colour = || random.next().to_le_bytes();
    let patches: Vec<[u8; 8]> = (0..CELLS * CELLS).map(|_| colour()).collect();
    let picture = RgbImage::from_fn(spec.width as u32, spec.height as u32, |x, y| {
        let cell = |at: u32, side: usize| at as usize * CELLS / side;
        let patch = patches[cell(y, spec.height) * CELLS + cell(x, spec.width)];
        let grain = colour();
        Rgb([0, 1, 2].map(|channel| patch[channel] / 4 * 3 + grain[channel] / 4))
    });
    // Through the preprocessing, so that values are in the range that the network was trained on.
    Ok(preprocess(&picture, &model.card().preprocess, spec)?.values)
}

/// A signal from -2 to 2 in each channel: steps, with fine grain.
fn signal(spec: &InputSpec, random: &mut Random) -> Vec<f32> {
    let steps: Vec<f32> = (0..CELLS * spec.channels).map(|_| 3.0 * random.unit() - 1.5).collect();
    let sample = |at: usize| steps[at / spec.width * CELLS + at % spec.width * CELLS / spec.width];
    (0..spec.channels * spec.width).map(|at| sample(at) + random.unit() - 0.5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first two numbers of the reference implementation for the seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
