//! Pools.

use super::super::site::{Site, Tensor};
use super::window::padding;
use crate::card::Op;
use crate::error::Problem;

/// `MaxPooling2D` and `AveragePooling2D`. Padding is not part of a mean.
pub(super) fn window(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, [_, _, height, width]) = site.picture()?;
    let kernel = site.settings.pair("pool_size", [2, 2])?;
    let stride = site.settings.pair("strides", kernel)?;
    let padding = padding(site, [height, width], kernel, stride, [1, 1])?;
    let op = match site.class {
        "MaxPooling2D" => Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: false },
        _ => Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad: false },
    };
    site.unary(op, &x)
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
