//! Inputs masked by a layer's channels, for Score-CAM and its variants.

use super::channels::Chosen;
use super::options::Library;
use super::question::Question;
use super::terms::Terms;
use crate::Heatmap;
use crate::engine::Features;
use crate::error::{Error, Result};
use crate::heatmap::Sampling;

/// A layer's channels, as many as the options allow, as masks over the network's input.
#[derive(Debug)]
pub(super) struct Masks<'a> {
    activations: Vec<Heatmap>,
    chosen: Chosen,
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
            chosen: Chosen::of(activations, question.options),
            input: question.network().input(),
            values: question.values(),
            library: question.library(),
        })
    }

    /// Number of masks.
    pub(super) fn count(&self) -> usize {
        self.chosen.count()
    }

    /// One weight for each of the layer's channels, zero for those without a mask.
    pub(super) fn spread(&self, weights: &[f64]) -> Vec<f64> {
        self.chosen.spread(weights)
    }

    /// A mask by its number, `[height, width]` of the input, 0 to 1; zero for a constant channel.
    pub(super) fn mask(&self, at: usize) -> Vec<f32> {
        let [_, height, width] = self.input;
        let channel = &self.activations[self.chosen.channel(at)];
        let enlarged = match self.library {
            // `UpsamplingBilinear2d` and scipy's `zoom` align the corners.
            Some(Library::PytorchGradCam | Library::TfKerasVis) => {
                unit(&channel.resized(height, width, Sampling::BilinearCorners))
            }
            // torchcam scales before enlarging.
            Some(Library::Torchcam) => {
                return unit(channel).resized(height, width, Sampling::Bilinear).values().to_vec();
            }
            _ => unit(&channel.resized(height, width, Sampling::Bilinear)),
        };
        enlarged.values().to_vec()
    }

    /// The input times a mask, the same for every colour.
    pub(super) fn through(&self, mask: &[f32]) -> Vec<f32> {
        let colours = self.values.chunks(mask.len());
        colours.flat_map(|colour| colour.iter().zip(mask).map(|(value, share)| value * share)).collect()
    }

    /// For each class the weights from its scores of the masked inputs.
    pub(super) fn terms(
        &self,
        question: &Question,
        scores: impl IntoIterator<Item = Vec<f64>>,
    ) -> Vec<Terms> {
        let of_class = |(scores, class): (Vec<f64>, &usize)| {
            Terms::Weights(self.spread(&weights(question, *class, &scores)))
        };
        scores.into_iter().zip(question.classes).map(of_class).collect()
    }
}

/// Scaled to 0 to 1; zeros for a constant map.
fn unit(map: &Heatmap) -> Heatmap {
    let stats = map.stats();
    let range = stats.max - stats.min;
    // The small number of pytorch-grad-cam and torchcam.
    let scaled = map.map(|value| if range > 0.0 { (value - stats.min) / (range + 1e-8) } else { 0.0 });
    scaled.unwrap_or_else(|| map.clone())
}

/// Differences of scores within this share of the score are rounding, because networks run in single precision.
const ROUNDING: f64 = 1e-6;

/// The softmax of a class's scores over channels, or zeros when no mask changes the score: all channels would have
/// equal weights, and the map would show activity unrelated to the class. Libraries draw that.
fn weights(question: &Question, class: usize, scores: &[f64]) -> Vec<f64> {
    let whole = question.score_of(question.logits(), class);
    let unmoved = |score: &f64| (score - whole).abs() <= ROUNDING * whole.abs();
    match question.library() {
        None if scores.iter().all(unmoved) => vec![0.0; scores.len()],
        _ => softmax(scores),
    }
}

/// `exp(s_k) / sum_j exp(s_j)`.
fn softmax(scores: &[f64]) -> Vec<f64> {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Logits of several hundred overflow the exponential; relative to the greatest none does.
    let powers: Vec<f64> = scores.iter().map(|score| (score - greatest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_softmax_sums_to_one_and_does_not_overflow() {
        let weights = softmax(&[1000.0, 1000.0 + 3.0_f64.ln(), -1000.0]);
        assert!((weights[0] - 0.25).abs() < 1e-12 && (weights[1] - 0.75).abs() < 1e-12, "{weights:?}");
        assert_eq!(weights[2], 0.0);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn masks_reach_from_zero_to_one_or_are_nothing() {
        let map = |values: [f32; 3]| unit(&Heatmap::new(1, 3, values.to_vec()).unwrap()).values().to_vec();
        assert_eq!(map([-2.0, 0.0, 2.0]), [0.0, 0.5, 1.0]);
        assert_eq!(map([3.0; 3]), [0.0; 3]);
    }
}
