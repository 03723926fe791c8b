//! Convolution and pooling.

use ndarray::Axis;

use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use super::operands::{listed, one, weight};
use crate::card::Op;
use crate::error::Problem;
use crate::import::padding;

/// Settings common to convolution and pooling.
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// `[top, bottom, left, right]`.
    pub(super) padding: [usize; 4],
}

impl Window {
    /// Reads the window over a picture; `auto_pad` depends on its size.
    fn read(site: &Site, x: &Tensor, kernel: [usize; 2]) -> Result<Self, Problem> {
        let stride = site.pair("strides", Some([1, 1]))?;
        let dilation = site.pair("dilations", Some([1, 1]))?;
        let [[top, bottom], [left, right]] = padding_of(site, x, kernel, stride, dilation)?;
        Ok(Self { kernel, stride, dilation, padding: [top, bottom, left, right] })
    }
}

/// Padding before and after along each axis of a window over a sequence, a picture or a volume.
pub(super) fn padding_of<const AXES: usize>(
    site: &Site,
    x: &Tensor,
    kernel: [usize; AXES],
    stride: [usize; AXES],
    dilation: [usize; AXES],
) -> Result<[[usize; 2]; AXES], Problem> {
    let mut padding = [[0; 2]; AXES];
    match site.text("auto_pad", "NOTSET")?.as_str() {
        // Of a sequence the file says nothing of the row.
        "NOTSET" => explicit(site, &mut padding[usize::from(site.row)..])?,
        "VALID" => {}
        same @ ("SAME_UPPER" | "SAME_LOWER") => {
            for (axis, sides) in padding.iter_mut().enumerate() {
                *sides = same_padding(x.side(2 + axis)?, kernel[axis], stride[axis], dilation[axis], same)?;
            }
        }
        other => {
            return Err(Problem::new(format!("its 'auto_pad' is '{other}'"))
                .expected("NOTSET, VALID, SAME_UPPER or SAME_LOWER"));
        }
    }
    Ok(padding)
}

/// ONNX lists all starts first, then all ends.
fn explicit(site: &Site, padding: &mut [[usize; 2]]) -> Result<(), Problem> {
    let Some(pads) = site.ints("pads")? else { return Ok(()) };
    let sizes: Vec<usize> = pads.iter().filter_map(|side| usize::try_from(*side).ok()).collect();
    let count = padding.len();
    if sizes.len() != 2 * count {
        let numbers = match count {
            1 => "two",
            2 => "four",
            _ => "six",
        };
        return Err(
            Problem::new(format!("its 'pads' are {pads:?}")).expected(format!("{numbers} numbers from 0"))
        );
    }
    for (axis, sides) in padding.iter_mut().enumerate() {
        *sides = [sizes[axis], sizes[count + axis]];
    }
    Ok(())
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

/// `Conv` of a picture or a sequence.
pub(super) fn conv(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let kernel = kernel(site, x)?;
    let groups = usize::try_from(site.int("group", 1)?).map_err(|_| "its 'group' is negative")?;
    let size = [kernel.values.shape()[2], kernel.values.shape()[3]];
    let Window { stride, dilation, padding, .. } = Window::read(site, x, size)?;
    let op = Op::Conv2d { stride, padding, dilation, groups };
    one(builder.emit(op, &[x], kernel_and_bias(site, kernel)?)?)
}

/// The weight of a convolution of `x`, of four axes: one over a sequence gets an axis of rows.
pub(super) fn kernel(site: &Site, x: &Tensor) -> Result<Weight, Problem> {
    let mut kernel = weight(site, 1)?;
    let axes = if site.row { 3 } else { 4 };
    if x.rank() != 4 || kernel.values.ndim() != axes {
        let (rank, shape) = (x.rank() - usize::from(site.row), kernel.values.shape());
        let problem = Problem::new(format!("works on rank {rank} with a weight of shape {shape:?}"));
        return Err(problem.expected("pictures or sequences"));
    }
    if site.row {
        kernel.values.insert_axis_inplace(Axis(2));
    }
    Ok(kernel)
}

pub(super) fn kernel_and_bias(site: &Site, kernel: Weight) -> Result<Vec<(&'static str, Weight)>, Problem> {
    let bias = listed(site, 2, kernel.values.shape()[0])?;
    // PyTorch's newer exporter writes a convolution without bias with zeros that the file computes. Zeros that it stores are
    // weights, which training left as they began.
    let is_weight = |bias: &Weight| {
        site.written.contains_key(site.sources[2]) || bias.values.iter().any(|number| *number != 0.0)
    };
    let bias = bias.filter(is_weight);
    Ok(std::iter::once(("weight", kernel)).chain(bias.map(|bias| ("bias", bias))).collect())
}

/// A pool over height and width.
pub(super) fn pool(
    builder: &mut Builder,
    site: &Site,
    make: impl Fn(&Window, &Tensor) -> Result<Op, Problem>,
) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let window = Window::read(site, x, site.pair("kernel_shape", None)?)?;
    one(builder.unary(make(&window, x)?, x)?)
}

/// `MaxPool` without the second output, with any window.
pub(super) fn max_pool(
    site: &Site,
) -> Result<impl Fn(&Window, &Tensor) -> Result<Op, Problem> + use<>, Problem> {
    let ceil_mode = site.flag("ceil_mode")?;
    Ok(move |Window { kernel, stride, dilation, padding }: &Window, _: &Tensor| {
        let (kernel, stride, dilation, padding) = (*kernel, *stride, *dilation, *padding);
        Ok(Op::MaxPool2d { kernel, stride, padding, dilation, ceil_mode })
    })
}

/// `AveragePool` with any window.
pub(super) fn average_pool(
    site: &Site,
) -> Result<impl Fn(&Window, &Tensor) -> Result<Op, Problem> + use<>, Problem> {
    let (ceil_mode, count_include_pad) = (site.flag("ceil_mode")?, site.flag("count_include_pad")?);
    Ok(move |Window { kernel, stride, dilation, padding }: &Window, x: &Tensor| {
        if *dilation != [1, 1] {
            return Err(Problem::new(format!("its 'dilations' are {dilation:?}")).expected("1 each"));
        }
        let (kernel, stride, padding) = (*kernel, *stride, *padding);
        // Exporters write a global mean as a window of the map's size.
        if kernel == [x.side(2)?, x.side(3)?] && padding == [0; 4] {
            return Ok(Op::GlobalAvgPool {});
        }
        Ok(Op::AvgPool2d { kernel, stride, padding, ceil_mode, count_include_pad })
    })
}
