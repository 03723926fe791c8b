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
//! Of several tokens that the scores read the rows are averaged. By default heads are averaged, no attention is discarded and all
//! blocks take part, as in the paper; other implementations also take the least or greatest head, leave out the weakest
//! attention, or begin at a later block ([`Options::rollout`]).

use crate::Heatmap;
use crate::cam::attention;
use crate::cam::definition::{Definition, MethodInfo, Reads, Run, Traits};
use crate::cam::options::Options;
use crate::cam::question::Question;
use crate::cam::terms::ROUNDING;
use crate::engine::{Features, Heads, Network, Rollout};
use crate::error::{Hint, OptionName, Problem, Result};

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
    traits: Traits { reads: &[Reads::Rollout], rounding, check, ..Traits::PLAIN },
};

fn maps(question: &Question) -> Result<Vec<Option<Heatmap>>> {
    let rollout = question.options.rollout.unwrap_or_default();
    let attention = question.attention()?;
    let (blocks, pooling) = attention.split_at(question.network().attentions().len());
    let blocks = blocks.iter().skip(rollout.from.saturating_sub(1)).map(|block| mixed(block, rollout));
    // Nothing goes around a pooling, so that there is nothing to mix it with.
    let pooling = pooling.iter().map(|pooling| fused(pooling, rollout.heads));
    let blocks: Vec<Vec<f64>> = blocks.chain(pooling).collect();
    let tokens = attention::carried(question, &blocks, |relevance, moved| relevance.copy_from_slice(moved))?;
    let map = attention::map(DEFINITION.info.name, question, &tokens)?;
    Ok(vec![map; question.classes.len()])
}

/// A block's attention and its residual connection, `[queries, keys]`.
fn mixed(attention: &Features, rollout: Rollout) -> Vec<f64> {
    let mut rows = fused(attention, rollout.heads);
    discard(&mut rows, rollout.discard);
    for (query, row) in rows.chunks_mut(attention.width).enumerate() {
        row.iter_mut().for_each(|weight| *weight *= 0.5);
        row[query] += 0.5;
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= sum);
    }
    rows
}

/// The attention of several heads as that of one.
fn fused(attention: &Features, heads: Heads) -> Vec<f64> {
    match heads {
        Heads::Mean => attention::mean_of_heads(attention, |_, weight| weight),
        Heads::Max => extreme_of_heads(attention, f64::max),
        Heads::Min => extreme_of_heads(attention, f64::min),
    }
}

fn extreme_of_heads(attention: &Features, farther: fn(f64, f64) -> f64) -> Vec<f64> {
    let mut heads = attention.values.chunks(attention.height * attention.width);
    let first = heads.next().unwrap_or_default().iter().map(|weight| f64::from(*weight)).collect();
    heads.fold(first, |found: Vec<f64>, head| {
        found.into_iter().zip(head).map(|(a, b)| farther(a, f64::from(*b))).collect()
    })
}

/// Sets a share of all weights to zero, the smallest; the first, of the class token to itself, stays.
fn discard(weights: &mut [f64], share: f64) {
    let count = (share * weights.len() as f64) as usize;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*a].total_cmp(&weights[*b]));
    order.into_iter().take(count).filter(|at| *at > 0).for_each(|at| weights[at] = 0.0);
}

fn check(name: &str, network: &Network, options: &Options) -> Result<()> {
    attention::check(name, network, options)?;
    let (from, blocks) = (options.rollout.unwrap_or_default().from, network.attentions().len());
    if from <= blocks {
        return Ok(());
    }
    let problem = Problem::new(format!("{name} begins at block {from}")).expected(format!("1 to {blocks}"));
    Err(problem.hint(Hint::Change(OptionName::Rollout)).into())
}

/// Of shares that add up to one.
fn rounding(question: &Question, _: usize, _: Option<&Features>) -> f64 {
    let tokens = question.network().attentions().first().map_or(1, |block| block.keys);
    ROUNDING / tokens as f64
}
