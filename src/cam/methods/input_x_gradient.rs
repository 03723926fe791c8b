//! Input times gradient.
//!
//! Shrikumar et al., "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences", 2016,
//! arXiv:1605.01713, section 2: what each pixel adds to the score, to first order.
//!
//! ```text
//! M_ij = sum_colour  x_ij dy^c/dx_ij
//! ```

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::pixels::{self, Reduction};
use crate::cam::question::Question;
use crate::engine::Visits;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "inputxgradient",
        title: "Input x gradient",
        also: &["gradient-x-input", "gradient-input"],
        summary: "what each pixel adds to the score, to first order",
        formula: "sum_colour x (.) dy/dx",
        paper: "Shrikumar et al. 2016, arXiv:1605.01713",
        cost: "1 forward, 1 backward",
        uses_layer: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        libraries: &[Library::Captum, Library::Xplique],
        fine: true,
        slope: true,
        sweeps: Some(Visits::Nothing),
        ..Traits::PLAIN
    },
};

fn maps(question: &Question) -> Result<Vec<Vec<f32>>> {
    let gradients = question.gradients()?;
    Ok(gradients.iter().map(|gradient| times_input(question, gradient)).collect())
}

/// The sum over the colours of the input times a gradient.
pub(super) fn times_input(question: &Question, gradient: &[f32]) -> Vec<f32> {
    let pairs = gradient.iter().zip(question.values());
    let products: Vec<f32> = pairs.map(|(gradient, value)| gradient * value).collect();
    pixels::reduced(question, &products, Reduction::Sum)
}
