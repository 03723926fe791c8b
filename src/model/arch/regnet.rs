//! RegNet: stages of grouped bottlenecks whose widths follow a linear rule; RegNetY adds squeeze-and-excitation.
//!
//! Reference: I. Radosavovic et al., "Designing Network Design Spaces", 2020. The tables hold what the rule gives.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::torchvision::{BATCH_NORM_EPSILON, Excitation, Style};
use crate::builder::{Activation, Conv, GraphBuilder, Value};
use crate::card::Filter;

pub(super) const ALL: &[Architecture] = &[
    regnet("regnet_x_400mf", |b, x, n| build(b, x, &of_x([1, 2, 7, 12], [32, 64, 160, 400], 16), n)),
    regnet("regnet_x_800mf", |b, x, n| build(b, x, &of_x([1, 3, 7, 5], [64, 128, 288, 672], 16), n)),
    regnet("regnet_x_1_6gf", |b, x, n| build(b, x, &of_x([2, 4, 10, 2], [72, 168, 408, 912], 24), n)),
    regnet("regnet_x_3_2gf", |b, x, n| build(b, x, &of_x([2, 6, 15, 2], [96, 192, 432, 1008], 48), n)),
    regnet("regnet_x_8gf", |b, x, n| build(b, x, &of_x([2, 5, 15, 1], [80, 240, 720, 1920], 120), n)),
    regnet("regnet_x_16gf", |b, x, n| build(b, x, &of_x([2, 6, 13, 1], [256, 512, 896, 2048], 128), n)),
    regnet("regnet_x_32gf", |b, x, n| build(b, x, &of_x([2, 7, 13, 1], [336, 672, 1344, 2520], 168), n)),
    regnet("regnet_y_400mf", |b, x, n| build(b, x, &of_y([1, 3, 6, 6], [48, 104, 208, 440], 8), n)),
    regnet("regnet_y_800mf", |b, x, n| build(b, x, &of_y([1, 3, 8, 2], [64, 144, 320, 784], 16), n)),
    regnet("regnet_y_1_6gf", |b, x, n| build(b, x, &of_y([2, 6, 17, 2], [48, 120, 336, 888], 24), n)),
    regnet("regnet_y_3_2gf", |b, x, n| build(b, x, &of_y([2, 5, 13, 1], [72, 216, 576, 1512], 24), n)),
    regnet("regnet_y_8gf", |b, x, n| build(b, x, &of_y([2, 4, 10, 1], [224, 448, 896, 2016], 56), n)),
    regnet("regnet_y_16gf", |b, x, n| build(b, x, &of_y([2, 4, 11, 1], [224, 448, 1232, 3024], 112), n)),
    regnet("regnet_y_32gf", |b, x, n| build(b, x, &of_y([2, 5, 12, 1], [232, 696, 1392, 3712], 232), n)),
    Architecture::new("regnet_y_128gf", Recipe::torchvision(384, 384).filter(Filter::Bicubic), |b, x, n| {
        build(b, x, &of_y([2, 7, 17, 1], [528, 1056, 2904, 7392], 264), n)
    }),
];

const fn regnet(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::TORCHVISION, network)
}

const STEM: usize = 32;
const STYLE: Style = Style { epsilon: BATCH_NORM_EPSILON, activation: Activation::Relu };

struct Plan {
    /// Blocks and channels of each stage.
    repeats: [usize; 4],
    widths: [usize; 4],
    /// Channels of a group of the 3x3 convolutions, or all of the stage's if it has fewer.
    group: usize,
    /// Whether blocks have squeeze-and-excitation.
    excites: bool,
}

const fn of_x(repeats: [usize; 4], widths: [usize; 4], group: usize) -> Plan {
    Plan { repeats, widths, group, excites: false }
}

const fn of_y(repeats: [usize; 4], widths: [usize; 4], group: usize) -> Plan {
    Plan { repeats, widths, group, excites: true }
}

fn build(b: &mut GraphBuilder, input: &Value, plan: &Plan, classes: usize) -> Value {
    let mut x = STYLE.conv(b, "stem", input, Conv::new(STEM, 3).stride(2).padding(1));
    for (index, (width, repeats)) in plan.widths.into_iter().zip(plan.repeats).enumerate() {
        let stage = index + 1;
        for repeat in 0..repeats {
            let at = format!("trunk_output.block{stage}.block{stage}-{repeat}");
            // Every stage halves, the first included: no pool follows the stem.
            let stride = if repeat == 0 { 2 } else { 1 };
            x = block(b, &at, &x, plan, width, stride);
        }
    }
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.classifier("fc", &x, classes)
}

fn block(b: &mut GraphBuilder, at: &str, input: &Value, plan: &Plan, width: usize, stride: usize) -> Value {
    let shortcut = if stride == 1 && input.channels == width {
        input.clone()
    } else {
        STYLE.linear_conv(b, &format!("{at}.proj"), input, Conv::new(width, 1).stride(stride))
    };
    // Divides: the rule behind the tables rounds widths to whole groups.
    let groups = width / plan.group.min(width);
    let x = STYLE.conv(b, &format!("{at}.f.a"), input, Conv::new(width, 1));
    let grouped = Conv::new(width, 3).stride(stride).padding(1).groups(groups);
    let mut x = STYLE.conv(b, &format!("{at}.f.b"), &x, grouped);
    if plan.excites {
        let (activation, gate) = (Activation::Relu, Activation::Sigmoid);
        // A quarter of the block's input, not of its own width.
        let excitation = Excitation { squeeze: input.channels / 4, activation, gate };
        x = excitation.build(b, &format!("{at}.f.se"), &x);
    }
    let x = STYLE.linear_conv(b, &format!("{at}.f.c"), &x, Conv::new(width, 1));
    let x = b.add(&format!("{at}.add"), &shortcut, &x);
    b.relu(&format!("{at}.activation"), &x)
}
