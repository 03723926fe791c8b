//! One operation at a time, over random shapes and settings.

use proptest::prelude::*;

use super::case::{Case, id, node};
use crate::card::{Op, PadMode};
use crate::{Isa, Operation, Shapes, knows};

/// Channels that fill no register, one, some, and neither.
fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just(3), Just(5), Just(8), Just(16), Just(17), Just(33), 1..50_usize]
}

fn image() -> impl Strategy<Value = [usize; 3]> {
    (channels(), 1..14_usize, prop_oneof![4 => 1..20_usize, 1 => 20..50_usize])
        .prop_map(|(c, h, w)| [c, h, w])
}

/// Groups, channels a group in and out.
fn groups() -> impl Strategy<Value = [usize; 3]> {
    let filling = (1..4_usize, 1..3_usize, 1..3_usize).prop_map(|(groups, i, o)| [groups, 16 * i, 16 * o]);
    let small = prop_oneof![Just(1_usize), Just(2), Just(4), Just(8)];
    let merging = (1..6_u32, small.clone(), small).prop_map(|(groups, i, o)| [1 << groups, i, o]);
    prop_oneof![
        4 => (channels(), channels()).prop_map(|(i, o)| [1, i, o]),
        2 => filling,
        2 => merging,
        2 => channels().prop_map(|channels| [channels, 1, 1]),
        1 => (2..6_usize, 1..6_usize, 1..6_usize).prop_map(|(groups, i, o)| [groups, i, o]),
    ]
}

#[derive(Debug, Clone)]
pub(super) struct Convolution {
    groups: [usize; 3],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 4],
    side: [usize; 2],
    bias: bool,
    end: usize,
}

fn side() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..4_usize, 1 => 4..8_usize]
}

pub(super) fn convolution() -> impl Strategy<Value = Convolution> {
    let step = || prop_oneof![3 => Just(1_usize), 1 => 2..5_usize];
    let padding = || prop_oneof![3 => 0..3_usize, 1 => 3..9_usize];
    let window = ([side(), side()], [step(), step()], [step(), step()]);
    let padding = prop_oneof![1 => Just([0; 4]), 2 => [padding(), padding(), padding(), padding()]];
    let sides = prop_oneof![3 => [1..14_usize, 1..14_usize], 1 => [1..5_usize, 14..60_usize]];
    (groups(), window, padding, sides, any::<bool>(), 0..5_usize).prop_map(
        |(groups, (kernel, stride, dilation), padding, side, bias, end)| {
            // The window must fit somewhere.
            let reach = |axis: usize| (kernel[axis] - 1) * dilation[axis] + 1;
            let least = |axis: usize| {
                reach(axis).saturating_sub(padding[2 * axis] + padding[2 * axis + 1]).max(side[axis])
            };
            let side = [least(0), least(1)];
            Convolution { groups, kernel, stride, dilation, padding, side, bias, end }
        },
    )
}

fn convolve(seed: u64, batch: usize, convolution: &Convolution) -> (Case, Vec<usize>) {
    let mut case = Case::new(seed, &[convolution.input()], batch);
    let wanted = convolution.add_to(&mut case);
    (case, wanted)
}

impl Convolution {
    /// Shape of its input.
    pub(super) fn input(&self) -> [usize; 3] {
        [self.groups[0] * self.groups[1], self.side[0], self.side[1]]
    }

