//! EfficientNet B0 to B7 and V2: inverted residuals with squeeze-and-excitation, scaled in width, depth and size.
//!
//! References: M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019;
//! M. Tan, Q. Le, "EfficientNetV2: Smaller Models and Faster Training", 2021. The first stages of V2 fuse the expansion
//! and the depthwise convolution.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::torchvision::{
    BATCH_NORM_EPSILON, Excitation, Style, TENSORFLOW_EPSILON, multiple_of_eight, scaled_depth,
};
use crate::builder::{Activation, Conv, GraphBuilder, Value};
use crate::card::Filter;

pub(super) const ALL: &[Architecture] = &[
    b("efficientnet_b0", 224, 256, |b, x, n| build(b, x, &scaled(1.0, 1.0), n)),
    b("efficientnet_b1", 240, 256, |b, x, n| build(b, x, &scaled(1.0, 1.1), n)),
    b("efficientnet_b2", 288, 288, |b, x, n| build(b, x, &scaled(1.1, 1.2), n)),
    b("efficientnet_b3", 300, 320, |b, x, n| build(b, x, &scaled(1.2, 1.4), n)),
    b("efficientnet_b4", 380, 384, |b, x, n| build(b, x, &scaled(1.4, 1.8), n)),
    // torchvision's weights of B5 to B7 are ports from TensorFlow and have its epsilon; B0 to B4 were trained in PyTorch.
    b("efficientnet_b5", 456, 456, |b, x, n| build(b, x, &trained_in_tensorflow(1.6, 2.2), n)),
    b("efficientnet_b6", 528, 528, |b, x, n| build(b, x, &trained_in_tensorflow(1.8, 2.6), n)),
    b("efficientnet_b7", 600, 600, |b, x, n| build(b, x, &trained_in_tensorflow(2.0, 3.1), n)),
    v2("efficientnet_v2_s", Recipe::torchvision(384, 384), |b, x, n| build(b, x, &version_2(24, &SMALL), n)),
    v2("efficientnet_v2_m", Recipe::torchvision(480, 480), |b, x, n| build(b, x, &version_2(24, &MEDIUM), n)),
    // Only the largest of torchvision's expects values from -1 to 1, and a bicubic resize.
    v2("efficientnet_v2_l", Recipe::torchvision(480, 480).filter(Filter::Bicubic).halves(), |b, x, n| {
        build(b, x, &version_2(32, &LARGE), n)
    }),
];

/// timm's: `tf_` with TensorFlow's `SAME` padding and epsilon, B5 with PyTorch's. Under the names of timm, which gives them
/// their recipes.
pub(super) const TIMM: &[Architecture] = &[
    unnamed("b5", |b, x, n| build(b, x, &scaled(1.6, 2.2), n)),
    unnamed("tf_b0", |b, x, n| build(b, x, &padded(trained_in_tensorflow(1.0, 1.0)), n)),
    unnamed("tf_b1", |b, x, n| build(b, x, &padded(trained_in_tensorflow(1.0, 1.1)), n)),
    unnamed("tf_b2", |b, x, n| build(b, x, &padded(trained_in_tensorflow(1.1, 1.2)), n)),
    unnamed("tf_b3", |b, x, n| build(b, x, &padded(trained_in_tensorflow(1.2, 1.4)), n)),
    unnamed("tf_b4", |b, x, n| build(b, x, &padded(trained_in_tensorflow(1.4, 1.8)), n)),
    unnamed("tf_b5", |b, x, n| build(b, x, &padded(trained_in_tensorflow(1.6, 2.2)), n)),
    unnamed("tf_b6", |b, x, n| build(b, x, &padded(trained_in_tensorflow(1.8, 2.6)), n)),
    unnamed("tf_b7", |b, x, n| build(b, x, &padded(trained_in_tensorflow(2.0, 3.1)), n)),
    unnamed("tf_v2_s", |b, x, n| build(b, x, &padded(version_2(24, &SMALL)), n)),
    unnamed("tf_v2_m", |b, x, n| build(b, x, &padded(version_2(24, &MEDIUM)), n)),
    unnamed("tf_v2_l", |b, x, n| build(b, x, &padded(version_2(32, &LARGE)), n)),
];

const fn unnamed(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::TORCHVISION, network)
}

const fn b(name: &'static str, input: usize, resize: usize, network: Network) -> Architecture {
    Architecture::new(name, Recipe::torchvision(input, resize).filter(Filter::Bicubic), network)
}

const fn v2(name: &'static str, recipe: Recipe, network: Network) -> Architecture {
    Architecture::new(name, recipe, network)
}

/// A stage of equal blocks.
#[derive(Debug, Clone, Copy)]
struct Stage {
    /// Whether the expansion is a full convolution, without a depthwise one.
    fused: bool,
    expansion: usize,
    kernel: usize,
    /// Of the first block.
    stride: usize,
    channels: usize,
    repeats: usize,
}

const fn mb(expansion: usize, kernel: usize, stride: usize, channels: usize, repeats: usize) -> Stage {
    Stage { fused: false, expansion, kernel, stride, channels, repeats }
}

const fn fused(expansion: usize, stride: usize, channels: usize, repeats: usize) -> Stage {
    Stage { fused: true, expansion, kernel: 3, stride, channels, repeats }
}

