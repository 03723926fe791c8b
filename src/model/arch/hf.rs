//! Networks of torchvision under the names of the library transformers, `hf:NAME`, as files on Hugging Face have them.
//!
//! Their preprocessing is that of the first published weights; `preprocessor_config.json` next to a file says its own.

use super::architecture::{Architecture, Network};
use super::recipe::Recipe;
use super::{convnext, hf_names, resnet, vit};
use crate::card::Filter;

pub(super) const ALL: &[Architecture] = &[
    resnet("hf:resnet18", resnet::NETWORK_18),
    resnet("hf:resnet34", resnet::NETWORK_34),
    resnet("hf:resnet50", resnet::NETWORK_50),
    resnet("hf:resnet101", resnet::NETWORK_101),
    resnet("hf:resnet152", resnet::NETWORK_152),
    convnext("hf:convnext_tiny", convnext::TINY_IN_TRANSFORMERS),
    convnext("hf:convnext_small", convnext::SMALL_IN_TRANSFORMERS),
    convnext("hf:convnext_base", convnext::BASE_IN_TRANSFORMERS),
    convnext("hf:convnext_large", convnext::LARGE_IN_TRANSFORMERS),
    vit("hf:vit_tiny_patch16", vit::TINY_IN_TRANSFORMERS),
    vit("hf:vit_small_patch16", vit::SMALL_IN_TRANSFORMERS),
    vit("hf:vit_base_patch16", vit::BASE_IN_TRANSFORMERS),
    vit("hf:vit_base_patch32", vit::BASE_32_IN_TRANSFORMERS),
    vit("hf:vit_large_patch16", vit::LARGE_IN_TRANSFORMERS),
];

const fn resnet(name: &'static str, network: Network) -> Architecture {
    bicubic(name, network).called(hf_names::resnet)
}

const fn convnext(name: &'static str, network: Network) -> Architecture {
    bicubic(name, network).called(hf_names::convnext)
}

// `preprocessor_config.json` of these checkpoints has `resample` 3, Pillow's number for bicubic.
const fn bicubic(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::torchvision(224, 256).filter(Filter::Bicubic), network)
}

const fn vit(name: &'static str, network: Network) -> Architecture {
    Architecture::new(name, Recipe::torchvision(224, 224).halves(), network).called(hf_names::vit)
}
