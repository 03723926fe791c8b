//! ViT-Recipro-CAM.
//!
//! Byun and Lee, "ViT-ReciproCAM: Gradient and Attention-Free Visual Explanations for Vision Transformer", 2023,
//! arXiv:2310.02588: Recipro-CAM at a transformer's layer, with a soft mask around each position. Class tokens and other
//! tokens before the grid stay as they are.
//!
//! ```text
//! y_ij = score of the head on A times a Gaussian of 3 x 3 positions around (i, j), zero elsewhere
//! L_ij = y_ij - min y
//!
//!               1 2 1
//! Gaussian:     2 4 2  / 16
//!               1 2 1
//! ```
//!
//! As in the PyTorch class of OpenVINO XAI the mask is put on the chosen layer alone, the last block's first norm: the residual
//! connection around it keeps the whole picture. Its class for OpenVINO models masks that connection, too.

use super::recipro_cam;
use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits, rounding_of_scores};
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "vitreciprocam",
        title: "ViT-Recipro-CAM",
        summary: "Recipro-CAM with soft edges, for tokens",
        formula: "y(A times a Gaussian around a position)",
        paper: "Byun and Lee 2023, arXiv:2310.02588",
        cost: "1 forward, head per position",
        ..MethodInfo::PLAIN
    },
    run: Run::Layer(terms),
    traits: Traits { reads: &[Reads::BatchSize], rounding: rounding_of_scores, ..Traits::PLAIN },
};

fn terms(question: &Question, tap: usize) -> Result<Vec<Terms>> {
    recipro_cam::terms_of(question, tap, |down, across| match (down, across) {
        (0, 0) => 4.0 / 16.0,
        (0, 1) | (1, 0) => 2.0 / 16.0,
        (1, 1) => 1.0 / 16.0,
        _ => 0.0,
    })
}
