//! Graphs that grow by steps: however tensors are fused, shared, concatenated or reused, the results stay right.
//!
//! Receives numbers, random ones (`graphs`) or those that a fuzzer chose; gives a graph that knows its right results.

use super::case::Case;
use crate::card::{Op, PadMode};

/// What a step does and with what; the builder takes each entry modulo the number of choices.
pub(super) type Step = (usize, [usize; 4]);

/// What a graph begins with.
#[derive(Debug)]
pub(super) struct Start {
    /// Which number of channels.
    pub(super) channels: usize,
    /// Height and width.
    pub(super) sides: [usize; 2],
    /// Whether there is a second input: from 2 on.
    pub(super) second: usize,
    pub(super) seed: u64,
    pub(super) batch: usize,
}

/// A graph of these steps on random images.
pub(super) fn graph(start: &Start, steps: &[Step]) -> Case {
    let Start { channels, sides, second, seed, batch } = *start;
    let channels = [1, 3, 5, 16, 17, 32][channels % 6];
    let mut inputs = vec![[channels, sides[0], sides[1]]];
    inputs.extend((0..second / 2).map(|_| [8, sides[0], sides[1]]));
    let mut case = Case::new(seed, &inputs, batch);
    steps.iter().for_each(|step| grow(&mut case, step));
    case
}

/// The graph that a fuzzer's bytes stand for, compared on every instruction set with the plain operations; a byte for each of the first
/// numbers, and five for a step.
pub(crate) fn differential(data: &[u8]) {
    let Some(([channels, height, width, second, seed, batch, wanted], rest)) = data.split_first_chunk()
    else {
        return;
    };
    let side = |byte: u8| 1 + usize::from(byte % 20);
    let start = Start {
        channels: usize::from(*channels),
        sides: [side(*height), side(*width)],
        second: usize::from(second % 3),
        seed: u64::from(*seed),
        batch: 1 + usize::from(batch % 6),
    };
    let step = |[kind, choices @ ..]: &[u8; 5]| {
        // Spread over as many numbers as the random graphs have.
        (usize::from(*kind), choices.map(|choice| usize::from(choice) * 61 % 997))
    };
    let steps: Vec<Step> = rest.as_chunks::<5>().0.iter().take(8).map(step).collect();
    let case = graph(&start, &steps);
    let last = case.slots() - 1;
    let chosen = (0..last).filter(|slot| wanted >> (slot % 8) & 1 == 1);
    case.check(&std::iter::once(last).chain(chosen).collect::<Vec<_>>());
}

const NONE: Op = Op::Add { scalar: None };

/// Adds a step to the graph, if it fits what is there.
fn grow(case: &mut Case, step: &Step) {
    let (kind, [a, b, c, d]) = *step;
    let slots = case.slots();
    // Late tensors more often than early ones.
    let x = slots - 1 - (a % slots).min(a / 7 % slots);
    let [channels, height, width] = case.shape(x);
    match kind % 16 {
        0..4 => convolve(case, x, [b, c, d]),
        4 => residual(case, x, [b, c, d]),
        5 | 6 => activate(case, x, b),
        7 | 8 => two(case, x, [b, c]),
        9 | 10 => join(case, x, [b, c, d]),
        11 => {
            let start = b % channels;
            let end = start + 1 + c % (channels - start);
            let split = Op::Split { axis: 1, sizes: vec![start, end - start, channels - end], part: 1 };
            let slice = Op::Slice { axis: 1, start, end, step: 1 };
            case.push(if d % 2 == 0 { slice } else { split }, &[x]);
        }
        12 if height * width < 200 => {
            let padding = [b % 3, b / 3 % 3, c % 3, c / 3 % 3];
            let padded = case.push(Op::Pad { padding, mode: PadMode::Constant, value: 0.0 }, &[x]);
            if d % 3 > 0 {
                convolve(case, padded, [b, c, d]);
            }
        }
        13 if height > 1 && width > 1 => {
            let (kernel, stride) =
                ([2 + b % (height - 1).min(2), 2 + c % (width - 1).min(2)], [1 + d % 2, 1 + d / 2 % 2]);
            let padding = [b % 2, c % 2, c % 2, b % 2];
            case.push(
                match d % 3 {
                    0 => Op::AvgPool2d {
                        kernel,
                        stride,
                        padding,
                        ceil_mode: false,
                        count_include_pad: b % 2 == 0,
                    },
                    _ => Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1], ceil_mode: d % 3 == 1 },
                },
                &[x],
            );
        }
        14 => {
            let mean = case.push(Op::GlobalAvgPool {}, &[x]);
            let gate = case.convolve(plain(), mean, channels, [1, 1], true);
            let gate = case.push(Op::Sigmoid {}, &[gate]);
            let reads = if b % 2 == 0 { [x, gate] } else { [gate, x] };
            case.push(Op::Mul { scalar: None }, &reads);
        }
        15 => {
            case.push(if b % 2 == 0 { Op::Dropout {} } else { Op::Identity {} }, &[x]);
        }
        _ => {}
    }
}

