//! GoogLeNet and Inception v3: modules of parallel branches, joined along the channels.
//!
//! References: C. Szegedy et al., "Going Deeper with Convolutions", 2014; C. Szegedy et al., "Rethinking the Inception
//! Architecture for Computer Vision", 2015. The published weights expect values from -1 to 1: torchvision's
//! `transform_input` brings pictures normalised for other networks there.

use super::architecture::Architecture;
use super::recipe::Recipe;
use super::torchvision::TENSORFLOW_EPSILON;
use crate::builder::{Conv, GraphBuilder, Pool, Value};

pub(super) const ALL: &[Architecture] = &[
    Architecture::new("googlenet", Recipe::TORCHVISION.halves(), googlenet).without(&["aux1.", "aux2."]),
    Architecture::new("inception_v3", Recipe::torchvision(299, 342).halves(), inception_v3)
        .without(&["AuxLogits."]),
];

/// torchvision's `BasicConv2d`.
fn conv(b: &mut GraphBuilder, at: &str, input: &Value, conv: Conv) -> Value {
    let x = b.conv(&format!("{at}.conv"), input, conv);
    // Both networks' weights are ports from TensorFlow.
    let x = b.batch_norm(&format!("{at}.bn"), &x, TENSORFLOW_EPSILON);
    b.relu(&format!("{at}.relu"), &x)
}

fn googlenet(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    /// Channels of the branches: 1x1; 1x1 and 3x3; 1x1 and 3x3; 1x1 after the pool.
    const MODULES: [(&str, [usize; 6]); 9] = [
        ("inception3a", [64, 96, 128, 16, 32, 32]),
        ("inception3b", [128, 128, 192, 32, 96, 64]),
        ("inception4a", [192, 96, 208, 16, 48, 64]),
        ("inception4b", [160, 112, 224, 24, 64, 64]),
        ("inception4c", [128, 128, 256, 24, 64, 64]),
        ("inception4d", [112, 144, 288, 32, 64, 64]),
        ("inception4e", [256, 160, 320, 32, 128, 128]),
        ("inception5a", [256, 160, 320, 32, 128, 128]),
        ("inception5b", [384, 192, 384, 48, 128, 128]),
    ];
    let x = conv(b, "conv1", input, Conv::new(64, 7).stride(2).padding(3));
    // `ceil`: the last window may reach over the edge, so that 112 cells become 56 and not 55.
    let x = b.max_pool("maxpool1", &x, Pool::new(3, 2).ceil());
    let x = conv(b, "conv2", &x, Conv::new(64, 1));
    let x = conv(b, "conv3", &x, Conv::new(192, 3).padding(1));
    let mut x = b.max_pool("maxpool2", &x, Pool::new(3, 2).ceil());
    for (at, channels) in MODULES {
        match at {
            "inception4a" => x = b.max_pool("maxpool3", &x, Pool::new(3, 2).ceil()),
            "inception5a" => x = b.max_pool("maxpool4", &x, Pool::new(2, 2).ceil()),
            _ => {}
        }
        x = module(b, at, &x, channels);
    }
    end(b, &x, classes)
}

fn module(b: &mut GraphBuilder, at: &str, input: &Value, channels: [usize; 6]) -> Value {
    let [one, before_three, three, before_five, five, pooled] = channels;
    let first = conv(b, &format!("{at}.branch1"), input, Conv::new(one, 1));
    let x = conv(b, &format!("{at}.branch2.0"), input, Conv::new(before_three, 1));
    let second = conv(b, &format!("{at}.branch2.1"), &x, Conv::new(three, 3).padding(1));
    // 5x5 in the paper; torchvision's weights have 3x3.
    let x = conv(b, &format!("{at}.branch3.0"), input, Conv::new(before_five, 1));
    let third = conv(b, &format!("{at}.branch3.1"), &x, Conv::new(five, 3).padding(1));
    let x = b.max_pool(&format!("{at}.branch4.0"), input, Pool::new(3, 1).padding(1).ceil());
    let fourth = conv(b, &format!("{at}.branch4.1"), &x, Conv::new(pooled, 1));
    b.concat(&format!("{at}.cat"), &[&first, &second, &third, &fourth])
}

fn end(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    let x = b.global_avg_pool("avgpool", input);
    let x = b.flatten("flatten", &x);
    let x = b.dropout("dropout", &x);
    b.classifier("fc", &x, classes)
}

fn inception_v3(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    let x = conv(b, "Conv2d_1a_3x3", input, Conv::new(32, 3).stride(2));
    let x = conv(b, "Conv2d_2a_3x3", &x, Conv::new(32, 3));
    let x = conv(b, "Conv2d_2b_3x3", &x, Conv::new(64, 3).padding(1));
    let x = b.max_pool("maxpool1", &x, Pool::new(3, 2));
    let x = conv(b, "Conv2d_3b_1x1", &x, Conv::new(80, 1));
    let x = conv(b, "Conv2d_4a_3x3", &x, Conv::new(192, 3));
    let mut x = b.max_pool("maxpool2", &x, Pool::new(3, 2));
    for (at, pooled) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] {
        x = mixed_a(b, at, &x, pooled);
    }
    x = mixed_b(b, "Mixed_6a", &x);
    for (at, width) in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)] {
        x = mixed_c(b, at, &x, width);
    }
    x = mixed_d(b, "Mixed_7a", &x);
    for at in ["Mixed_7b", "Mixed_7c"] {
        x = mixed_e(b, at, &x);
    }
    end(b, &x, classes)
}

