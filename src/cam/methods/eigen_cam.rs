//! Eigen-CAM.
//!
//! Muhammad and Yeasin, "Eigen-CAM: Class Activation Map using Principal Components", IJCNN 2020, arXiv:2008.00299:
//! the activations of every position projected on their first principal component. Independent of the class.
//!
//! ```text
//! X = A as [positions, channels], column means taken off
//! L = X v_1        v_1: first right singular vector of X
//! ```
//!
//! The mean is subtracted as in pytorch-grad-cam; the paper keeps it. The sign of a singular vector is arbitrary.
//! Here it makes the map correlate with the sum of the activations, so that bright means active; pytorch-grad-cam
//! takes it from the linear algebra, and its maps are sometimes inverted.

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::principal;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "eigencam",
        title: "Eigen-CAM",
        summary: "first principal component of the activations; asks no class",
        formula: "X v_1, X centred activations",
        paper: "Muhammad and Yeasin, IJCNN 2020, arXiv:2008.00299",
        cost: "1 forward",
        uses_class: false,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Activations(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], ..Traits::PLAIN },
};

fn terms(question: &Question, tap: usize) -> Result<Terms> {
    let activations = question.activations(tap)?;
    // In double precision: the eigenvector is found by products with the square of this matrix, whose condition is
    // squared too.
    let elements: Vec<f64> = activations.values.iter().map(|value| f64::from(*value)).collect();
    let size = principal::size(&elements, activations.channels);
    Ok(Terms::Projected(principal::projection(&elements, activations.channels), size))
}
