//! Score-CAM.
//!
//! Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks", CVPRW 2020,
//! arXiv:1910.01279, equations 4 to 6: a channel counts as much as the class is still seen through it.
//!
//! ```text
//! M_k = A^k enlarged to the input, scaled to 0 .. 1
//! w   = softmax_k( y^c(x (.) M_k) )       x: the network's input
//! L^c = ReLU( sum_k  w_k A^k )
//! ```
//!
//! Taking the score of a baseline off, as the paper does, changes nothing under the softmax. Libraries differ in how
//! the mask is enlarged; tf-keras-vis takes the probability of the class itself for `w`.

use super::{Definition, MethodInfo, Run};
use crate::cam::masks::{self, Masks};
use crate::cam::options::Library;
use crate::cam::scene::Question;
use crate::cam::terms::Terms;
use crate::engine::Score;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "scorecam",
        title: "Score-CAM",
        summary: "how well the class is seen through each channel",
        formula: "w = softmax_k y(x (.) M_k)",
        paper: "Wang et al., CVPRW 2020, arXiv:1910.01279",
        cost: "1 forward, 1 more a channel",
        uses_class: true,
        uses_layer: true,
        has_sign: true,
        has_terms: true,
    },
    run: Run::Layer(terms),
};

fn terms(question: &Question, tap: usize) -> Result<Terms> {
    let activations = question.activations(tap)?;
    let masks = Masks::new(question, activations)?;
    let seen = |channel| masks.through(&masks.mask(channel));
    if question.follows(Library::TfKerasVis) {
        return Ok(Terms::Weights(
            question.scoring(Score::Prob).scores_of_inputs(activations.channels, seen)?,
        ));
    }
    let scores = question.scores_of_inputs(activations.channels, seen)?;
    Ok(Terms::Weights(masks::weights(question, &scores)))
}
