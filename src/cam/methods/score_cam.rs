//! Score-CAM.
//!
//! Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks", CVPRW 2020,
//! arXiv:1910.01279, equations 4 to 6: channels are weighted by the class score of the input masked with them.
//!
//! ```text
//! M_k = A^k enlarged to the input, scaled to 0 .. 1
//! w   = softmax_k( y^c(x (.) M_k) )       x: the network's input
//! L^c = ReLU( sum_k  w_k A^k )
//! ```
//!
//! Subtracting the score of a baseline, as the paper does, has no effect under the softmax. Libraries differ in how
//! the mask is enlarged; tf-keras-vis uses the class probability for `w`.

use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::masks::Masks;
use crate::cam::options::Library;
use crate::cam::question::Question;
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
        cost: "1 forward, 1 more per channel",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Layer(terms),
    traits: Traits {
        libraries: &[Library::PytorchGradCam, Library::Torchcam, Library::TfKerasVis],
        reads: &[Reads::Channels, Reads::BatchSize],
        ..Traits::PLAIN
    },
};

fn terms(question: &Question, tap: usize) -> Result<Vec<Terms>> {
    let masks = Masks::new(question, question.activations(tap)?)?;
    if question.follows(Library::TfKerasVis) {
        // Without its own softmax: the library uses the masked probabilities as they are.
        let of_probability = Question { score: Score::Prob, ..*question };
        let scores = masks.scores(&of_probability, 1, |_, _| ())?;
        return Ok(scores.iter().map(|scores| Terms::Weights(masks.spread(scores))).collect());
    }
    Ok(masks.terms(question, masks.scores(question, 1, |_, _| ())?))
}
