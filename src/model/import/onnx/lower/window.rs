//! Convolution and pooling.

use ndarray::Axis;

use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use super::operands::{listed, one, weight};
use crate::card::Op;
use crate::error::Problem;
use crate::import::padding;

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
    fn read(site: &Site, x: &Tensor, kernel: [usize; 2]) -> Result<Self, Problem> {
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
                return Err(Problem::new(format!("its 'auto_pad' is '{other}'"))
                    .expected("NOTSET, VALID, SAME_UPPER or SAME_LOWER"));
            }
        };
        Ok(Self { kernel, stride, dilation, padding })
    }

    /// Reads the window over a sequence, as one over a picture of width 1.
    fn of_sequence(site: &Site, kernel: usize) -> Result<Self, Problem> {
        let sizes = |name: &str, default: i64, count: usize| {
            let list = site.ints(name)?.unwrap_or_else(|| vec![default; count]);
            let sizes: Vec<usize> = list.iter().filter_map(|number| usize::try_from(*number).ok()).collect();
            match sizes.len() == count {
                true => Ok(sizes),
                false => {
                    Err(Problem::new(format!("its '{name}' is {list:?}"))
                        .expected(format!("{count} numbers")))
                }
            }
        };
        if site.text("auto_pad", "NOTSET")? != "NOTSET" {
            return Err(Problem::new("pads a sequence by 'auto_pad'").expected("'pads'"));
        }
        let (stride, dilation, pads) =
            (sizes("strides", 1, 1)?[0], sizes("dilations", 1, 1)?[0], sizes("pads", 0, 2)?);
        Ok(Self {
            kernel: [kernel, 1],
            stride: [stride, 1],
            dilation: [dilation, 1],
            padding: [pads[0], pads[1], 0, 0],
        })
    }
}

/// ONNX lists all starts first, then all ends.
fn explicit(site: &Site) -> Result<[usize; 4], Problem> {
    let pads = site.ints("pads")?.unwrap_or_else(|| vec![0; 4]);
    let sizes: Vec<usize> = pads.iter().filter_map(|side| usize::try_from(*side).ok()).collect();
    match sizes[..] {
        [top, left, bottom, right] => Ok([top, bottom, left, right]),
        _ => Err(Problem::new(format!("its 'pads' are {pads:?}")).expected("four numbers from 0")),
    }
}

/// Padding for an output of `ceil(side / stride)`; an odd element goes to the end for `SAME_UPPER`.
fn same_padding(
    side: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    same: &str,
) -> Result<[usize; 2], Problem> {
    let refuse = || Problem::new(format!("its window of {kernel} by a step of {stride} is not sensible"));
    let [less, more] = padding::same(side, kernel, stride, dilation).ok_or_else(refuse)?;
    Ok(if same == "SAME_UPPER" { [less, more] } else { [more, less] })
}

/// `Conv`; over a sequence, it becomes a convolution over a picture of width 1.
pub(super) fn conv(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let mut kernel = weight(site, 1)?;
    let groups = usize::try_from(site.int("group", 1)?).map_err(|_| "its 'group' is negative")?;
    match (x.rank(), kernel.values.shape()) {
        (4, [_, _, height, width]) => {
            let Window { stride, dilation, padding, .. } = Window::read(site, x, [*height, *width])?;
            let op = Op::Conv2d { stride, padding, dilation, groups };
            one(builder.emit(op, &[x], kernel_and_bias(site, kernel)?)?)
        }
        (3, [_, _, _]) => {
            let op = over_a_sequence(site, groups)?;
            kernel.values.insert_axis_inplace(Axis(3));
            let weights = kernel_and_bias(site, kernel)?;
            let picture = builder.unary(Op::Unsqueeze { axes: vec![3] }, x)?;
            let result = builder.emit(op, &[&picture], weights)?;
            one(builder.unary(Op::Squeeze { axes: vec![3] }, &result)?)
        }
        (rank, shape) => {
            let problem = Problem::new(format!("works on rank {rank} with a weight of shape {shape:?}"));
            Err(problem.expected("pictures"))
        }
    }
}

fn kernel_and_bias(site: &Site, kernel: Weight) -> Result<Vec<(&'static str, Weight)>, Problem> {
    let bias = listed(site, 2, kernel.values.shape()[0])?;
    // PyTorch's newer exporter writes a convolution without bias with zeros that the file computes. Zeros that it stores are
    // weights, which training left as they began.
    let is_weight = |bias: &Weight| {
        site.written.contains_key(site.sources[2]) || bias.values.iter().any(|number| *number != 0.0)
    };
    let bias = bias.filter(is_weight);
    Ok(std::iter::once(("weight", kernel)).chain(bias.map(|bias| ("bias", bias))).collect())
}

/// A convolution along the height of a picture of width 1, with the settings of one over a sequence.
fn over_a_sequence(site: &Site, groups: usize) -> Result<Op, Problem> {
    let Window { stride, dilation, padding, .. } = Window::of_sequence(site, 1)?;
    Ok(Op::Conv2d { stride, padding, dilation, groups })
}

/// A pool over height and width, or over a sequence, which becomes the height of a picture of width 1.
fn pool(
    builder: &mut Builder,
    site: &Site,
    make: impl Fn(&Window, &Tensor) -> Result<Op, Problem>,
) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    if x.rank() != 3 {
        let window = Window::read(site, x, site.pair("kernel_shape", None)?)?;
        return one(builder.unary(make(&window, x)?, x)?);
    }
    let kernel = site.ints("kernel_shape")?.unwrap_or_default();
    let [kernel] = kernel[..] else {
        return Err(Problem::new(format!("its 'kernel_shape' is {kernel:?}")).expected("one number"));
    };
    let window =
        Window::of_sequence(site, usize::try_from(kernel).map_err(|_| "its 'kernel_shape' is negative")?)?;
    let picture = builder.unary(Op::Unsqueeze { axes: vec![3] }, x)?;
    let result = builder.unary(make(&window, &picture)?, &picture)?;
    one(builder.unary(Op::Squeeze { axes: vec![3] }, &result)?)
}

/// `MaxPool` without the second output.
pub(super) fn max_pool(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let ceil_mode = site.flag("ceil_mode")?;
    pool(builder, site, |Window { kernel, stride, dilation, padding }, _| {
        let (kernel, stride, dilation, padding) = (*kernel, *stride, *dilation, *padding);
        Ok(Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode })
    })
}

/// `AveragePool`.
pub(super) fn average_pool(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let (ceil_mode, count_include_pad) = (site.flag("ceil_mode")?, site.flag("count_include_pad")?);
    pool(builder, site, |Window { kernel, stride, dilation, padding }, x| {
        if *dilation != [1, 1] {
            return Err(Problem::new(format!("its 'dilations' are {dilation:?}")).expected("1 each"));
        }
        let (kernel, stride, padding) = (*kernel, *stride, *padding);
        if kernel == [x.side(2)?, x.side(3)?] && padding == [0; 4] {
            return Ok(Op::GlobalAvgPool {});
        }
        Ok(Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad })
    })
}
