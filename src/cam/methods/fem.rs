//! FEM, the feature explanation method.
//!
//! Fuad et al., "Features Understanding in 3D CNNs for Actions Recognition in Video", IPTA 2020: channels are
//! weighted by their rare, strong activations. Independent of the class.
//!
//! ```text
//! B_k = 1[ A^k >= mean(A^k) + 2 std(A^k) ]
//! L   = sum_k  mean(A^k) B_k
//! ```
//!
//! xplique does the same. pytorch-grad-cam weights the activations themselves, each channel by its share of positions
//! in `B_k` (with `>`).

use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "fem",
        title: "FEM",
        summary: "where activations are rare and strong; asks no class",
        formula: "sum_k mean(A_k) 1[A_k >= mean + 2 std]",
        paper: "Fuad et al., IPTA 2020",
        cost: "1 forward",
        uses_class: false,
        has_sign: false,
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Activations(terms),
    traits: Traits { libraries: &[Library::PytorchGradCam, Library::Xplique], ..Traits::PLAIN },
};

/// Standard deviations above the mean that count as rare, as in the paper.
const RARE: f64 = 2.0;

fn terms(question: &Question, tap: usize) -> Result<Terms> {
    let activations = question.activations(tap)?;
    let cells = activations.height * activations.width;
    let rare = |channel: &[f32]| {
        let count = cells as f64;
        let mean = channel.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
        // Divided by the count and not by one less, as `std` of NumPy and TensorFlow.
        let variance = channel.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
        (mean, mean + RARE * variance.sqrt())
    };
    let channels = activations.values.chunks(cells);
    if question.follows(Library::PytorchGradCam) {
        let share = |channel: &[f32]| {
            let (_, threshold) = rare(channel);
            channel.iter().filter(|value| f64::from(**value) > threshold).count() as f64 / cells as f64
        };
        return Ok(Terms::Weights(channels.map(share).collect()));
    }
    let marked = |channel: &[f32]| -> Vec<f64> {
        let (mean, threshold) = rare(channel);
        channel.iter().map(|value| if f64::from(*value) >= threshold { mean } else { 0.0 }).collect()
    };
    Ok(Terms::Elements(channels.flat_map(marked).collect()))
}
