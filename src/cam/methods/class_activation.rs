//! CAM, the original class activation mapping.
//!
//! Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016, arXiv:1512.04150, equation 2. It
//! needs a network that ends in an average over positions and one linear layer with weights `w`, but no gradient:
//!
//! ```text
//! M_c = sum_k  w_k^c A^k
//! ```
//!
//! Grad-CAM gives the same map, divided by the number of positions.

use crate::cam::definition::{Definition, Finishing, MethodInfo, Outputs, Run, Traits};
use crate::cam::options::{Library, Options};
use crate::cam::question::Question;
use crate::cam::terms::Terms;
use crate::engine::Network;
use crate::error::{Error, Result};

pub(super) const DEFINITION: Definition = Definition {
    info: MethodInfo {
        name: "cam",
        title: "CAM",
        summary: "weights of the last linear layer; needs average pooling before it",
        formula: "ReLU( sum_k w_k A_k ), w of the linear layer",
        paper: "Zhou et al., CVPR 2016, arXiv:1512.04150",
        cost: "1 forward",
        has_terms: true,
        ..MethodInfo::PLAIN
    },
    run: Run::Layer(terms),
    traits: Traits {
        libraries: &[Library::Torchcam],
        finishing: Finishing::Unrectified,
        outputs: Outputs::Linear,
        check: check_head,
        ..Traits::PLAIN
    },
};

fn terms(question: &Question, tap: usize) -> Result<Vec<Terms>> {
    let of_class = |class: &usize| {
        let of = |class| linear_weights(question.network(), tap, class);
        let mut weights = of(*class)?;
        if let Some(rival) = question.score.rival() {
            weights.iter_mut().zip(of(rival)?).for_each(|(weight, rival)| *weight -= rival);
        }
        Ok(Terms::Weights(weights.into_iter().map(|weight| f64::from(weight * question.sign())).collect()))
    };
    question.classes.iter().map(of_class).collect()
}

/// Refuses a network with more than an average and a linear layer after a layer.
fn check_head(_: &str, network: &Network, _: &Options) -> Result<()> {
    // Class 0 stands for all: what is checked is the graph, which has no class.
    (0..network.taps()).try_for_each(|tap| linear_weights(network, tap, 0).map(|_| ()))
}

/// The weights of the last linear layer for a class, `[channels]`.
fn linear_weights(network: &Network, tap: usize, class: usize) -> Result<Vec<f32>> {
    network.classifier_weights(tap, class)?.ok_or_else(|| {
        Error::request(
            "cam needs a network that goes from the layer over an average of all positions to one linear layer, and this one \
             does not (use gradcam, which is the same for such networks)",
        )
    })
}
