//! MobileNetV3: inverted residuals with hard swish and, in some blocks, squeeze-and-excitation.
//!
//! Reference: A. Howard et al., "Searching for MobileNetV3", 2019, tables 1 and 2.

use super::architecture::Architecture;
use super::recipe::Recipe;
use super::torchvision::{BATCH_NORM_EPSILON, Excitation, Style, TENSORFLOW_EPSILON, multiple_of_eight};
use crate::builder::{Activation, Conv, GraphBuilder, Value};

pub(super) const ALL: &[Architecture] = &[
    Architecture::new("mobilenet_v3_large", Recipe::TORCHVISION, |b, x, n| {
        build(b, x, &LARGE, 1280, TENSORFLOW_EPSILON, n)
    }),
    Architecture::new("mobilenet_v3_small", Recipe::TORCHVISION, |b, x, n| {
        build(b, x, &SMALL, 1024, TENSORFLOW_EPSILON, n)
    }),
];

/// timm's have PyTorch's epsilon. Under the names of timm, which gives them their recipes.
pub(super) const TIMM: &[Architecture] = &[
    Architecture::new("large", Recipe::TORCHVISION, |b, x, n| {
        build(b, x, &LARGE, 1280, BATCH_NORM_EPSILON, n)
    }),
    Architecture::new("small", Recipe::TORCHVISION, |b, x, n| {
        build(b, x, &SMALL, 1024, BATCH_NORM_EPSILON, n)
    }),
];

const STEM: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Block {
    kernel: usize,
    hidden: usize,
    channels: usize,
    excites: bool,
    activation: Activation,
    stride: usize,
}

/// A block with rectifiers.
const fn re(kernel: usize, hidden: usize, channels: usize, excites: bool, stride: usize) -> Block {
    Block { kernel, hidden, channels, excites, activation: Activation::Relu, stride }
}

/// A block with hard swishes.
const fn hs(kernel: usize, hidden: usize, channels: usize, excites: bool, stride: usize) -> Block {
    Block { kernel, hidden, channels, excites, activation: Activation::HardSwish, stride }
}

const LARGE: [Block; 15] = [
    re(3, 16, 16, false, 1),
    re(3, 64, 24, false, 2),
    re(3, 72, 24, false, 1),
    re(5, 72, 40, true, 2),
    re(5, 120, 40, true, 1),
    re(5, 120, 40, true, 1),
    hs(3, 240, 80, false, 2),
    hs(3, 200, 80, false, 1),
    hs(3, 184, 80, false, 1),
    hs(3, 184, 80, false, 1),
    hs(3, 480, 112, true, 1),
    hs(3, 672, 112, true, 1),
    hs(5, 672, 160, true, 2),
    hs(5, 960, 160, true, 1),
    hs(5, 960, 160, true, 1),
];
const SMALL: [Block; 11] = [
    re(3, 16, 16, true, 2),
    re(3, 72, 24, false, 2),
    re(3, 88, 24, false, 1),
    hs(5, 96, 40, true, 2),
    hs(5, 240, 40, true, 1),
    hs(5, 240, 40, true, 1),
    hs(5, 120, 48, true, 1),
    hs(5, 144, 48, true, 1),
    hs(5, 288, 96, true, 2),
    hs(5, 576, 96, true, 1),
    hs(5, 576, 96, true, 1),
];

/// `hidden` is the width of the first layer of the head.
fn build(
    b: &mut GraphBuilder,
    input: &Value,
    blocks: &[Block],
    hidden: usize,
    epsilon: f64,
    classes: usize,
) -> Value {
    let style = Style { epsilon, activation: Activation::HardSwish };
    let mut x = style.conv(b, "features.0", input, Conv::new(STEM, 3).stride(2).padding(1));
    for (index, block) in blocks.iter().enumerate() {
        x = block.build(b, &format!("features.{}", index + 1), &x, epsilon);
    }
    // 960 and 576 channels, as in the paper's tables.
    let last = Conv::new(6 * x.channels, 1);
    let x = style.conv(b, &format!("features.{}", blocks.len() + 1), &x, last);
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.head("classifier", &x, |b, x| {
        // The widest layer comes after the pool, where it is computed once and not for each cell.
        let x = b.linear("classifier.0", x, hidden);
        let x = b.activation("classifier.1", &x, Activation::HardSwish);
        let x = b.dropout("classifier.2", &x);
        b.classifier("classifier.3", &x, classes)
    })
}

impl Block {
    fn build(&self, b: &mut GraphBuilder, at: &str, input: &Value, epsilon: f64) -> Value {
        let Self { kernel, hidden, channels, excites, activation, stride } = *self;
        let style = Style { epsilon, activation };
        let mut parts = (0..).map(|index: usize| format!("{at}.block.{index}"));
        let mut next = || parts.next().unwrap_or_default();
        let mut x = input.clone();
        if hidden != input.channels {
            x = style.conv(b, &next(), &x, Conv::new(hidden, 1));
        }
        let depthwise = Conv::centred(hidden, [kernel; 2]).stride(stride).groups(hidden);
        x = style.conv(b, &next(), &x, depthwise);
        if excites {
            let squeeze = multiple_of_eight((hidden / 4) as f64);
            let (activation, gate) = (Activation::Relu, Activation::HardSigmoid);
            x = Excitation { squeeze, activation, gate }.build(b, &next(), &x);
        }
        let x = style.linear_conv(b, &next(), &x, Conv::new(channels, 1));
        let skips = stride == 1 && input.channels == channels;
        if skips { b.add(&format!("{at}.add"), &x, input) } else { x }
    }
}
