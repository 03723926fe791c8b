//! Convolution and pooling.

use ndarray::Axis;

use super::super::builder::{Builder, Tensor};
use super::super::site::{Site, Value};
use super::{listed, one, weight};
use crate::card::Op;

/// Settings common to convolution and pooling.
struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// `[top, bottom, left, right]`.
    padding: [usize; 4],
}

impl Window {
    /// Reads the window over a picture; `auto_pad` depends on its size.
    fn read(site: &Site, x: &Tensor, kernel: [usize; 2]) -> Result<Self, String> {
        let stride = site.pair("strides", Some([1, 1]))?;
        let dilation = site.pair("dilations", Some([1, 1]))?;
        let padding = match site.text("auto_pad", "NOTSET")?.as_str() {
            "NOTSET" => explicit(site)?,
            "VALID" => [0; 4],
            same @ ("SAME_UPPER" | "SAME_LOWER") => {
                let [top, bottom] = same_padding(x.side(2)?, kernel[0], stride[0], dilation[0], same)?;
                let [left, right] = same_padding(x.side(3)?, kernel[1], stride[1], dilation[1], same)?;
                [top, bottom, left, right]
            }
            other => {
                return Err(format!(
                    "its 'auto_pad' is '{other}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER"
                ));
            }
        };
        Ok(Self { kernel, stride, dilation, padding })
    }
}

/// ONNX lists all starts first, then all ends.
fn explicit(site: &Site) -> Result<[usize; 4], String> {
    let pads = site.ints("pads")?.unwrap_or_else(|| vec![0; 4]);
    let sizes: Vec<usize> = pads.iter().filter_map(|side| usize::try_from(*side).ok()).collect();
    match sizes[..] {
        [top, left, bottom, right] => Ok([top, bottom, left, right]),
        _ => Err(format!("its 'pads' are {pads:?}, expected four numbers from 0")),
    }
}

/// Padding for an output of `ceil(side / stride)`; an odd element goes to the end for `SAME_UPPER`.
fn same_padding(
    side: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    same: &str,
) -> Result<[usize; 2], String> {
    let refuse = || format!("its window of {kernel} by a step of {stride} is not sensible");
    let reach = kernel.checked_sub(1).and_then(|steps| steps.checked_mul(dilation)).ok_or_else(refuse)? + 1;
    let cells = side
        .checked_add(stride)
        .ok_or_else(refuse)?
        .saturating_sub(1)
        .checked_div(stride)
        .ok_or_else(refuse)?;
    let span = cells.saturating_sub(1).checked_mul(stride).and_then(|steps| steps.checked_add(reach));
    let total = span.ok_or_else(refuse)?.saturating_sub(side);
    let (less, more) = (total / 2, total - total / 2);
    Ok(if same == "SAME_UPPER" { [less, more] } else { [more, less] })
}

/// `Conv`; over a sequence, it becomes a convolution over a picture of width 1.
pub(super) fn conv(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let mut kernel = weight(site, 1)?;
    let groups = usize::try_from(site.int("group", 1)?).map_err(|_| "its 'group' is negative")?;
    match (x.rank(), kernel.values.ndim()) {
        (4, 4) => {
            let size = [kernel.values.shape()[2], kernel.values.shape()[3]];
            let Window { stride, dilation, padding, .. } = Window::read(site, x, size)?;
            let mut weights = vec![];
            let out = kernel.values.shape()[0];
            weights.push(("weight", kernel));
            weights.extend(listed(site, 2, out)?.map(|bias| ("bias", bias)));
            one(builder.emit(Op::Conv2d { stride, padding, dilation, groups }, &[x], weights)?)
        }
        (3, 3) => {
            let number = |name: &str, default: i64, count: usize| {
                let list = site.ints(name)?.unwrap_or_else(|| vec![default; count]);
                let sizes: Vec<usize> =
                    list.iter().filter_map(|number| usize::try_from(*number).ok()).collect();
                if sizes.len() == count {
                    Ok(sizes)
                } else {
                    Err(format!("its '{name}' is {list:?}, expected {count} numbers"))
                }
            };
            if site.text("auto_pad", "NOTSET")? != "NOTSET" {
                return Err("pads a sequence by 'auto_pad', expected 'pads'".into());
            }
            let (stride, dilation, pads) =
                (number("strides", 1, 1)?[0], number("dilations", 1, 1)?[0], number("pads", 0, 2)?);
            kernel.values.insert_axis_inplace(Axis(3));
            let out = kernel.values.shape()[0];
            let mut weights = vec![("weight", kernel)];
            weights.extend(listed(site, 2, out)?.map(|bias| ("bias", bias)));
            let picture = builder.unary(Op::Unsqueeze { axes: vec![3] }, x)?;
            let op = Op::Conv2d {
                stride: [stride, 1],
                padding: [pads[0], pads[1], 0, 0],
                dilation: [dilation, 1],
                groups,
            };
            let result = builder.emit(op, &[&picture], weights)?;
            one(builder.unary(Op::Squeeze { axes: vec![3] }, &result)?)
        }
        (rank, _) => Err(format!(
            "works on rank {rank} with a weight of shape {:?}, expected pictures",
            kernel.values.shape()
        )),
    }
}

/// `MaxPool` without the second output.
pub(super) fn max_pool(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let Window { kernel, stride, dilation, padding } =
        Window::read(site, x, site.pair("kernel_shape", None)?)?;
    let ceil_mode = site.flag("ceil_mode")?;
    one(builder.unary(Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode }, x)?)
}

/// `AveragePool`.
pub(super) fn average_pool(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let Window { kernel, stride, dilation, padding } =
        Window::read(site, x, site.pair("kernel_shape", None)?)?;
    if dilation != [1, 1] {
        return Err(format!("its 'dilations' are {dilation:?}, expected 1 each"));
    }
    let (ceil_mode, count_include_pad) = (site.flag("ceil_mode")?, site.flag("count_include_pad")?);
    if kernel == [x.side(2)?, x.side(3)?] && padding == [0; 4] {
        return one(builder.unary(Op::GlobalAvgPool {}, x)?);
    }
    one(builder.unary(Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad }, x)?)
}