    /// Adds it and its end to a case with one input; what is wanted of it.
    pub(super) fn add_to(&self, case: &mut Case) -> Vec<usize> {
        let Self { groups: [groups, _, out], kernel, stride, dilation, padding, bias, end, .. } = *self;
        let op = Op::Conv2d { stride, padding, dilation, groups };
        let plain = case.convolve(op.clone(), 0, groups * out, kernel, bias);
        let last = match end {
            0 => plain,
            1 => case.push(Op::Relu {}, &[plain]),
            2 => case.push(Op::Relu6 {}, &[plain]),
            // The sum goes into the second one; either may have its halo, or none.
            3 => {
                let other = case.convolve(op, 0, groups * out, kernel, !bias);
                let sum = case.push(Op::Add { scalar: None }, &[plain, other]);
                case.push(Op::Relu {}, &[sum])
            }
            _ => {
                let sum = case.push(Op::Add { scalar: None }, &[plain, plain]);
                case.push(Op::HardSwish {}, &[sum])
            }
        };
        if end == 2 { vec![last, 0] } else { vec![last] }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions(convolution in convolution(), seed in any::<u64>(), batch in 1..7_usize) {
        let (case, wanted) = convolve(seed, batch, &convolution);
        case.check(&wanted);
    }

    /// Large enough for what is done to 3x3 convolutions only.
    #[test]
    fn convolutions_of_three_by_three(
        channels in (prop_oneof![8..40_usize, Just(16), Just(32)], prop_oneof![1..40_usize, Just(32)]),
        padding in [0..4_usize, 0..4_usize, 0..4_usize, 0..4_usize], side in [11..24_usize, 11..24_usize],
        bias in any::<bool>(), end in 0..5_usize, seed in any::<u64>(), batch in 1..6_usize,
    ) {
        let one = [1, 1];
        let groups = [1, channels.0, channels.1];
        let (kernel, stride, dilation) = ([3, 3], one, one);
        let case = Convolution { groups, kernel, stride, dilation, padding, side, bias, end };
        let (case, wanted) = convolve(seed, batch, &case);
        case.check(&wanted);
    }

    #[test]
    fn pools(
        shape in image(), kernel in [side(), side()], stride in [1..4_usize, 1..4_usize],
        room in [0..4_usize, 0..4_usize, 0..4_usize, 0..4_usize], flags in any::<[bool; 3]>(),
        seed in any::<u64>(), batch in 1..7_usize,
    ) {
        let [max, ceil_mode, count_include_pad] = flags;
        let padding = [0, 1, 2, 3].map(|at| room[at] % kernel[at / 2]);
        let least = |axis: usize| kernel[axis].saturating_sub(padding[2 * axis] + padding[2 * axis + 1]).max(1);
        let shape = [shape[0], shape[1].max(least(0)), shape[2].max(least(1))];
        let mut case = Case::new(seed, &[shape], batch);
        case.push(match max {
            true => Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode },
            false => Op::AvgPool2d { kernel, stride, padding, ceil_mode: false, count_include_pad },
        }, &[0]);
        case.check_known(&[1]);
    }

    #[test]
    fn one_tensor(shape in image(), which in 0..22_usize, seed in any::<u64>(), batch in 1..7_usize) {
        let mut case = Case::new(seed, &[shape], batch);
        let mut x = 0;
        if which >= 11 {
            x = case.push(Op::Mul { scalar: Some(7.0) }, &[x]);
        }
        let channels = shape[0];
        let last = case.push(match which % 11 {
            0 => Op::BatchNorm { epsilon: 1e-5 },
            1 => Op::Relu {},
            2 => Op::Clip { min: -0.3, max: 0.4 },
            3 => Op::LeakyRelu { slope: 0.1 },
            4 => Op::Sigmoid {},
            5 => Op::Silu {},
            6 => Op::HardSigmoid { alpha: 0.2, beta: 0.4 },
            7 => Op::HardSwish {},
            8 => Op::Pad { padding: [2, 0, 1, 3], mode: PadMode::Constant, value: 0.0 },
            9 => Op::Slice { axis: 1, start: channels / 3, end: channels + 9, step: 1 },
            _ => Op::Split { axis: 1, sizes: vec![channels / 2, channels - channels / 2], part: 1 },
        }, &[x]);
        case.check_known(&[last]);
    }

    #[test]
    fn whole_images(shape in image(), which in 0..4_usize, seed in any::<u64>(), batch in 1..7_usize) {
        let mut case = Case::new(seed, &[shape], batch);
        let last = case.push(match which {
            0 => Op::GlobalAvgPool {},
            1 => Op::GlobalMaxPool {},
            2 => Op::AdaptiveAvgPool2d { output_size: [1, 1] },
            _ => Op::ReduceMean { axes: vec![2, 3], keep_dims: true },
        }, &[0]);
        case.check_known(&[last]);
    }

    #[test]
    fn two_tensors(
        shape in image(), single in 0..3_usize, product in any::<bool>(), seed in any::<u64>(),
        batch in 1..7_usize,
    ) {
        let mut shapes = [shape; 2];
        if single > 0 {
            shapes[single - 1] = [shape[0], 1, 1];
        }
        let mut case = Case::new(seed, &shapes, batch);
        case.push(if product { Op::Mul { scalar: None } } else { Op::Add { scalar: None } }, &[0, 1]);
        case.check_known(&[2]);
    }

    #[test]
    fn scalars(
        which in 0..4_usize, scalar in prop_oneof![-9.0..-0.1, 0.1..9.0], shape in image(),
        seed in any::<u64>(), batch in 1..7_usize,
    ) {
        let scalar = Some(scalar);
        let mut case = Case::new(seed, &[shape], batch);
        case.push(match which {
            0 => Op::Add { scalar },
            1 => Op::Sub { scalar },
            2 => Op::Mul { scalar },
            _ => Op::Div { scalar },
        }, &[0]);
        case.check_known(&[1]);
    }
}

