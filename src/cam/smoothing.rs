//! The same map from changed copies of the input, averaged.

use super::noise::{self, Noise};
use super::options::Options;
use crate::heatmap::Heatmap;

/// Noisy copies, where nothing else is said.
const SAMPLES: usize = 10;
/// Standard deviation of the noise, as a share of the input's range.
const NOISE: f32 = 0.15;
/// Brightnesses of the augmented copies, as in pytorch-grad-cam's `aug_smooth`.
const FACTORS: [f32; 3] = [0.9, 1.0, 1.1];

/// Which smoothing is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Smoothing {
    /// Averages over the input and its mirror image at three brightnesses.
    pub augment: bool,
    /// Averages over noisy inputs.
    pub noise: bool,
    /// Projects the terms of the map on their first principal component in the place of summing them.
    pub eigen: bool,
}

/// A changed input.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) values: Vec<f32>,
    /// Left and right are swapped.
    pub(super) mirrored: bool,
}

impl Smoothing {
    /// The inputs to average over; none when the input itself is enough.
    pub(super) fn variants(self, values: &[f32], width: usize, options: &Options) -> Vec<Variant> {
        let mut variants = Vec::new();
        if self.augment {
            for mirrored in [false, true] {
                for factor in FACTORS {
                    let base = if mirrored { mirror(values, width) } else { values.to_vec() };
                    let values = base.into_iter().map(|value| value * factor).collect();
                    variants.push(Variant { values, mirrored });
                }
            }
        }
        if self.noise {
            variants = noisy(variants, values, options);
        }
        variants
    }
}

fn noisy(variants: Vec<Variant>, values: &[f32], options: &Options) -> Vec<Variant> {
    let bases = match variants.is_empty() {
        true => vec![Variant { values: values.to_vec(), mirrored: false }],
        false => variants,
    };
    let deviation = options.noise.unwrap_or(NOISE) * noise::range(values);
    let mut noise = Noise::new(options.seed, 4 << 32);
    let samples = options.samples.unwrap_or(SAMPLES);
    let draws = bases.iter().flat_map(|base| std::iter::repeat_n(base, samples));
    draws
        .map(|base| Variant { values: noise.added_to(&base.values, deviation), mirrored: base.mirrored })
        .collect()
}

/// Left and right swapped.
pub(super) fn mirrored_map(map: &Heatmap) -> Option<Heatmap> {
    Heatmap::new(map.height(), map.width(), mirror(map.values(), map.width()))
}

/// The mean of maps of one size.
pub(super) fn mean(maps: &[Heatmap]) -> Option<Heatmap> {
    let first = maps.first()?;
    let cell = |at: usize| {
        let sum: f64 = maps.iter().map(|map| f64::from(map.values()[at])).sum();
        (sum / maps.len() as f64) as f32
    };
    Heatmap::new(first.height(), first.width(), (0..first.values().len()).map(cell).collect())
}

fn mirror(values: &[f32], width: usize) -> Vec<f32> {
    values.chunks(width).flat_map(|row| row.iter().rev().copied()).collect()
}
