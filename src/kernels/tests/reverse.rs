//! Backward passes through [`Reverse`](crate::Reverse) against plain loops in double precision.

use proptest::prelude::*;

use super::case::{Case, available};
use super::graphs;
use super::operations::{self, Convolution};
use super::pass::{Pass, check};
use super::reference::Tensor;
use crate::card::Op;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions_backward(convolution in operations::convolution(), seed in any::<u64>(), batch in 1..6_usize) {
        let convolution: Convolution = convolution;
        let mut case = Case::new(seed, &[convolution.input()], batch);
        let last = convolution.add_to(&mut case)[0];
        check(&case, &[last], &[0, 1]);
    }

    /// As the first layer of a network: few channels, a stride.
    #[test]
    fn convolutions_of_pictures_backward(
        channels in 1..5_usize, kernel in [1..8_usize, 1..8_usize], stride in [1..5_usize, 1..5_usize],
        padding in [0..4_usize, 0..4_usize, 0..4_usize, 0..4_usize], side in [8..30_usize, 8..30_usize],
        seed in any::<u64>(), batch in 1..4_usize,
    ) {
        let mut case = Case::new(seed, &[[channels, side[0], side[1]]], batch);
        let op = Op::Conv2d { stride, padding, dilation: [1, 1], groups: 1 };
        let conv = case.convolve(op, 0, 20, kernel, true);
        let last = case.push(Op::Relu {}, &[conv]);
        check(&case, &[last], &[0]);
    }

    /// Large enough for what is done to 3x3 convolutions only.
    #[test]
    fn convolutions_of_three_by_three_backward(
        channels in [1..40_usize, 1..40_usize], side in [11..24_usize, 11..24_usize],
        padding in 0..3_usize, seed in any::<u64>(), batch in 1..4_usize,
    ) {
        let mut case = Case::new(seed, &[[channels[0], side[0], side[1]]], batch);
        let op = Op::Conv2d { stride: [1, 1], padding: [padding; 4], dilation: [1, 1], groups: 1 };
        let conv = case.convolve(op, 0, channels[1], [3, 3], true);
        check(&case, &[conv], &[0]);
    }

    #[test]
    fn random_graphs_backward(graph in graphs::graph(), seeds in any::<u32>(), targets in any::<u32>()) {
        let case: Case = graph;
        prop_assume!(!is_at_a_corner(&case));
        let last = case.slots() - 1;
        let chosen = |bits: u32| (0..last).filter(move |slot| bits >> (2 * slot % 32) & 3 == 3);
        let seeds: Vec<usize> = std::iter::once(last).chain(chosen(seeds)).collect();
        let targets: Vec<usize> = std::iter::once(0).chain(chosen(targets).filter(|slot| *slot > 0)).collect();
        check(&case, &seeds, &targets);
    }
}

/// Whether a slope depends on rounding: a function's argument is within rounding of a corner, or elements of a pool are equal, and they are
/// not exactly so by a clamp before it.
pub(super) fn is_at_a_corner(case: &Case) -> bool {
    const NEAR: f64 = 1e-5;
    let is_clamp =
        |op: &Op| matches!(op, Op::Relu {} | Op::Relu6 {} | Op::Clip { .. } | Op::MaxPool2d { .. });
    let corners = |op: &Op| match op {
        Op::Relu {} | Op::LeakyRelu { .. } => vec![0.0],
        Op::Relu6 {} => vec![0.0, 6.0],
        Op::Clip { min, max } => vec![*min, *max],
        Op::HardSwish {} => vec![-3.0, 3.0],
        _ => vec![],
    };
    case.nodes.iter().any(|node| {
        let slot = node.inputs[0].node().map_or(0, |at| at + 1);
        if slot.checked_sub(case.inputs).is_some_and(|at| is_clamp(&case.nodes[at].op)) {
            return false;
        }
        let near = |value: &f64| corners(&node.op).iter().any(|corner| (value - corner).abs() < NEAR);
        let ties = |tensor: &Tensor| {
            tensor.values.chunks(tensor.shape[1] * tensor.shape[2]).any(|channel| {
                let mut sorted = channel.to_vec();
                sorted.sort_by(f64::total_cmp);
                sorted.windows(2).any(|pair| pair[1] - pair[0] < NEAR)
            })
        };
        let is_pool = matches!(node.op, Op::MaxPool2d { .. });
        case.tensors[slot].iter().any(|tensor| tensor.values.iter().any(near) || is_pool && ties(tensor))
    })
}

fn conv(side: usize, groups: usize) -> Op {
    Op::Conv2d { stride: [1, 1], padding: [side / 2; 4], dilation: [1, 1], groups }
}

/// As in DenseNet: every layer reads all before it. Channels that fill registers, and that do not.
#[test]
fn backward_through_concatenations_that_begin_with_each_other() {
    for (first, growth) in [(16, 16), (32, 8), (17, 16), (16, 5), (3, 1)] {
        let mut case = Case::new(7, &[[first, 5, 6]], 3);
        let mut parts = vec![0];
        let mut joined = 0;
        for _ in 0..4 {
            let inner = case.push(Op::BatchNorm { epsilon: 1e-5 }, &[joined]);
            let inner = case.push(Op::Relu {}, &[inner]);
            parts.push(case.convolve(conv(3, 1), inner, growth, [3, 3], false));
            joined = case.push(Op::Concat { axis: 1, at: 0 }, &parts);
        }
        check(&case, &[joined], &[0, parts[2], parts[4]]);
    }
}