/// Shapes whose weights do not fit into a cache, whose rows come in bands, whose sums are finished in several passes.
#[test]
fn large_convolutions() {
    let plain = Convolution {
        groups: [1, 3, 33],
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        padding: [1; 4],
        side: [9, 9],
        bias: true,
        end: 3,
    };
    let many = [
        Convolution { groups: [1, 300, 40], side: [20, 11], ..plain },
        Convolution { groups: [1, 300, 120], side: [6, 7], ..plain },
        Convolution { groups: [1, 600, 450], kernel: [1, 1], padding: [0; 4], side: [7, 7], ..plain },
        Convolution { groups: [1, 96, 24], kernel: [1, 1], padding: [0; 4], side: [30, 40], ..plain },
        Convolution {
            groups: [1, 3, 64],
            kernel: [7, 7],
            stride: [2, 2],
            padding: [3; 4],
            side: [60, 70],
            ..plain
        },
        Convolution { groups: [1, 40, 40], kernel: [7, 7], padding: [9; 4], dilation: [3, 3], ..plain },
        Convolution { groups: [1, 64, 48], kernel: [5, 5], padding: [2; 4], side: [30, 37], ..plain },
        Convolution { groups: [50, 1, 1], kernel: [5, 5], stride: [2, 2], side: [40, 33], ..plain },
        Convolution { groups: [4, 48, 32], side: [15, 40], ..plain },
    ];
    for (seed, convolution) in many.iter().enumerate() {
        let (case, wanted) = convolve(seed as u64, 1 + seed % 2, convolution);
        case.check_known(&wanted);
    }
}

/// Groups that fill no register, even eight at once, and images that are tiny within their padding are left to another engine.
#[test]
fn operations_without_a_kernel_are_refused() {
    let mut case = Case::new(1, &[[15, 4, 4]], 1);
    let op = Op::Conv2d { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 3 };
    case.convolve(op, 0, 6, [1, 1], false);
    for isa in Isa::ALL {
        assert!(!case.known(*isa));
        assert!(case.plan(*isa, &[1]).is_err());
    }
    let mut case = Case::new(1, &[[16, 1, 1]], 1);
    let padding = [150; 4];
    let op = Op::Conv2d { stride: [301, 301], padding, dilation: [1, 1], groups: 1 };
    case.convolve(op, 0, 16, [1, 1], false);
    assert!(Isa::ALL.iter().all(|isa| !case.known(*isa)));
    let mut case = Case::new(1, &[[15, 4, 4]], 1);
    case.push(Op::Pad { padding: [1; 4], mode: PadMode::Constant, value: 0.0 }, &[0]);
    assert!(case.known(Isa::Portable));
    case.pop();
    case.push(
        Op::AvgPool2d {
            kernel: [3, 3],
            stride: [2, 2],
            padding: [0; 4],
            ceil_mode: true,
            count_include_pad: true,
        },
        &[0],
    );
    assert!(!case.known(Isa::Portable));
}

/// A shape that the graph's inference does not give would break the memory plan.
#[test]
fn shapes_that_an_operation_does_not_give_are_refused() {
    let input = [8, 6, 6];
    let wrong = |op: &Op, weight: Option<[usize; 4]>, right: [usize; 3], reads: &[usize]| {
        let operation = Operation { node: &node(op.clone(), reads), output: id(9), weight };
        let of = |output| Shapes::from_iter([(id(0), input), (id(9), output)]);
        let knows = |output| knows(Isa::Portable, &operation, &of(output))[0];
        assert!(knows(right), "{op:?}");
        for axis in 0..3 {
            for side in [0, right[axis] - 1, right[axis] + 1] {
                let mut output = right;
                output[axis] = side;
                assert!(!knows(output), "{op:?}: {output:?}");
            }
        }
    };
    let conv = Op::Conv2d { stride: [2, 2], padding: [1, 0, 0, 2], dilation: [1, 2], groups: 1 };
    wrong(&conv, Some([5, 8, 3, 3]), [5, 3, 2], &[0]);
    let [kernel, stride] = [[3, 3], [2, 2]];
    let pool = |ceil_mode| Op::MaxPool2d { kernel, stride, padding: [0; 4], dilation: [1, 1], ceil_mode };
    wrong(&pool(false), None, [8, 2, 2], &[0]);
    wrong(&pool(true), None, [8, 3, 3], &[0]);
    wrong(&Op::BatchNorm { epsilon: 1e-5 }, None, input, &[0]);
    wrong(&Op::Add { scalar: None }, None, input, &[0, 0]);
    wrong(&Op::Concat { axis: 1, at: 0 }, None, [16, 6, 6], &[0, 0]);
    wrong(&Op::Split { axis: 1, sizes: vec![3, 5], part: 1 }, None, [5, 6, 6], &[0]);
    wrong(&Op::GlobalAvgPool {}, None, [8, 1, 1], &[0]);
    let few = Operation { node: &node(conv, &[0]), output: id(9), weight: Some([5, 7, 3, 3]) };
    assert!(!knows(Isa::Portable, &few, &Shapes::from_iter([(id(0), input), (id(9), [5, 3, 2])]))[0]);
}
