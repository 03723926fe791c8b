//! timm's names for the layers of transformers that torchvision has too; see [`super::timm_names`].

use super::names::{joined, number};

/// Vision transformers.
pub(super) fn vit(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["conv_proj", ref rest @ ..] => joined("patch_embed.proj", rest),
        ["class_token"] => "cls_token".into(),
        ["encoder", "pos_embedding"] => "pos_embed".into(),
        ["encoder", "ln", ref rest @ ..] => joined("norm", rest),
        ["encoder", "layers", layer, ref rest @ ..] => {
            let at = format!("blocks.{}", layer.trim_start_matches("encoder_layer_"));
            let inner = match rest {
                ["ln_1", rest @ ..] => joined("norm1", rest),
                ["ln_2", rest @ ..] => joined("norm2", rest),
                ["self_attention", "in_proj_weight"] => "attn.qkv.weight".into(),
                ["self_attention", "in_proj_bias"] => "attn.qkv.bias".into(),
                ["self_attention", "in_proj", rest @ ..] => joined("attn.qkv", rest),
                ["self_attention", "out_proj", rest @ ..] => joined("attn.proj", rest),
                ["self_attention", rest @ ..] => joined("attn", rest),
                ["mlp", "0", rest @ ..] => joined("mlp.fc1", rest),
                ["mlp", "1"] => "mlp.act".into(),
                ["mlp", "3", rest @ ..] => joined("mlp.fc2", rest),
                rest => joined("", rest),
            };
            joined(&at, &[&inner])
        }
        ["heads"] | ["heads", "head"] => "head".into(),
        ["heads", "head", ref rest @ ..] => joined("head", rest),
        _ => name.into(),
    }
}

/// Swin transformers.
pub(super) fn swin(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["features", "0", "0", ref rest @ ..] => joined("patch_embed.proj", rest),
        ["features", "0", "1"] => "patch_embed.permute".into(),
        ["features", "0", "2", ref rest @ ..] => joined("patch_embed.norm", rest),
        ["features", index, ref rest @ ..] if number(index).is_multiple_of(2) => {
            joined(&format!("layers.{}.downsample", number(index) / 2), rest)
        }
        ["features", index, repeat, ref rest @ ..] => {
            let at = format!("layers.{}.blocks.{repeat}", number(index) / 2);
            match rest {
                ["mlp", "0", rest @ ..] => joined(&at, &[&["mlp.fc1"], rest].concat()),
                ["mlp", "1"] => joined(&at, &["mlp.act"]),
                ["mlp", "3", rest @ ..] => joined(&at, &[&["mlp.fc2"], rest].concat()),
                rest => joined(&at, rest),
            }
        }
        ["head", ref rest @ ..] => joined("head.fc", rest),
        _ => name.into(),
    }
}
