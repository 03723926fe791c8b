//! Guided Grad-CAM.
//!
//! Selvaraju et al., ICCV 2017, arXiv:1610.02391, section 3.2: Grad-CAM gives the location, guided backpropagation
//! the edges.
//!
//! ```text
//! M_ij = max_colour | L_ij R_ij |       L: Grad-CAM's map after the ReLU, enlarged; R: guided backpropagation
//! ```
//!
//! captum enlarges the map by its nearest cell, and sums over the colours.

use super::grad_cam;
use super::guided_backprop::check_rectifiers;
use crate::Heatmap;
use crate::cam::definition::{Definition, Joining, MethodInfo, Run, Traits};
use crate::cam::finish;
use crate::cam::options::Library;
use crate::cam::pixels::{self, Reduction};
use crate::cam::question::Question;
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
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::PixelsOfLayer(grad_cam::terms, maps),
    traits: Traits {
        libraries: &[Library::PytorchGradCam, Library::Captum],
        joining: Joining::OneLayer,
        fine: true,
        check: check_rectifiers,
        ..Traits::PLAIN
    },
};

/// `coarse` are the maps of Grad-CAM.
fn maps(question: &Question, coarse: &[Option<Heatmap>]) -> Result<Vec<Vec<f32>>> {
    let [_, height, width] = question.network().input();
    let guided = question.rectified_gradients(Rule::Guided)?;
    let map = |(guided, coarse): (Vec<f32>, &Option<Heatmap>)| {
        // The product with NaN would be NaN at every pixel, with no trace of the cause.
        let Some(coarse) = coarse else {
            return Err(Error::request("the Grad-CAM map of the layer is not finite"));
        };
        let coarse = match question.library() {
            Some(Library::PytorchGradCam) => finish::like_pytorch_grad_cam(coarse, [height, width]),
            Some(Library::Captum) => coarse.rectified().resized(height, width, Sampling::Nearest),
            _ => coarse.rectified().resized(height, width, Sampling::Bilinear),
        };
        let colours = guided.chunks(height * width);
        let products: Vec<f32> =
            colours.flat_map(|colour| colour.iter().zip(coarse.values()).map(|(a, b)| a * b)).collect();
        Ok(pixels::reduced(question, &products, Reduction::Rectified))
    };
    guided.into_iter().zip(coarse).map(map).collect()
}
