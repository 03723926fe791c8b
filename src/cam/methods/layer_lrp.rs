//! Layer-wise relevance propagation down to a layer.
//!
//! Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", PLOS ONE 2015,
//! doi:10.1371/journal.pone.0130140: as LRP, but what is shown is the relevance of a layer's positions.
//!
//! ```text
//! M_ij = sum_k  R_kij        R: the relevance of the layer's activations, by the rules of LRP
//! ```

use super::lrp::check_operations;
use crate::cam::definition::{Definition, Layers, MethodInfo, Outputs, Reads, Run, Traits};
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::engine::Features;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "layerlrp",
        title: "LRP at a layer",
        summary: "the score handed back by shares, down to a layer",
        formula: "sum_k R_k at the layer, R as in LRP",
        paper: "Bach et al., PLOS ONE 2015, doi:10.1371/journal.pone.0130140",
        cost: "2 forwards, 1 backward to the layer",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Layers(terms),
    traits: Traits {
        reads: &[Reads::Composite],
        outputs: Outputs::Values,
        check: check_operations,
        ..Traits::PLAIN
    },
};

fn terms(question: &Question) -> Result<Vec<Layers>> {
    let sweep = question.sweep_precisely()?;
    let composite = question.options.composite.unwrap_or_default();
    let sign = f64::from(question.sign());
    let of_layer = |relevance: Features| {
        let terms = relevance.values.into_iter().map(|value| sign * f64::from(value));
        (None, Terms::Elements(terms.collect()))
    };
    let of_class = |class: &usize| {
        let layers = sweep.relevance_of_layers(question.score, *class, composite)?;
        Ok(layers.into_iter().map(of_layer).collect())
    };
    question.classes.iter().map(of_class).collect()
}
