//! Deconvolution.
//!
//! Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, arXiv:1311.2901, section
//! 2.1: in the backward pass a ReLU is applied to the gradient instead of the forward pass's mask.
//!
//! ```text
//! R_in = 1[R_out > 0] R_out                     at every ReLU
//! M_ij = max_colour | R_ij |                    signed: the sum over the colours
//! ```

use super::guided_backprop::{check_rectifiers, maps_by};
use crate::cam::definition::{Definition, MethodInfo, PixelMaps, Run, Traits};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::engine::{Rule, Visits};
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "deconvolution",
        title: "Deconvolution",
        also: &["deconvnet"],
        summary: "the gradient with the ReLU applied on the way back",
        formula: "max_colour |deconvolved dy/dx|",
        paper: "Zeiler and Fergus, ECCV 2014, arXiv:1311.2901",
        cost: "1 forward, 1 backward",
        uses_layer: false,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        libraries: &[Library::Captum, Library::Xplique],
        fine: true,
        slope: true,
        sweeps: Some(Visits::Nothing),
        check: check_rectifiers,
        ..Traits::PLAIN
    },
};

fn maps(question: &Question) -> Result<PixelMaps> {
    maps_by(question, Rule::Deconvolution)
}
