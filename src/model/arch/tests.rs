//! Tests of the architectures: names, shapes and sizes.

use super::*;
use crate::card::{Crop, Filter, Preprocess, Resize};

/// Number of trained values and running statistics.
fn count(built: &Built) -> usize {
    built.parameters.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

#[test]
fn every_graph_is_sound_and_uses_exactly_its_parameters() {
    for architecture in all() {
        let built = architecture.build(10, None).unwrap();
        built.graph.check().unwrap();
        let mut used: Vec<_> = built.graph.nodes.iter().flat_map(|node| node.params.values()).collect();
        let mut listed: Vec<_> = built.parameters.iter().map(|(name, _)| name).collect();
        used.sort();
        listed.sort();
        assert_eq!(used, listed, "{}", architecture.name);
        let (name, shape) = built.parameters.last().unwrap();
        let is_bias = name.ends_with(".bias") && *shape == [10];
        let is_weight = name.ends_with(".weight") && shape.last() == Some(&10);
        assert!(is_bias || is_weight, "{}: {name} {shape:?}", architecture.name);
    }
}

/// [`Architecture::beginning`] must not need the number of classes, so that it can be compared with any file.
#[test]
fn the_beginning_of_a_network_is_that_of_the_whole() {
    for architecture in all() {
        let whole = architecture.build(7, None).unwrap();
        for layers in [1, 2, 5, 12] {
            let begin = architecture.beginning(layers).unwrap();
            let name = architecture.name;
            assert!(!begin.parameters.is_empty() || layers < 5, "{name}");
            let is_there = |parameter| whole.parameters.contains(parameter);
            assert!(begin.parameters.iter().all(is_there), "{name}: {:?}", begin.parameters);
            // By name: numbers differ where the cut leaves out a branch.
            let names: Vec<_> = whole.graph.nodes.iter().map(|node| &node.name).collect();
            assert!(begin.graph.nodes.iter().all(|node| names.contains(&&node.name)), "{name}");
        }
    }
}

/// The published sizes, minus the running statistics of batch norms.
#[test]
fn parameter_counts_are_the_published_ones() {
    let published = [
        ("resnet18", 11_689_512),
        ("resnet50", 25_557_032),
        ("vgg16", 138_357_544),
        ("squeezenet1_1", 1_235_496),
        ("mobilenet_v2", 3_504_872),
        ("densenet121", 7_978_856),
        ("alexnet", 61_100_840),
        ("efficientnet_lite0", 4_652_008),
        ("efficientnet_b0", 5_288_548),
        ("efficientnet_b7", 66_347_960),
        ("efficientnet_v2_s", 21_458_488),
        ("mobilenet_v3_large", 5_483_032),
        ("mobilenet_v3_small", 2_542_856),
        ("convnext_tiny", 28_589_128),
        ("regnet_x_400mf", 5_495_976),
        ("regnet_y_128gf", 644_812_894),
        ("resnext101_64x4d", 83_455_272),
        ("wide_resnet50_2", 68_883_240),
        ("shufflenet_v2_x1_0", 2_278_604),
        ("mnasnet1_3", 6_282_256),
        ("googlenet", 6_624_904),
        ("densenet161", 28_681_000),
    ];
    for (name, expected) in published {
        let built = build(name, 1000, None).unwrap();
        let running: usize = built
            .parameters
            .iter()
            .filter(|(name, _)| name.contains(".running_"))
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        assert_eq!(count(&built) - running, expected, "{name}");
    }
}

#[test]
fn a_stage_ends_with_its_activation() {
    let last = |name: &str, prefix: &str| {
        let nodes = build(name, 10, None).unwrap().graph.nodes;
        nodes.into_iter().rev().map(|node| node.name).find(|name| name.starts_with(prefix)).unwrap()
    };
    assert_eq!(last("resnet18", "layer4."), "layer4.1.relu_1");
    assert_eq!(last("resnet50", "layer4."), "layer4.2.relu_2");
    assert_eq!(last("densenet121", "features."), "features.relu");
    assert_eq!(last("squeezenet1_1", "features."), "features.12.cat");
    assert_eq!(last("mobilenet_v2", "features."), "features.18.2");
    assert_eq!(last("efficientnet_lite0", "_blocks.15."), "_blocks.15._bn2");
    assert_eq!(last("efficientnet_b0", "features."), "features.8.2");
    assert_eq!(last("convnext_tiny", "features."), "features.7.2.add");
    assert_eq!(last("regnet_y_400mf", "trunk_output."), "trunk_output.block4.block4-5.activation");
    assert_eq!(last("inception_v3", "Mixed_7c."), "Mixed_7c.cat");
}

#[test]
fn an_unknown_name_is_answered_with_a_near_one() {
    let error = build("resnet_50", 10, None).unwrap_err().to_string();
    assert!(error.contains("did you mean 'resnet50'?"), "{error}");
    assert!(error.contains("also near: resnet152"), "{error}");
    assert!(!error.contains("efficientnet_lite2"), "{error}");
}

#[test]
fn impossible_sizes_are_refused() {
    assert!(build("resnet18", 0, None).is_err());
    assert!(build("resnet18", usize::MAX, None).is_err());
    assert!(build("resnet18", 10, Some([0, 224])).is_err());
    assert!(build("resnet18", 10, Some([usize::MAX; 2])).is_err());
    let error = build("vgg16", 10, Some([16, 16])).unwrap_err().to_string();
    assert!(error.starts_with("input size 16x16: too small for 'features.30'"), "{error}");
}

#[test]
fn the_published_recipes_keep_a_margin_around_the_crop() {
    let sizes = |name: &str| match find(name).unwrap().preprocess(None) {
        Preprocess {
            resize: Resize::ShortestSide { size, filter },
            crop: Some(Crop::Center { height, width }),
            ..
        } => (size, filter, height, width),
        other => panic!("{other:?}"),
    };
    assert_eq!(sizes("resnet50"), (256, Filter::Bilinear, 224, 224));
    assert_eq!(sizes("efficientnet_lite0"), (256, Filter::Bicubic, 224, 224));
    assert_eq!(sizes("efficientnet_lite1"), (272, Filter::Bicubic, 240, 240));
    assert_eq!(sizes("efficientnet_lite2"), (292, Filter::Bicubic, 260, 260));
}
