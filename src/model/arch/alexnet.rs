//! AlexNet in its one-column form: five convolutions and three linear layers.
//!
//! Reference: A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.

use super::architecture::Architecture;
use super::recipe::Recipe;
use crate::builder::{Conv, GraphBuilder, Pool, Value};

pub(super) const ALL: &[Architecture] = &[Architecture::new("alexnet", Recipe::TORCHVISION, build)];

const HIDDEN: usize = 4096;

fn build(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    // 64 filters and not the paper's 96: the one-column form, with the widths of torchvision's weights.
    let x = b.conv("features.0", input, Conv::new(64, 11).stride(4).padding(2).biased());
    let x = b.relu("features.1", &x);
    let x = b.max_pool("features.2", &x, Pool::new(3, 2));
    let x = b.conv("features.3", &x, Conv::new(192, 5).padding(2).biased());
    let x = b.relu("features.4", &x);
    let x = b.max_pool("features.5", &x, Pool::new(3, 2));
    let x = b.conv("features.6", &x, Conv::new(384, 3).padding(1).biased());
    let x = b.relu("features.7", &x);
    let x = b.conv("features.8", &x, Conv::new(256, 3).padding(1).biased());
    let x = b.relu("features.9", &x);
    let x = b.conv("features.10", &x, Conv::new(256, 3).padding(1).biased());
    let x = b.relu("features.11", &x);
    let x = b.max_pool("features.12", &x, Pool::new(3, 2));
    // Changes nothing at 224 pixels; other sizes are brought to the 6x6 cells that the first linear layer reads.
    let x = b.adaptive_avg_pool("avgpool", &x, 6);
    let x = b.flatten("flatten", &x);
    b.head("classifier", &x, |b, x| {
        // Dropouts stay as nodes, because torchvision's numbers count them.
        let x = b.dropout("classifier.0", x);
        let x = b.linear("classifier.1", &x, HIDDEN);
        let x = b.relu("classifier.2", &x);
        let x = b.dropout("classifier.3", &x);
        let x = b.linear("classifier.4", &x, HIDDEN);
        let x = b.relu("classifier.5", &x);
        b.classifier("classifier.6", &x, classes)
    })
}