const VERSION_1: [Stage; 7] = [
    mb(1, 3, 1, 16, 1),
    mb(6, 3, 2, 24, 2),
    mb(6, 5, 2, 40, 2),
    mb(6, 3, 2, 80, 3),
    mb(6, 5, 1, 112, 3),
    mb(6, 5, 2, 192, 4),
    mb(6, 3, 1, 320, 1),
];
const SMALL: [Stage; 6] = [
    fused(1, 1, 24, 2),
    fused(4, 2, 48, 4),
    fused(4, 2, 64, 4),
    mb(4, 3, 2, 128, 6),
    mb(6, 3, 1, 160, 9),
    mb(6, 3, 2, 256, 15),
];
const MEDIUM: [Stage; 7] = [
    fused(1, 1, 24, 3),
    fused(4, 2, 48, 5),
    fused(4, 2, 80, 5),
    mb(4, 3, 2, 160, 7),
    mb(6, 3, 1, 176, 14),
    mb(6, 3, 2, 304, 18),
    mb(6, 3, 1, 512, 5),
];
const LARGE: [Stage; 7] = [
    fused(1, 1, 32, 4),
    fused(4, 2, 64, 7),
    fused(4, 2, 96, 7),
    mb(4, 3, 2, 192, 10),
    mb(6, 3, 1, 224, 19),
    mb(6, 3, 2, 384, 25),
    mb(6, 3, 1, 640, 7),
];

struct Plan {
    style: Style,
    /// Whether windows are padded as TensorFlow's `SAME`.
    same: bool,
    stem: usize,
    stages: Vec<Stage>,
    /// Channels before the classifier.
    last: usize,
}

fn scaled(width: f64, depth: f64) -> Plan {
    let channels = |usual: usize| multiple_of_eight(usual as f64 * width);
    let stage = |stage: Stage| Stage {
        channels: channels(stage.channels),
        repeats: scaled_depth(stage.repeats, depth),
        ..stage
    };
    let style = Style { epsilon: BATCH_NORM_EPSILON, activation: Activation::Silu };
    Plan {
        style,
        same: false,
        stem: channels(32),
        stages: VERSION_1.map(stage).to_vec(),
        // 1280 at a width of 1, and scaled with it.
        last: 4 * channels(320),
    }
}

fn trained_in_tensorflow(width: f64, depth: f64) -> Plan {
    let plan = scaled(width, depth);
    Plan { style: Style { epsilon: TENSORFLOW_EPSILON, ..plan.style }, ..plan }
}

fn version_2(stem: usize, stages: &[Stage]) -> Plan {
    let style = Style { epsilon: TENSORFLOW_EPSILON, activation: Activation::Silu };
    // 1280 in every variant: the second version does not scale its head.
    Plan { style, same: false, stem, stages: stages.to_vec(), last: 1280 }
}

fn padded(plan: Plan) -> Plan {
    Plan { same: true, ..plan }
}

fn build(b: &mut GraphBuilder, input: &Value, plan: &Plan, classes: usize) -> Value {
    let Plan { style, same, stem, stages, last } = plan;
    let mut x = style.conv(b, "features.0", input, centred(*stem, 3, *same).stride(2));
    for (index, stage) in stages.iter().enumerate() {
        for repeat in 0..stage.repeats {
            let stride = if repeat == 0 { stage.stride } else { 1 };
            let at = format!("features.{}.{repeat}", index + 1);
            let inner = if stage.fused { fused_block } else { block };
            let y = inner(b, &format!("{at}.block"), &x, &Stage { stride, ..*stage }, plan);
            let skips = stride == 1 && x.channels == stage.channels;
            x = if skips { b.add(&format!("{at}.add"), &y, &x) } else { y };
        }
    }
    let x = style.conv(b, &format!("features.{}", stages.len() + 1), &x, Conv::new(*last, 1));
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.head("classifier", &x, |b, x| {
        let x = b.dropout("classifier.0", x);
        b.classifier("classifier.1", &x, classes)
    })
}

/// A square convolution whose output has a cell for each of the input's, or for each `stride` of them.
fn centred(out: usize, kernel: usize, same: bool) -> Conv {
    if same { Conv::new(out, kernel).same() } else { Conv::centred(out, [kernel; 2]) }
}

fn block(b: &mut GraphBuilder, at: &str, input: &Value, stage: &Stage, plan: &Plan) -> Value {
    let style = plan.style;
    let hidden = input.channels * stage.expansion;
    let mut parts = (0..).map(|index: usize| format!("{at}.{index}"));
    let mut next = || parts.next().unwrap_or_default();
    let mut x = input.clone();
    // torchvision leaves this module out where nothing is expanded, and numbers the others from 0.
    if hidden != input.channels {
        x = style.conv(b, &next(), &x, Conv::new(hidden, 1));
    }
    let depthwise = centred(hidden, stage.kernel, plan.same).stride(stage.stride).groups(hidden);
    let x = style.conv(b, &next(), &x, depthwise);
    // A quarter of the block's input, not of its expanded width.
    let squeeze = (input.channels / 4).max(1);
    let excitation = Excitation { squeeze, activation: style.activation, gate: Activation::Sigmoid };
    let x = excitation.build(b, &next(), &x);
    style.linear_conv(b, &next(), &x, Conv::new(stage.channels, 1))
}

fn fused_block(b: &mut GraphBuilder, at: &str, input: &Value, stage: &Stage, plan: &Plan) -> Value {
    let style = plan.style;
    let hidden = input.channels * stage.expansion;
    // Without an expansion the one convolution gives the block's output.
    let out = if hidden == input.channels { stage.channels } else { hidden };
    let conv = centred(out, stage.kernel, plan.same).stride(stage.stride);
    let x = style.conv(b, &format!("{at}.0"), input, conv);
    if hidden == input.channels {
        return x;
    }
    style.linear_conv(b, &format!("{at}.1"), &x, Conv::new(stage.channels, 1))
}
