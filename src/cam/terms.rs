//! What a method makes of a layer before anything is summed over its channels.

use super::principal;
use crate::engine::Features;

/// One layer's part in a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Terms {
    /// One weight a channel, `[channels]`: the map is the weighted sum of the activations.
    Weights(Vec<f64>),
    /// One term a channel and position, `[channels, height, width]`: the map is their sum over the channels.
    Elements(Vec<f64>),
    /// The map itself, `[height, width]`.
    Map(Vec<f64>),
}

impl Terms {
    /// The signed map, `[height, width]`.
    ///
    /// With `smooth`, the sum over channels is replaced by the projection on the first principal component of the
    /// terms, as in pytorch-grad-cam's `eigen_smooth`; a method that gives the map itself has none.
    pub(super) fn into_map(self, activations: &Features, smooth: bool) -> Vec<f32> {
        let cells = activations.height * activations.width;
        let map = match self {
            Self::Map(map) => map,
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
            Self::Elements(values) | Self::Map(values) => values,
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
