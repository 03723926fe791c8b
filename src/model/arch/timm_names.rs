//! timm's names for the layers of networks that torchvision has too.
//!
//! Each function gives timm's name of a module or tensor that is called as in torchvision here, and leaves other names as they
//! are. It knows names only, no shapes.

use super::names::{joined, number};

/// What a block of a mobile network has.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A depthwise and a narrow convolution.
    Separable,
    /// An expansion before them.
    Inverted,
    /// One full convolution.
    Plain,
    /// A full convolution that expands, and a narrow one.
    Fused,
}

/// Names in a block: `step` is the number of the module in its list, `rest` what stands inside of the module.
fn in_block(kind: Kind, step: &str, rest: &[&str]) -> String {
    let (conv, norm) = match (kind, step) {
        (Kind::Separable, "0") => ("conv_dw", "bn1"),
        (Kind::Separable, _) => ("conv_pw", "bn2"),
        (Kind::Inverted, "0") => ("conv_pw", "bn1"),
        (Kind::Inverted, "1") => ("conv_dw", "bn2"),
        (Kind::Inverted, _) => ("conv_pwl", "bn3"),
        (Kind::Plain, _) => ("conv", "bn1"),
        (Kind::Fused, "0") => ("conv_exp", "bn1"),
        (Kind::Fused, _) => ("conv_pwl", "bn2"),
    };
    match rest {
        ["0", rest @ ..] => joined(conv, rest),
        ["1", rest @ ..] => joined(norm, rest),
        ["2", rest @ ..] => joined(norm, &[&["act"], rest].concat()),
        ["fc1", rest @ ..] => joined("se.conv_reduce", rest),
        ["fc2", rest @ ..] => joined("se.conv_expand", rest),
        rest => joined("se", rest),
    }
}

/// A convolution, its norm and its activation outside of blocks.
fn step(conv: &str, norm: &str, rest: &[&str]) -> String {
    match rest {
        ["0", rest @ ..] => joined(conv, rest),
        ["1", rest @ ..] => joined(norm, rest),
        ["2", rest @ ..] => joined(norm, &[&["act"], rest].concat()),
        rest => joined(conv, rest),
    }
}

/// Stage and block of a block that is counted from the first of all, from 0.
fn place(mut index: usize, repeats: &[usize]) -> String {
    for (stage, count) in repeats.iter().enumerate() {
        if index < *count {
            return format!("blocks.{stage}.{index}");
        }
        index -= count;
    }
    format!("blocks.{}.{index}", repeats.len())
}

/// EfficientNet B0 to B7.
pub(super) fn efficientnet(name: &str) -> String {
    efficientnet_of(name, |stage| if stage == 1 { Kind::Separable } else { Kind::Inverted })
}

/// EfficientNetV2.
pub(super) fn efficientnet_v2(name: &str) -> String {
    efficientnet_of(name, |stage| match stage {
        1 => Kind::Plain,
        2 | 3 => Kind::Fused,
        _ => Kind::Inverted,
    })
}

fn efficientnet_of(name: &str, kind: impl Fn(usize) -> Kind) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["features", "0", ref rest @ ..] => step("conv_stem", "bn1", rest),
        ["features", stage, repeat, "block", index, ref rest @ ..] => {
            let at = format!("blocks.{}.{repeat}", number(stage) - 1);
            joined(&at, &[&in_block(kind(number(stage)), index, rest)])
        }
        ["features", stage, repeat, "add"] => format!("blocks.{}.{repeat}.add", number(stage) - 1),
        ["features", _, ref rest @ ..] => step("conv_head", "bn2", rest),
        ["classifier", "0"] => "dropout".into(),
        ["classifier", "1", ref rest @ ..] => joined("classifier", rest),
        _ => name.into(),
    }
}

/// MobileNetV2.
pub(super) fn mobilenet_v2(name: &str) -> String {
    const REPEATS: [usize; 7] = [1, 2, 3, 4, 3, 3, 1];
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["features", "0", ref rest @ ..] => step("conv_stem", "bn1", rest),
        ["features", "18", ref rest @ ..] => step("conv_head", "bn2", rest),
        ["features", index, "add"] => joined(&place(number(index) - 1, &REPEATS), &["add"]),
        ["features", index, "conv", part, ref rest @ ..] => {
            let kind = if index == "1" { Kind::Separable } else { Kind::Inverted };
            // The last convolution and its norm stand in the list of the block itself.
            let last = if index == "1" { 1 } else { 2 };
            let inner = match number(part) {
                index if index == last => in_block(kind, part, &[&["0"], rest].concat()),
                index if index > last => in_block(kind, &last.to_string(), &[&["1"], rest].concat()),
                _ => in_block(kind, part, rest),
            };
            joined(&place(number(index) - 1, &REPEATS), &[&inner])
        }
        ["classifier", "0"] => "dropout".into(),
        ["classifier", "1", ref rest @ ..] => joined("classifier", rest),
        _ => name.into(),
    }
}

/// MobileNetV3, large.
pub(super) fn mobilenet_v3_large(name: &str) -> String {
    mobilenet_v3(name, &[1, 2, 3, 4, 2, 3])
}

/// MobileNetV3, small.
pub(super) fn mobilenet_v3_small(name: &str) -> String {
    mobilenet_v3(name, &[1, 2, 3, 2, 3])
}

