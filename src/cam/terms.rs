//! A method's result for a layer before the sum over channels.

use super::principal;
use crate::engine::Features;

/// One layer's contribution to a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Terms {
    /// One weight per channel, `[channels]`: the map is the weighted sum of the activations.
    Weights(Vec<f64>),
    /// One term per channel and position, `[channels, height, width]`: the map is their sum over the channels.
    Elements(Vec<f64>),
    /// The map itself, `[height, width]`.
    Map(Vec<f64>),
    /// The map itself as projections of each position's terms; the second value bounds the norm of the terms.
    Projected(Vec<f64>, f64),
}

/// Rounding changes a sum by less than this share of its terms' magnitudes, times the square root of their number.
/// The terms come from single-precision sums over the inputs of a convolution: eight times the machine epsilon.
pub(super) const ROUNDING: f64 = 1e-6;

impl Terms {
    /// The possible effect of rounding on the map's values: smaller differences are not significant.
    ///
    /// Terms that cancel leave their rounding errors.
    pub(super) fn rounding(&self, activations: &Features) -> f64 {
        let size = match self {
            Self::Map(_) => self.greatest_sum(activations),
            Self::Projected(_, size) => *size,
            Self::Weights(_) | Self::Elements(_) => {
                // Rounding errors of a sum grow with the root of the number of terms, as a random walk does.
                (activations.channels as f64).sqrt() * self.greatest_sum(activations)
            }
        };
        ROUNDING * size
    }

    /// The largest sum of the terms' magnitudes at any position.
    pub(super) fn greatest_sum(&self, activations: &Features) -> f64 {
        let cells = activations.height * activations.width;
        let mut sums = vec![0.0_f64; cells];
        match self {
            Self::Map(elements) | Self::Elements(elements) | Self::Projected(elements, _) => {
                elements.iter().enumerate().for_each(|(at, element)| sums[at % cells] += element.abs());
            }
            Self::Weights(weights) => {
                for (channel, weight) in activations.values.chunks(cells).zip(weights) {
                    let sizes = channel.iter().map(|value| (weight * f64::from(*value)).abs());
                    sums.iter_mut().zip(sizes).for_each(|(sum, size)| *sum += size);
                }
            }
        }
        sums.into_iter().fold(0.0, f64::max)
    }

    /// The signed map, `[height, width]`.
    ///
    /// With `smooth`, the sum over channels is replaced by the projection on the first principal component of the
    /// terms, as in pytorch-grad-cam's `eigen_smooth`; a method that gives the map itself has no terms.
    pub(super) fn into_map(self, activations: &Features, smooth: bool) -> Vec<f32> {
        let cells = activations.height * activations.width;
        let map = match self {
            Self::Map(map) | Self::Projected(map, _) => map,
            terms if smooth => principal::projection(&terms.elements(activations), activations.channels),
            Self::Weights(weights) => weighted_sum(&weights, activations),
            Self::Elements(elements) => sum_of_channels(&elements, cells),
        };
        map.into_iter().map(|value| value as f32).collect()
    }

    fn elements(self, activations: &Features) -> Vec<f64> {
        let cells = activations.height * activations.width;
        match self {
            Self::Weights(weights) => weights
                .iter()
                .zip(activations.values.chunks(cells))
                .flat_map(|(weight, channel)| channel.iter().map(move |value| weight * f64::from(*value)))
                .collect(),
            Self::Elements(values) | Self::Map(values) | Self::Projected(values, _) => values,
        }
    }
}

fn weighted_sum(weights: &[f64], activations: &Features) -> Vec<f64> {
    let cells = activations.height * activations.width;
    let mut sum = vec![0.0_f64; cells];
    for (weight, channel) in weights.iter().zip(activations.values.chunks(cells)) {
        for (total, activation) in sum.iter_mut().zip(channel) {
            *total += weight * f64::from(*activation);
        }
    }
    sum
}

fn sum_of_channels(elements: &[f64], cells: usize) -> Vec<f64> {
    let mut sum = vec![0.0_f64; cells];
    for channel in elements.chunks(cells) {
        for (total, element) in sum.iter_mut().zip(channel) {
            *total += element;
        }
    }
    sum
}
