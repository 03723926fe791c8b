//! Grad-CAM++.
//!
//! Chattopadhay et al., "Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional Networks",
//! WACV 2018, arXiv:1710.11063, equations 5, 7 and 19. With the exponential of `y` as the class score, the higher
//! derivatives become powers of the gradient `G = dy/dA`, and the exponential, a common factor, cancels:
//!
//! ```text
//! a_ij^k = G_ij^2 / ( 2 G_ij^2 + sum_ab A_ab^k  G_ij^3 )          0 where G_ij is 0
//! w_k    = sum_ij  a_ij^k ReLU( G_ij )
//! L^c    = ReLU( sum_k  w_k A^k )
//! ```
//!
//! pytorch-grad-cam adds 1e-6 to the denominator. torchcam 0.5.0 divides a copy that it discards, so that `a = G^2`.
//! tf-keras-vis scales each channel's `a` to sum to one. xplique uses means instead of both sums.

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::terms::Terms;
use crate::engine::Evidence;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "gradcampp",
        title: "Grad-CAM++",
        summary: "weights that favour each of several objects",
        formula: "w_k = sum_ij G^2/(2G^2 + sum(A_k)G^3) ReLU(G)",
        paper: "Chattopadhay et al., WACV 2018, arXiv:1710.11063",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Evidence(terms),
    traits: Traits {
        libraries: &[Library::PytorchGradCam, Library::Torchcam, Library::TfKerasVis, Library::Xplique],
        ..Traits::PLAIN
    },
};

pub(super) fn terms(evidence: &Evidence, library: Option<Library>) -> Terms {
    let cells = evidence.activations.height * evidence.activations.width;
    let channels = evidence.gradients.values.chunks(cells).zip(evidence.activations.values.chunks(cells));
    let weight = |(gradients, activations): (&[f32], &[f32])| -> f64 {
        let sum: f64 = activations.iter().map(|value| f64::from(*value)).sum();
        // xplique uses means, here and at the end, where they make no difference.
        let total = if library == Some(Library::Xplique) { sum / cells as f64 } else { sum };
        let whole = match library {
            Some(Library::TfKerasVis) => {
                gradients.iter().map(|gradient| share(f64::from(*gradient), total, library)).sum()
            }
            Some(Library::Xplique) => cells as f64,
            _ => 1.0,
        };
        let weighted: f64 = gradients
            .iter()
            .map(|gradient| share(f64::from(*gradient), total, library) * f64::from(gradient.max(0.0)))
            .sum();
        if whole == 0.0 { weighted } else { weighted / whole }
    };
    Terms::Weights(channels.map(weight).collect())
}

/// `a_ij`, from the gradient there and the sum of the channel's activations.
fn share(gradient: f64, total: f64, library: Option<Library>) -> f64 {
    let square = gradient * gradient;
    let denominator = 2.0 * square + total * square * gradient;
    match library {
        Some(Library::Torchcam) => square,
        _ if gradient == 0.0 => 0.0,
        Some(Library::PytorchGradCam) => square / (denominator + 1e-6),
        // xplique puts 1e-4 in the place of a zero in the denominator.
        Some(Library::Xplique) if denominator == 0.0 => square / 1e-4,
        _ if denominator == 0.0 => 0.0,
        _ => square / denominator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Features;

    #[test]
    fn the_equation_by_hand() {
        // A = (1, 3), sum 4. G = (1, 2): a = 1/(2+4) = 1/6 and 4/(8+32) = 1/10, w = 1/6 + 2/10 = 11/30.
        let features =
            |values: [f32; 2]| Features { channels: 1, height: 1, width: 2, values: values.to_vec() };
        let evidence = Evidence { activations: features([1.0, 3.0]), gradients: features([1.0, 2.0]) };
        let Terms::Weights(weights) = terms(&evidence, None) else { panic!("expected weights") };
        assert!((weights[0] - 11.0 / 30.0).abs() < 1e-12);
    }
}
