//! DenseNet: every layer of a block reads the outputs of all layers before it.
//!
//! Reference: G. Huang, Z. Liu, L. van der Maaten, K. Weinberger, "Densely Connected Convolutional Networks", 2016.
//! Growth rate 32, bottlenecks of four times that, transitions that halve the channels.

use super::torchvision::BATCH_NORM_EPSILON;
use crate::builder::{Conv, GraphBuilder, Pool, Value};

const GROWTH: usize = 32;
const BOTTLENECK: usize = 4 * GROWTH;

/// `repeats` has the number of layers of each block.
pub(super) fn build(b: &mut GraphBuilder, input: &Value, repeats: [usize; 4], classes: usize) -> Value {
    let x = b.conv("features.conv0", input, Conv::new(2 * GROWTH, 7).stride(2).padding(3));
    let x = b.batch_norm("features.norm0", &x, BATCH_NORM_EPSILON);
    let x = b.relu("features.relu0", &x);
    let mut x = b.max_pool("features.pool0", &x, Pool::new(3, 2).padding(1));
    for (index, layers) in repeats.into_iter().enumerate() {
        x = block(b, &format!("features.denseblock{}", index + 1), x, layers);
        if index + 1 < repeats.len() {
            x = transition(b, &format!("features.transition{}", index + 1), &x);
        }
    }
    let x = b.batch_norm("features.norm5", &x, BATCH_NORM_EPSILON);
    // A function, not a module, in torchvision; named so that it is the last layer under `features`.
    let x = b.relu("features.relu", &x);
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.linear("classifier", &x, classes)
}

fn block(b: &mut GraphBuilder, at: &str, input: Value, layers: usize) -> Value {
    let mut features = vec![input];
    for index in 1..=layers {
        let new = layer(b, &format!("{at}.denselayer{index}"), &features);
        features.push(new);
    }
    b.concat(&format!("{at}.cat"), &features.iter().collect::<Vec<_>>())
}

fn layer(b: &mut GraphBuilder, at: &str, features: &[Value]) -> Value {
    let x = match features {
        [only] => only.clone(),
        several => b.concat(&format!("{at}.cat"), &several.iter().collect::<Vec<_>>()),
    };
    let x = b.batch_norm(&format!("{at}.norm1"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu1"), &x);
    let x = b.conv(&format!("{at}.conv1"), &x, Conv::new(BOTTLENECK, 1));
    let x = b.batch_norm(&format!("{at}.norm2"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu2"), &x);
    b.conv(&format!("{at}.conv2"), &x, Conv::new(GROWTH, 3).padding(1))
}

fn transition(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    let x = b.batch_norm(&format!("{at}.norm"), input, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu"), &x);
    let x = b.conv(&format!("{at}.conv"), &x, Conv::new(input.channels / 2, 1));
    b.avg_pool(&format!("{at}.pool"), &x, 2)
}
