//! Ablation-CAM.
//!
//! Desai and Ramaswamy, "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free
//! Localization", WACV 2020, equations 1 and 2: channels are weighted by the drop of the score without them.
//!
//! ```text
//! w_k = ( y^c - y_k^c ) / |y^c|        y_k: with channel k set to zero
//! L^c = ReLU( sum_k  w_k A^k )
//! ```
//!
//! The paper divides by `y` itself, so that a negative score inverts the map. pytorch-grad-cam does the same, and for
//! layers without zeros sets the channel to the smallest activation minus 1e7. (It also lets that value drift within
//! a batch; that is not reproduced.)

use crate::cam::channels::Chosen;
use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits, rounding_of_scores};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::engine::Features;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "ablationcam",
        title: "Ablation-CAM",
        summary: "how much the score drops without each channel",
        formula: "w_k = (y - y_without_k) / |y|",
        paper: "Desai and Ramaswamy, WACV 2020",
        cost: "1 forward, head per channel",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Layer(terms),
    traits: Traits {
        libraries: &[Library::PytorchGradCam],
        reads: &[Reads::Channels, Reads::BatchSize],
        rounding,
        ..Traits::PLAIN
    },
};

fn terms(question: &Question, tap: usize) -> Result<Vec<Terms>> {
    let trunk = question.trunk_to(tap)?;
    let activations = question.network().activations(&trunk)?;
    let cells = activations.height * activations.width;
    let theirs = question.follows(Library::PytorchGradCam);
    let least = activations.values.iter().copied().fold(f32::INFINITY, f32::min);
    // The library compares with exactly zero, so a layer behind a ReLU gets zeros and any other the large negative
    // number.
    let blank = if theirs && least != 0.0 { least - 1e7 } else { 0.0 };
    // Copies of the activations and not of the picture: the trunk has run already.
    let chosen = Chosen::of(&activations, question.options);
    let without = |at: usize, values: &mut [f32]| {
        values.copy_from_slice(&activations.values);
        values[chosen.channel(at) * cells..][..cells].fill(blank);
    };
    let size = activations.values.len();
    let scores = question.scores_of_activations(&trunk, chosen.count(), size, without)?;
    let of_class = |(scores, class): (Vec<f64>, &usize)| {
        let whole = question.score_of(question.logits(), *class);
        // Not the sign of the question: a counterfactual map is the negative of the other.
        let scale = if theirs { whole * f64::from(question.sign()) } else { whole.abs() };
        let weight = |score: f64| if scale == 0.0 { whole - score } else { (whole - score) / scale };
        Terms::Weights(chosen.spread(&scores.into_iter().map(weight).collect::<Vec<f64>>()))
    };
    Ok(scores.into_iter().zip(question.classes).map(of_class).collect())
}

/// The rounding of the scores whose differences are the weights, in units of the score.
fn rounding(question: &Question, class: usize, activations: Option<&Features>) -> f64 {
    let Some(activations) = activations else { return 0.0 };
    let whole = question.score_of(question.logits(), class).abs();
    let ones = Terms::Weights(vec![1.0; activations.channels]);
    let scores = rounding_of_scores(question, class, None);
    if whole == 0.0 { 0.0 } else { ones.greatest_sum(activations) * scores / whole }
}
