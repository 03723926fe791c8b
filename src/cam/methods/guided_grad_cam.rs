//! Guided Grad-CAM.
//!
//! Selvaraju et al., ICCV 2017, arXiv:1610.02391, section 3.2: Grad-CAM says where, guided backpropagation draws the edges.
//!
//! ```text
//! M_ij = max_colour | L_ij R_ij |       L: Grad-CAM's map after the ReLU, enlarged; R: guided backpropagation
//! ```
//!
//! captum enlarges the map by its nearest cell, and sums over the colours.

use super::grad_cam;
use super::{Definition, Method, MethodInfo, Run};
use crate::Heatmap;
use crate::cam::finish::Finish;
use crate::cam::options::Library;
use crate::cam::pixels::{self, Reduction};
use crate::cam::scene::Question;
use crate::engine::Rule;
use crate::error::{Error, Result};
use crate::heatmap::Sampling;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "guidedgradcam",
        title: "Guided Grad-CAM",
        summary: "guided backpropagation where Grad-CAM is hot",
        formula: "max_colour |Grad-CAM (.) guided dy/dx|",
        paper: "Selvaraju et al., ICCV 2017, arXiv:1610.02391",
        cost: "Grad-CAM and guided backpropagation",
        uses_class: true,
        uses_layer: true,
        has_sign: false,
        has_terms: false,
    },
    run: Run::Pixels(map),
};

fn map(question: &Question) -> Result<Vec<f32>> {
    let evidence = &question.evidence()?[0];
    let activations = &evidence.activations;
    let coarse = grad_cam::terms(evidence).into_map(activations, false);
    let coarse = Heatmap::new(activations.height, activations.width, coarse)
        .ok_or_else(|| Error::request("the Grad-CAM map of the layer is not finite"))?;
    let [_, height, width] = question.network().input();
    let coarse = match question.library() {
        Some(Library::PytorchGradCam) => {
            Finish::default().apply(Method::GradCam, &[coarse], [height, width], question.options)?
        }
        Some(Library::Captum) => coarse.rectified().resized(height, width, Sampling::Nearest),
        _ => coarse.rectified().resized(height, width, Sampling::Bilinear),
    };
    let guided = question.rectified_gradient(Rule::Guided)?;
    let products: Vec<f32> = guided
        .chunks(height * width)
        .flat_map(|colour| colour.iter().zip(coarse.values()).map(|(a, b)| a * b))
        .collect();
    Ok(pixels::reduced(question, &products, Reduction::Rectified))
}
