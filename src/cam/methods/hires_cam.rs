//! HiResCAM.
//!
//! Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
//! 2020, arXiv:2011.08891, equation 4: gradients and activations are multiplied position by position.
//!
//! ```text
//! L^c = ReLU( sum_k  dy^c/dA^k (.) A^k )
//! ```
//!
//! For a head that is an average and one linear layer, the map before the ReLU sums to the logit minus the bias.

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::terms::Terms;
use crate::engine::Evidence;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "hirescam",
        title: "HiResCAM",
        summary: "gradient times activation, position by position",
        formula: "ReLU( sum_k dy/dA_k (.) A_k )",
        paper: "Draelos and Carin 2020, arXiv:2011.08891",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], ..Traits::PLAIN },
};

fn terms(evidence: &Evidence, _: Option<Library>) -> Terms {
    Terms::Elements(products(evidence))
}

/// Gradient times activation, `[channels, height, width]`.
pub(super) fn products(evidence: &Evidence) -> Vec<f64> {
    let pairs = evidence.gradients.values.iter().zip(&evidence.activations.values);
    pairs.map(|(gradient, activation)| f64::from(*gradient) * f64::from(*activation)).collect()
}
