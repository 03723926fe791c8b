//! Vision transformers: the picture as a list of square patches behind a class token.
//!
//! Reference: A. Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", 2020.

use super::architecture::{Architecture, Network};
use super::attention;
use super::recipe::Recipe;
use crate::builder::{Conv, GraphBuilder, Value};
use crate::card::Filter;

pub(super) const ALL: &[Architecture] = &[
    vit("vit_b_16", Recipe::TORCHVISION, |b, x, n| build(b, x, &BASE.patch(16), n)),
    vit("vit_b_32", Recipe::TORCHVISION, |b, x, n| build(b, x, &BASE.patch(32), n)),
    vit("vit_l_16", Recipe::torchvision(224, 242), |b, x, n| build(b, x, &LARGE.patch(16), n)),
    vit("vit_l_32", Recipe::TORCHVISION, |b, x, n| build(b, x, &LARGE.patch(32), n)),
    // The default weights were fine-tuned at 518 pixels; so their positions are for 37x37 patches.
    vit("vit_h_14", Recipe::torchvision(518, 518).filter(Filter::Bicubic), |b, x, n| {
        build(b, x, &HUGE.patch(14), n)
    }),
];

const fn vit(name: &'static str, recipe: Recipe, network: Network) -> Architecture {
    Architecture::new(name, recipe, network)
}

/// Sizes that torchvision does not have; under the names of timm, which gives them their recipes.
pub(super) const SMALLER: &[Architecture] = &[
    vit("tiny_16", Recipe::TORCHVISION, |b, x, n| build(b, x, &TINY, n)),
    vit("small_16", Recipe::TORCHVISION, |b, x, n| build(b, x, &LITTLE, n)),
    vit("small_32", Recipe::TORCHVISION, |b, x, n| build(b, x, &LITTLE.patch(32), n)),
];

/// As the library transformers builds them, with a layer each for queries, keys and values.
pub(super) const TINY_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &TINY.as_in_transformers(), n);
pub(super) const SMALL_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &LITTLE.as_in_transformers(), n);
pub(super) const BASE_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &BASE.as_in_transformers(), n);
pub(super) const BASE_32_IN_TRANSFORMERS: Network =
    |b, x, n| build(b, x, &BASE.patch(32).as_in_transformers(), n);
pub(super) const LARGE_IN_TRANSFORMERS: Network = |b, x, n| build(b, x, &LARGE.as_in_transformers(), n);

#[derive(Debug, Clone, Copy)]
struct Plan {
    patch: usize,
    layers: usize,
    heads: usize,
    width: usize,
    /// The epsilon of its layer norms.
    epsilon: f64,
    /// Whether queries, keys and values come from one linear layer.
    is_packed: bool,
}

const BASE: Plan = Plan { patch: 16, layers: 12, heads: 12, width: 768, epsilon: 1e-6, is_packed: true };
const TINY: Plan = Plan { heads: 3, width: 192, ..BASE };
const LITTLE: Plan = Plan { heads: 6, width: 384, ..BASE };
const LARGE: Plan = Plan { layers: 24, heads: 16, width: 1024, ..BASE };
const HUGE: Plan = Plan { layers: 32, heads: 16, width: 1280, ..BASE };

impl Plan {
    const fn patch(self, patch: usize) -> Self {
        Self { patch, ..self }
    }

    const fn as_in_transformers(self) -> Self {
        // `layer_norm_eps` of its configuration.
        Self { epsilon: 1e-12, is_packed: false, ..self }
    }
}

fn build(b: &mut GraphBuilder, input: &Value, plan: &Plan, classes: usize) -> Value {
    let Plan { patch, layers, width, .. } = *plan;
    let x = b.conv("conv_proj", input, Conv::new(width, patch).stride(patch).biased());
    let positions = x.size()[0] * x.size()[1];
    let x = b.reshape("reshape", &x, &[0, width, positions]);
    let x = b.transpose("permute", &x, &[0, 2, 1]);
    let mut x = with_class_token(b, &x, positions, width);
    for layer in 0..layers {
        x = block(b, &format!("encoder.layers.encoder_layer_{layer}"), &x, plan);
    }
    let x = b.layer_norm("encoder.ln", &x, plan.epsilon);
    // Only the class token goes on. No score reads what the last block makes of the patches.
    let x = b.slice("getitem", &x, 1, 0..1, 1);
    let x = b.flatten("flatten", &x);
    b.head("heads", &x, |b, x| b.classifier("heads.head", x, classes))
}

/// The patches behind a class token, with their positions.
fn with_class_token(b: &mut GraphBuilder, patches: &Value, positions: usize, width: usize) -> Value {
    let x = b.behind("cat", "class_token", &[1, 1, width], patches, 1);
    b.shift("add", &x, "encoder.pos_embedding", &[1, positions + 1, width])
}

fn block(b: &mut GraphBuilder, at: &str, input: &Value, plan: &Plan) -> Value {
    let width = plan.width;
    let x = b.layer_norm(&format!("{at}.ln_1"), input, plan.epsilon);
    let inner = format!("{at}.self_attention");
    let [query, key, value] = projections(b, &inner, &x, plan);
    let scale = ((width / plan.heads) as f64).powf(-0.5);
    // On the query and not on the scores, as in PyTorch, so that values are rounded alike.
    let query = b.times(&format!("{inner}.scale"), &query, scale);
    let scores = attention::scores(b, &inner, &query, &key);
    let x = attention::attend(b, &inner, &scores, &value);
    let x = b.linear(&format!("{inner}.out_proj"), &x, width);
    let x = b.add(&format!("{at}.add"), &x, input);
    let y = b.layer_norm(&format!("{at}.ln_2"), &x, plan.epsilon);
    let y = attention::mlp(b, at, &y);
    b.add(&format!("{at}.add_1"), &x, &y)
}

/// Queries, keys and values of each head.
fn projections(b: &mut GraphBuilder, at: &str, input: &Value, plan: &Plan) -> [Value; 3] {
    if plan.is_packed {
        // PyTorch's packed projection is called `in_proj_weight`, not `in_proj.weight`.
        let joined =
            b.linear_called(&format!("{at}.in_proj"), input, 3 * plan.width, &format!("{at}.in_proj_"));
        return attention::split(b, at, &joined, plan.heads);
    }
    ["query", "key", "value"].map(|part| {
        let x = b.linear(&format!("{at}.{part}"), input, plan.width);
        attention::per_head(b, &format!("{at}.{part}"), &x, plan.heads)
    })
}
