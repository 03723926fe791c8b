//! Networks of torchvision under the names of timm, `timm:NAME`.
//!
//! Layers and tensors are called as timm calls them. Where timm and torchvision use the same names, an entry differs in the
//! preprocessing only: timm's is that of the weights that it loads by default, others of the same network may differ.

use super::architecture::{Architecture, Dialect};
use super::recipe::Recipe;
use super::timm_names as names;
use super::timm_token_names as token_names;
use super::{
    convnext, densenet, efficientnet, inception, mnasnet, mobilenet_v2, mobilenet_v3, regnet, resnet, swin,
    vgg, vit,
};
use crate::card::Filter;

#[rustfmt::skip] // a table: one network a line
pub(super) const ALL: &[Architecture] = &[
    timm("timm:resnet18", [224, 235], resnet::ALL, "resnet18", same),
    timm("timm:resnet34", [224, 235], resnet::ALL, "resnet34", same),
    timm("timm:resnet50", [224, 235], resnet::ALL, "resnet50", same),
    timm("timm:resnet101", [224, 235], resnet::ALL, "resnet101", same),
    timm("timm:resnet152", [224, 235], resnet::ALL, "resnet152", same),
    timm("timm:resnext50_32x4d", [224, 235], resnet::ALL, "resnext50_32x4d", same),
    timm("timm:resnext101_32x8d", [224, 256], resnet::ALL, "resnext101_32x8d", same).bilinear(),
    timm("timm:resnext101_64x4d", [224, 235], resnet::ALL, "resnext101_64x4d", same),
    timm("timm:wide_resnet50_2", [224, 256], resnet::ALL, "wide_resnet50_2", same),
    timm("timm:wide_resnet101_2", [224, 256], resnet::ALL, "wide_resnet101_2", same).bilinear(),
    timm("timm:densenet121", [224, 256], densenet::ALL, "densenet121", same),
    timm("timm:densenet161", [224, 256], densenet::ALL, "densenet161", same),
    timm("timm:densenet169", [224, 256], densenet::ALL, "densenet169", same),
    timm("timm:densenet201", [224, 256], densenet::ALL, "densenet201", same),
    timm("timm:inception_v3", [299, 341], inception::ALL, "inception_v3", same).halves(),
    timm("timm:mobilenetv2_100", [224, 256], mobilenet_v2::ALL, "mobilenet_v2", names::mobilenet_v2),
    timm("timm:mobilenetv3_large_100", [224, 256], mobilenet_v3::TIMM, "large", names::mobilenet_v3_large),
    timm("timm:mobilenetv3_small_100", [224, 256], mobilenet_v3::TIMM, "small", names::mobilenet_v3_small),
    timm("timm:mnasnet_100", [224, 256], mnasnet::ALL, "mnasnet1_0", names::mnasnet),
    timm("timm:efficientnet_b0", [224, 256], efficientnet::ALL, "efficientnet_b0", names::efficientnet),
    timm("timm:efficientnet_b1", [240, 266], efficientnet::ALL, "efficientnet_b1", names::efficientnet).halves(),
    timm("timm:efficientnet_b2", [256, 292], efficientnet::ALL, "efficientnet_b2", names::efficientnet),
    timm("timm:efficientnet_b3", [288, 329], efficientnet::ALL, "efficientnet_b3", names::efficientnet),
    timm("timm:efficientnet_b4", [320, 365], efficientnet::ALL, "efficientnet_b4", names::efficientnet),
    timm("timm:efficientnet_b5", [448, 448], efficientnet::TIMM, "b5", names::efficientnet),
    timm("timm:tf_efficientnet_b0", [224, 256], efficientnet::TIMM, "tf_b0", names::efficientnet),
    timm("timm:tf_efficientnet_b1", [240, 272], efficientnet::TIMM, "tf_b1", names::efficientnet),
    timm("timm:tf_efficientnet_b2", [260, 292], efficientnet::TIMM, "tf_b2", names::efficientnet),
    timm("timm:tf_efficientnet_b3", [300, 331], efficientnet::TIMM, "tf_b3", names::efficientnet),
    timm("timm:tf_efficientnet_b4", [380, 412], efficientnet::TIMM, "tf_b4", names::efficientnet),
    timm("timm:tf_efficientnet_b5", [456, 488], efficientnet::TIMM, "tf_b5", names::efficientnet),
    timm("timm:tf_efficientnet_b6", [528, 560], efficientnet::TIMM, "tf_b6", names::efficientnet),
    timm("timm:tf_efficientnet_b7", [600, 632], efficientnet::TIMM, "tf_b7", names::efficientnet),
    timm("timm:tf_efficientnetv2_s", [300, 300], efficientnet::TIMM, "tf_v2_s", names::efficientnet_v2).halves(),
    timm("timm:tf_efficientnetv2_m", [384, 384], efficientnet::TIMM, "tf_v2_m", names::efficientnet_v2).halves(),
    timm("timm:tf_efficientnetv2_l", [384, 384], efficientnet::TIMM, "tf_v2_l", names::efficientnet_v2).halves(),
    timm("timm:convnext_tiny", [224, 235], convnext::ALL, "convnext_tiny", names::convnext),
    timm("timm:convnext_small", [224, 235], convnext::ALL, "convnext_small", names::convnext),
    timm("timm:convnext_base", [224, 256], convnext::ALL, "convnext_base", names::convnext),
    timm("timm:convnext_large", [224, 256], convnext::ALL, "convnext_large", names::convnext),
    timm("timm:regnetx_004_tv", [224, 232], regnet::ALL, "regnet_x_400mf", names::regnet),
    timm("timm:regnetx_008", [224, 232], regnet::ALL, "regnet_x_800mf", names::regnet),
    timm("timm:regnetx_016", [224, 232], regnet::ALL, "regnet_x_1_6gf", names::regnet),
    timm("timm:regnetx_032", [224, 232], regnet::ALL, "regnet_x_3_2gf", names::regnet),
    timm("timm:regnetx_080", [224, 232], regnet::ALL, "regnet_x_8gf", names::regnet),
    timm("timm:regnetx_160", [224, 232], regnet::ALL, "regnet_x_16gf", names::regnet),
    timm("timm:regnetx_320", [224, 232], regnet::ALL, "regnet_x_32gf", names::regnet),
    timm("timm:regnety_004", [224, 232], regnet::ALL, "regnet_y_400mf", names::regnet),
    timm("timm:regnety_008_tv", [224, 232], regnet::ALL, "regnet_y_800mf", names::regnet),
    timm("timm:regnety_016", [224, 232], regnet::ALL, "regnet_y_1_6gf", names::regnet),
    timm("timm:regnety_032", [224, 235], regnet::ALL, "regnet_y_3_2gf", names::regnet),
    timm("timm:regnety_080_tv", [224, 232], regnet::ALL, "regnet_y_8gf", names::regnet),
    timm("timm:regnety_160", [224, 235], regnet::ALL, "regnet_y_16gf", names::regnet),
    timm("timm:regnety_320", [224, 232], regnet::ALL, "regnet_y_32gf", names::regnet),
    // timm has 7x7 convolutions for the first linear layer and no pool before it: at other sizes it computes something else.
    timm("timm:vgg11", [224, 256], vgg::ALL, "vgg11", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vgg11_bn", [224, 256], vgg::ALL, "vgg11_bn", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vgg13", [224, 256], vgg::ALL, "vgg13", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vgg13_bn", [224, 256], vgg::ALL, "vgg13_bn", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vgg16", [224, 256], vgg::ALL, "vgg16", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vgg16_bn", [224, 256], vgg::ALL, "vgg16_bn", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vgg19", [224, 256], vgg::ALL, "vgg19", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vgg19_bn", [224, 256], vgg::ALL, "vgg19_bn", names::vgg).bilinear().at_its_size_only(),
    timm("timm:vit_tiny_patch16_224", [224, 248], vit::SMALLER, "tiny_16", token_names::vit).halves(),
    timm("timm:vit_small_patch16_224", [224, 248], vit::SMALLER, "small_16", token_names::vit).halves(),
    timm("timm:vit_small_patch32_224", [224, 248], vit::SMALLER, "small_32", token_names::vit).halves(),
    timm("timm:vit_base_patch16_224", [224, 248], vit::ALL, "vit_b_16", token_names::vit).halves(),
    timm("timm:vit_base_patch32_224", [224, 248], vit::ALL, "vit_b_32", token_names::vit).halves(),
    timm("timm:vit_large_patch16_224", [224, 248], vit::ALL, "vit_l_16", token_names::vit).halves(),
    timm("timm:deit_tiny_patch16_224", [224, 248], vit::SMALLER, "tiny_16", token_names::vit),
    timm("timm:deit_small_patch16_224", [224, 248], vit::SMALLER, "small_16", token_names::vit),
    timm("timm:deit_base_patch16_224", [224, 248], vit::ALL, "vit_b_16", token_names::vit),
    timm("timm:swin_tiny_patch4_window7_224", [224, 248], swin::ALL, "swin_t", token_names::swin),
    timm("timm:swin_small_patch4_window7_224", [224, 248], swin::ALL, "swin_s", token_names::swin),
    timm("timm:swin_base_patch4_window7_224", [224, 248], swin::ALL, "swin_b", token_names::swin),
];

/// A network under timm's name, for pictures of `input` pixels that were cut from `resize`. It is called `own` in its family; a
/// name that is not there ends the search behind the list, which does not compile.
const fn timm(
    name: &'static str,
    [input, resize]: [usize; 2],
    family: &[Architecture],
    own: &str,
    dialect: Dialect,
) -> Architecture {
    let mut at = 0;
    while !is_same(family[at].name.as_bytes(), own.as_bytes()) {
        at += 1;
    }
    let recipe = Recipe::torchvision(input, resize).filter(Filter::Bicubic);
    Architecture::new(name, recipe, family[at].network).called(dialect)
}

fn same(name: &str) -> String {
    name.to_owned()
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
