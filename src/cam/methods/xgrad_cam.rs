//! XGrad-CAM.
//!
//! Fu et al., "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs", BMVC 2020,
//! arXiv:2008.02312, equation 8: gradients are averaged with the activations as weights.
//!
//! ```text
//! w_k = sum_ij  ( A_ij^k / sum_ab A_ab^k )  dy^c/dA_ij^k         0 where the sum is 0
//! L^c = ReLU( sum_k  w_k A^k )
//! ```

use super::hires_cam;
use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::terms::Terms;
use crate::engine::Evidence;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "xgradcam",
        title: "XGrad-CAM",
        summary: "gradients averaged with the activations as weights",
        formula: "w_k = sum_ij(G A_k) / sum_ij(A_k)",
        paper: "Fu et al., BMVC 2020, arXiv:2008.02312",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam, Library::Torchcam], ..Traits::PLAIN },
};

fn terms(evidence: &Evidence, library: Option<Library>) -> Terms {
    let cells = evidence.activations.height * evidence.activations.width;
    let extra = match library {
        Some(Library::PytorchGradCam) => 1e-7,
        Some(Library::Torchcam) => 1e-8,
        _ => 0.0,
    };
    let products = hires_cam::products(evidence);
    let channels = products.chunks(cells).zip(evidence.activations.values.chunks(cells));
    let weight = |(products, activations): (&[f64], &[f32])| {
        let total = activations.iter().map(|value| f64::from(*value)).sum::<f64>() + extra;
        if total == 0.0 { 0.0 } else { products.iter().sum::<f64>() / total }
    };
    Terms::Weights(channels.map(weight).collect())
}
