//! Input times gradient.
//!
//! Shrikumar et al., "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences", 2016,
//! arXiv:1605.01713, section 2: what each pixel adds to the score, to first order.
//!
//! ```text
//! M_ij = sum_colour  x_ij dy^c/dx_ij
//! ```

use super::{Definition, MethodInfo, Run};
use crate::cam::pixels::{self, Reduction};
use crate::cam::scene::Question;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "inputxgradient",
        title: "Input x gradient",
        summary: "what each pixel adds to the score, to first order",
        formula: "sum_colour x (.) dy/dx",
        paper: "Shrikumar et al. 2016, arXiv:1605.01713",
        cost: "1 forward, 1 backward",
        uses_class: true,
        uses_layer: false,
        has_sign: true,
        has_terms: false,
    },
    run: Run::Pixels(map),
};

fn map(question: &Question) -> Result<Vec<f32>> {
    let gradient = question.input_gradient(question.values().to_vec())?;
    let products: Vec<f32> =
        gradient.iter().zip(question.values()).map(|(gradient, value)| gradient * value).collect();
    Ok(pixels::reduced(question, &products, Reduction::Sum))
}
