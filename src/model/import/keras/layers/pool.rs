//! Pools.

use super::super::site::{Site, Tensor};
use super::window::padding;
use crate::card::Op;
use crate::error::Problem;

/// `MaxPooling2D`, `AveragePooling2D` and theirs of sequences. Padding is not part of a mean.
pub(super) fn window(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, [_, _, height, width]) = site.picture()?;
    let kernel = site.pair("pool_size", [2, 2])?;
    let stride = site.pair("strides", kernel)?;
    let padding = padding(site, [height, width], kernel, stride, [1, 1])?;
    let op = match site.class {
        "MaxPooling2D" | "MaxPooling1D" => {
            Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: false }
        }
        _ => Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad: false },
    };
    site.unary(op, &x)
}

/// `AdaptiveAveragePooling2D`: mean over windows that divide the picture.
pub(super) fn adaptive(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, _) = site.picture()?;
    let output_size = site.settings.pair("output_size", [1, 1])?;
    site.unary(Op::AdaptiveAvgPool2d { output_size }, &x)
}

/// `GlobalAveragePooling1D` and `GlobalMaxPooling1D`, over the steps of a sequence.
pub(super) fn over_steps(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let x = site.sequence()?;
    let (axes, keep_dims) = (vec![1], site.settings.flag("keepdims", false)?);
    site.unary(
        match site.class {
            "GlobalMaxPooling1D" => Op::ReduceMax { axes, keep_dims },
            _ => Op::ReduceMean { axes, keep_dims },
        },
        &x,
    )
}

/// `GlobalAveragePooling2D` and `GlobalMaxPooling2D`.
pub(super) fn global(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, _) = site.picture()?;
    let op = if site.class == "GlobalMaxPooling2D" { Op::GlobalMaxPool {} } else { Op::GlobalAvgPool {} };
    let y = site.unary(op, &x)?;
    match site.settings.flag("keepdims", false)? {
        true => Ok(y),
        false => site.unary(Op::Flatten { start_axis: 1 }, &y),
    }
}
