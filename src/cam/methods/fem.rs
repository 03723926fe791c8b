//! FEM, the feature explanation method.
//!
//! Fuad et al., "Features Understanding in 3D CNNs for Actions Recognition in Video", IPTA 2020: a channel counts as much as
//! it has rare, strong activations. It asks no class. As pytorch-grad-cam has it:
//!
//! ```text
//! t_k = mean(A^k) + 2 std(A^k)
//! w_k = share of positions with A^k > t_k
//! L   = ReLU( sum_k  w_k A^k )
//! ```

use super::{Definition, MethodInfo, Run};
use crate::cam::scene::Question;
use crate::cam::terms::Terms;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "fem",
        title: "FEM",
        summary: "channels weighted by how much of them is rare and strong; asks no class",
        formula: "w_k = share of A_k > mean + 2 std",
        paper: "Fuad et al., IPTA 2020",
        cost: "1 forward",
        uses_class: false,
        uses_layer: true,
        has_sign: false,
        has_terms: true,
    },
    run: Run::Layer(terms),
};

/// Standard deviations above the mean that count as rare.
const RARE: f64 = 2.0;

fn terms(question: &Question, tap: usize) -> Result<Terms> {
    let activations = question.activations(tap)?;
    let cells = activations.height * activations.width;
    let weight = |channel: &[f32]| {
        let count = cells as f64;
        let mean = channel.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
        let variance = channel.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
        let threshold = mean + RARE * variance.sqrt();
        channel.iter().filter(|value| f64::from(**value) > threshold).count() as f64 / count
    };
    Ok(Terms::Weights(activations.values.chunks(cells).map(weight).collect()))
}
