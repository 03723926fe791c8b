//! Convolutions, and dense layers.

use super::super::hdf5::Array;
use super::super::site::{Site, Tensor, turned, weight};
use super::activation;
use super::window::padding;
use crate::card::Op;
use crate::error::Problem;

/// Stride and dilation of a layer.
struct Steps {
    stride: [usize; 2],
    dilation: [usize; 2],
}

impl Steps {
    fn read(site: &Site) -> Result<Self, Problem> {
        site.settings.channels_last()?;
        let stride = site.pair("strides", [1, 1])?;
        let dilation = site.pair("dilation_rate", [1, 1])?;
        Ok(Self { stride, dilation })
    }

    /// The operation for a kernel `[height, width, ...]` over `x`.
    fn op(&self, site: &Site, x: &Tensor, kernel: &[usize], groups: usize) -> Result<Op, Problem> {
        let (&[_, _, height, width], &[rows, columns, ..]) = (&x.shapes[0][..], kernel) else {
            return Err(Problem::new(format!("has a kernel of shape {kernel:?} for {} axes", x.rank())));
        };
        let Self { stride, dilation } = *self;
        let padding = padding(site, [height, width], [rows, columns], stride, dilation)?;
        Ok(Op::Conv2d { stride, padding, dilation, groups })
    }
}

/// The arrays of a layer with these kernels and perhaps a bias.
fn kernels(site: &Site, names: &[&'static str]) -> Result<(Vec<Array>, Option<Array>), Problem> {
    let mut roles = names.to_vec();
    let biased = site.settings.flag("use_bias", true)?;
    if biased {
        roles.push("bias");
    }
    let mut arrays = site.parameters(&roles)?;
    let bias = if biased { arrays.pop() } else { None };
    if site.is_sequence {
        // A sequence is a picture of one row, so its windows have one row.
        arrays.iter_mut().for_each(|kernel| kernel.shape.insert(0, 1));
    }
    Ok((arrays, bias))
}

/// `Conv2D`: the kernel is `[height, width, in / groups, out]`.
pub(super) fn conv(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, _) = site.picture()?;
    let steps = Steps::read(site)?;
    let groups = site.settings.count("groups", 1)?;
    let (kernel, bias) = kernels(site, &["kernel"])?;
    let kernel = one(kernel)?;
    // Before the kernel is turned: the window is read from Keras's first two axes.
    let op = steps.op(site, &x, &kernel.shape, groups)?;
    let mut weights = vec![("weight", turned(kernel, &[3, 2, 0, 1])?)];
    weights.extend(bias.map(|bias| ("bias", weight(bias))));
    let y = site.emit(op, &[&x], weights)?;
    activation::own(site, &y)
}

/// `DepthwiseConv2D`: the kernel is `[height, width, in, multiplier]`, and output `in * multiplier + m` is the m-th of its input.
pub(super) fn depthwise(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, _) = site.picture()?;
    let steps = Steps::read(site)?;
    let (kernel, bias) = kernels(site, &["depthwise_kernel"])?;
    let y = per_channel(site, &x, &steps, one(kernel)?, bias)?;
    activation::own(site, &y)
}

/// `SeparableConv2D`: one after the other, with the bias behind both.
pub(super) fn separable(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, _) = site.picture()?;
    let steps = Steps::read(site)?;
    let (kernels, bias) = kernels(site, &["depthwise_kernel", "pointwise_kernel"])?;
    let [depth, point] = <[Array; 2]>::try_from(kernels).map_err(|_| Problem::new("needs two kernels"))?;
    let between = per_channel(site, &x, &steps, depth, None)?;
    let mut weights = vec![("weight", turned(point, &[3, 2, 0, 1])?)];
    weights.extend(bias.map(|bias| ("bias", weight(bias))));
    let op = Op::Conv2d { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 };
    let y = site.emit(op, &[&between], weights)?;
    activation::own(site, &y)
}

fn per_channel(
    site: &mut Site,
    x: &Tensor,
    steps: &Steps,
    kernel: Array,
    bias: Option<Array>,
) -> Result<Tensor, Problem> {
    let &[_, _, channels, multiplier] = &kernel.shape[..] else {
        return Err(Problem::new(format!("has a kernel of shape {:?}", kernel.shape)).expected("four axes"));
    };
    let op = steps.op(site, x, &kernel.shape, channels)?;
    let mut kernel = turned(kernel, &[2, 3, 0, 1])?;
    // Channel and multiplier are neighbours now, in the order in which Keras counts outputs.
    kernel.shape.splice(..2, [channels * multiplier, 1]);
    let mut weights = vec![("weight", kernel)];
    weights.extend(bias.map(|bias| ("bias", weight(bias))));
    site.emit(op, &[x], weights)
}

