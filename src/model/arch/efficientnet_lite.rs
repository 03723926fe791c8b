//! EfficientNet-Lite: EfficientNet without squeeze-excitation and with ReLU6, so that it quantises well.
//!
//! Reference: M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; the
//! Lite variants are from 2020 and do not scale the stem, the head and the depth of the first and last stage. Trained
//! in TensorFlow: `SAME` padding, and a batch norm epsilon of 1e-3.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::torchvision::{TENSORFLOW_EPSILON, multiple_of_eight, scaled_depth};
use crate::builder::{Conv, GraphBuilder, Value};
use crate::card::Filter;

pub(super) const ALL: &[Architecture] = &[
    lite("efficientnet_lite0", 224, |b, x, n| build(b, x, Scaling { width: 1.0, depth: 1.0 }, n)),
    lite("efficientnet_lite1", 240, |b, x, n| build(b, x, Scaling { width: 1.0, depth: 1.1 }, n)),
    lite("efficientnet_lite2", 260, |b, x, n| build(b, x, Scaling { width: 1.1, depth: 1.2 }, n)),
];

/// Bicubic resize to a margin of 32 pixels around the crop, `(value - 127) / 128`.
const fn lite(name: &'static str, input_size: usize, network: Network) -> Architecture {
    let recipe = Recipe {
        input: input_size,
        resize: input_size + 32,
        filter: Filter::Bicubic,
        scale: 1.0,
        mean: [127.0; 3],
        std: [128.0; 3],
    };
    Architecture::new(name, recipe, network)
}

/// Kernel, first stride, expansion, channels and repeats of each stage of variant 0.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
];
const STEM: usize = 32;
const HEAD: usize = 1280;

/// Factors for the channels and the repeats of the stages.
#[derive(Debug, Clone, Copy)]
struct Scaling {
    width: f64,
    depth: f64,
}

fn build(b: &mut GraphBuilder, input: &Value, scaling: Scaling, classes: usize) -> Value {
    let x = b.conv("_conv_stem", input, Conv::new(STEM, 3).stride(2).same());
    let x = b.batch_norm("_bn0", &x, TENSORFLOW_EPSILON);
    let mut x = b.relu6("_relu0", &x);
    let mut index = 0;
    for (stage, (kernel, first_stride, expansion, channels, repeats)) in STAGES.into_iter().enumerate() {
        let end = stage == 0 || stage + 1 == STAGES.len();
        let repeats = if end { repeats } else { scaled_depth(repeats, scaling.depth) };
        for repeat in 0..repeats {
            let block = Block {
                kernel,
                stride: if repeat == 0 { first_stride } else { 1 },
                expansion,
                channels: multiple_of_eight(channels as f64 * scaling.width),
                first: repeat == 0,
            };
            x = block.build(b, &format!("_blocks.{index}"), &x);
            index += 1;
        }
    }
    let x = b.conv("_conv_head", &x, Conv::new(HEAD, 1).same());
    let x = b.batch_norm("_bn1", &x, TENSORFLOW_EPSILON);
    let x = b.relu6("_relu1", &x);
    let x = b.global_avg_pool("_avg_pooling", &x);
    let x = b.flatten("flatten", &x);
    let x = b.dropout("_dropout", &x);
    b.classifier("_fc", &x, classes)
}

struct Block {
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: usize,
    /// The first block of a stage has no skip connection.
    first: bool,
}

impl Block {
    fn build(&self, b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
        let hidden = input.channels * self.expansion;
        let mut x = input.clone();
        if self.expansion > 1 {
            x = b.conv(&format!("{at}._expand_conv"), &x, Conv::new(hidden, 1).same());
            x = b.batch_norm(&format!("{at}._bn0"), &x, TENSORFLOW_EPSILON);
            x = b.relu6(&format!("{at}._relu0"), &x);
        }
        let depthwise = Conv::new(hidden, self.kernel).stride(self.stride).same().groups(hidden);
        let x = b.conv(&format!("{at}._depthwise_conv"), &x, depthwise);
        let x = b.batch_norm(&format!("{at}._bn1"), &x, TENSORFLOW_EPSILON);
        let x = b.relu6(&format!("{at}._relu1"), &x);
        let x = b.conv(&format!("{at}._project_conv"), &x, Conv::new(self.channels, 1).same());
        let x = b.batch_norm(&format!("{at}._bn2"), &x, TENSORFLOW_EPSILON);
        // All other blocks have stride 1 and as many channels out as in, so the sum fits.
        if self.first { x } else { b.add(&format!("{at}.add"), &x, input) }
    }
}
