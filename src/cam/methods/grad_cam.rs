//! Grad-CAM.
//!
//! Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV
//! 2017, arXiv:1610.02391, equations 1 and 2:
//!
//! ```text
//! alpha_k^c = (1 / Z) sum_i sum_j  dy^c / dA_ij^k        Z = height * width
//! L^c       = ReLU( sum_k  alpha_k^c A^k )
//! ```
//!
//! `A^k` is `activations`, `y^c` the class score, `alpha_k^c` is `channel_weights`. The ReLU is applied later, after
//! the signed map has been checked.

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::terms::Terms;
use crate::engine::{Evidence, Features};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "gradcam",
        title: "Grad-CAM",
        summary: "channels weighted by their mean gradient",
        formula: "ReLU( sum_k mean_ij(dy/dA_k) A_k )",
        paper: "Selvaraju et al., ICCV 2017, arXiv:1610.02391",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits {
        libraries: &[
            Library::Eli5,
            Library::PytorchGradCam,
            Library::Torchcam,
            Library::Captum,
            Library::TfKerasVis,
            Library::Xplique,
        ],
        ..Traits::PLAIN
    },
};

pub(super) fn terms(evidence: &Evidence, _: Option<Library>) -> Terms {
    Terms::Weights(channel_weights(&evidence.gradients))
}

/// The mean gradient of every channel.
pub(super) fn channel_weights(gradients: &Features) -> Vec<f64> {
    let cells = gradients.height * gradients.width;
    let mean =
        |channel: &[f32]| channel.iter().map(|gradient| f64::from(*gradient)).sum::<f64>() / cells as f64;
    gradients.values.chunks(cells).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(values: [f32; 8]) -> Features {
        Features { channels: 2, height: 2, width: 2, values: values.to_vec() }
    }

    #[test]
    fn the_equation_by_hand() {
        // alpha = mean(1, 2, 3, 6) = 3 and mean(-1, -1, -1, -1) = -1,
        // so the map is 3 A_1 - A_2 = (3-5, 0-6, 6-0, 3-1).
        let evidence = Evidence {
            activations: features([1.0, 0.0, 2.0, 1.0, 5.0, 6.0, 0.0, 1.0]),
            gradients: features([1.0, 2.0, 3.0, 6.0, -1.0, -1.0, -1.0, -1.0]),
        };
        let map = terms(&evidence, None).into_map(&evidence.activations, false);
        assert_eq!(map, [-2.0, -6.0, 6.0, 2.0]);
    }
}
