//! Averaging of maps over changed copies of the input.

use burncam_metrics::Noise;

use super::options::Options;
use super::pixels;
use crate::heatmap::Heatmap;

/// Default number of noisy copies.
const SAMPLES: usize = 10;
/// Standard deviation of the noise, as a share of the input's range.
const NOISE: f32 = 0.15;
/// Brightnesses of the augmented copies, as in pytorch-grad-cam's `aug_smooth`.
const FACTORS: [f32; 3] = [0.9, 1.0, 1.1];

/// The kinds of smoothing.
///
/// ```
/// use burncam::{Request, Smoothing};
///
/// // What pytorch-grad-cam calls `aug_smooth` and `eigen_smooth`.
/// let smoothing = Smoothing { augment: true, eigen: true, ..Smoothing::default() };
/// let request = Request::with(|request| request.smoothing = smoothing);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Smoothing {
    /// Averages over the input and its mirror image at three brightnesses.
    pub augment: bool,
    /// Averages over noisy inputs.
    pub noise: bool,
    /// Projects the terms of the map on their first principal component instead of summing them.
    pub eigen: bool,
}

/// A changed input.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    pub(super) values: Vec<f32>,
    /// Whether left and right are swapped.
    pub(super) mirrored: bool,
}

impl Smoothing {
    /// Whether maps of changed inputs are averaged.
    pub(super) fn averages(self) -> bool {
        self.augment || self.noise
    }

    /// The inputs to average over, created on demand.
    pub(super) fn variants<'a>(
        self,
        values: &'a [f32],
        width: usize,
        options: &Options,
    ) -> Box<dyn Iterator<Item = Variant> + 'a> {
        let bases = bases(values, width, self.augment);
        if !self.noise {
            return Box::new(bases);
        }
        let deviation = options.noise.unwrap_or(NOISE) * pixels::range(values);
        // Other streams belong to Smooth Grad-CAM++ (1), SS-CAM (from 1 << 32), SmoothGrad (from 2 << 32), RISE (from
        // 3 << 32) and D-RISE (from 5 << 32). Maps of two methods must not share their noise.
        let mut noise = Noise::new(options.seed, 4 << 32);
        let samples = options.samples_or(SAMPLES);
        // One stream over all draws, in this order: a copy does not depend on how many are made at once.
        let draws = bases.flat_map(move |base| (0..samples).map(move |_| base.clone()));
        Box::new(draws.map(move |base| Variant { values: noise.added_to(&base.values, deviation), ..base }))
    }
}

/// The input, or with `augment` both of its orientations at all brightnesses.
fn bases(values: &[f32], width: usize, augment: bool) -> impl Iterator<Item = Variant> {
    // pytorch-grad-cam runs the brightnesses within a side, too; the order is that of the sum, and so of its last
    // digits.
    let sides: &[bool] = if augment { &[false, true] } else { &[false] };
    let factors: &[f32] = if augment { &FACTORS } else { &[1.0] };
    let changed = move |mirrored: bool, factor: f32| {
        let base = if mirrored { mirror(values, width) } else { values.to_vec() };
        Variant { values: base.into_iter().map(|value| value * factor).collect(), mirrored }
    };
    sides.iter().flat_map(move |side| factors.iter().map(move |factor| changed(*side, *factor)))
}

/// Left and right swapped.
pub(super) fn mirrored_map(map: &Heatmap) -> Option<Heatmap> {
    Heatmap::new(map.height(), map.width(), mirror(map.values(), map.width()))
}

/// The mean of maps of one size, accumulated map by map.
#[derive(Debug, Clone)]
pub(super) struct Mean {
    height: usize,
    width: usize,
    sums: Vec<f64>,
    count: usize,
}

impl Mean {
    /// The mean of a single map.
    pub(super) fn of(map: &Heatmap) -> Self {
        let sums = map.values().iter().map(|value| f64::from(*value)).collect();
        Self { height: map.height(), width: map.width(), sums, count: 1 }
    }

    /// Adds a map of the same size.
    pub(super) fn add(&mut self, map: &Heatmap) {
        let pairs = self.sums.iter_mut().zip(map.values());
        pairs.for_each(|(sum, value)| *sum += f64::from(*value));
        self.count += 1;
    }

    /// The mean so far.
    pub(super) fn map(&self) -> Option<Heatmap> {
        let values = self.sums.iter().map(|sum| (sum / self.count as f64) as f32).collect();
        Heatmap::new(self.height, self.width, values)
    }
}

fn mirror(values: &[f32], width: usize) -> Vec<f32> {
    values.chunks(width).flat_map(|row| row.iter().rev().copied()).collect()
}
