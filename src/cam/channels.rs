//! The channels whose scores a method asks for, where [`Options::channels`](super::Options::channels) limits them.
//!
//! Receives a layer's activations, gives the channels whose activations vary most over the positions. Such methods take a
//! pass per channel. A channel that is the same everywhere masks nothing and marks no place, and the more it varies the more
//! its term changes the map. Faster-Score-CAM of tf-keras-vis (`max_N`) takes the same channels.

use super::options::Options;
use crate::engine::Features;

/// Channels of a layer, in their order.
#[derive(Debug)]
pub(super) struct Chosen {
    channels: Vec<usize>,
    of: usize,
}

impl Chosen {
    /// The channels of greatest variance, as many as the options allow.
    pub(super) fn of(activations: &Features, options: &Options) -> Self {
        let of = activations.channels;
        let mut channels: Vec<usize> = (0..of).collect();
        if let Some(most) = options.channels.filter(|most| *most < of) {
            let cells = activations.height * activations.width;
            let variances: Vec<f64> = activations.values.chunks(cells).map(variance).collect();
            // Stable, so that of channels that vary alike the first are taken on every machine.
            channels.sort_by(|a, b| variances[*b].total_cmp(&variances[*a]));
            channels.truncate(most);
            // Back in the layer's order, so that sums over all channels are those without a limit, to the bit.
            channels.sort_unstable();
        }
        Self { channels, of }
    }

    pub(super) fn count(&self) -> usize {
        self.channels.len()
    }

    /// The layer's channel with this number among the chosen ones.
    pub(super) fn channel(&self, at: usize) -> usize {
        self.channels[at]
    }

    /// One weight for each of the layer's channels, zero for those that were not chosen.
    pub(super) fn spread(&self, weights: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.of];
        self.channels.iter().zip(weights).for_each(|(channel, weight)| all[*channel] = *weight);
        all
    }
}

fn variance(channel: &[f32]) -> f64 {
    let count = channel.len() as f64;
    let mean = channel.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    channel.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(channels: Option<usize>) -> Vec<usize> {
        // Variances by hand: 0, 4, 1, 4.
        let values = vec![9.0, 9.0, -2.0, 2.0, 4.0, 6.0, 0.0, 4.0];
        let features = Features { channels: 4, height: 1, width: 2, values };
        Chosen::of(&features, &Options { channels, ..Options::default() }).channels
    }

    #[test]
    fn those_that_vary_most_are_taken_in_their_order() {
        assert_eq!(chosen(Some(1)), [1]);
        assert_eq!(chosen(Some(2)), [1, 3]);
        assert_eq!(chosen(Some(3)), [1, 2, 3]);
        assert_eq!(chosen(Some(9)), [0, 1, 2, 3]);
        assert_eq!(chosen(None), [0, 1, 2, 3]);
    }

    #[test]
    fn the_others_weigh_nothing() {
        let chosen = Chosen { channels: vec![1, 3], of: 4 };
        assert_eq!(chosen.spread(&[0.5, -2.0]), [0.0, 0.5, 0.0, -2.0]);
    }
}
