//! Layer-wise relevance propagation.
//!
//! Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", PLOS ONE 2015,
//! doi:10.1371/journal.pone.0130140; rules and composites of Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019,
//! doi:10.1007/978-3-030-28954-6_10: the score is handed back layer by layer, each of which distributes what it gets
//! over its inputs.
//!
//! ```text
//! R_j  = sum_k  a_j rho(w_jk) / ( eps + sum_j a_j rho(w_jk) )  R_k        rho: the rule of the layer
//! M_ij = sum_colour  R_ij
//! ```
//!
//! `rho` follows from the composite ([`Options::composite`]). The pass itself is the engine's, in double precision: relevance is divided
//! by sums that may cancel, and single precision was up to 4e-4 of the greatest value off.

use crate::cam::definition::{Definition, MethodInfo, Outputs, PixelMaps, Reads, Run, Traits};
use crate::cam::options::Options;
use crate::cam::pixels::{self, Reduction};
use crate::cam::question::Question;
use crate::engine::Network;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "lrp",
        title: "LRP",
        summary: "the score handed back from layer to layer, by shares",
        formula: "sum_colour R, R_j = sum_k a_j rho(w_jk) / z_k R_k",
        paper: "Bach et al., PLOS ONE 2015, doi:10.1371/journal.pone.0130140",
        cost: "1 forward, 1 backward",
        uses_layer: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Pixels(maps),
    traits: Traits {
        reads: &[Reads::Composite],
        fine: true,
        outputs: Outputs::Values,
        check: check_operations,
        ..Traits::PLAIN
    },
};

fn maps(question: &Question) -> Result<PixelMaps> {
    let sweep = question.sweep_precisely()?;
    let composite = question.options.composite.unwrap_or_default();
    let map = |class: &usize| {
        let relevance = sweep.relevance(question.score, *class, composite)?;
        let relevance: Vec<f32> = relevance.into_iter().map(|value| value * question.sign()).collect();
        Ok(pixels::reduced(question, &relevance, Reduction::Sum))
    };
    question.classes.iter().map(map).collect()
}

pub(super) fn check_operations(_: &str, network: &Network, _: &Options) -> Result<()> {
    network.check_relevance()
}
