//! Finer-CAM.
//!
//! Zhang et al., "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation", CVPR 2025,
//! arXiv:2501.11309: Grad-CAM of the difference between a class and the most similar ones.
//!
//! ```text
//! y^c - g mean_d y^d         d: the three classes whose logits are nearest to y^c, g = 0.6
//! ```
//!
//! With [`Score::Against`](crate::Score::Against) the class that it names is the only `d`. pytorch-grad-cam uses `g = 1` and weights the classes `d` by their probability. The score always uses logits.

use super::grad_cam;
use crate::cam::definition::{Definition, MethodInfo, Outputs, Run, Traits};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::engine::{Contrast, Rivals};
use crate::error::{Error, Result};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "finercam",
        title: "Finer-CAM",
        summary: "Grad-CAM of what distinguishes a class from those most like it",
        formula: "Grad-CAM of y_c - 0.6 mean_d y_d",
        paper: "Zhang et al., CVPR 2025, arXiv:2501.11309",
        cost: "1 forward, head backward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Contrast(contrast, grad_cam::terms),
    traits: Traits {
        libraries: &[Library::PytorchGradCam, Library::Torchcam],
        outputs: Outputs::Logits,
        ..Traits::PLAIN
    },
};

/// Number of similar classes; the paper's choice.
const RIVALS: usize = 3;

fn contrast(question: &Question, class: usize) -> Result<Contrast> {
    // A class that was named takes the place of the most similar ones.
    let rivals = match question.score.rival() {
        Some(rival) => vec![rival],
        None => similar(question.logits(), class, question.rivals(class)),
    };
    if rivals.is_empty() {
        return Err(Error::request("finercam compares classes, and the model has only one (use gradcam)"));
    }
    let by_probability = question.follows(Library::PytorchGradCam);
    let strength = if by_probability { 1.0 } else { 0.6 };
    Ok(Contrast { class, rivals, strength, by_probability })
}

/// The other classes, those with the nearest logits first.
fn similar(logits: &[f32], class: usize, rivals: Rivals) -> Vec<usize> {
    let mut others: Vec<usize> = rivals.iter().collect();
    let distance = |other: &usize| (logits[*other] - logits[class]).abs();
    // Stable, so that equally near classes keep the order of their indices on every machine.
    others.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    others.truncate(RIVALS);
    others
}
