//! Inputs masked by a layer's channels, for Score-CAM and its variants.

use super::channels::Chosen;
use super::options::Library;
use super::pixels;
use super::question::Question;
use super::terms::Terms;
use crate::engine::Features;
use crate::error::{Error, Result};
use crate::heatmap::{Resizer, Sampling};

/// A layer's channels, as many as the options allow, as masks over the network's input.
#[derive(Debug)]
pub(super) struct Masks<'a> {
    /// The layer's activations, all finite.
    activations: &'a Features,
    chosen: Chosen,
    input: &'a [f32],
    /// From the layer's grid to the input's pixels.
    resizer: Resizer,
    /// Columns of the input.
    width: usize,
    library: Option<Library>,
}

impl<'a> Masks<'a> {
    /// Masks of a layer's channels.
    pub(super) fn new(question: &Question<'a>, activations: &'a Features) -> Result<Self> {
        if activations.values.iter().any(|value| !value.is_finite()) {
            return Err(Error::request("the layer's activations are not finite"));
        }
        let library = question.library();
        let how = match library {
            // `UpsamplingBilinear2d` and scipy's `zoom` align the corners.
            Some(Library::PytorchGradCam | Library::TfKerasVis) => Sampling::BilinearCorners,
            _ => Sampling::Bilinear,
        };
        let [_, height, width] = question.network().input();
        Ok(Self {
            activations,
            chosen: Chosen::of(activations, question.options),
            input: question.values(),
            resizer: Resizer::new([activations.height, activations.width], [height, width], how),
            width,
            library,
        })
    }

    /// Number of masks.
    pub(super) fn count(&self) -> usize {
        self.chosen.count()
    }

    /// For each class the scores of the input behind each mask, `passes` in a row for each; `change` gets the number of the pass among
    /// them and the mask.
    ///
    /// Behind every constant channel is the same input, all zeros: their passes are made once for all. Of a rectified layer many
    /// channels find nothing in a picture and are zero everywhere.
    pub(super) fn scores(
        &self,
        question: &Question,
        passes: usize,
        change: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Vec<Vec<f64>>> {
        let (distinct, runs) = self.distinct();
        let seen = |pass: usize, values: &mut [f32]| {
            self.seen(distinct[pass / passes], values, |mask| change(pass % passes, mask));
        };
        let scores = question.scores_of_inputs(distinct.len() * passes, seen)?;
        let of_class = |scores: Vec<f64>| {
            runs.iter().flat_map(|run| scores[run * passes..][..passes].iter().copied()).collect()
        };
        Ok(scores.into_iter().map(of_class).collect())
    }

    /// The masks that differ, and for each mask which of these it is.
    fn distinct(&self) -> (Vec<usize>, Vec<usize>) {
        let (mut distinct, mut runs, mut constant) = (Vec::new(), Vec::with_capacity(self.count()), None);
        for at in 0..self.count() {
            let channel = self.channel(at);
            let mut run = || {
                distinct.push(at);
                distinct.len() - 1
            };
            let is_constant = channel.iter().all(|value| *value == channel[0]);
            runs.push(if is_constant { *constant.get_or_insert_with(run) } else { run() });
        }
        (distinct, runs)
    }

    /// One weight for each of the layer's channels, zero for those without a mask.
    pub(super) fn spread(&self, weights: &[f64]) -> Vec<f64> {
        self.chosen.spread(weights)
    }

    /// The input `[channels, height, width]` times a mask, by its number: from 0 to 1, zero for a constant channel, the same for every
    /// colour. `change` gets the mask, `[height, width]`, before it is multiplied.
    pub(super) fn seen(&self, at: usize, values: &mut [f32], change: impl FnOnce(&mut [f32])) {
        let pixels = self.resizer.pixels();
        self.mask(at, &mut values[..pixels]);
        change(&mut values[..pixels]);
        through(self.input, pixels, values);
    }

    /// The activations of a mask's channel.
    fn channel(&self, at: usize) -> &[f32] {
        let cells = self.activations.height * self.activations.width;
        &self.activations.values[self.chosen.channel(at) * cells..][..cells]
    }

    fn mask(&self, at: usize, mask: &mut [f32]) {
        let channel = self.channel(at);
        if self.library == Some(Library::Torchcam) {
            // torchcam scales before enlarging.
            let mut scaled = channel.to_vec();
            to_unit(&mut scaled);
            self.resizer.fill(&scaled, [0, 0], self.width, mask);
        } else {
            self.resizer.fill(channel, [0, 0], self.width, mask);
            to_unit(mask);
        }
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

/// `values` holds a mask in its first `pixels`, and gets every colour of the input times that mask.
pub(super) fn through(input: &[f32], pixels: usize, values: &mut [f32]) {
    let (mask, others) = values.split_at_mut(pixels);
    let (first, rest) = input.split_at(pixels);
    for (to, colour) in others.chunks_exact_mut(pixels).zip(rest.chunks_exact(pixels)) {
        to.iter_mut().zip(colour).zip(&*mask).for_each(|((to, value), share)| *to = value * share);
    }
    // Last, since it is where the mask is.
    mask.iter_mut().zip(first).for_each(|(share, value)| *share *= value);
}

/// Scaled to 0 to 1; zeros for a constant map.
fn to_unit(map: &mut [f32]) {
    let [least, greatest] = pixels::extremes(map);
    let range = greatest - least;
    if range <= 0.0 {
        map.fill(0.0);
    } else if range.is_finite() {
        // The small number of pytorch-grad-cam and torchcam.
        map.iter_mut().for_each(|value| *value = (*value - least) / (range + 1e-8));
    }
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
        let map = |mut values: [f32; 3]| {
            to_unit(&mut values);
            values
        };
        assert_eq!(map([-2.0, 0.0, 2.0]), [0.0, 0.5, 1.0]);
        assert_eq!(map([3.0; 3]), [0.0; 3]);
    }
}
