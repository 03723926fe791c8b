//! The operations in double precision, as plainly as they can be written down.

use super::channels_last;
use crate::card::Op;
use crate::plan::Parameters;

/// A tensor of one image, `[channels, height, width]`.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    pub(crate) shape: [usize; 3],
    pub(crate) values: Vec<f64>,
}

impl Tensor {
    pub(super) fn from_fn(shape: [usize; 3], mut value: impl FnMut(usize, usize, usize) -> f64) -> Self {
        let [channels, height, width] = shape;
        let mut values = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            for y in 0..height {
                (0..width).for_each(|x| values.push(value(channel, y, x)));
            }
        }
        Self { shape, values }
    }

    pub(super) fn at(&self, channel: usize, y: usize, x: usize) -> f64 {
        self.values[(channel * self.shape[1] + y) * self.shape[2] + x]
    }

    /// The element at a position counted from `before` rows and columns before the first; `None` outside.
    fn tap(&self, channel: usize, [y, x]: [usize; 2], before: [usize; 2]) -> Option<f64> {
        let (y, x) = (y.checked_sub(before[0])?, x.checked_sub(before[1])?);
        (y < self.shape[1] && x < self.shape[2]).then(|| self.at(channel, y, x))
    }

    /// As `at`, where one element per channel stands for all of its pixels.
    pub(super) fn broadcast(&self, channel: usize, y: usize, x: usize) -> f64 {
        if self.shape[1..] == [1, 1] { self.at(channel, 0, 0) } else { self.at(channel, y, x) }
    }
}

/// An operation on these tensors.
pub(crate) fn compute(op: &Op, inputs: &[&Tensor], parameters: &Parameters) -> Tensor {
    let x = inputs[0];
    let [channels, height, width] = x.shape;
    match op {
        Op::Conv2d { .. } => convolution(op, x, parameters),
        Op::BatchNorm { .. } => {
            let of = |role: &str, channel: usize| f64::from(parameters[role].0[channel]);
            Tensor::from_fn(x.shape, |c, i, j| x.at(c, i, j) * of("scale", c) + of("shift", c))
        }
        op if op.has_channels_last() => channels_last::compute(op, x, parameters),
        Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => pool(op, x),
        Op::GlobalAvgPool {} | Op::AdaptiveAvgPool2d { .. } | Op::ReduceMean { .. } => {
            let area = height * width;
            let mean = |c: usize| x.values[c * area..][..area].iter().sum::<f64>() / area as f64;
            Tensor::from_fn([channels, 1, 1], |c, _, _| mean(c))
        }
        Op::GlobalMaxPool {} | Op::ReduceMax { .. } => {
            let area = height * width;
            let greatest = |c: usize| x.values[c * area..][..area].iter().copied().fold(f64::MIN, f64::max);
            Tensor::from_fn([channels, 1, 1], |c, _, _| greatest(c))
        }
        Op::Add { scalar: None } | Op::Mul { scalar: None } => {
            let shape = if x.shape[1..] == [1, 1] { inputs[1].shape } else { x.shape };
            let one = |c, i, j| match op {
                Op::Add { .. } => x.broadcast(c, i, j) + inputs[1].broadcast(c, i, j),
                _ => x.broadcast(c, i, j) * inputs[1].broadcast(c, i, j),
            };
            Tensor::from_fn(shape, one)
        }
        Op::Concat { .. } => Tensor {
            shape: [inputs.iter().map(|input| input.shape[0]).sum(), height, width],
            values: inputs.iter().flat_map(|input| input.values.iter().copied()).collect(),
        },
        Op::Slice { start, end, .. } => {
            Tensor::from_fn([(*end).min(channels) - start, height, width], |c, i, j| x.at(start + c, i, j))
        }
        Op::Split { sizes, part, .. } => {
            let start: usize = sizes[..*part].iter().sum();
            Tensor::from_fn([sizes[*part], height, width], |c, i, j| x.at(start + c, i, j))
        }
        Op::Pad { padding: [top, bottom, left, right], .. } => {
            let shape = [channels, height + top + bottom, width + left + right];
            Tensor::from_fn(shape, |c, i, j| x.tap(c, [i, j], [*top, *left]).unwrap_or(0.0))
        }
        op => Tensor { shape: x.shape, values: x.values.iter().map(|value| single(op, *value)).collect() },
    }
}

/// Cells of a window along one axis.
fn side(size: usize, padding: [usize; 2], reach: usize, stride: usize, ceil: bool) -> usize {
    let room = size + padding[0] + padding[1] - reach;
    if !ceil {
        return room / stride + 1;
    }
    let count = room.div_ceil(stride) + 1;
    if (count - 1) * stride >= size + padding[0] { count - 1 } else { count }
}

