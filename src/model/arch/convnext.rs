//! ConvNeXt: residual blocks of a 7x7 depthwise convolution and two linear layers over the channels.
//!
//! Reference: Z. Liu et al., "A ConvNet for the 2020s", 2022.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use crate::builder::{Activation, Conv, GraphBuilder, Value};

pub(super) const ALL: &[Architecture] = &[
    Architecture::new("convnext_tiny", Recipe::torchvision(224, 236), |b, x, n| build(b, x, &TINY, n)),
    Architecture::new("convnext_small", Recipe::torchvision(224, 230), |b, x, n| build(b, x, &SMALL, n)),
    Architecture::new("convnext_base", Recipe::torchvision(224, 232), |b, x, n| build(b, x, &BASE, n)),
    Architecture::new("convnext_large", Recipe::torchvision(224, 232), |b, x, n| build(b, x, &LARGE, n)),
];

pub(super) const TINY_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &TINY.as_in_transformers(), n);
pub(super) const SMALL_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &SMALL.as_in_transformers(), n);
pub(super) const BASE_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &BASE.as_in_transformers(), n);
pub(super) const LARGE_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &LARGE.as_in_transformers(), n);

// The paper's value; PyTorch's default for layer norms is 1e-5.
const EPSILON: f64 = 1e-6;
// Layer norms and linear layers work on the last axis, convolutions have their channels second.
const CHANNELS_LAST: [usize; 4] = [0, 2, 3, 1];
const CHANNELS_FIRST: [usize; 4] = [0, 3, 1, 2];

#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Channels of each stage.
    widths: [usize; 4],
    /// Blocks of each stage.
    repeats: [usize; 4],
    /// The epsilon of the norm before the head.
    epsilon: f64,
}

const TINY: Plan = Plan { widths: [96, 192, 384, 768], repeats: [3, 3, 9, 3], epsilon: EPSILON };
const SMALL: Plan = Plan { repeats: [3, 3, 27, 3], ..TINY };
const BASE: Plan = Plan { widths: [128, 256, 512, 1024], ..SMALL };
const LARGE: Plan = Plan { widths: [192, 384, 768, 1536], ..SMALL };

impl Plan {
    const fn as_in_transformers(self) -> Self {
        // `layer_norm_eps` of its configuration, which only the norm before the head reads there.
        Self { epsilon: 1e-12, ..self }
    }
}

fn build(b: &mut GraphBuilder, input: &Value, plan: &Plan, classes: usize) -> Value {
    let Plan { widths, repeats, epsilon } = *plan;
    let x = b.conv("features.0.0", input, Conv::new(widths[0], 4).stride(4).biased());
    let mut x = norm(b, "features.0.1", &x, EPSILON);
    for (stage, (width, repeats)) in widths.into_iter().zip(repeats).enumerate() {
        if stage > 0 {
            let at = format!("features.{}", 2 * stage);
            x = norm(b, &format!("{at}.0"), &x, EPSILON);
            x = b.conv(&format!("{at}.1"), &x, Conv::new(width, 2).stride(2).biased());
        }
        for repeat in 0..repeats {
            x = block(b, &format!("features.{}.{repeat}", 2 * stage + 1), &x);
        }
    }
    let x = b.global_avg_pool("avgpool", &x);
    b.head("classifier", &x, |b, x| {
        let x = norm(b, "classifier.0", x, epsilon);
        let x = b.flatten("classifier.1", &x);
        b.classifier("classifier.2", &x, classes)
    })
}

fn block(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    let width = input.channels;
    let inner = format!("{at}.block");
    let x = b.conv(&format!("{inner}.0"), input, Conv::centred(width, [7, 7]).groups(width).biased());
    let x = b.transpose(&format!("{inner}.1"), &x, &CHANNELS_LAST);
    let x = b.layer_norm(&format!("{inner}.2"), &x, EPSILON);
    // Linear layers in the place of 1x1 convolutions, as in torchvision, whose weights have two axes.
    let x = b.linear(&format!("{inner}.3"), &x, 4 * width);
    let x = b.activation(&format!("{inner}.4"), &x, Activation::Gelu);
    let x = b.linear(&format!("{inner}.5"), &x, width);
    let x = b.transpose(&format!("{inner}.6"), &x, &CHANNELS_FIRST);
    let x = b.scale(&format!("{at}.mul"), &x, &format!("{at}.layer_scale"), &[width, 1, 1]);
    b.add(&format!("{at}.add"), &x, input)
}

/// Layer norm over the channels of a feature map.
fn norm(b: &mut GraphBuilder, at: &str, input: &Value, epsilon: f64) -> Value {
    let x = b.transpose(&format!("{at}.permute"), input, &CHANNELS_LAST);
    let x = b.layer_norm(at, &x, epsilon);
    b.transpose(&format!("{at}.permute_1"), &x, &CHANNELS_FIRST)
}
