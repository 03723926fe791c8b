//! DenseNet: every layer of a block reads the outputs of all layers before it.
//!
//! Reference: G. Huang, Z. Liu, L. van der Maaten, K. Weinberger, "Densely Connected Convolutional Networks", 2016.
//! Bottlenecks of four times the growth rate, transitions that halve the channels.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::torchvision::BATCH_NORM_EPSILON;
use crate::builder::{Conv, GraphBuilder, Pool, Value};

pub(super) const ALL: &[Architecture] = &[
    densenet("densenet121", |b, x, n| build(b, x, 32, [6, 12, 24, 16], n)),
    densenet("densenet161", |b, x, n| build(b, x, 48, [6, 12, 36, 24], n)),
    densenet("densenet169", |b, x, n| build(b, x, 32, [6, 12, 32, 32], n)),
    densenet("densenet201", |b, x, n| build(b, x, 32, [6, 12, 48, 32], n)),
];

const fn densenet(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::TORCHVISION, network)
}

/// `growth` is the number of channels that a layer adds, `repeats` the number of layers of each block.
fn build(b: &mut GraphBuilder, input: &Value, growth: usize, repeats: [usize; 4], classes: usize) -> Value {
    let x = b.conv("features.conv0", input, Conv::new(2 * growth, 7).stride(2).padding(3));
    let x = b.batch_norm("features.norm0", &x, BATCH_NORM_EPSILON);
    let x = b.relu("features.relu0", &x);
    let mut x = b.max_pool("features.pool0", &x, Pool::new(3, 2).padding(1));
    for (index, layers) in repeats.into_iter().enumerate() {
        x = block(b, &format!("features.denseblock{}", index + 1), x, growth, layers);
        // The last block keeps its size: the head follows.
        if index + 1 < repeats.len() {
            x = transition(b, &format!("features.transition{}", index + 1), &x);
        }
    }
    let x = b.batch_norm("features.norm5", &x, BATCH_NORM_EPSILON);
    // A function, not a module, in torchvision; named so that it is the last layer under `features`.
    let x = b.relu("features.relu", &x);
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.classifier("classifier", &x, classes)
}

fn block(b: &mut GraphBuilder, at: &str, input: Value, growth: usize, layers: usize) -> Value {
    let mut features = vec![input];
    for index in 1..=layers {
        let new = layer(b, &format!("{at}.denselayer{index}"), &features, growth);
        features.push(new);
    }
    b.concat(&format!("{at}.cat"), &features.iter().collect::<Vec<_>>())
}

fn layer(b: &mut GraphBuilder, at: &str, features: &[Value], growth: usize) -> Value {
    let x = match features {
        // A concatenation of one tensor would be a layer that computes nothing.
        [only] => only.clone(),
        several => b.concat(&format!("{at}.cat"), &several.iter().collect::<Vec<_>>()),
    };
    // This norm follows a concatenation and cannot be folded into a convolution; `norm2` can.
    let x = b.batch_norm(&format!("{at}.norm1"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu1"), &x);
    let x = b.conv(&format!("{at}.conv1"), &x, Conv::new(4 * growth, 1));
    let x = b.batch_norm(&format!("{at}.norm2"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu2"), &x);
    b.conv(&format!("{at}.conv2"), &x, Conv::new(growth, 3).padding(1))
}

fn transition(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    let x = b.batch_norm(&format!("{at}.norm"), input, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu"), &x);
    let x = b.conv(&format!("{at}.conv"), &x, Conv::new(input.channels / 2, 1));
    b.avg_pool(&format!("{at}.pool"), &x, Pool::new(2, 2))
}