fn convolution(op: &Op, x: &Tensor, parameters: &Parameters) -> Tensor {
    let Op::Conv2d { stride, padding: [top, bottom, left, right], dilation, groups } = *op else {
        panic!("not a convolution")
    };
    let (weight, shape) = &parameters["weight"];
    let [out, per_group, rows, columns] = shape[..] else { panic!("{shape:?}") };
    let [_, height, width] = x.shape;
    let reach = [(rows - 1) * dilation[0] + 1, (columns - 1) * dilation[1] + 1];
    let (high, wide) = (
        side(height, [top, bottom], reach[0], stride[0], false),
        side(width, [left, right], reach[1], stride[1], false),
    );
    let bias = |c: usize| parameters.get("bias").map_or(0.0, |(bias, _)| f64::from(bias[c]));
    let mut sums = Tensor::from_fn([out, high, wide], |c, _, _| bias(c));
    // One weight at a time over a row of sums: element by element this would take most of the time of the tests.
    for (at, weight) in weight.iter().enumerate() {
        let (c, i) = (at / (per_group * rows * columns), at / (rows * columns) % per_group);
        let (row, tap) = (at / columns % rows, at % columns);
        let channel = c / (out / groups) * per_group + i;
        for y in 0..high {
            let Some(from) = (y * stride[0] + row * dilation[0]).checked_sub(top) else { continue };
            if from >= height {
                continue;
            }
            let from = &x.values[(channel * height + from) * width..][..width];
            let sums = &mut sums.values[(c * high + y) * wide..][..wide];
            for (column, sum) in sums.iter_mut().enumerate() {
                let value =
                    (column * stride[1] + tap * dilation[1]).checked_sub(left).and_then(|at| from.get(at));
                *sum += value.unwrap_or(&0.0) * f64::from(*weight);
            }
        }
    }
    sums
}

fn pool(op: &Op, x: &Tensor) -> Tensor {
    let (kernel, stride, padding, ceil) = match op {
        Op::MaxPool2d { kernel, stride, padding, ceil_mode, .. }
        | Op::AvgPool2d { kernel, stride, padding, ceil_mode, .. } => {
            (*kernel, *stride, *padding, *ceil_mode)
        }
        _ => panic!("not a pool"),
    };
    let [top, bottom, left, right] = padding;
    let [channels, height, width] = x.shape;
    let (high, wide) = (
        side(height, [top, bottom], kernel[0], stride[0], ceil),
        side(width, [left, right], kernel[1], stride[1], ceil),
    );
    Tensor::from_fn([channels, high, wide], |c, i, j| {
        let taps = (0..kernel[0] * kernel[1]).filter_map(|tap| {
            let at = [i * stride[0] + tap / kernel[1], j * stride[1] + tap % kernel[1]];
            x.tap(c, at, [top, left])
        });
        match op {
            Op::MaxPool2d { .. } => taps.fold(f64::NEG_INFINITY, f64::max),
            Op::AvgPool2d { count_include_pad: true, .. } => {
                taps.sum::<f64>() / (kernel[0] * kernel[1]) as f64
            }
            _ => {
                let taps: Vec<f64> = taps.collect();
                taps.iter().sum::<f64>() / taps.len() as f64
            }
        }
    })
}

/// An operation on one element.
pub(super) fn single(op: &Op, x: f64) -> f64 {
    match op {
        Op::Relu {} => x.max(0.0),
        Op::Relu6 {} => x.clamp(0.0, 6.0),
        Op::Clip { min, max } => x.clamp(*min, *max),
        Op::Minimum { scalar: Some(scalar) } => x.min(*scalar),
        Op::Maximum { scalar: Some(scalar) } => x.max(*scalar),
        Op::LeakyRelu { slope } => x.max(0.0) + slope * x.min(0.0),
        Op::Sigmoid {} => 1.0 / (1.0 + (-x).exp()),
        Op::Silu {} => x / (1.0 + (-x).exp()),
        Op::Gelu { .. } => op.function().expect("a function").value(x),
        Op::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
        Op::HardSwish {} => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Op::Add { scalar: Some(scalar) } => x + scalar,
        Op::Sub { scalar: Some(scalar) } => x - scalar,
        Op::Mul { scalar: Some(scalar) } => x * scalar,
        Op::Div { scalar: Some(scalar) } => x / scalar,
        Op::Dropout {} | Op::Identity {} => x,
        op => panic!("no reference for {op:?}"),
    }
}