/// `Dense` works along the last axis: on a picture it is a convolution of one pixel.
pub(super) fn dense(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let (kernel, bias) = kernels(site, &["kernel"])?;
    let mut kernel = one(kernel)?;
    let bias = bias.map(|bias| ("bias", weight(bias)));
    let y = if x.rank() == 4 {
        // Features are the channels here, which are not the last axis of the graph's tensor.
        kernel.shape.splice(..0, [1, 1]);
        let weights = std::iter::once(("weight", turned(kernel, &[3, 2, 0, 1])?)).chain(bias).collect();
        let op = Op::Conv2d { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 };
        site.emit(op, &[&x], weights)?
    } else {
        let weights = std::iter::once(("weight", weight(kernel))).chain(bias).collect();
        site.emit(Op::Linear {}, &[&x], weights)?
    };
    activation::own(site, &y)
}

/// `Conv2DTranspose`: the kernel is `[height, width, out, in]`. The result is as large as the picture of which a convolution with
/// the same settings makes the input, and padded as that one's.
pub(super) fn transposed(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, [_, _, height, width]) = site.picture()?;
    let Steps { stride, dilation } = Steps::read(site)?;
    let (kernel, bias) = kernels(site, &["kernel"])?;
    let kernel = one(kernel)?;
    let &[rows, columns, ..] = &kernel.shape[..] else { return Err("has a kernel of one axis".into()) };
    let extra = match site.settings.get("output_padding") {
        Some(_) => site.pair("output_padding", [0, 0])?.map(Some),
        None => [None; 2],
    };
    let same = match site.settings.text("padding", "valid")? {
        "same" => true,
        "valid" => false,
        other => return Err(Problem::new(format!("has 'padding' '{other}'")).expected("valid or same")),
    };
    let side = |axis: usize, cells: usize, kernel: usize| {
        let fit = stretched(cells, kernel, [stride[axis], dilation[axis]], same, extra[axis]);
        fit.ok_or_else(|| {
            Problem::new(format!("its window of {kernel} by a step of {} is not sensible", stride[axis]))
        })
    };
    let ([top, bottom, low], [left, right, far]) = (side(0, height, rows)?, side(1, width, columns)?);
    let padding = [top, bottom, left, right];
    // Keras has `out` before `in` here; the order of axes that serves convolutions gives `[in, out, ...]`, as PyTorch has it.
    let op = Op::ConvTranspose2d { stride, padding, output_padding: [low, far], dilation, groups: 1 };
    let mut weights = vec![("weight", turned(kernel, &[3, 2, 0, 1])?)];
    weights.extend(bias.map(|bias| ("bias", weight(bias))));
    let y = site.emit(op, &[&x], weights)?;
    activation::own(site, &y)
}

/// What is cut off before and after, and what is added after, along one axis of a transposed convolution of `cells` cells.
fn stretched(
    cells: usize,
    kernel: usize,
    [stride, dilation]: [usize; 2],
    same: bool,
    extra: Option<usize>,
) -> Option<[usize; 3]> {
    let reach = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
    let steps = cells.checked_sub(1)?.checked_mul(stride)?;
    let whole = steps.checked_add(reach)?;
    // Keras's rule for an output that several sizes fit.
    let size = match (same, extra) {
        (true, None) => cells.checked_mul(stride)?,
        (true, Some(extra)) => steps.checked_add(reach % 2)?.checked_add(extra)?,
        (false, None) => steps.checked_add(reach.max(stride))?,
        (false, Some(extra)) => whole.checked_add(extra)?,
    };
    match whole.checked_sub(size) {
        // An odd cell is cut off at the end, where `same` would pad it.
        Some(cut) => Some([cut / 2, cut - cut / 2, 0]),
        None => Some([0, 0, size - whole]),
    }
}

fn one(kernels: Vec<Array>) -> Result<Array, Problem> {
    kernels.into_iter().next().ok_or_else(|| "has no kernel".into())
}

#[cfg(test)]
mod tests {
    use super::stretched;

    /// Sizes by hand: a window of 3 that is spread over 5 cells, and a step of 3 by which windows of 2 leave gaps.
    #[test]
    fn transposed_convolutions_have_the_size_that_keras_gives_them() {
        let size = |cells: usize, kernel: usize, steps: [usize; 2], same, extra| {
            let [before, after, added] = stretched(cells, kernel, steps, same, extra).unwrap();
            ((cells - 1) * steps[0] + (kernel - 1) * steps[1] + 1 + added - before - after, [before, after])
        };
        assert_eq!(size(4, 3, [1, 2], true, None), (4, [2, 2]));
        assert_eq!(size(4, 3, [2, 1], true, None), (8, [0, 1]));
        assert_eq!(size(4, 2, [3, 1], true, None), (12, [0, 0]));
        assert_eq!(size(4, 2, [3, 1], false, None), (12, [0, 0]));
        assert_eq!(size(4, 3, [2, 1], false, Some(1)), (10, [0, 0]));
        assert_eq!(size(4, 3, [2, 1], true, Some(1)), (8, [0, 1]));
        assert_eq!(stretched(0, 3, [1, 1], true, None), None);
    }
}
