//! Tests of the architectures: names, shapes and sizes.

use super::*;

/// Number of trained values and running statistics.
fn count(built: &Built) -> usize {
    built.parameters.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

#[test]
fn every_graph_is_sound_and_uses_exactly_its_parameters() {
    for architecture in ALL {
        let built = architecture.build(10, None).unwrap();
        built.graph.check().unwrap();
        let mut used: Vec<_> = built.graph.nodes.iter().flat_map(|node| node.params.values()).collect();
        let mut listed: Vec<_> = built.parameters.iter().map(|(name, _)| name).collect();
        used.sort();
        listed.sort();
        assert_eq!(used, listed, "{}", architecture.name);
        let (name, shape) = built.parameters.last().unwrap();
        assert!(name.ends_with(".bias") && *shape == [10], "{}: {name} {shape:?}", architecture.name);
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
}

#[test]
fn an_unknown_name_is_answered_with_a_near_one() {
    let error = build("resnet_50", 10, None).unwrap_err().to_string();
    assert!(error.contains("did you mean 'resnet50'?"), "{error}");
    assert!(error.contains("efficientnet_lite2"), "{error}");
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
    let sizes = |name: &str| match default_preprocess(name).unwrap() {
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
