//! MobileNetV2: inverted residuals with linear bottlenecks.
//!
//! Reference: M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018.

use super::architecture::Architecture;
use super::recipe::Recipe;
use super::torchvision::{BATCH_NORM_EPSILON, Style};
use crate::builder::{Activation, Conv, GraphBuilder, Value};

pub(super) const ALL: &[Architecture] = &[Architecture::new("mobilenet_v2", Recipe::TORCHVISION, build)];

const STYLE: Style = Style { epsilon: BATCH_NORM_EPSILON, activation: Activation::Relu6 };

/// Expansion, channels, repeats and the first block's stride of each stage.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];
const HEAD: usize = 1280;

fn build(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    let mut x = STYLE.conv(b, "features.0", input, Conv::new(32, 3).stride(2).padding(1));
    let mut index = 0;
    for (expansion, channels, repeats, first_stride) in STAGES {
        for repeat in 0..repeats {
            index += 1;
            let stride = if repeat == 0 { first_stride } else { 1 };
            x = block(b, &format!("features.{index}"), &x, expansion, channels, stride);
        }
    }
    let x = STYLE.conv(b, &format!("features.{}", index + 1), &x, Conv::new(HEAD, 1));
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.head("classifier", &x, |b, x| {
        let x = b.dropout("classifier.0", x);
        b.classifier("classifier.1", &x, classes)
    })
}

fn block(
    b: &mut GraphBuilder,
    at: &str,
    input: &Value,
    expansion: usize,
    channels: usize,
    stride: usize,
) -> Value {
    let hidden = input.channels * expansion;
    let mut x = input.clone();
    // Without an expansion, torchvision's `conv` starts with the depthwise convolution, so indices shift.
    let mut index = 0;
    if expansion > 1 {
        x = STYLE.conv(b, &format!("{at}.conv.0"), &x, Conv::new(hidden, 1));
        index = 1;
    }
    let depthwise = Conv::new(hidden, 3).stride(stride).padding(1).groups(hidden);
    let x = STYLE.conv(b, &format!("{at}.conv.{index}"), &x, depthwise);
    // No activation after it: with few channels a rectifier would lose too much, as the paper shows.
    let x = b.conv(&format!("{at}.conv.{}", index + 1), &x, Conv::new(channels, 1));
    let x = b.batch_norm(&format!("{at}.conv.{}", index + 2), &x, BATCH_NORM_EPSILON);
    if stride == 1 && input.channels == channels { b.add(&format!("{at}.add"), input, &x) } else { x }
}
