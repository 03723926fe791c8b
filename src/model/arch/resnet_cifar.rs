//! The residual networks that were published for CIFAR: three stages of 16, 32 and 64 channels on 32x32 pixels.
//!
//! Reference: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015, section 4.2. Where a
//! stage halves the size, option A keeps every other cell and adds channels of zeros, as many before as after; option
//! B, under the plain name, projects.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::resnet::{shortcut, two_convs};
use super::torchvision::BATCH_NORM_EPSILON;
use crate::builder::{Conv, GraphBuilder, Value};
use Shortcut::{Projection, ZeroChannels};

pub(super) const ALL: &[Architecture] = &[
    cifar("resnet20_cifar", |b, x, n| build(b, x, 3, Projection, n)),
    cifar("resnet32_cifar", |b, x, n| build(b, x, 5, Projection, n)),
    cifar("resnet44_cifar", |b, x, n| build(b, x, 7, Projection, n)),
    cifar("resnet56_cifar", |b, x, n| build(b, x, 9, Projection, n)),
    cifar("resnet110_cifar", |b, x, n| build(b, x, 18, Projection, n)),
    cifar("resnet20_cifar_a", |b, x, n| build(b, x, 3, ZeroChannels, n)),
    cifar("resnet32_cifar_a", |b, x, n| build(b, x, 5, ZeroChannels, n)),
    cifar("resnet44_cifar_a", |b, x, n| build(b, x, 7, ZeroChannels, n)),
    cifar("resnet56_cifar_a", |b, x, n| build(b, x, 9, ZeroChannels, n)),
    cifar("resnet110_cifar_a", |b, x, n| build(b, x, 18, ZeroChannels, n)),
];

const fn cifar(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::CIFAR, network)
}

/// What a block adds where its input has another size than its output.
#[derive(Debug, Clone, Copy)]
enum Shortcut {
    Projection,
    ZeroChannels,
}

/// Each stage has `repeats` blocks.
fn build(b: &mut GraphBuilder, input: &Value, repeats: usize, kind: Shortcut, classes: usize) -> Value {
    let x = b.conv("conv1", input, Conv::new(16, 3).padding(1));
    let x = b.batch_norm("bn1", &x, BATCH_NORM_EPSILON);
    let mut x = b.relu("relu", &x);
    for (stage, width) in [16, 32, 64].into_iter().enumerate() {
        for repeat in 0..repeats {
            let at = format!("layer{}.{repeat}", stage + 1);
            let stride = if stage > 0 && repeat == 0 { 2 } else { 1 };
            let y = two_convs(b, &at, &x, width, stride);
            let skip = match kind {
                Projection => shortcut(b, &at, &x, width, stride),
                ZeroChannels => zero_channels(b, &format!("{at}.shortcut"), &x, width, stride),
            };
            let sum = b.add(&format!("{at}.add"), &y, &skip);
            x = b.relu(&format!("{at}.relu_1"), &sum);
        }
    }
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    // The usual names of each.
    let head = match kind {
        Projection => "fc",
        ZeroChannels => "linear",
    };
    b.classifier(head, &x, classes)
}

fn zero_channels(b: &mut GraphBuilder, at: &str, input: &Value, channels: usize, stride: usize) -> Value {
    /// Channels and rows change places, because padding is around the last two axes.
    const SWAP: [usize; 4] = [0, 2, 1, 3];
    if stride == 1 && input.channels == channels {
        return input.clone();
    }
    let [height, width] = input.size();
    let side = (channels - input.channels) / 2;
    let x = b.slice(&format!("{at}.rows"), input, 2, 0..height, stride);
    let x = b.slice(&format!("{at}.columns"), &x, 3, 0..width, stride);
    let x = b.transpose(&format!("{at}.permute"), &x, &SWAP);
    let x = b.pad(&format!("{at}.pad"), &x, [side, side, 0, 0]);
    b.transpose(&format!("{at}.permute_1"), &x, &SWAP)
}
