//! Residual networks: stages of blocks whose input is added to their output.
//!
//! References: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015; S. Xie et al.,
//! "Aggregated Residual Transformations for Deep Neural Networks", 2016 (ResNeXt); S. Zagoruyko, N. Komodakis, "Wide
//! Residual Networks", 2016. A bottleneck has its stride on the 3x3 convolution, as in torchvision.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::torchvision::BATCH_NORM_EPSILON;
use crate::builder::{Conv, GraphBuilder, Pool, Value};
use Block::{Basic, Bottleneck};

pub(super) const ALL: &[Architecture] = &[
    resnet("resnet18", NETWORK_18),
    resnet("resnet34", NETWORK_34),
    resnet("resnet50", NETWORK_50),
    resnet("resnet101", NETWORK_101),
    resnet("resnet152", NETWORK_152),
    resnet("resnext50_32x4d", |b, x, n| build(b, x, &grouped([3, 4, 6, 3], 32, 4), n)),
    resnet("resnext101_32x8d", |b, x, n| build(b, x, &grouped([3, 4, 23, 3], 32, 8), n)),
    Architecture::new("resnext101_64x4d", Recipe::torchvision(224, 232), |b, x, n| {
        build(b, x, &grouped([3, 4, 23, 3], 64, 4), n)
    }),
    // Wide networks are one group of 128 channels in the place of 64.
    resnet("wide_resnet50_2", |b, x, n| build(b, x, &grouped([3, 4, 6, 3], 1, 128), n)),
    resnet("wide_resnet101_2", |b, x, n| build(b, x, &grouped([3, 4, 23, 3], 1, 128), n)),
];

pub(super) const NETWORK_18: Network = |b, x, n| build(b, x, &plan(Basic, [2, 2, 2, 2]), n);
pub(super) const NETWORK_34: Network = |b, x, n| build(b, x, &plan(Basic, [3, 4, 6, 3]), n);
pub(super) const NETWORK_50: Network = |b, x, n| build(b, x, &plan(Bottleneck, [3, 4, 6, 3]), n);
pub(super) const NETWORK_101: Network = |b, x, n| build(b, x, &plan(Bottleneck, [3, 4, 23, 3]), n);
pub(super) const NETWORK_152: Network = |b, x, n| build(b, x, &plan(Bottleneck, [3, 8, 36, 3]), n);

/// The same networks for pictures of 32 pixels: a first convolution of 3x3 without stride, and no pool.
pub(super) const SMALL_STEM: &[Architecture] = &[
    cifar("resnet18_cifar", |b, x, n| build(b, x, &small(plan(Basic, [2, 2, 2, 2])), n)),
    cifar("resnet34_cifar", |b, x, n| build(b, x, &small(plan(Basic, [3, 4, 6, 3])), n)),
    cifar("resnet50_cifar", |b, x, n| build(b, x, &small(plan(Bottleneck, [3, 4, 6, 3])), n)),
    cifar("resnet101_cifar", |b, x, n| build(b, x, &small(plan(Bottleneck, [3, 4, 23, 3])), n)),
    cifar("resnet152_cifar", |b, x, n| build(b, x, &small(plan(Bottleneck, [3, 8, 36, 3])), n)),
];

const fn resnet(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::TORCHVISION, network)
}

const fn cifar(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::CIFAR, network)
}

/// The block that a stage repeats.
#[derive(Debug, Clone, Copy)]
enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3 and 1x1 to four times the width.
    Bottleneck,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    block: Block,
    /// Number of blocks of each stage.
    repeats: [usize; 4],
    /// Groups of a bottleneck's 3x3 convolution, and their width in the first stage.
    groups: usize,
    group_width: usize,
    small_stem: bool,
}

const WIDTHS: [usize; 4] = [64, 128, 256, 512];

const fn plan(block: Block, repeats: [usize; 4]) -> Plan {
    Plan { block, repeats, groups: 1, group_width: WIDTHS[0], small_stem: false }
}

const fn grouped(repeats: [usize; 4], groups: usize, group_width: usize) -> Plan {
    Plan { groups, group_width, ..plan(Bottleneck, repeats) }
}

