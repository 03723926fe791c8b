//! Grad-CAM, element by element.
//!
//! The variant that pytorch-grad-cam calls `GradCAMElementWise` (no paper): HiResCAM with a ReLU on every term before
//! the sum, so that channels with evidence against the class subtract nothing.
//!
//! ```text
//! L^c = sum_k  ReLU( dy^c/dA^k (.) A^k )
//! ```

use super::hires_cam;
use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::terms::Terms;
use crate::engine::Evidence;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "gradcam-elementwise",
        title: "Grad-CAM element-wise",
        summary: "HiResCAM with a ReLU on every term",
        formula: "sum_k ReLU( dy/dA_k (.) A_k )",
        paper: "pytorch-grad-cam; no paper",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], ..Traits::PLAIN },
};

fn terms(evidence: &Evidence, _: Option<Library>) -> Terms {
    // Also with signed maps: the ReLU on terms is the method, not its finishing.
    Terms::Elements(hires_cam::products(evidence).into_iter().map(|term| term.max(0.0)).collect())
}
