//! Layers over sequences, `[batch, steps, channels]`, by those over pictures.

use super::super::site::{Lower, Operand, Site, Tensor};
use crate::card::Op;
use crate::error::Problem;

/// The function for the layer's kind over pictures, if `class` is a layer over sequences.
pub(super) fn find(class: &str) -> Option<Lower> {
    Some(match class {
        "Conv1D" | "Convolution1D" => |site| along(site, super::conv::conv),
        "Conv1DTranspose" | "Convolution1DTranspose" => |site| along(site, super::conv::transposed),
        "DepthwiseConv1D" => |site| along(site, super::conv::depthwise),
        "SeparableConv1D" | "SeparableConvolution1D" => |site| along(site, super::conv::separable),
        "MaxPooling1D" | "AveragePooling1D" => |site| along(site, super::pool::window),
        "ZeroPadding1D" => |site| along(site, super::picture::pad),
        "Cropping1D" => |site| along(site, super::picture::crop),
        "UpSampling1D" => |site| along(site, super::picture::repeat),
        "GlobalAveragePooling1D" | "GlobalMaxPooling1D" => super::pool::over_steps,
        "RepeatVector" => repeat,
        _ => return None,
    })
}

/// The steps become the columns of a picture of one row, and back.
pub(super) fn along(site: &mut Site, lower: Lower) -> Result<Tensor, Problem> {
    let x = site.sequence()?;
    let channels_first = site.turn(vec![0, 2, 1], &x)?;
    let picture = site.unsqueeze(vec![2], &channels_first)?;
    site.operands = vec![Operand::Tensor(picture)];
    site.is_sequence = true;
    let y = lower(site)?;
    let steps = site.squeeze(vec![2], &y)?;
    site.turn(vec![0, 2, 1], &steps)
}

/// `RepeatVector`: the same features at every step.
fn repeat(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let count = site.settings.count("n", 0)?;
    if x.rank() != 2 || count == 0 {
        let what = format!("repeats a tensor of {} axes {count} times", x.rank());
        return Err(Problem::new(what).expected("features, at least once"));
    }
    let one = site.unsqueeze(vec![1], &x)?;
    site.unary(Op::Gather { axis: 1, indices: vec![0; count] }, &one)
}
