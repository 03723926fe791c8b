//! Guided backpropagation.
//!
//! Springenberg et al., "Striving for Simplicity: The All Convolutional Net", ICLR workshop 2015, arXiv:1412.6806,
//! section 3.4: in the backward pass a ReLU passes only positive gradients, and only where its input was positive.
//!
//! ```text
//! R_in = 1[input > 0] 1[R_out > 0] R_out        at every ReLU
//! M_ij = max_colour | R_ij |                    signed: the sum over the colours
//! ```
//!
//! It shows edges more than evidence: its pictures hardly change when a network's last layers are randomised (Adebayo et
//! al., NeurIPS 2018, arXiv:1810.03292).

use crate::cam::definition::{Definition, MethodInfo, PixelMaps, Run, Traits};
use crate::cam::options::{Library, Options};
use crate::cam::pixels::{self, Reduction};
use crate::cam::question::Question;
use crate::engine::{Network, Rectifiers, Rule, Visits};
use crate::error::{Error, Result};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "guidedbackprop",
        title: "Guided backpropagation",
        summary: "the gradient without what speaks against, at every ReLU",
        formula: "max_colour |guided dy/dx|",
        paper: "Springenberg et al., ICLR workshop 2015, arXiv:1412.6806",
        cost: "1 forward, 1 backward",
        uses_layer: false,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        libraries: &[Library::PytorchGradCam, Library::Captum, Library::Xplique],
        fine: true,
        slope: true,
        sweeps: Some(Visits::Nothing),
        check: check_rectifiers,
        ..Traits::PLAIN
    },
};

fn maps(question: &Question) -> Result<PixelMaps> {
    maps_by(question, Rule::Guided)
}

/// The gradients by a rule at rectifiers, their colours made one.
pub(super) fn maps_by(question: &Question, rule: fn(Rectifiers) -> Rule) -> Result<PixelMaps> {
    let gradients = question.rectified_gradients(rule)?;
    let map = |gradient: &Vec<f32>| pixels::reduced(question, gradient, Reduction::Rectified);
    Ok(gradients.iter().map(map).collect())
}

/// Refuses a network without a rectifier, where the method would be the plain gradient.
pub(super) fn check_rectifiers(name: &str, network: &Network, options: &Options) -> Result<()> {
    if network.rectifiers(options.rectifiers()) == 0 {
        return Err(Error::request(format!(
            "{name} changes what ReLUs pass back, and the network has none (use smoothgrad)"
        )));
    }
    Ok(())
}
