//! MNASNet B1: inverted residuals found by a search for speed on a telephone.
//!
//! Reference: M. Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", 2018.

use super::architecture::Architecture;
use super::recipe::Recipe;
use super::torchvision::{BATCH_NORM_EPSILON, multiple_of_eight};
use crate::builder::{Conv, GraphBuilder, Value};

pub(super) const ALL: &[Architecture] = &[
    Architecture::new("mnasnet0_5", Recipe::TORCHVISION, |b, x, n| build(b, x, 0.5, n)),
    Architecture::new("mnasnet0_75", Recipe::torchvision(224, 232), |b, x, n| build(b, x, 0.75, n)),
    Architecture::new("mnasnet1_0", Recipe::TORCHVISION, |b, x, n| build(b, x, 1.0, n)),
    Architecture::new("mnasnet1_3", Recipe::torchvision(224, 232), |b, x, n| build(b, x, 1.3, n)),
];

/// Channels, kernel, first stride, expansion and repeats of each stack.
const STACKS: [(usize, usize, usize, usize, usize); 6] = [
    (24, 3, 2, 3, 3),
    (40, 5, 2, 3, 3),
    (80, 5, 2, 6, 3),
    (96, 3, 1, 6, 2),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
];
const HEAD: usize = 1280;

fn build(b: &mut GraphBuilder, input: &Value, width: f64, classes: usize) -> Value {
    let channels = |usual: usize| multiple_of_eight(usual as f64 * width);
    let stem = channels(32);
    let x = step(b, "layers", 0, input, Conv::new(stem, 3).stride(2).padding(1));
    let x = b.relu("layers.2", &x);
    let x = step(b, "layers", 3, &x, Conv::new(stem, 3).padding(1).groups(stem));
    let x = b.relu("layers.5", &x);
    let mut x = step(b, "layers", 6, &x, Conv::new(channels(16), 1));
    for (index, (out, kernel, stride, expansion, repeats)) in STACKS.into_iter().enumerate() {
        for repeat in 0..repeats {
            // Eight modules are the stem.
            let at = format!("layers.{}.{repeat}", index + 8);
            let hidden = x.channels * expansion;
            let depthwise = Conv::centred(hidden, [kernel; 2]).groups(hidden);
            let depthwise = if repeat == 0 { depthwise.stride(stride) } else { depthwise };
            let y = block(b, &format!("{at}.layers"), &x, depthwise, [hidden, channels(out)]);
            x = if repeat > 0 { b.add(&format!("{at}.add"), &y, &x) } else { y };
        }
    }
    let x = step(b, "layers", 14, &x, Conv::new(HEAD, 1));
    let x = b.relu("layers.16", &x);
    // A call of `mean` in torchvision, not a module.
    let x = b.global_avg_pool("mean", &x);
    let x = b.flatten("flatten", &x);
    b.head("classifier", &x, |b, x| {
        let x = b.dropout("classifier.0", x);
        b.classifier("classifier.1", &x, classes)
    })
}

fn block(b: &mut GraphBuilder, at: &str, input: &Value, depthwise: Conv, [hidden, out]: [usize; 2]) -> Value {
    let x = step(b, at, 0, input, Conv::new(hidden, 1));
    let x = b.relu(&format!("{at}.2"), &x);
    let x = step(b, at, 3, &x, depthwise);
    let x = b.relu(&format!("{at}.5"), &x);
    step(b, at, 6, &x, Conv::new(out, 1))
}

/// A convolution and its norm, which is the next module.
fn step(b: &mut GraphBuilder, at: &str, index: usize, input: &Value, conv: Conv) -> Value {
    let x = b.conv(&format!("{at}.{index}"), input, conv);
    b.batch_norm(&format!("{at}.{}", index + 1), &x, BATCH_NORM_EPSILON)
}