fn mobilenet_v3(name: &str, repeats: &[usize]) -> String {
    let blocks: usize = repeats.iter().sum();
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["features", "0", ref rest @ ..] => step("conv_stem", "bn1", rest),
        ["features", index, ref rest @ ..] if number(index) > blocks => {
            joined(&place(blocks, repeats), &[&step("conv", "bn1", rest)])
        }
        ["features", index, "add"] => joined(&place(number(index) - 1, repeats), &["add"]),
        ["features", index, "block", part, ref rest @ ..] => {
            let kind = if index == "1" { Kind::Separable } else { Kind::Inverted };
            joined(&place(number(index) - 1, repeats), &[&in_block(kind, part, rest)])
        }
        ["classifier", "0", ref rest @ ..] => joined("conv_head", rest),
        ["classifier", "1"] => "act2".into(),
        ["classifier", "2"] => "dropout".into(),
        ["classifier", "3", ref rest @ ..] => joined("classifier", rest),
        _ => name.into(),
    }
}

/// MNASNet.
pub(super) fn mnasnet(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["layers", index, repeat, "layers", part, ref rest @ ..] => {
            let (index, part) = (number(index) - 7, number(part));
            // Convolution, norm and rectifier follow each other in one list.
            let inside = [&[["0", "1", "2"][part % 3]], rest].concat();
            format!("blocks.{index}.{repeat}.{}", in_block(Kind::Inverted, &(part / 3).to_string(), &inside))
        }
        ["layers", index, repeat, "add"] => format!("blocks.{}.{repeat}.add", number(index) - 7),
        ["layers", index @ ("0" | "1" | "2"), ref rest @ ..] => {
            step("conv_stem", "bn1", &[&[index], rest].concat())
        }
        ["layers", index @ ("14" | "15" | "16"), ref rest @ ..] => {
            let place = ["0", "1", "2"][number(index) - 14];
            step("conv_head", "bn2", &[&[place], rest].concat())
        }
        ["layers", index, ref rest @ ..] => {
            let index = number(index) - 3;
            let inside = [&[["0", "1", "2"][index % 3]], rest].concat();
            joined("blocks.0.0", &[&in_block(Kind::Separable, &(index / 3).to_string(), &inside)])
        }
        ["classifier", "0"] => "dropout".into(),
        ["classifier", "1", ref rest @ ..] => joined("classifier", rest),
        _ => name.into(),
    }
}

/// VGG.
pub(super) fn vgg(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["classifier", "0", ref rest @ ..] => joined("pre_logits.fc1", rest),
        ["classifier", "1"] => "pre_logits.act1".into(),
        ["classifier", "2"] => "pre_logits.drop".into(),
        ["classifier", "3", ref rest @ ..] => joined("pre_logits.fc2", rest),
        ["classifier", "4"] => "pre_logits.act2".into(),
        ["classifier", "5"] => "head.drop".into(),
        ["classifier", "6", ref rest @ ..] => joined("head.fc", rest),
        _ => name.into(),
    }
}

/// ConvNeXt.
pub(super) fn convnext(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["features", "0", ref rest @ ..] => joined("stem", rest),
        ["features", index, "0" | "1", ..] if number(index).is_multiple_of(2) => {
            joined(&format!("stages.{}.downsample", number(index) / 2), &parts[2..])
        }
        ["features", index, repeat, ref rest @ ..] => {
            let at = format!("stages.{}.blocks.{repeat}", number(index) / 2);
            match rest {
                ["block", "0", rest @ ..] => joined(&at, &[&["conv_dw"], rest].concat()),
                ["block", "2", rest @ ..] => joined(&at, &[&["norm"], rest].concat()),
                ["block", "3", rest @ ..] => joined(&at, &[&["mlp.fc1"], rest].concat()),
                ["block", "4"] => joined(&at, &["mlp.act"]),
                ["block", "5", rest @ ..] => joined(&at, &[&["mlp.fc2"], rest].concat()),
                ["block", permute] => joined(&at, &[if *permute == "1" { "permute" } else { "permute_1" }]),
                ["layer_scale"] => joined(&at, &["gamma"]),
                rest => joined(&at, rest),
            }
        }
        ["classifier", "0", ref rest @ ..] => joined("head.norm", rest),
        ["classifier", "1"] => "head.flatten".into(),
        ["classifier", "2", ref rest @ ..] => joined("head.fc", rest),
        ["classifier"] => "head".into(),
        _ => name.into(),
    }
}

/// RegNet.
pub(super) fn regnet(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["stem", ref rest @ ..] => step("stem.conv", "stem.bn", rest),
        ["trunk_output", _, block, ref rest @ ..] => {
            let (stage, repeat) = block.trim_start_matches("block").split_once('-').unwrap_or_default();
            let at = format!("s{stage}.b{}", number(repeat) + 1);
            let inner = match rest {
                ["proj", rest @ ..] => step("downsample.conv", "downsample.bn", rest),
                ["f", "a", rest @ ..] => step("conv1.conv", "conv1.bn", rest),
                ["f", "b", rest @ ..] => step("conv2.conv", "conv2.bn", rest),
                ["f", "c", rest @ ..] => step("conv3.conv", "conv3.bn", rest),
                ["f", "se", rest @ ..] => joined("se", rest),
                ["activation"] => "act3".into(),
                rest => joined("", rest),
            };
            joined(&at, &[&inner])
        }
        ["fc", ref rest @ ..] => joined("head.fc", rest),
        _ => name.into(),
    }
}