/// A chain of convolutions, each named `AT.STEM` and its own ending.
fn chain(b: &mut GraphBuilder, stem: &str, input: &Value, convs: &[(&str, Conv)]) -> Value {
    let mut x = input.clone();
    for (ending, settings) in convs {
        x = conv(b, &format!("{stem}{ending}"), &x, *settings);
    }
    x
}

/// Mean of 3x3 cells around each, then a 1x1 convolution.
fn pooled(b: &mut GraphBuilder, at: &str, input: &Value, out: usize) -> Value {
    let x = b.avg_pool(&format!("{at}.avg_pool2d"), input, Pool::new(3, 1).padding(1));
    conv(b, &format!("{at}.branch_pool"), &x, Conv::new(out, 1))
}

fn mixed_a(b: &mut GraphBuilder, at: &str, input: &Value, out: usize) -> Value {
    let first = conv(b, &format!("{at}.branch1x1"), input, Conv::new(64, 1));
    let five = [("_1", Conv::new(48, 1)), ("_2", Conv::new(64, 5).padding(2))];
    let second = chain(b, &format!("{at}.branch5x5"), input, &five);
    let three = Conv::new(96, 3).padding(1);
    let double = [("_1", Conv::new(64, 1)), ("_2", three), ("_3", three)];
    let third = chain(b, &format!("{at}.branch3x3dbl"), input, &double);
    let fourth = pooled(b, at, input, out);
    b.concat(&format!("{at}.cat"), &[&first, &second, &third, &fourth])
}

fn mixed_b(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    // No branch pads where it halves, so that their sizes agree.
    let first = conv(b, &format!("{at}.branch3x3"), input, Conv::new(384, 3).stride(2));
    let three = Conv::new(96, 3);
    let double = [("_1", Conv::new(64, 1)), ("_2", three.padding(1)), ("_3", three.stride(2))];
    let second = chain(b, &format!("{at}.branch3x3dbl"), input, &double);
    let third = b.max_pool(&format!("{at}.max_pool2d"), input, Pool::new(3, 2));
    b.concat(&format!("{at}.cat"), &[&first, &second, &third])
}

fn mixed_c(b: &mut GraphBuilder, at: &str, input: &Value, width: usize) -> Value {
    // A row and a column in the place of a 7x7 window: 14 weights instead of 49.
    let row = |out| Conv::centred(out, [1, 7]);
    let column = |out| Conv::centred(out, [7, 1]);
    let narrow = Conv::new(width, 1);
    let first = conv(b, &format!("{at}.branch1x1"), input, Conv::new(192, 1));
    let seven = [("_1", narrow), ("_2", row(width)), ("_3", column(192))];
    let second = chain(b, &format!("{at}.branch7x7"), input, &seven);
    let double =
        [("_1", narrow), ("_2", column(width)), ("_3", row(width)), ("_4", column(width)), ("_5", row(192))];
    let third = chain(b, &format!("{at}.branch7x7dbl"), input, &double);
    let fourth = pooled(b, at, input, 192);
    b.concat(&format!("{at}.cat"), &[&first, &second, &third, &fourth])
}

fn mixed_d(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    let narrow = Conv::new(192, 1);
    let three = [("_1", narrow), ("_2", Conv::new(320, 3).stride(2))];
    let first = chain(b, &format!("{at}.branch3x3"), input, &three);
    let (row, column) = (Conv::centred(192, [1, 7]), Conv::centred(192, [7, 1]));
    let seven = [("_1", narrow), ("_2", row), ("_3", column), ("_4", Conv::new(192, 3).stride(2))];
    let second = chain(b, &format!("{at}.branch7x7x3"), input, &seven);
    let third = b.max_pool(&format!("{at}.max_pool2d"), input, Pool::new(3, 2));
    b.concat(&format!("{at}.cat"), &[&first, &second, &third])
}

fn mixed_e(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    let first = conv(b, &format!("{at}.branch1x1"), input, Conv::new(320, 1));
    let x = conv(b, &format!("{at}.branch3x3_1"), input, Conv::new(384, 1));
    let second = fork(b, &format!("{at}.branch3x3_2"), &x);
    let double = [("_1", Conv::new(448, 1)), ("_2", Conv::new(384, 3).padding(1))];
    let x = chain(b, &format!("{at}.branch3x3dbl"), input, &double);
    let third = fork(b, &format!("{at}.branch3x3dbl_3"), &x);
    let fourth = pooled(b, at, input, 192);
    b.concat(&format!("{at}.cat"), &[&first, &second, &third, &fourth])
}

/// A row and a column of three side by side.
fn fork(b: &mut GraphBuilder, stem: &str, input: &Value) -> Value {
    let row = conv(b, &format!("{stem}a"), input, Conv::centred(384, [1, 3]));
    let column = conv(b, &format!("{stem}b"), input, Conv::centred(384, [3, 1]));
    b.concat(&format!("{stem}.cat"), &[&row, &column])
}
