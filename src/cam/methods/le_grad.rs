//! LeGrad.
//!
//! Bousselham et al., "LeGrad: An Explainability Method for Vision Transformers via Feature Formation Sensitivity", ICCV 2025,
//! arXiv:2404.03214: the positive gradients of a score of each block with respect to its attention, averaged over heads, queries
//! and blocks.
//!
//! ```text
//! s^l = the network's head on the mean of the tokens that block l gives
//! E^l = mean over heads and queries of  ReLU( ds^l / dA^l )
//! E   = mean_l E^l, without the tokens before the picture's
//! ```
//!
//! Behind a pooling by attention, the paper's section on attentional poolers:
//!
//! ```text
//! s^l = the network's head, pooling included, on the tokens that block l gives
//! E^l = mean over heads of  ReLU( ds^l / dA ), A the pooling's attention to these tokens
//! ```
//!
//! All blocks take part. The authors' code and torchcam take the mean of all tokens where there is no pooling, also for networks whose head reads the class
//! token; torchcam leaves the choice of blocks to the caller, the authors' code takes the last two unless asked.

use crate::Heatmap;
use crate::cam::attention;
use crate::cam::definition::{Definition, MethodInfo, Run, Traits};
use crate::cam::options::Library;
use crate::cam::question::Question;
use crate::error::Result;

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "legrad",
        title: "LeGrad",
        summary: "how much more attention in each block would raise its score",
        formula: "mean_l mean_heads,queries ReLU(ds_l/dA_l)",
        paper: "Bousselham et al., ICCV 2025, arXiv:2404.03214",
        cost: "2 forwards, half of each block backward",
        uses_layer: false,
        uses_attention: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Attention(maps),
    traits: Traits { libraries: &[Library::Torchcam], check: attention::check_blocks, ..Traits::PLAIN },
};

fn maps(question: &Question) -> Result<Vec<Option<Heatmap>>> {
    let sign = f64::from(question.sign());
    let blocks = question.network().attentions().len() as f64;
    let mut sums = vec![Vec::new(); question.classes.len()];
    question.gradients_of_blocks(&mut |_, class, gradients| {
        let positive = attention::mean_of_heads(&gradients, |_, gradient| (sign * gradient).max(0.0));
        let queries = gradients.height as f64;
        let sum: &mut Vec<f64> = &mut sums[class];
        sum.resize(gradients.width, 0.0);
        for query in positive.chunks(gradients.width) {
            sum.iter_mut().zip(query).for_each(|(sum, value)| *sum += value / (queries * blocks));
        }
        Ok(())
    })?;
    sums.iter().map(|tokens| attention::map(DEFINITION.info.name, question, tokens)).collect()
}
