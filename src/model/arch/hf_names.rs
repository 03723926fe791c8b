//! The names that the library transformers has, in files on Hugging Face, for the layers of networks of torchvision.
//!
//! Each function gives the name of a module or tensor that is called as in torchvision here, and leaves other names as they are.

use super::names::{joined, number};

/// ResNet.
pub(super) fn resnet(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["conv1", ref rest @ ..] => joined("resnet.embedder.embedder.convolution", rest),
        ["bn1", ref rest @ ..] => joined("resnet.embedder.embedder.normalization", rest),
        ["relu"] => "resnet.embedder.embedder.activation".into(),
        ["maxpool"] => "resnet.embedder.pooler".into(),
        [layer, repeat, ref rest @ ..] if layer.starts_with("layer") => {
            // transformers counts stages from 0, torchvision from 1.
            let stage = number(layer.trim_start_matches("layer")) - 1;
            let at = format!("resnet.encoder.stages.{stage}.layers.{repeat}");
            let (part, rest) = rest.split_first().map_or(("", rest), |(part, rest)| (*part, rest));
            let step = |kind: &str| number(part.trim_start_matches(kind)).saturating_sub(1);
            let inner = match part {
                "downsample" if rest.first() == Some(&"0") => joined("shortcut.convolution", &rest[1..]),
                "downsample" => joined("shortcut.normalization", rest.get(1..).unwrap_or_default()),
                part if part.starts_with("conv") => {
                    joined(&format!("layer.{}.convolution", step("conv")), rest)
                }
                part if part.starts_with("bn") => {
                    joined(&format!("layer.{}.normalization", step("bn")), rest)
                }
                part => joined(part, rest),
            };
            joined(&at, &[&inner])
        }
        ["fc", ref rest @ ..] => joined("classifier.1", rest),
        _ => name.into(),
    }
}

/// ConvNeXt.
pub(super) fn convnext(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["features", "0", "0", ref rest @ ..] => joined("convnext.embeddings.patch_embeddings", rest),
        ["features", "0", "1", ref rest @ ..] => joined("convnext.embeddings.layernorm", rest),
        // torchvision has stages and what reduces between them in one list, by turns; transformers has the reduction inside of
        // the stage that follows it.
        ["features", index, "0" | "1", ..] if number(index).is_multiple_of(2) => {
            let at = format!("convnext.encoder.stages.{}.downsampling_layer", number(index) / 2);
            joined(&at, &parts[2..])
        }
        ["features", index, repeat, ref rest @ ..] => {
            let at = format!("convnext.encoder.stages.{}.layers.{repeat}", number(index) / 2);
            let inner = match rest {
                ["block", "0", rest @ ..] => joined("dwconv", rest),
                ["block", "1"] => "permute".into(),
                ["block", "2", rest @ ..] => joined("layernorm", rest),
                ["block", "3", rest @ ..] => joined("pwconv1", rest),
                ["block", "4"] => "act".into(),
                ["block", "5", rest @ ..] => joined("pwconv2", rest),
                ["block", "6"] => "permute_1".into(),
                ["layer_scale"] => "layer_scale_parameter".into(),
                rest => joined("", rest),
            };
            joined(&at, &[&inner])
        }
        ["classifier", "0", ref rest @ ..] => joined("convnext.layernorm", rest),
        ["classifier", "1"] => "convnext.flatten".into(),
        ["classifier", "2", ref rest @ ..] => joined("classifier", rest),
        _ => name.into(),
    }
}

/// Vision transformers, with a layer each for queries, keys and values.
pub(super) fn vit(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["conv_proj", ref rest @ ..] => joined("vit.embeddings.patch_embeddings.projection", rest),
        ["class_token"] => "vit.embeddings.cls_token".into(),
        ["encoder", "pos_embedding"] => "vit.embeddings.position_embeddings".into(),
        ["encoder", "ln", ref rest @ ..] => joined("vit.layernorm", rest),
        ["encoder", "layers", layer, ref rest @ ..] => {
            let at = format!("vit.encoder.layer.{}", layer.trim_start_matches("encoder_layer_"));
            let inner = match rest {
                ["ln_1", rest @ ..] => joined("layernorm_before", rest),
                ["ln_2", rest @ ..] => joined("layernorm_after", rest),
                ["self_attention", "out_proj", rest @ ..] => joined("attention.output.dense", rest),
                ["self_attention", rest @ ..] => joined("attention.attention", rest),
                ["mlp", "0", rest @ ..] => joined("intermediate.dense", rest),
                ["mlp", "1"] => "intermediate.act".into(),
                ["mlp", "3", rest @ ..] => joined("output.dense", rest),
                rest => joined("", rest),
            };
            joined(&at, &[&inner])
        }
        ["heads"] | ["heads", "head"] => "classifier".into(),
        ["heads", "head", ref rest @ ..] => joined("classifier", rest),
        _ => name.into(),
    }
}
