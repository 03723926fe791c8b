//! Swin transformers: attention inside of windows that are shifted in every other block, and patches that merge.
//!
//! References: Z. Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", 2021; Z. Liu et al.,
//! "Swin Transformer V2: Scaling Up Capacity and Resolution", 2021. Version 2 compares directions, computes its position bias,
//! and has its norms at the ends of the branches.

use super::architecture::{Architecture, Network};
use super::attention;
use super::recipe::Recipe;
use super::windows;
use crate::builder::{Conv, GraphBuilder, Value};
use crate::card::Filter;

pub(super) const ALL: &[Architecture] = &[
    swin("swin_t", 224, 232, |b, x, n| build(b, x, &Plan { depth: 6, width: 96, heads: 3, version: 1 }, n)),
    swin("swin_s", 224, 246, |b, x, n| build(b, x, &Plan { depth: 18, width: 96, heads: 3, version: 1 }, n)),
    swin("swin_b", 224, 238, |b, x, n| build(b, x, &Plan { depth: 18, width: 128, heads: 4, version: 1 }, n)),
    swin("swin_v2_t", 256, 260, |b, x, n| {
        build(b, x, &Plan { depth: 6, width: 96, heads: 3, version: 2 }, n)
    }),
    swin("swin_v2_s", 256, 260, |b, x, n| {
        build(b, x, &Plan { depth: 18, width: 96, heads: 3, version: 2 }, n)
    }),
    swin("swin_v2_b", 256, 272, |b, x, n| {
        build(b, x, &Plan { depth: 18, width: 128, heads: 4, version: 2 }, n)
    }),
];

const fn swin(name: &'static str, input: usize, resize: usize, network: Network) -> Architecture {
    Architecture::new(name, Recipe::torchvision(input, resize).filter(Filter::Bicubic), network)
}

const EPSILON: f64 = 1e-5;
const PATCH: usize = 4;

struct Plan {
    /// Blocks of the third stage; the others have two.
    depth: usize,
    /// Features of the first stage; each stage doubles them.
    width: usize,
    /// Heads of the first stage; each stage doubles them.
    heads: usize,
    version: usize,
}

fn build(b: &mut GraphBuilder, input: &Value, plan: &Plan, classes: usize) -> Value {
    // Both divide the maps of the published input, 224 and 256 pixels, without a rest.
    let side = if plan.version == 1 { 7 } else { 8 };
    let x = b.conv("features.0.0", input, Conv::new(plan.width, PATCH).stride(PATCH).biased());
    let x = b.transpose("features.0.1", &x, &[0, 2, 3, 1]);
    let mut x = b.layer_norm("features.0.2", &x, EPSILON);
    for (stage, blocks) in [2, 2, plan.depth, 2].into_iter().enumerate() {
        if stage > 0 {
            x = merge(b, &format!("features.{}", 2 * stage), &x, plan.version);
        }
        for index in 0..blocks {
            let at = format!("features.{}.{index}", 2 * stage + 1);
            // By half a window, so that each cell meets cells of other windows than in the block before.
            let shift = if index % 2 == 1 { side / 2 } else { 0 };
            let window = windows::Window { side, shift, heads: plan.heads << stage, version: plan.version };
            x = block(b, &at, &x, &window);
        }
    }
    let x = b.layer_norm("norm", &x, EPSILON);
    let x = b.transpose("permute", &x, &[0, 3, 1, 2]);
    let x = b.global_avg_pool("avgpool", &x);
    let x = b.flatten("flatten", &x);
    b.classifier("head", &x, classes)
}

fn block(b: &mut GraphBuilder, at: &str, input: &Value, window: &windows::Window) -> Value {
    let (first, second) = (format!("{at}.norm1"), format!("{at}.norm2"));
    let norm_first = window.version == 1;
    let mut y = input.clone();
    if norm_first {
        y = b.layer_norm(&first, &y, EPSILON);
    }
    y = window.attend(b, &format!("{at}.attn"), &y);
    if !norm_first {
        y = b.layer_norm(&first, &y, EPSILON);
    }
    let x = b.add(&format!("{at}.add"), input, &y);
    let mut y = x.clone();
    if norm_first {
        y = b.layer_norm(&second, &y, EPSILON);
    }
    y = attention::mlp(b, at, &y);
    if !norm_first {
        y = b.layer_norm(&second, &y, EPSILON);
    }
    b.add(&format!("{at}.add_1"), &x, &y)
}

/// Four neighbours become one cell with twice the features.
fn merge(b: &mut GraphBuilder, at: &str, input: &Value, version: usize) -> Value {
    let &[_, height, width, features] = input.shape() else { return input.clone() };
    let x = windows::pad(b, at, input, [height % 2, width % 2]);
    let &[_, height, width, _] = x.shape() else { return x };
    let mut part = |row: usize, column: usize| {
        let rows = b.slice(&format!("{at}.rows{row}{column}"), &x, 1, row..height, 2);
        b.slice(&format!("{at}.cells{row}{column}"), &rows, 2, column..width, 2)
    };
    // The order in which the trained reduction reads them: rows first.
    let parts = [part(0, 0), part(1, 0), part(0, 1), part(1, 1)];
    let x = b.concat_along(&format!("{at}.cat"), &parts.each_ref(), 3);
    let (norm, reduction) = (format!("{at}.norm"), format!("{at}.reduction"));
    if version == 1 {
        let x = b.layer_norm(&norm, &x, EPSILON);
        return b.projection(&reduction, &x, 2 * features);
    }
    let x = b.projection(&reduction, &x, 2 * features);
    b.layer_norm(&norm, &x, EPSILON)
}
