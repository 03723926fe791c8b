//! Generic attention explainability.
//!
//! Chefer, Gur and Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers", ICCV
//! 2021, arXiv:2103.15679, equations 5 and 6: rollout with attention weighted by its gradient, which makes it depend on the class.
//!
//! ```text
//! B^l = mean_heads ReLU( dy^c/dA^l (.) A^l )
//! R   = I, then for each block from the first on  R + B^l R
//! M   = the row of R of the token that the scores read, without the tokens before the picture's
//! ```
//!
//! Of several tokens that the scores read the rows are averaged. Two things of the authors' earlier transformer attribution (CVPR
//! 2021) are not in it: relevance propagated through the layers, and an identity added to each block.

use crate::Heatmap;
use crate::cam::attention;
use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::question::Question;
use crate::engine::Evidence;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "genericattention",
        title: "Generic attention explainability",
        summary: "rollout of attention times its positive gradient",
        formula: "R += mean_heads ReLU(dy/dA_l (.) A_l) R",
        paper: "Chefer et al., ICCV 2021, arXiv:2103.15679",
        cost: "2 forwards, 1 backward",
        uses_layer: false,
        uses_attention: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Attention(maps),
    traits: Traits { slope: true, check: attention::check, ..Traits::PLAIN },
};

fn maps(question: &Question) -> Result<Vec<Option<Heatmap>>> {
    let map = |class: &usize| {
        let blocks: Vec<Vec<f64>> = question.attention_evidence(*class)?.iter().map(weighted).collect();
        let tokens = attention::carried(question, &blocks, |relevance, moved| {
            relevance.iter_mut().zip(moved).for_each(|(own, more)| *own += more);
        })?;
        attention::map(DEFINITION.info.name, question, &tokens)
    };
    question.classes.iter().map(map).collect()
}

/// A block's attention where more of it raises the score, `[queries, keys]`.
fn weighted(evidence: &Evidence) -> Vec<f64> {
    let gradients = &evidence.gradients.values;
    attention::mean_of_heads(&evidence.activations, |at, weight| (f64::from(gradients[at]) * weight).max(0.0))
}