/// Squeeze and excitation, with every function whose argument is kept.
#[test]
fn backward_through_gates_and_functions_of_each_element() {
    let functions = [
        Op::Silu {},
        Op::HardSwish {},
        Op::HardSigmoid { alpha: 0.2, beta: 0.5 },
        Op::Sigmoid {},
        Op::LeakyRelu { slope: 0.2 },
        Op::LeakyRelu { slope: -0.2 },
        Op::Relu6 {},
        Op::Clip { min: -0.3, max: 0.4 },
    ];
    for function in functions {
        let mut case = Case::new(11, &[[20, 6, 5]], 2);
        let inner = case.convolve(conv(3, 20), 0, 20, [3, 3], true);
        let inner = case.push(Op::Mul { scalar: Some(4.0) }, &[inner]);
        let active = case.push(function.clone(), &[inner]);
        let mean = case.push(Op::GlobalAvgPool {}, &[active]);
        let gate = case.convolve(conv(1, 1), mean, 20, [1, 1], true);
        let gate = case.push(Op::Sigmoid {}, &[gate]);
        let gated = case.push(Op::Mul { scalar: None }, &[gate, active]);
        let greatest = case.push(Op::GlobalMaxPool {}, &[gated]);
        check(&case, &[gated, greatest], &[0, active, gate]);
    }
}

#[test]
fn of_equal_elements_of_a_window_the_first_gets_the_gradient() {
    let mut case = Case::new(12, &[[3, 8, 8]], 2);
    // Mostly zeros, so that windows tie.
    let sunk = case.push(Op::Add { scalar: Some(-0.7) }, &[0]);
    let active = case.push(Op::Relu {}, &[sunk]);
    let (kernel, stride, padding) = ([3, 3], [2, 2], [1; 4]);
    let pooled =
        case.push(Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: false }, &[active]);
    check(&case, &[pooled], &[active, 0]);
}

/// A uniform picture, whose windows all tie: every pixel behind the convolution has to be the same number, so that of each window the first
/// one gets the gradient.
#[test]
fn a_uniform_picture_stays_uniform_behind_a_convolution_of_three_by_three() {
    for batch in [1, 2] {
        let mut case = Case::new(17, &[[24, 30, 30]], batch);
        let black = case.push(Op::Mul { scalar: Some(0.0) }, &[0]);
        let grey = case.push(Op::Add { scalar: Some(0.7) }, &[black]);
        let op = Op::Conv2d { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 };
        let conv = case.convolve(op, grey, 24, [3, 3], true);
        let (kernel, stride, padding) = ([3, 3], [2, 2], [1; 4]);
        let op = Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: false };
        let pooled = case.push(op, &[conv]);
        check(&case, &[pooled], &[conv, grey]);
    }
}

/// The same numbers forward; backward, others read the one and not the other.
#[test]
fn two_names_of_a_tensor_have_their_own_gradients() {
    let mut case = Case::new(15, &[[5, 4, 4]], 2);
    let x = case.convolve(conv(3, 1), 0, 8, [3, 3], true);
    let name = case.push(Op::Identity {}, &[x]);
    let other = case.convolve(conv(1, 1), x, 8, [1, 1], true);
    let last = case.push(Op::Add { scalar: None }, &[name, other]);
    check(&case, &[last, x], &[name, x, 0]);
}

/// A window that meets padding alone: nothing comes back.
#[test]
fn backward_through_a_convolution_that_reads_no_pixel() {
    let mut case = Case::new(14, &[[17, 1, 1]], 2);
    let op = Op::Conv2d { stride: [3, 3], padding: [1, 0, 1, 1], dilation: [1, 1], groups: 1 };
    let last = case.convolve(op, 0, 9, [1, 1], true);
    check(&case, &[last], &[0]);
}

#[test]
fn a_tensor_that_nothing_given_depends_on_has_no_gradient() {
    let mut case = Case::new(13, &[[4, 5, 5]], 1);
    let one = case.convolve(conv(3, 1), 0, 8, [3, 3], true);
    let other = case.convolve(conv(3, 1), 0, 8, [3, 3], true);
    let pass = Pass::new(&case, &[one], &[other, 0]);
    for isa in available() {
        let reverse = pass.reverse(isa).unwrap();
        assert_eq!(reverse.depends, [false, true]);
    }
    pass.check();
}

/// The gradient of a few channels fills a part of a block, whose other lanes hold anything.
#[test]
fn channels_beside_a_slice_have_no_gradient() {
    for (channels, start, end) in [(3, 0, 1), (40, 0, 20), (40, 16, 23), (40, 5, 40)] {
        let mut case = Case::new(16, &[[channels, 3, 2]], 2);
        let last = case.push(Op::Slice { axis: 1, start, end, step: 1 }, &[0]);
        check(&case, &[last], &[0]);
    }
}
