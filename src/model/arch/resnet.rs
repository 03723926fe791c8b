//! Residual networks: stages of blocks whose input is added to their output.
//!
//! Reference: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015. A bottleneck has
//! its stride on the 3x3 convolution, as in torchvision.

use super::torchvision::BATCH_NORM_EPSILON;
use crate::builder::{Conv, GraphBuilder, Pool, Value};

/// The block that a stage repeats.
#[derive(Debug, Clone, Copy)]
pub(super) enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3 and 1x1 to four times the width.
    Bottleneck,
}

const WIDTHS: [usize; 4] = [64, 128, 256, 512];

/// `repeats` has the number of blocks of each stage.
pub(super) fn build(
    b: &mut GraphBuilder,
    input: &Value,
    block: Block,
    repeats: [usize; 4],
    classes: usize,
) -> Value {
    let x = b.conv("conv1", input, Conv::new(64, 7).stride(2).padding(3));
    let x = b.batch_norm("bn1", &x, BATCH_NORM_EPSILON);
    let x = b.relu("relu", &x);
    let mut x = b.max_pool("maxpool", &x, Pool::new(3, 2).padding(1));
    for (stage, (width, repeats)) in WIDTHS.into_iter().zip(repeats).enumerate() {
        for repeat in 0..repeats {
            let stride = if stage > 0 && repeat == 0 { 2 } else { 1 };
            let at = format!("layer{}.{repeat}", stage + 1);
            x = match block {
                Block::Basic => basic(b, &at, &x, width, stride),
                Block::Bottleneck => bottleneck(b, &at, &x, width, stride),
            };
        }
    }
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.linear("fc", &x, classes)
}

fn basic(b: &mut GraphBuilder, at: &str, input: &Value, width: usize, stride: usize) -> Value {
    let x = b.conv(&format!("{at}.conv1"), input, Conv::new(width, 3).stride(stride).padding(1));
    let x = b.batch_norm(&format!("{at}.bn1"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu"), &x);
    let x = b.conv(&format!("{at}.conv2"), &x, Conv::new(width, 3).padding(1));
    let x = b.batch_norm(&format!("{at}.bn2"), &x, BATCH_NORM_EPSILON);
    let shortcut = shortcut(b, at, input, x.channels, stride);
    let x = b.add(&format!("{at}.add"), &x, &shortcut);
    b.relu(&format!("{at}.relu_1"), &x)
}

fn bottleneck(b: &mut GraphBuilder, at: &str, input: &Value, width: usize, stride: usize) -> Value {
    let x = b.conv(&format!("{at}.conv1"), input, Conv::new(width, 1));
    let x = b.batch_norm(&format!("{at}.bn1"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu"), &x);
    let x = b.conv(&format!("{at}.conv2"), &x, Conv::new(width, 3).stride(stride).padding(1));
    let x = b.batch_norm(&format!("{at}.bn2"), &x, BATCH_NORM_EPSILON);
    let x = b.relu(&format!("{at}.relu_1"), &x);
    let x = b.conv(&format!("{at}.conv3"), &x, Conv::new(4 * width, 1));
    let x = b.batch_norm(&format!("{at}.bn3"), &x, BATCH_NORM_EPSILON);
    let shortcut = shortcut(b, at, input, x.channels, stride);
    let x = b.add(&format!("{at}.add"), &x, &shortcut);
    b.relu(&format!("{at}.relu_2"), &x)
}

/// The block's input, projected to the output's size if that differs.
fn shortcut(b: &mut GraphBuilder, at: &str, input: &Value, channels: usize, stride: usize) -> Value {
    if stride == 1 && input.channels == channels {
        return input.clone();
    }
    let x = b.conv(&format!("{at}.downsample.0"), input, Conv::new(channels, 1).stride(stride));
    b.batch_norm(&format!("{at}.downsample.1"), &x, BATCH_NORM_EPSILON)
}
