//! SqueezeNet: fire modules (squeeze, then two parallel expansions) and a convolution as classifier.
//!
//! Reference: F. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
//! 2016. Version 1.1 pools earlier and starts with a smaller convolution.

use super::architecture::Architecture;
use super::recipe::Recipe;
use crate::builder::{Conv, GraphBuilder, Pool, Value};

pub(super) const ALL: &[Architecture] = &[
    Architecture::new("squeezenet1_0", Recipe::TORCHVISION, version_1_0),
    Architecture::new("squeezenet1_1", Recipe::TORCHVISION, version_1_1),
];

/// One entry of `features` after the first convolution and its activation.
enum Step {
    Pool,
    /// Channels of the squeeze and of each of the two expansions.
    Fire(usize, usize),
}
use Step::{Fire, Pool as Halve};

fn version_1_0(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    let steps = [
        Halve,
        Fire(16, 64),
        Fire(16, 64),
        Fire(32, 128),
        Halve,
        Fire(32, 128),
        Fire(48, 192),
        Fire(48, 192),
        Fire(64, 256),
        Halve,
        Fire(64, 256),
    ];
    build(b, input, Conv::new(96, 7), &steps, classes)
}

fn version_1_1(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    let steps = [
        Halve,
        Fire(16, 64),
        Fire(16, 64),
        Halve,
        Fire(32, 128),
        Fire(32, 128),
        Halve,
        Fire(48, 192),
        Fire(48, 192),
        Fire(64, 256),
        Fire(64, 256),
    ];
    build(b, input, Conv::new(64, 3), &steps, classes)
}

fn build(b: &mut GraphBuilder, input: &Value, stem: Conv, steps: &[Step], classes: usize) -> Value {
    let x = b.conv("features.0", input, stem.stride(2).biased());
    let mut x = b.relu("features.1", &x);
    for (index, step) in steps.iter().enumerate() {
        let at = format!("features.{}", index + 2);
        x = match step {
            // `ceil`, as pools of Caffe, for which the network was written.
            Halve => b.max_pool(&at, &x, Pool::new(3, 2).ceil()),
            Fire(squeeze, expand) => fire(b, &at, &x, *squeeze, *expand),
        };
    }
    let x = b.dropout("classifier.0", &x);
    let x = b.conv("classifier.1", &x, Conv::new(classes, 1).biased());
    // After the scores: no class has a negative one, and several may be 0.
    let x = b.relu("classifier.2", &x);
    let x = b.global_avg_pool("classifier.3", &x);
    b.flatten("flatten", &x)
}

fn fire(b: &mut GraphBuilder, at: &str, input: &Value, squeeze: usize, expand: usize) -> Value {
    let x = b.conv(&format!("{at}.squeeze"), input, Conv::new(squeeze, 1).biased());
    let x = b.relu(&format!("{at}.squeeze_activation"), &x);
    let narrow = b.conv(&format!("{at}.expand1x1"), &x, Conv::new(expand, 1).biased());
    let narrow = b.relu(&format!("{at}.expand1x1_activation"), &narrow);
    let wide = b.conv(&format!("{at}.expand3x3"), &x, Conv::new(expand, 3).padding(1).biased());
    let wide = b.relu(&format!("{at}.expand3x3_activation"), &wide);
    b.concat(&format!("{at}.cat"), &[&narrow, &wide])
}
