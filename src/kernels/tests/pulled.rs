//! Vector-Jacobian products of the operations in double precision, as plainly as they can be written down.

use super::case::Case;
use super::channels_last;
use super::reference::{Tensor, compute, single};
use crate::card::{Op, PadMode};
use crate::plan::Parameters;
use crate::rule::Rule;

/// The gradients of an operation's inputs, from that of its output.
pub(super) fn pull(
    (op, parameters): (&Op, &Parameters),
    inputs: &[&Tensor],
    gradient: &Tensor,
    rule: Rule,
) -> Vec<Tensor> {
    let x = inputs[0];
    let zeros = |like: &Tensor| Tensor { shape: like.shape, values: vec![0.0; like.values.len()] };
    let each = |value: &dyn Fn(usize) -> f64| {
        vec![Tensor { shape: x.shape, values: (0..x.values.len()).map(value).collect() }]
    };
    let (area, gradients) = (x.shape[1] * x.shape[2], &gradient.values);
    match op {
        Op::Conv2d { .. } => vec![convolution(op, x, parameters, gradient)],
        Op::BatchNorm { .. } => each(&|at| gradients[at] * f64::from(parameters["scale"].0[at / area])),
        op if op.has_channels_last() => vec![channels_last::pull((op, parameters), x, gradient)],
        Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => vec![pool(op, x, gradient)],
        op if op.of_whole_maps().is_some() => vec![whole(op, x, gradient)],
        Op::Add { scalar: None } | Op::Mul { scalar: None } => two(op, [x, inputs[1]], gradient),
        Op::Concat { .. } => {
            let mut first = 0;
            let part = |input: &&Tensor| {
                let count = input.values.len();
                first += count;
                Tensor { shape: input.shape, values: gradients[first - count..first].to_vec() }
            };
            inputs.iter().map(part).collect()
        }
        Op::Slice { start, .. } => embedded(zeros(x), gradient, start * area),
        Op::Split { sizes, part, .. } => {
            embedded(zeros(x), gradient, sizes[..*part].iter().sum::<usize>() * area)
        }
        Op::Pad { padding: [top, _, left, _], .. } => {
            vec![Tensor::from_fn(x.shape, |c, i, j| gradient.at(c, i + top, j + left))]
        }
        op => each(&|at| gradients[at] * slope(op, x.values[at], gradients[at], rule)),
    }
}

fn whole(op: &Op, x: &Tensor, gradient: &Tensor) -> Tensor {
    let area = x.shape[1] * x.shape[2];
    let of_channel = |(own, gradient): (&[f64], &f64)| -> Vec<f64> {
        if !matches!(op, Op::GlobalMaxPool {}) {
            return vec![gradient / area as f64; area];
        }
        let most = own.iter().copied().fold(f64::MIN, f64::max);
        let first = own.iter().position(|value| *value == most);
        (0..area).map(|at| if first == Some(at) { *gradient } else { 0.0 }).collect()
    };
    let values = x.values.chunks(area).zip(&gradient.values).flat_map(of_channel).collect();
    Tensor { shape: x.shape, values }
}

fn embedded(mut to: Tensor, gradient: &Tensor, first: usize) -> Vec<Tensor> {
    to.values[first..][..gradient.values.len()].copy_from_slice(&gradient.values);
    vec![to]
}

/// The factor of the gradient `g` at an element.
fn slope(op: &Op, x: f64, g: f64, rule: Rule) -> f64 {
    let positive = if g > 0.0 { 1.0 } else { 0.0 };
    let plain = match (op, op.function(), op.scalar()) {
        (_, Some(function), _) => function.slope(x),
        (Op::Minimum { .. }, _, Some(bound)) => f64::from(x < bound),
        (Op::Maximum { .. }, _, Some(bound)) => f64::from(x > bound),
        // The line through two points of it.
        _ => single(op, 1.0) - single(op, 0.0),
    };
    match rule {
        Rule::Guided(which) if which.hold(op) => positive * plain,
        Rule::Deconvolution(which) if which.hold(op) => positive,
        _ => plain,
    }
}

fn two(op: &Op, operands: [&Tensor; 2], gradient: &Tensor) -> Vec<Tensor> {
    let of = |at: usize| {
        let (own, other) = (operands[at], operands[1 - at]);
        let mut sum = Tensor { shape: own.shape, values: vec![0.0; own.values.len()] };
        let [channels, height, width] = gradient.shape;
        for (c, i, j) in places([channels, height, width]) {
            let factor = if matches!(op, Op::Add { .. }) { 1.0 } else { other.broadcast(c, i, j) };
            let [i_own, j_own] = if own.shape[1..] == [1, 1] { [0, 0] } else { [i, j] };
            let at = (c * own.shape[1] + i_own) * own.shape[2] + j_own;
            sum.values[at] += gradient.at(c, i, j) * factor;
        }
        sum
    };
    vec![of(0), of(1)]
}

fn places([channels, height, width]: [usize; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..channels).flat_map(move |c| (0..height).flat_map(move |i| (0..width).map(move |j| (c, i, j))))
}

