//! VGG: 3x3 convolutions with a pool after each stage, and three linear layers.
//!
//! Reference: K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::torchvision::BATCH_NORM_EPSILON;
use crate::builder::{Conv, GraphBuilder, Pool, Value};

pub(super) const ALL: &[Architecture] = &[
    vgg("vgg11", |b, x, n| build(b, x, [1, 1, 2, 2, 2], false, n)),
    vgg("vgg11_bn", |b, x, n| build(b, x, [1, 1, 2, 2, 2], true, n)),
    vgg("vgg13", |b, x, n| build(b, x, [2, 2, 2, 2, 2], false, n)),
    vgg("vgg13_bn", |b, x, n| build(b, x, [2, 2, 2, 2, 2], true, n)),
    vgg("vgg16", |b, x, n| build(b, x, [2, 2, 3, 3, 3], false, n)),
    vgg("vgg16_bn", |b, x, n| build(b, x, [2, 2, 3, 3, 3], true, n)),
    vgg("vgg19", |b, x, n| build(b, x, [2, 2, 4, 4, 4], false, n)),
    vgg("vgg19_bn", |b, x, n| build(b, x, [2, 2, 4, 4, 4], true, n)),
];

const fn vgg(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::TORCHVISION, network)
}

const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];
const HIDDEN: usize = 4096;

/// `repeats` has the number of convolutions of each stage; `norm` adds a batch norm after each.
fn build(b: &mut GraphBuilder, input: &Value, repeats: [usize; 5], norm: bool, classes: usize) -> Value {
    let mut x = input.clone();
    // torchvision numbers the modules of `features` consecutively.
    let mut numbers = (0..).map(|number: usize| format!("features.{number}"));
    let mut next = || numbers.next().unwrap_or_default();
    for (width, repeats) in WIDTHS.into_iter().zip(repeats) {
        for _ in 0..repeats {
            // With a bias before a norm, too, as in torchvision's files; folding joins them.
            x = b.conv(&next(), &x, Conv::new(width, 3).padding(1).biased());
            if norm {
                x = b.batch_norm(&next(), &x, BATCH_NORM_EPSILON);
            }
            x = b.relu(&next(), &x);
        }
        x = b.max_pool(&next(), &x, Pool::new(2, 2));
    }
    // Changes nothing at 224 pixels; other sizes are brought to the 7x7 cells that the first linear layer reads.
    let x = b.adaptive_avg_pool("avgpool", &x, 7);
    let x = b.flatten("flatten", &x);
    b.head("classifier", &x, |b, x| {
        let x = b.linear("classifier.0", x, HIDDEN);
        let x = b.relu("classifier.1", &x);
        let x = b.dropout("classifier.2", &x);
        let x = b.linear("classifier.3", &x, HIDDEN);
        let x = b.relu("classifier.4", &x);
        let x = b.dropout("classifier.5", &x);
        b.classifier("classifier.6", &x, classes)
    })
}
