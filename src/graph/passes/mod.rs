//! One form for every network: decomposed operations are combined again.
//!
//! Receives the [`Draft`] of a builder whose output is declared, and rewrites it in place: the graph computes the
//! same with fewer and better known operations, from any source. Every pass visits each node once and changes only
//! the inputs of its own node, so that all passes together are about linear in the number of nodes.
//!
//! | pass | joins |
//! |---|---|
//! | `transposes` | transposes that cancel, also across elementwise operations |
//! | `ranks` | neighbouring axes of reshapes and transposes that have more axes than a tensor may have |
//! | `parts` | slices of joined tensors that are one of these |
//! | `squeezes` | axes of size 1 that are taken away and put in again, also across functions of each element |
//! | `reductions` | means, sums and extremes over one axis after another |
//! | `affine` | a constant added to a product: its bias |
//! | `norms` | layer norm and group norm that are spelled out |
//! | `affine` | steps of arithmetic with one constant per channel: a batch norm |
//! | `activations` | formulas of SiLU, hard sigmoid, hard swish, Mish, GELU and ReLU6 |

mod activations;
mod affine;
mod constant;
mod formula;
mod norms;
mod parts;
mod pattern;
mod ranks;
mod reductions;
mod squeezes;
#[cfg(test)]
mod tests;
mod transposes;

use crate::draft::Draft;

/// Brings a draft to the canonical form shared by all sources.
pub fn canonicalise(draft: &mut Draft) {
    // Transposes first: one between a product and its bias, or inside a formula, would hide the pattern from every
    // other pass.
    transposes::cancel(draft);
    // Behind the transposes: two in a row are one by now.
    ranks::lower(draft);
    parts::take(draft);
    squeezes::cancel(draft);
    reductions::join(draft);
    affine::join_biases(draft);
    norms::join(draft);
    // After the norms, whose gamma and beta are arithmetic per channel as well.
    affine::join_batch_norms(draft);
    activations::join(draft);
}
