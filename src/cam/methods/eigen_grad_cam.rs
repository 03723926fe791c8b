//! EigenGrad-CAM.
//!
//! pytorch-grad-cam's `EigenGradCAM` (no paper): Eigen-CAM on gradient times activation, so that it depends on the
//! class.
//!
//! ```text
//! X = dy^c/dA (.) A as [positions, channels], column means taken off
//! L = ReLU( X v_1 )
//! ```
//!
//! The sign of `v_1` is chosen as in Eigen-CAM.

use super::hires_cam;
use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::principal;
use crate::cam::terms::Terms;
use crate::engine::Evidence;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "eigengradcam",
        title: "EigenGrad-CAM",
        summary: "Eigen-CAM of gradient times activation",
        formula: "X v_1, X centred G (.) A",
        paper: "pytorch-grad-cam; after arXiv:2008.00299",
        cost: "1 forward, head backward",
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], ..Traits::PLAIN },
};

fn terms(evidence: &Evidence, _: Option<Library>) -> Terms {
    let (products, channels) = (hires_cam::products(evidence), evidence.activations.channels);
    Terms::Projected(principal::projection(&products, channels), principal::size(&products, channels))
}
