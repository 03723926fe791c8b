//! MaxViT: convolutions, then attention inside of windows, then attention between cells of a sparse grid.
//!
//! Reference: Z. Tu et al., "MaxViT: Multi-Axis Vision Transformer", 2022.

use super::architecture::Architecture;
use super::attention;
use super::recipe::Recipe;
use super::torchvision::{Excitation, Style, TENSORFLOW_EPSILON};
use crate::builder::{Activation, Conv, GraphBuilder, Pool, Value};
use crate::card::Filter;

pub(super) const ALL: &[Architecture] =
    &[Architecture::new("maxvit_t", Recipe::torchvision(224, 224).filter(Filter::Bicubic), build)];

const STYLE: Style = Style { epsilon: TENSORFLOW_EPSILON, activation: Activation::Gelu };
const LAYER_NORM_EPSILON: f64 = 1e-5;
const STEM: usize = 64;
/// Channels and layers of each block.
const BLOCKS: [(usize, usize); 4] = [(64, 2), (128, 2), (256, 5), (512, 2)];
/// Cells of a side of a window, and of the grid.
/// The last map of a 224x224 picture is one window.
const SIDE: usize = 7;
const HEAD_WIDTH: usize = 32;

fn build(b: &mut GraphBuilder, input: &Value, classes: usize) -> Value {
    let x = STYLE.conv(b, "stem.0", input, Conv::new(STEM, 3).stride(2).padding(1));
    let mut x = b.conv("stem.1.0", &x, Conv::new(STEM, 3).padding(1).biased());
    for (block, (channels, layers)) in BLOCKS.into_iter().enumerate() {
        for layer in 0..layers {
            let at = format!("blocks.{block}.layers.{layer}.layers");
            let stride = if layer == 0 { 2 } else { 1 };
            x = convolutions(b, &format!("{at}.MBconv"), &x, channels, stride);
            x = partition(b, &format!("{at}.window_attention"), &x, false);
            x = partition(b, &format!("{at}.grid_attention"), &x, true);
        }
    }
    let x = b.global_avg_pool("classifier.0", &x);
    let x = b.flatten("classifier.1", &x);
    b.head("classifier", &x, |b, x| {
        let width = x.features();
        let x = b.layer_norm("classifier.2", x, LAYER_NORM_EPSILON);
        let x = b.linear("classifier.3", &x, width);
        let x = b.activation("classifier.4", &x, Activation::Tanh);
        // Without a bias, unlike all other networks here.
        b.head("classifier.5", &x, |b, x| b.projection("classifier.5", x, classes))
    })
}

fn convolutions(b: &mut GraphBuilder, at: &str, input: &Value, channels: usize, stride: usize) -> Value {
    let mut skip = input.clone();
    if stride == 2 {
        skip = b.avg_pool(&format!("{at}.proj.0"), &skip, Pool::new(3, 2).padding(1));
        skip = b.conv(&format!("{at}.proj.1"), &skip, Conv::new(channels, 1).biased());
    }
    // Four times the block's output; MobileNetV2 expands its input.
    let hidden = 4 * channels;
    let inner = format!("{at}.layers");
    let x = b.batch_norm(&format!("{inner}.pre_norm"), input, STYLE.epsilon);
    let x = STYLE.conv(b, &format!("{inner}.conv_a"), &x, Conv::new(hidden, 1));
    let depthwise = Conv::new(hidden, 3).stride(stride).padding(1).groups(hidden);
    let x = STYLE.conv(b, &format!("{inner}.conv_b"), &x, depthwise);
    let squeeze =
        Excitation { squeeze: channels / 4, activation: Activation::Silu, gate: Activation::Sigmoid };
    let x = squeeze.build(b, &format!("{inner}.squeeze_excitation"), &x);
    let x = b.conv(&format!("{inner}.conv_c"), &x, Conv::new(channels, 1).biased());
    b.add(&format!("{at}.add"), &skip, &x)
}

/// Attention and two linear layers on the cells of each part, `[batch, parts, cells, features]`. The cells of a part are
/// neighbours, or `is_grid` and as far from each other as the map allows.
fn partition(b: &mut GraphBuilder, at: &str, input: &Value, is_grid: bool) -> Value {
    let &[_, features, height, width] = input.shape() else { return input.clone() };
    let [down, across] = [height / SIDE, width / SIDE];
    // Rows of parts and cells, columns of parts and cells, then features.
    let (shape, perm, back) = match is_grid {
        false => ([0, features, down, SIDE, across, SIDE], [0, 2, 4, 3, 5, 1], [0, 5, 1, 3, 2, 4]),
        true => ([0, features, SIDE, down, SIDE, across], [0, 3, 5, 2, 4, 1], [0, 5, 3, 1, 4, 2]),
    };
    let x = b.reshape(&format!("{at}.reshape"), input, &shape);
    let x = b.transpose(&format!("{at}.permute"), &x, &perm);
    let x = b.reshape(&format!("{at}.parts"), &x, &[0, down * across, SIDE * SIDE, features]);
    let y = b.layer_norm(&format!("{at}.attn_layer.0"), &x, LAYER_NORM_EPSILON);
    let y = attend(b, &format!("{at}.attn_layer.1"), &y);
    let x = b.add(&format!("{at}.add"), &x, &y);
    let mlp = format!("{at}.mlp_layer");
    let y = b.layer_norm(&format!("{mlp}.0"), &x, LAYER_NORM_EPSILON);
    let y = b.linear(&format!("{mlp}.1"), &y, 4 * features);
    let y = b.activation(&format!("{mlp}.2"), &y, Activation::Gelu);
    let y = b.linear(&format!("{mlp}.3"), &y, features);
    let x = b.add(&format!("{at}.add_1"), &x, &y);
    let x = b.reshape(&format!("{at}.cells"), &x, &[0, down, across, SIDE, SIDE, features]);
    let x = b.transpose(&format!("{at}.permute_1"), &x, &back);
    b.reshape(&format!("{at}.map"), &x, &[0, features, height, width])
}

fn attend(b: &mut GraphBuilder, at: &str, input: &Value) -> Value {
    let features = input.features();
    // None are left where the builder has refused something before, and reports that at its end.
    let heads = (features / HEAD_WIDTH).max(1);
    let joined = b.linear(&format!("{at}.to_qkv"), input, 3 * features);
    let [query, key, value] = attention::split(b, at, &joined, heads);
    // By the number of all features, not of a head's.
    let key = b.times(&format!("{at}.scale"), &key, (features as f64).powf(-0.5));
    let x = attention::scores(b, at, &query, &key);
    let (cells, bias) = (SIDE * SIDE, attention::table_bias(at, SIDE, heads));
    let x = b.shift_by(&format!("{at}.bias"), &x, &[heads, cells, cells], bias);
    let x = attention::attend(b, at, &x, &value);
    b.linear(&format!("{at}.merge"), &x, features)
}
