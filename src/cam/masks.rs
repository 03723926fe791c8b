//! Inputs seen through a layer's channels, for Score-CAM and its descendants.

use super::options::Library;
use super::scene::Question;
use crate::Heatmap;
use crate::engine::Features;
use crate::error::{Error, Result};
use crate::heatmap::Sampling;

/// Every channel of a layer as a mask over the network's input.
#[derive(Debug)]
pub(super) struct Masks<'a> {
    activations: Vec<Heatmap>,
    input: [usize; 3],
    values: &'a [f32],
    library: Option<Library>,
}

impl<'a> Masks<'a> {
    /// Masks of a layer's channels.
    pub(super) fn new(question: &Question<'a>, activations: &Features) -> Result<Self> {
        let (height, width) = (activations.height, activations.width);
        let channels = activations.values.chunks(height * width);
        let maps: Option<Vec<_>> =
            channels.map(|channel| Heatmap::new(height, width, channel.to_vec())).collect();
        Ok(Self {
            activations: maps.ok_or_else(|| Error::request("the layer's activations are not finite"))?,
            input: question.network().input(),
            values: question.values(),
            library: question.library(),
        })
    }

    /// A channel's mask, `[height, width]` of the input, 0 to 1; zero for a channel that is the same everywhere.
    pub(super) fn mask(&self, channel: usize) -> Vec<f32> {
        let [_, height, width] = self.input;
        let channel = &self.activations[channel];
        let enlarged = match self.library {
            Some(Library::PytorchGradCam | Library::TfKerasVis) => {
                unit(&channel.resized(height, width, Sampling::BilinearCorners))
            }
            // Theirs is scaled before it is enlarged.
            Some(Library::Torchcam) => {
                return unit(channel).resized(height, width, Sampling::Bilinear).values().to_vec();
            }
            _ => unit(&channel.resized(height, width, Sampling::Bilinear)),
        };
        enlarged.values().to_vec()
    }

    /// The input times a mask that is the same for every colour.
    pub(super) fn through(&self, mask: &[f32]) -> Vec<f32> {
        let colours = self.values.chunks(mask.len());
        colours.flat_map(|colour| colour.iter().zip(mask).map(|(value, share)| value * share)).collect()
    }
}

/// Scaled to 0 to 1; zeros for a map that is the same everywhere.
fn unit(map: &Heatmap) -> Heatmap {
    let stats = map.stats();
    let range = stats.max - stats.min;
    let scaled = map.map(|value| if range > 0.0 { (value - stats.min) / (range + 1e-8) } else { 0.0 });
    scaled.unwrap_or_else(|| map.clone())
}

/// `exp(s_k) / sum_j exp(s_j)`.
pub(super) fn softmax(scores: &[f64]) -> Vec<f64> {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - greatest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}