const fn small(plan: Plan) -> Plan {
    Plan { small_stem: true, ..plan }
}

fn build(b: &mut GraphBuilder, input: &Value, plan: &Plan, classes: usize) -> Value {
    let mut x = stem(b, input, plan.small_stem);
    for (stage, (width, repeats)) in WIDTHS.into_iter().zip(plan.repeats).enumerate() {
        for repeat in 0..repeats {
            let stride = if stage > 0 && repeat == 0 { 2 } else { 1 };
            let at = format!("layer{}.{repeat}", stage + 1);
            x = match plan.block {
                Basic => basic(b, &at, &x, width, stride),
                Bottleneck => bottleneck(b, &at, &x, plan, width, stride),
            };
        }
    }
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.classifier("fc", &x, classes)
}

fn stem(b: &mut GraphBuilder, input: &Value, is_small: bool) -> Value {
    // The usual stem divides by four and would leave one cell of 32x32 pixels for the last stage.
    let conv = match is_small {
        true => Conv::new(WIDTHS[0], 3).padding(1),
        false => Conv::new(WIDTHS[0], 7).stride(2).padding(3),
    };
    let x = b.conv("conv1", input, conv);
    let x = b.batch_norm("bn1", &x, BATCH_NORM_EPSILON);
    let x = b.relu("relu", &x);
    if is_small { x } else { b.max_pool("maxpool", &x, Pool::new(3, 2).padding(1)) }
}

fn basic(b: &mut GraphBuilder, at: &str, input: &Value, width: usize, stride: usize) -> Value {
    let x = two_convs(b, at, input, width, stride);
    let shortcut = shortcut(b, at, input, x.channels, stride);
    let x = b.add(&format!("{at}.add"), &x, &shortcut);
    b.relu(&format!("{at}.relu_1"), &x)
}

/// A basic block without its shortcut, up to the sum.
pub(super) fn two_convs(b: &mut GraphBuilder, at: &str, input: &Value, width: usize, stride: usize) -> Value {
    let x = b.conv(&format!("{at}.conv1"), input, Conv::new(width, 3).stride(stride).padding(1));
    let x = b.batch_norm(&format!("{at}.bn1"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu"), &x);
    let x = b.conv(&format!("{at}.conv2"), &x, Conv::new(width, 3).padding(1));
    b.batch_norm(&format!("{at}.bn2"), &x, BATCH_NORM_EPSILON)
}

fn bottleneck(
    b: &mut GraphBuilder,
    at: &str,
    input: &Value,
    plan: &Plan,
    width: usize,
    stride: usize,
) -> Value {
    // The plan says the width of the first stage; later stages grow with `width`.
    let inner = width * plan.group_width / WIDTHS[0] * plan.groups;
    let x = b.conv(&format!("{at}.conv1"), input, Conv::new(inner, 1));
    let x = b.batch_norm(&format!("{at}.bn1"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu"), &x);
    let grouped = Conv::new(inner, 3).stride(stride).padding(1).groups(plan.groups);
    let x = b.conv(&format!("{at}.conv2"), &x, grouped);
    let x = b.batch_norm(&format!("{at}.bn2"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu_1"), &x);
    let x = b.conv(&format!("{at}.conv3"), &x, Conv::new(4 * width, 1));
    let x = b.batch_norm(&format!("{at}.bn3"), &x, BATCH_NORM_EPSILON);
    let shortcut = shortcut(b, at, input, x.channels, stride);
    let x = b.add(&format!("{at}.add"), &x, &shortcut);
    b.relu(&format!("{at}.relu_2"), &x)
}

/// The block's input, projected to the output's size if that differs.
pub(super) fn shortcut(
    b: &mut GraphBuilder,
    at: &str,
    input: &Value,
    channels: usize,
    stride: usize,
) -> Value {
    // torchvision has no module where nothing changes.
    if stride == 1 && input.channels == channels {
        return input.clone();
    }
    let x = b.conv(&format!("{at}.downsample.0"), input, Conv::new(channels, 1).stride(stride));
    b.batch_norm(&format!("{at}.downsample.1"), &x, BATCH_NORM_EPSILON)
}
