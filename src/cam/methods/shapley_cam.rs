//! ShapleyCAM.
//!
//! Cai, "CAMs as Shapley Value-based Explainers", 2025, arXiv:2501.06261, equation 11: Grad-CAM with the curvature of
//! the score subtracted from its gradient, from a second-order expansion of the channels' Shapley values.
//!
//! ```text
//! w_k = mean_ij( G - 1/2 H A )        G = dy^c/dA, H the Hessian of y^c with respect to A
//! L^c = ReLU( sum_k  w_k A^k )
//! ```
//!
//! `H A` is exact: the gradient of a directional derivative (Pearlmutter 1994). For a piecewise linear head it is
//! zero for the logit, and the map equals Grad-CAM's; the paper uses `--score rest`.

use super::grad_cam;
use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::engine::{Evidence, Features};
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "shapleycam",
        title: "ShapleyCAM",
        summary: "Grad-CAM less half the curvature of the score",
        formula: "w_k = mean_ij(G - H A / 2)",
        paper: "Cai 2025, arXiv:2501.06261",
        cost: "1 forward, head forward over backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Gradients(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], ..Traits::PLAIN },
};

fn terms(question: &Question, class: usize, evidence: &[Evidence]) -> Result<Vec<Terms>> {
    let Question { scene, score, .. } = question;
    let curvatures = question.network().curvature(scene.trunk()?, question.reduction(), score, class)?;
    let sign = f64::from(question.sign());
    let layer = |(evidence, curvature): (&Evidence, &Features)| {
        let slopes = grad_cam::channel_weights(&evidence.gradients);
        let bends = grad_cam::channel_weights(curvature);
        // The gradients of a counterfactual question are negated already, the curvature is not.
        Terms::Weights(slopes.iter().zip(bends).map(|(slope, bend)| slope - 0.5 * sign * bend).collect())
    };
    Ok(evidence.iter().zip(&curvatures).map(layer).collect())
}
