//! Guided backpropagation.
//!
//! Springenberg et al., "Striving for Simplicity: The All Convolutional Net", ICLR workshop 2015, arXiv:1412.6806, section
//! 3.4: on the way back a ReLU lets through only positive gradients, and only where its input was positive.
//!
//! ```text
//! R_in = 1[input > 0] 1[R_out > 0] R_out        at every ReLU
//! M_ij = max_colour | R_ij |                    signed: the sum over the colours
//! ```
//!
//! It shows edges more than evidence: its pictures hardly change when a network's last layers are randomised (Adebayo et
//! al., NeurIPS 2018, arXiv:1810.03292).

use super::{Definition, MethodInfo, Run};
use crate::cam::pixels::{self, Reduction};
use crate::cam::scene::Question;
use crate::engine::Rule;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "guidedbackprop",
        title: "Guided backpropagation",
        summary: "the gradient without what speaks against, at every ReLU",
        formula: "max_colour |guided dy/dx|",
        paper: "Springenberg et al., ICLR workshop 2015, arXiv:1412.6806",
        cost: "1 forward, 1 backward",
        uses_class: true,
        uses_layer: false,
        has_sign: false,
        has_terms: false,
    },
    run: Run::Pixels(map),
};

fn map(question: &Question) -> Result<Vec<f32>> {
    let gradient = question.rectified_gradient(Rule::Guided)?;
    Ok(pixels::reduced(question, &gradient, Reduction::Rectified))
}