fn plain() -> Op {
    Op::Conv2d { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 }
}

fn convolve(case: &mut Case, x: usize, [b, c, d]: [usize; 3]) {
    let [channels, height, width] = case.shape(x);
    let kernel = [[1, 1], [3, 3], [1, 3], [2, 1]][b % 4];
    let stride = [[1, 1], [1, 1], [2, 1], [2, 2], [3, 3]][c % 5];
    let padding = [d % 3, d / 3 % 3, d / 9 % 3, d / 27 % 3];
    if kernel[0] > height + padding[0] + padding[1] || kernel[1] > width + padding[2] + padding[3] {
        return;
    }
    let groups = match c / 5 % 4 {
        0 => channels,
        1 if channels % 8 == 0 => channels / 8,
        _ => 1,
    };
    let out = if groups > 1 { channels } else { [1, 3, 8, 16, 17, 24, 32, 33][d / 81 % 8] };
    case.convolve(Op::Conv2d { stride, padding, dilation: [1, 1], groups }, x, out, kernel, b / 4 % 2 == 0);
}

/// A convolution that keeps the shape, plus its input; sometimes with a ReLU after it.
fn residual(case: &mut Case, x: usize, [b, c, d]: [usize; 3]) {
    let channels = case.shape(x)[0];
    let inner = if b % 2 == 0 { x } else { case.push(Op::Relu {}, &[x]) };
    let op = Op::Conv2d { stride: [1, 1], padding: [1; 4], dilation: [1, 1], groups: 1 };
    let conv = case.convolve(op, inner, channels, [3, 3], true);
    let sum = case.push(NONE, &if c % 2 == 0 { [x, conv] } else { [conv, x] });
    if d % 2 == 0 {
        case.push(Op::Relu {}, &[sum]);
    }
}

fn activate(case: &mut Case, x: usize, which: usize) {
    case.push(
        match which % 8 {
            0 => Op::Relu6 {},
            1 => Op::Clip { min: -0.5, max: 0.25 },
            2 => Op::Silu {},
            3 => Op::HardSwish {},
            4 => Op::BatchNorm { epsilon: 1e-5 },
            5 => Op::Mul { scalar: Some(-0.5) },
            6 => Op::LeakyRelu { slope: 0.2 },
            _ => Op::Relu {},
        },
        &[x],
    );
}

/// A sum or product with any tensor of the same shape, or of one element per channel.
fn two(case: &mut Case, x: usize, [b, c]: [usize; 2]) {
    let shape = case.shape(x);
    let channels = shape[0];
    let fits: Vec<usize> =
        (0..case.slots()).filter(|slot| [shape, [channels, 1, 1]].contains(&case.shape(*slot))).collect();
    let other = fits[b % fits.len()];
    let op = if c % 3 == 0 { Op::Mul { scalar: None } } else { NONE };
    case.push(op, &if c % 2 == 0 { [x, other] } else { [other, x] });
}

/// Tensors of one size concatenated: one, the same again, or a longer concatenation after a shorter one as in DenseNet.
fn join(case: &mut Case, x: usize, [b, c, d]: [usize; 3]) {
    let size = |case: &Case, slot: usize| [case.shape(slot)[1], case.shape(slot)[2]];
    let fits: Vec<usize> = (0..case.slots()).filter(|slot| size(case, *slot) == size(case, x)).collect();
    let mut parts = vec![x];
    for at in 0..b % 4 {
        parts.push(fits[(c >> (3 * at)) % fits.len()]);
    }
    if parts.iter().map(|slot| case.shape(*slot)[0]).sum::<usize>() > 120 {
        return;
    }
    let joined = case.push(Op::Concat { axis: 1, at: 0 }, &parts);
    if d % 2 == 0 {
        let op = Op::Conv2d { stride: [1, 1], padding: [1; 4], dilation: [1, 1], groups: 1 };
        let new = case.convolve(op, joined, [16, 8, 12][d / 2 % 3], [3, 3], false);
        parts.push(new);
        let nested = d / 6 % 2 == 0;
        let pair = [joined, new];
        case.push(Op::Concat { axis: 1, at: 0 }, if nested { &pair } else { &parts });
    }
}
