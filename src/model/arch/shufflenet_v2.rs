//! ShuffleNetV2: half of the channels pass through a block unchanged, then the halves are interleaved.
//!
//! Reference: N. Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", 2018.

use super::architecture::Architecture;
use super::recipe::Recipe;
use super::torchvision::{BATCH_NORM_EPSILON, Style};
use crate::builder::{Activation, Conv, GraphBuilder, Pool, Value};

pub(super) const ALL: &[Architecture] = &[
    Architecture::new("shufflenet_v2_x0_5", Recipe::TORCHVISION, |b, x, n| {
        build(b, x, [48, 96, 192], 1024, n)
    }),
    Architecture::new("shufflenet_v2_x1_0", Recipe::TORCHVISION, |b, x, n| {
        build(b, x, [116, 232, 464], 1024, n)
    }),
    Architecture::new("shufflenet_v2_x1_5", Recipe::torchvision(224, 232), |b, x, n| {
        build(b, x, [176, 352, 704], 1024, n)
    }),
    Architecture::new("shufflenet_v2_x2_0", Recipe::torchvision(224, 232), |b, x, n| {
        build(b, x, [244, 488, 976], 2048, n)
    }),
];

const STEM: usize = 24;
const REPEATS: [usize; 3] = [4, 8, 4];
const STYLE: Style = Style { epsilon: BATCH_NORM_EPSILON, activation: Activation::Relu };

fn build(b: &mut GraphBuilder, input: &Value, widths: [usize; 3], last: usize, classes: usize) -> Value {
    let x = STYLE.conv(b, "conv1", input, Conv::new(STEM, 3).stride(2).padding(1));
    let mut x = b.max_pool("maxpool", &x, Pool::new(3, 2).padding(1));
    for (stage, (width, repeats)) in widths.into_iter().zip(REPEATS).enumerate() {
        for repeat in 0..repeats {
            // The paper's table begins with stage 2.
            let at = format!("stage{}.{repeat}", stage + 2);
            let halves = if repeat == 0 { halve(b, &at, &x, width / 2) } else { keep(b, &at, &x) };
            x = shuffle(b, &at, &halves);
        }
    }
    let x = STYLE.conv(b, "conv5", &x, Conv::new(last, 1));
    // A call of `mean` in torchvision, not a module.
    let x = b.global_avg_pool("mean", &x);
    let x = b.flatten("flatten", &x);
    b.classifier("fc", &x, classes)
}

/// Both branches see all channels, at stride 2.
fn halve(b: &mut GraphBuilder, at: &str, input: &Value, out: usize) -> [Value; 2] {
    let branch = format!("{at}.branch1");
    let depthwise = Conv::new(input.channels, 3).stride(2).padding(1).groups(input.channels);
    let x = STYLE.linear_conv(b, &branch, input, depthwise);
    let x = b.conv(&format!("{branch}.2"), &x, Conv::new(out, 1));
    let x = b.batch_norm(&format!("{branch}.3"), &x, BATCH_NORM_EPSILON);
    let first = b.relu(&format!("{branch}.4"), &x);
    [first, branch2(b, at, input, out, 2)]
}

/// The first half of the channels stays as it is.
fn keep(b: &mut GraphBuilder, at: &str, input: &Value) -> [Value; 2] {
    let (half, all) = (input.channels / 2, input.channels);
    let first = b.slice(&format!("{at}.chunk"), input, 1, 0..half, 1);
    let second = b.slice(&format!("{at}.chunk_1"), input, 1, half..all, 1);
    [first, branch2(b, at, &second, half, 1)]
}

fn branch2(b: &mut GraphBuilder, at: &str, input: &Value, out: usize, stride: usize) -> Value {
    let at = format!("{at}.branch2");
    let x = STYLE.conv(b, &at, input, Conv::new(out, 1));
    let x = b.conv(&format!("{at}.3"), &x, Conv::new(out, 3).stride(stride).padding(1).groups(out));
    let x = b.batch_norm(&format!("{at}.4"), &x, BATCH_NORM_EPSILON);
    let x = b.conv(&format!("{at}.5"), &x, Conv::new(out, 1));
    let x = b.batch_norm(&format!("{at}.6"), &x, BATCH_NORM_EPSILON);
    b.relu(&format!("{at}.7"), &x)
}

/// Channels of the two halves alternate.
fn shuffle(b: &mut GraphBuilder, at: &str, [first, second]: &[Value; 2]) -> Value {
    let x = b.concat(&format!("{at}.cat"), &[first, second]);
    let (channels, [height, width]) = (x.channels, x.size());
    let x = b.reshape(&format!("{at}.view"), &x, &[0, 2, channels / 2, height, width]);
    let x = b.transpose(&format!("{at}.transpose"), &x, &[0, 2, 1, 3, 4]);
    b.reshape(&format!("{at}.view_1"), &x, &[0, channels, height, width])
}
