//! LayerCAM.
//!
//! Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", IEEE TIP 2021, equations
//! 3 and 4. Positive gradients weight each position separately, which keeps early layers sharp.
//!
//! ```text
//! w_ij^k = ReLU( dy^c / dA_ij^k )
//! L^c    = ReLU( sum_k  w^k (.) A^k )
//! ```

use crate::cam::definition::{Definition, Finishing, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::terms::Terms;
use crate::engine::Evidence;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "layercam",
        title: "LayerCAM",
        summary: "positive gradient times activation; sharp at early layers",
        formula: "ReLU( sum_k ReLU(dy/dA_k) (.) A_k )",
        paper: "Jiang et al., IEEE TIP 2021, doi:10.1109/TIP.2021.3089943",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits {
        libraries: &[Library::PytorchGradCam, Library::Torchcam, Library::TfKerasVis],
        finishing: Finishing::Tanh,
        ..Traits::PLAIN
    },
};

fn terms(evidence: &Evidence, _: Option<Library>) -> Terms {
    let pairs = evidence.gradients.values.iter().zip(&evidence.activations.values);
    Terms::Elements(
        pairs.map(|(gradient, activation)| f64::from(gradient.max(0.0)) * f64::from(*activation)).collect(),
    )
}
