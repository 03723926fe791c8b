//! One small case per kernel, for Miri, which takes half a minute where a CPU takes a millisecond.

use super::case::Case;
use crate::card::{Op, PadMode};

fn conv(stride: usize, padding: usize, groups: usize) -> Op {
    Op::Conv2d { stride: [stride; 2], padding: [padding; 4], dilation: [1, 1], groups }
}

#[test]
fn small_direct_convolutions() {
    let mut case = Case::new(1, &[[3, 3, 4]], 2);
    let first = case.convolve(conv(1, 1, 1), 0, 9, [3, 3], true);
    let second = case.convolve(conv(1, 0, 1), first, 9, [1, 1], false);
    let sum = case.push(Op::Add { scalar: None }, &[second, first]);
    let active = case.push(Op::Relu {}, &[sum]);
    let last = case.convolve(conv(2, 1, 1), active, 2, [2, 3], true);
    case.check_known(&[last, sum]);
}

#[test]
fn small_groups_that_share_registers() {
    let mut case = Case::new(2, &[[16, 3, 2]], 1);
    let last = case.convolve(conv(1, 0, 8), 0, 16, [1, 1], true);
    case.check_known(&[last]);
}

#[test]
fn small_depthwise_convolution() {
    let mut case = Case::new(3, &[[9, 3, 9]], 2);
    let last = case.convolve(conv(1, 1, 9), 0, 9, [3, 3], true);
    case.check_known(&[last]);
}

#[test]
fn small_winograd_convolution() {
    let mut case = Case::new(4, &[[8, 13, 13], [1, 13, 13]], 1);
    let conv = case.convolve(conv(1, 1, 1), 0, 1, [3, 3], true);
    let last = case.push(Op::Add { scalar: None }, &[conv, 1]);
    case.check_known(&[last]);
}

#[test]
fn small_pools_and_pointwise_operations() {
    let (kernel, stride, padding) = ([3, 3], [2, 2], [1; 4]);
    let mut case = Case::new(5, &[[9, 4, 5]], 1);
    let normed = case.push(Op::BatchNorm { epsilon: 1e-5 }, &[0]);
    let active = case.push(Op::Silu {}, &[normed]);
    let max = Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: false };
    let max = case.push(max, &[active]);
    let mean = Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad: false };
    let mean = case.push(mean, &[active]);
    let product = case.push(Op::Mul { scalar: None }, &[max, mean]);
    let gate = case.push(Op::GlobalAvgPool {}, &[active]);
    let gated = case.push(Op::Mul { scalar: None }, &[active, gate]);
    case.check_known(&[product, gated]);
}

#[test]
fn small_concatenations_parts_and_paddings() {
    let mut case = Case::new(6, &[[8, 3, 2], [5, 3, 2]], 2);
    let active = case.push(Op::Relu {}, &[0]);
    let joined = case.push(Op::Concat { axis: 1, at: 0 }, &[active, 1, active]);
    let part = case.push(Op::Slice { axis: 1, start: 7, end: 14, step: 1 }, &[joined]);
    let padded = Op::Pad { padding: [1, 0, 0, 2], mode: PadMode::Constant, value: 0.0 };
    let padded = case.push(padded, &[part]);
    case.check_known(&[padded, joined]);
}
