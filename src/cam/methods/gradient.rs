//! The vanilla gradient, or saliency map.
//!
//! Simonyan et al., "Deep Inside Convolutional Networks: Visualising Image Classification Models and Saliency Maps", ICLR
//! workshop 2014, arXiv:1312.6034, section 3: how much the score changes with each pixel.
//!
//! ```text
//! M_ij = max_colour | dy^c/dx_ij |         signed: the sum over the colours
//! ```
//!
//! captum sums the magnitudes over the colours.

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::pixels::{self, Reduction};
use crate::cam::question::Question;
use crate::engine::Visits;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "gradient",
        title: "Gradient",
        also: &["saliency", "vanilla-gradient"],
        summary: "how much the score changes with each pixel",
        formula: "max_colour |dy/dx|",
        paper: "Simonyan et al., ICLR workshop 2014, arXiv:1312.6034",
        cost: "1 forward, 1 backward",
        uses_layer: false,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        libraries: &[Library::Captum, Library::TfKerasVis, Library::Xplique],
        fine: true,
        slope: true,
        sweeps: Some(Visits::Nothing),
        ..Traits::PLAIN
    },
};

fn maps(question: &Question) -> Result<Vec<Vec<f32>>> {
    let map = |mut gradient: Vec<f32>| {
        if question.follows(Library::Captum) {
            gradient.iter_mut().for_each(|value| *value = value.abs());
        }
        pixels::reduced(question, &gradient, Reduction::Size)
    };
    Ok(question.gradients()?.into_iter().map(map).collect())
}
