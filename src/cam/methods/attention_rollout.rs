//! Attention rollout.
//!
//! Abnar and Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020, arXiv:2005.00928, section 3: attention multiplied
//! through all blocks, each mixed with its residual connection. Independent of the class.
//!
//! ```text
//! B^l = rows of ( 0.5 mean_heads A^l + 0.5 I ), each divided by its sum
//! R   = B^L B^(L-1) .. B^1
//! M   = the row of R of the token that the scores read, without the tokens before the picture's
//! ```
//!
//! Of several tokens that the scores read the rows are averaged. No attention is discarded, and heads are averaged, as in the
//! paper; other implementations also offer the least or greatest head and leave out weak attention.

use crate::Heatmap;
use crate::cam::attention;
use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::question::Question;
use crate::cam::terms::ROUNDING;
use crate::engine::Features;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "rollout",
        title: "Attention rollout",
        summary: "attention followed through all blocks; asks no class",
        formula: "row of prod_l (mean_heads A_l + I) / 2",
        paper: "Abnar and Zuidema, ACL 2020, arXiv:2005.00928",
        cost: "2 forwards",
        uses_class: false,
        uses_layer: false,
        uses_attention: true,
        has_sign: false,
        ..MethodInfo::PLAIN
    },
    run: Run::Attention(maps),
    traits: Traits { rounding, check: attention::check, ..Traits::PLAIN },
};

fn maps(question: &Question) -> Result<Vec<Option<Heatmap>>> {
    let blocks: Vec<Vec<f64>> = question.attention()?.iter().map(mixed).collect();
    let tokens = attention::carried(question, &blocks, |relevance, moved| relevance.copy_from_slice(moved))?;
    let map = attention::map(DEFINITION.info.name, question, &tokens)?;
    Ok(vec![map; question.classes.len()])
}

/// A block's attention and its residual connection, `[queries, keys]`.
fn mixed(attention: &Features) -> Vec<f64> {
    let mut rows = attention::mean_of_heads(attention, |_, weight| 0.5 * weight);
    for (query, row) in rows.chunks_mut(attention.width).enumerate() {
        row[query] += 0.5;
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= sum);
    }
    rows
}

/// Of shares that add up to one.
fn rounding(question: &Question, _: usize, _: Option<&Features>) -> f64 {
    let tokens = question.network().attentions().first().map_or(1, |block| block.keys);
    ROUNDING / tokens as f64
}
