//! KPCA-CAM.
//!
//! Karmani et al., "KPCA-CAM: Visual Explainability of Deep Computer Vision Models using Kernel PCA", 2024,
//! arXiv:2410.00267: Eigen-CAM with the principal component in the space of a sigmoid kernel. Independent of the
//! class.
//!
//! ```text
//! x_i   = activations at position i, the mean over positions taken off
//! K_ij  = tanh( x_i . x_j / channels + 1 ),  then centred in its rows and columns
//! L     = sqrt(lambda_1) u_1                 of K
//! ```
//!
//! The sign is chosen as in Eigen-CAM.

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::principal;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::{Error, Result};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "kpcacam",
        title: "KPCA-CAM",
        summary: "first kernel principal component; asks no class",
        formula: "sqrt(l_1) u_1 of the centred sigmoid kernel",
        paper: "Karmani et al. 2024, arXiv:2410.00267",
        cost: "1 forward",
        uses_class: false,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Activations(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam], ..Traits::PLAIN },
};

/// The kernel is a matrix of positions by positions: 128 MB in double precision at this size.
const MOST_POSITIONS: usize = 4096;

fn terms(question: &Question, tap: usize) -> Result<Terms> {
    let activations = question.activations(tap)?;
    let positions = activations.height * activations.width;
    if positions > MOST_POSITIONS {
        return Err(Error::request(format!(
            "kpcacam compares every position with every other, and {}x{} are too many, expected at most {MOST_POSITIONS} \
             (choose a later layer)",
            activations.height, activations.width
        )));
    }
    let values: Vec<f64> = activations.values.iter().map(|value| f64::from(*value)).collect();
    // Centred twice, as in the library: the points, and later the kernel, whose feature space has another mean.
    let centered = principal::centered(&values, positions);
    let kernel = centered_kernel(&centered, positions, activations.channels);
    let product =
        |u: &[f64]| kernel.chunks(positions).map(|row| row.iter().zip(u).map(|(k, u)| k * u).sum()).collect();
    let (direction, eigenvalue) = principal::leading(positions, product);
    let map: Vec<f64> = direction.into_iter().map(|value| value * eigenvalue.max(0.0).sqrt()).collect();
    Ok(Terms::Map(match question.library() {
        Some(Library::PytorchGradCam) => toward_extreme(map),
        _ => principal::toward_activity(map, &centered),
    }))
}

/// scikit-learn's sign, which pytorch-grad-cam uses: the value of the largest magnitude is positive.
fn toward_extreme(map: Vec<f64>) -> Vec<f64> {
    let extreme = map.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or_default();
    map.into_iter().map(|value| if extreme < 0.0 { -value } else { value }).collect()
}

fn centered_kernel(points: &[f64], positions: usize, channels: usize) -> Vec<f64> {
    let mut kernel = vec![0.0; positions * positions];
    for channel in points.chunks(positions) {
        for (row, value) in kernel.chunks_mut(positions).zip(channel) {
            row.iter_mut().zip(channel).for_each(|(entry, other)| *entry += value * other);
        }
    }
    kernel.iter_mut().for_each(|entry| *entry = (*entry / channels as f64 + 1.0).tanh());
    let means: Vec<f64> =
        kernel.chunks(positions).map(|row| row.iter().sum::<f64>() / positions as f64).collect();
    let mean = means.iter().sum::<f64>() / positions as f64;
    for (row, row_mean) in kernel.chunks_mut(positions).zip(&means) {
        for (entry, column_mean) in row.iter_mut().zip(&means) {
            let rest = *entry + mean - row_mean - column_mean;
            // Of a constant kernel only rounding is left; its entries are within -1 and 1.
            *entry = if rest.abs() <= principal::ROUNDING { 0.0 } else { rest };
        }
    }
    kernel
}
