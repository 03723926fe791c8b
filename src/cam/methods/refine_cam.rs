//! RefineCAM.
//!
//! Domeniconi et al., "How to Evaluate and Refine your CAM", ICPR 2026, arXiv:2605.14641: the product of Grad-CAM++
//! maps of several layers. Late layers localise, early ones sharpen; only common evidence remains.

use super::grad_cam_plus_plus;
use crate::cam::definition::{Definition, Joining, MethodInfo, Run, Traits};
use crate::cam::options::Library;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "refinecam",
        title: "RefineCAM",
        summary: "product of the Grad-CAM++ maps of several layers",
        formula: "prod_l Grad-CAM++(A_l)",
        paper: "Domeniconi et al., ICPR 2026, arXiv:2605.14641",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(grad_cam_plus_plus::terms),
    traits: Traits {
        libraries: &[Library::PytorchGradCam, Library::Torchcam],
        joining: Joining::Product,
        ..Traits::PLAIN
    },
};
