//! Graphs that are hard to place in memory: concatenations of all kinds, and wanted tensors in the middle of them.

use super::case::Case;
use crate::card::{Op, PadMode};

const CONCAT: Op = Op::Concat { axis: 1, at: 0 };
const SUM: Op = Op::Add { scalar: None };

fn conv(padding: usize) -> Op {
    Op::Conv2d { stride: [1, 1], padding: [padding; 4], dilation: [1, 1], groups: 1 }
}

/// As in DenseNet: every layer reads all before it. Channels that fill registers, and that do not.
#[test]
fn concatenations_that_begin_with_each_other() {
    for (first, growth) in [(16, 16), (32, 8), (17, 16), (16, 5), (3, 1)] {
        let mut case = Case::new(7, &[[first, 5, 6]], 3);
        let mut parts = vec![0];
        let mut joined = 0;
        for _ in 0..4 {
            let inner = case.push(Op::BatchNorm { epsilon: 1e-5 }, &[joined]);
            let inner = case.push(Op::Relu {}, &[inner]);
            parts.push(case.convolve(conv(1), inner, growth, [3, 3], false));
            joined = case.push(CONCAT, &parts);
        }
        case.check(&[joined, parts[2]]);
    }
}

#[test]
fn concatenations_in_concatenations() {
    for channels in [16, 8, 5] {
        let mut case = Case::new(8, &[[channels, 4, 4], [16, 4, 4]], 2);
        let a = case.convolve(conv(1), 0, channels, [3, 3], true);
        let b = case.convolve(conv(0), 1, 16, [1, 1], true);
        let inner = case.push(CONCAT, &[a, b]);
        let twice = case.push(CONCAT, &[b, inner, b]);
        let swapped = case.push(CONCAT, &[b, a]);
        let all = case.push(CONCAT, &[0, twice, swapped, 1, 0]);
        let read = case.convolve(conv(2), all, 20, [3, 3], true);
        case.check(&[read, all, inner, twice]);
        case.check(&[read]);
    }
}

#[test]
fn a_tensor_concatenated_with_itself() {
    for channels in [1, 16, 17, 40] {
        let mut case = Case::new(9, &[[channels, 3, 7]], 5);
        let x = case.push(Op::HardSwish {}, &[0]);
        let pair = case.push(CONCAT, &[x, x]);
        let alone = case.push(CONCAT, &[pair]);
        let four = case.push(CONCAT, &[alone, pair]);
        case.check(&[four]);
        case.check(&[0, x, pair, alone, four]);
    }
}

/// ShuffleNet and YOLO split tensors and concatenate the parts in another order.
#[test]
fn parts_put_together_again() {
    for (channels, cut) in [(32, 16), (24, 8), (33, 16), (10, 3)] {
        let mut case = Case::new(10, &[[channels, 6, 5]], 2);
        let part = |part| Op::Split { axis: 1, sizes: vec![cut, channels - cut], part };
        let (left, right) = (case.push(part(0), &[0]), case.push(part(1), &[0]));
        let worked = case.convolve(conv(1), right, channels - cut, [3, 3], true);
        let worked = case.push(Op::Silu {}, &[worked]);
        let joined = case.push(CONCAT, &[worked, left]);
        let sum = case.push(SUM, &[joined, 0]);
        case.check(&[sum]);
    }
}

#[test]
fn padding_joins_the_convolution_that_alone_reads_it() {
    for wanted in [vec![2], vec![2, 1], vec![3, 2]] {
        let mut case = Case::new(11, &[[3, 6, 7]], 2);
        let padded = case.push(Op::Pad { padding: [0, 1, 2, 0], mode: PadMode::Constant, value: 0.0 }, &[0]);
        let convolved = case.convolve(conv(1), padded, 8, [3, 3], true);
        case.push(Op::GlobalAvgPool {}, &[convolved]);
        case.check(&wanted);
    }
    // The padded tensor is convolved and then added.
    let mut case = Case::new(12, &[[16, 6, 7]], 2);
    let padded = case.push(Op::Pad { padding: [1; 4], mode: PadMode::Constant, value: 0.0 }, &[0]);
    let convolved = case.convolve(conv(1), padded, 16, [3, 3], true);
    let sum = case.push(SUM, &[convolved, padded]);
    case.check(&[sum]);
}

#[test]
fn wanted_tensors_may_be_inputs_aliases_or_named_twice() {
    let mut case = Case::new(13, &[[3, 4, 4], [5, 2, 2]], 2);
    case.check(&[0]);
    case.check(&[1, 0, 1]);
    let alias = case.push(Op::Dropout {}, &[0]);
    let second = case.push(Op::Identity {}, &[alias]);
    case.check(&[alias]);
    let convolved = case.convolve(conv(1), second, 7, [3, 3], true);
    let end = case.push(Op::Dropout {}, &[convolved]);
    let active = case.push(Op::Relu {}, &[end]);
    case.check(&[end, second, active, end]);
    case.check(&[active]);
    case.check(&[]);
}

/// A sum may only join a convolution that runs after everything it adds.
#[test]
fn sums_wait_for_both_sides() {
    for swapped in [false, true] {
        let mut case = Case::new(14, &[[16, 5, 5]], 2);
        let convolved = case.convolve(conv(1), 0, 16, [3, 3], true);
        let late = case.push(Op::Sigmoid {}, &[0]);
        let sum = case.push(SUM, &if swapped { [late, convolved] } else { [convolved, late] });
        let other = case.convolve(conv(1), sum, 16, [3, 3], false);
        let both = case.push(SUM, &[other, convolved]);
        let mean = case.push(Op::GlobalAvgPool {}, &[both]);
        let gate = case.convolve(conv(0), mean, 16, [1, 1], true);
        let broadcast = case.push(SUM, &[gate, both]);
        let active = case.push(Op::Clip { min: -1.0, max: 0.5 }, &[broadcast]);
        case.check(&[active]);
    }
}

/// The plan's size is what its tensors need at once: tensors that have been read make room.
#[test]
fn memory_is_known_and_used_again() {
    for isa in super::case::available() {
        let mut case = Case::new(15, &[[16, 8, 8]], 1);
        let mut x = 0;
        let mut sizes = Vec::new();
        for _ in 0..6 {
            x = case.push(Op::Sigmoid {}, &[x]);
            sizes.push(case.plan(isa, &[x]).unwrap().bytes());
        }
        let tensor = 16 * 8 * 8 * size_of::<f32>();
        assert_eq!(sizes, vec![2 * tensor; 6], "{isa:?}");
    }
}