fn convolution(op: &Op, x: &Tensor, parameters: &Parameters, gradient: &Tensor) -> Tensor {
    let Op::Conv2d { stride, padding: [top, _, left, _], dilation, groups } = *op else {
        panic!("not a convolution")
    };
    let (weight, shape) = &parameters["weight"];
    let [out, per_group, rows, columns] = shape[..] else { panic!("{shape:?}") };
    let ([_, height, width], [_, high, wide]) = (x.shape, gradient.shape);
    let mut sums = Tensor { shape: x.shape, values: vec![0.0; x.values.len()] };
    for (at, weight) in weight.iter().enumerate() {
        let (c, i) = (at / (per_group * rows * columns), at / (rows * columns) % per_group);
        let (row, tap) = (at / columns % rows, at % columns);
        let channel = c / (out / groups) * per_group + i;
        for y in 0..high {
            let to = (y * stride[0] + row * dilation[0]).wrapping_sub(top);
            if to >= height {
                continue;
            }
            let sums = &mut sums.values[(channel * height + to) * width..][..width];
            for (column, value) in gradient.values[(c * high + y) * wide..][..wide].iter().enumerate() {
                let to = (column * stride[1] + tap * dilation[1]).wrapping_sub(left);
                if let Some(sum) = sums.get_mut(to) {
                    *sum += value * f64::from(*weight);
                }
            }
        }
    }
    sums
}

fn pool(op: &Op, x: &Tensor, gradient: &Tensor) -> Tensor {
    let (Op::MaxPool2d { kernel, stride, padding, .. } | Op::AvgPool2d { kernel, stride, padding, .. }) = op
    else {
        panic!("not a pool")
    };
    let mut sums = Tensor { shape: x.shape, values: vec![0.0; x.values.len()] };
    for (c, i, j) in places(gradient.shape) {
        let taps = (0..kernel[0] * kernel[1]).filter_map(|tap| {
            let y = (i * stride[0] + tap / kernel[1]).checked_sub(padding[0])?;
            let x_at = (j * stride[1] + tap % kernel[1]).checked_sub(padding[2])?;
            (y < x.shape[1] && x_at < x.shape[2]).then_some((c * x.shape[1] + y) * x.shape[2] + x_at)
        });
        let taps: Vec<usize> = taps.collect();
        let value = gradient.at(c, i, j);
        match op {
            Op::MaxPool2d { .. } => {
                let most = taps.iter().map(|at| x.values[*at]).fold(f64::MIN, f64::max);
                let first = taps.iter().find(|at| x.values[**at] == most).unwrap();
                sums.values[*first] += value;
            }
            _ => {
                let count = match op {
                    Op::AvgPool2d { count_include_pad: true, .. } => kernel[0] * kernel[1],
                    _ => taps.len(),
                };
                taps.iter().for_each(|at| sums.values[*at] += value / count as f64);
            }
        }
    }
    sums
}

/// Operations with what they read: a map, and one element per channel.
fn operations() -> Vec<Op> {
    let (kernel, stride, padding) = ([3, 2], [2, 1], [1, 0, 0, 1]);
    vec![
        Op::Conv2d { stride: [2, 1], padding: [1, 2, 0, 1], dilation: [1, 2], groups: 2 },
        Op::BatchNorm { epsilon: 1e-5 },
        Op::Linear {},
        Op::LayerNorm { epsilon: 1e-5 },
        Op::Gelu { approximate: false },
        Op::Gelu { approximate: true },
        Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: true },
        Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad: true },
        Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad: false },
        Op::GlobalAvgPool {},
        Op::GlobalMaxPool {},
        Op::Slice { axis: 1, start: 1, end: 3, step: 1 },
        Op::Pad { padding: [1, 0, 2, 1], mode: PadMode::Constant, value: 0.0 },
        Op::Silu {},
        Op::HardSwish {},
        Op::Relu {},
        Op::Maximum { scalar: Some(0.1) },
        Op::Div { scalar: Some(3.0) },
        Op::Mul { scalar: None },
        Op::Add { scalar: None },
    ]
}

/// `<g, f(x + h v) - f(x - h v)> / 2h` is `<pull(g), v>`.
#[test]
fn the_plain_products_are_the_slopes_of_the_operations() {
    for op in operations() {
        let mut case = Case::new(21, &[[4, 6, 5], [4, 1, 1]], 1);
        let last = match op {
            Op::Conv2d { .. } => case.convolve(op.clone(), 0, 4, [3, 2], true),
            Op::Linear {} => case.linear(0, 5, true),
            Op::LayerNorm { epsilon } => case.layer_norm(0, epsilon),
            Op::Mul { scalar: None } | Op::Add { scalar: None } => case.push(op.clone(), &[0, 1]),
            _ => case.push(op.clone(), &[0]),
        };
        let (tensors, parameters) = (&case.tensors, &case.parameters[0]);
        let inputs: Vec<&Tensor> = tensors[..case.nodes[0].inputs.len()].iter().map(|all| &all[0]).collect();
        let mut dice = case.dice.clone();
        let mut random = |like: &Tensor| Tensor::from_fn(like.shape, |_, _, _| f64::from(dice.value()));
        let gradient = random(&tensors[last][0]);
        let directions: Vec<Tensor> = inputs.iter().map(|input| random(input)).collect();
        let moved = |by: f64| {
            let moved: Vec<Tensor> = inputs.iter().zip(&directions).map(|(x, v)| plus(x, by, v)).collect();
            dot(&compute(&op, &moved.iter().collect::<Vec<_>>(), parameters), &gradient)
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        let parts = pull((&op, parameters), &inputs, &gradient, Rule::Plain);
        let product: f64 = parts.iter().zip(&directions).map(|(part, v)| dot(part, v)).sum();
        let off = (product - difference).abs();
        assert!(off < 1e-6 * (1.0 + product.abs()), "{op:?}: {product}, {difference}");
    }
}

fn plus(x: &Tensor, factor: f64, v: &Tensor) -> Tensor {
    Tensor { shape: x.shape, values: x.values.iter().zip(&v.values).map(|(x, v)| x + factor * v).collect() }
}

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    a.values.iter().zip(&b.values).map(|(a, b)| a * b).sum()
}
