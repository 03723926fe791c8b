//! One table, every method: sizes, ranges, repeatability, and what each line of the table claims.

use burncam::internal::Scene;
use burncam::{
    DeviceName, Explainer, Explanation, LayerRequest, Method, Method as M, Model, Reads, Request, Smoothing,
    Subject, Target,
};
use burncam_engine::DEVICES;
use burncam_model::import::{ImportRequest, import};

use super::networks::{
    Asked, CLASSES, SIDE, all, everywhere, fitting, flipped, gated, layers, loaded, picture, plain, ranked,
    refusal, sees_the_input,
};
use crate::support::{self, Made, device, distance, fixture, made, magnitude, seeded};

/// Methods that draw random numbers.
const DRAWS: [Method; 5] = [M::SmoothGradCamPlusPlus, M::SsCam, M::Random, M::SmoothGrad, M::Rise];
/// Methods that show sizes, or sums where signs are wanted.
const SIZES: [Method; 5] =
    [M::Gradient, M::SmoothGrad, M::GuidedBackprop, M::Deconvolution, M::GuidedGradCam];

fn name(method: Method) -> &'static str {
    method.info().name
}

pub(super) fn subject(model: &Model) -> Subject {
    let spec = &model.graph().input;
    let shape = [1, spec.channels, spec.height, spec.width];
    support::subject(spec.height, spec.width, seeded("methods.input", &shape))
}

pub(super) fn explained(model: &Model, settings: Request) -> burncam::Result<Explanation> {
    let explainer = Explainer::new(model.clone(), settings)?;
    Ok(explainer.explain(&subject(model))?.remove(0))
}

pub(super) fn settings(method: Method, layers: &[&str], signed: bool) -> Request {
    Request::with(|request| {
        request.methods = vec![method];
        request.layers = layers.iter().map(|layer| layer.parse().unwrap()).collect();
        request.targets = vec![Target::Top(2)];
        request.options.signed = signed;
        request.options.samples = method.reads(Reads::Samples).then_some(4);
    })
}

/// Both classes' maps are within their range, reach its end unless there is a finding, and are as large as they should be.
#[track_caller]
fn in_range(what: &str, explanation: &Explanation, signed: bool, size: [usize; 2]) {
    assert_eq!(explanation.targets.len(), 2);
    for target in &explanation.targets {
        let map = explanation.heatmap(target);
        let least = if signed { -1.0 } else { 0.0 };
        assert!(map.values().iter().all(|value| (least..=1.0).contains(value)), "{what}: {map:?}");
        let most = if target.finding.is_none() { 1.0 } else { 0.0 };
        assert_eq!(map.magnitude(), most, "{what}: {:?}", target.finding);
        assert_eq!([map.height(), map.width()], size, "{what}");
    }
}

#[test]
fn maps_are_in_range_and_as_large_as_their_layer_or_input() {
    for (network, sketch, output) in all() {
        let Made { model, .. } = &sketch.made(output);
        let side = |layer: &str| model.shapes()[model.graph().position(layer).unwrap()][2];
        for method in Method::ALL {
            for signed in [false, true] {
                let what = format!("{} of {network}, signed: {signed}", name(*method));
                let layers = if method.info().uses_layer { layers(*method) } else { &["auto"] };
                let found = explained(model, settings(*method, layers, signed));
                let refusal = match method {
                    M::RefineCam if signed => Some("loses their signs"),
                    _ => refusal(network, *method),
                };
                if let Some(refusal) = refusal {
                    let error = found.unwrap_err().to_string();
                    assert!(error.contains(refusal), "{what}: {error}");
                    continue;
                }
                let of_layer = method.info().uses_layer && *method != M::GuidedGradCam;
                let side = if of_layer { side(layers[0]) } else { SIDE };
                let found = found.unwrap();
                in_range(&what, &found, signed, [side, side]);
                let best = &found.targets[0];
                assert!(best.finding.is_none(), "{what}: {:?}", best.finding);
            }
        }
    }
}

#[test]
fn maps_of_imported_networks_are_in_range() {
    // A typical export; channels last; attention between the pixels; layer and group norms.
    for network in ["legacy_fixed_batch", "keras_opset9", "attention_opset17", "norms_opset21"] {
        let source = fixture(&format!("onnx/{network}.onnx"));
        let imported = import(&ImportRequest { source, ..ImportRequest::default() }).unwrap();
        let Made { model, .. } = &made(&imported.card, imported.tensors);
        let layer = model.choose_layer(&LayerRequest::Auto).unwrap();
        let grid = model.grid(layer.index).unwrap();
        for method in Method::ALL {
            let what = format!("{} of {network}", name(*method));
            let found = match explained(model, settings(*method, &["auto"], false)) {
                Ok(found) => found,
                Err(error) => {
                    let error = error.to_string();
                    let why = [
                        "one linear layer",
                        "the network has none",
                        "maps of several layers",
                        "attention through all blocks",
                        "score of each block's output",
                        "drise compares boxes",
                    ];
                    assert!(why.iter().any(|why| error.contains(why)), "{what}: {error}");
                    continue;
                }
            };
            let input = &model.graph().input;
            let of_layer = method.info().uses_layer && *method != M::GuidedGradCam;
            let size = match of_layer || method.info().uses_attention {
                // Its second layer, of its own choice, has the finer grid.
                true if *method == M::RefineCam => {
                    let map = &found.targets[0].map;
                    assert!(map.height() > grid.height && map.width() > grid.width, "{what}");
                    [map.height(), map.width()]
                }
                true => [grid.height, grid.width],
                false => [input.height, input.width],
            };
            in_range(&what, &found, false, size);
        }
    }
}

#[test]
fn a_second_run_gives_the_same_bits_and_only_random_methods_heed_the_seed() {
    everywhere(|what, network, asked, _| {
        let ask = |asked: &Asked| {
            let input = picture();
            asked.of(&mut Scene::new(network, &input).unwrap()).unwrap()
        };
        let map = ask(&asked);
        assert_eq!(map, ask(&asked), "{what}");
        let reseeded = asked.but(|asked| asked.options.seed = 7);
        let again = ask(&reseeded);
        // Behind a mean the gradient of a logit is the same for every picture, with noise and without.
        let in_vain = asked.method == M::SmoothGradCamPlusPlus && !what.ends_with("dense");
        assert_eq!(again != map, DRAWS.contains(&asked.method) && !in_vain, "{what}: another seed");
        assert_eq!(again, ask(&reseeded), "{what}: the same other seed");
        let noisy = asked.but(|asked| asked.smoothing = Smoothing { noise: true, ..Smoothing::default() });
        let noisy_map = ask(&noisy);
        assert_eq!(noisy_map, ask(&noisy), "{what}: with noise");
        let other = ask(&noisy.but(|asked| asked.options.seed = 7));
        assert_eq!(noisy_map != other, sees_the_input(what), "{what}: noise from another seed");
    });
}

#[test]
fn the_size_of_batches_changes_nothing() {
    // To the bit here, but for the gradient of several pictures through the linear layers of `dense` on flex: 1e-7.
    let input = picture();
    for (network, sketch, output) in all() {
        let made = sketch.made(output);
        for on in DEVICES.iter().filter(|on| ["flex", "ndarray"].contains(on)) {
            for method in fitting(network) {
                let loaded = loaded(&made, layers(*method), &device(on));
                let asked = Asked::new(*method, ranked(&loaded, &input)[0]);
                let map = |size| asked.but(|asked| asked.options.batch_size = size).map(&loaded, &input);
                let alone = map(1);
                for size in [3, 16] {
                    let gap = distance(&alone, &map(size)) / magnitude(&alone);
                    assert!(gap <= 1e-6, "{} of {network} on {on}: {gap:e} at {size}", name(*method));
                }
            }
        }
    }
}

#[test]
fn what_was_asked_before_changes_nothing() {
    let input = picture();
    for (network, sketch, output) in all() {
        let made = sketch.made(output);
        for tapped in [&["late"][..], &["early", "late"]] {
            let loaded = loaded(&made, tapped, &DeviceName::default());
            let classes = ranked(&loaded, &input);
            let mut shared = Scene::new(&loaded, &input).unwrap();
            let mut maps = 0;
            for class in [classes[0], classes[1], classes[0]] {
                for method in Method::ALL.iter().rev() {
                    let asked = Asked::new(*method, class);
                    let alone = asked.of(&mut Scene::new(&loaded, &input).unwrap());
                    match (asked.of(&mut shared), alone) {
                        (Ok(shared), Ok(alone)) => {
                            assert_eq!(shared, alone, "{} of {network}", name(*method));
                            maps += 1;
                        }
                        (shared, alone) => {
                            assert_eq!(shared.unwrap_err().to_string(), alone.unwrap_err().to_string());
                        }
                    }
                }
            }
            assert!(maps >= 3 * (Method::ALL.len() - 8), "only {maps} maps of {network}");
        }
    }
}

#[test]
fn a_counterfactual_is_the_map_of_the_negated_score() {
    let input = picture();
    for (network, sketch, output) in all() {
        let made = sketch.made(output);
        let negate = |values: &mut Vec<f32>| values.iter_mut().for_each(|value| *value = -*value);
        let (_, sketch, _) = all().into_iter().find(|(name, ..)| *name == network).unwrap();
        let negated = sketch.with("fc.weight", negate).with("fc.bias", negate).made(output);
        for method in fitting(network) {
            let what = format!("{} of {network}", name(*method));
            let device = DeviceName::default();
            let (own, other) =
                (loaded(&made, layers(*method), &device), loaded(&negated, layers(*method), &device));
            // A class in the middle, so that there is something on both sides.
            let plain = Asked::new(*method, ranked(&own, &input)[CLASSES / 2]);
            let against = plain.but(|asked| asked.options.counterfactual = true);
            let found = against.of(&mut Scene::new(&own, &input).unwrap());
            if !method.info().has_sign {
                let error = found.unwrap_err().to_string();
                assert!(error.starts_with("Options::counterfactual needs a method"), "{what}: {error}");
                continue;
            }
            let found = found.unwrap();
            let expected = plain.of(&mut Scene::new(&other, &input).unwrap()).unwrap();
            assert_eq!(found.finding, expected.finding, "{what}");
            let gap = distance(found.map.values(), expected.map.values());
            assert!(gap <= 1e-6 * expected.map.magnitude(), "{what}: {gap:e}");
            let plain = plain.of(&mut Scene::new(&own, &input).unwrap()).unwrap();
            assert_ne!(plain.map, found.map, "{what}: what speaks against is what speaks for");
        }
    }
}

#[test]
fn the_table_says_which_methods_ask_the_class() {
    everywhere(|what, network, asked, classes| {
        let scene_of = |class| {
            let input = picture();
            asked.but(|asked| asked.class = class).of(&mut Scene::new(network, &input).unwrap()).unwrap()
        };
        let same = scene_of(classes[0]) == scene_of(classes[1]);
        assert_eq!(same, !asked.method.info().uses_class, "{what}");
    });
}

#[test]
fn the_scale_of_the_last_layer_does_not_show() {
    // A power of Grad-CAM++'s gradient is added to another, and the exponential of Score-CAM's softmax has a scale of its own.
    let has_scale =
        [M::GradCamPlusPlus, M::SmoothGradCamPlusPlus, M::RefineCam, M::ScoreCam, M::SsCam, M::IsCam];
    let input = picture();
    for (network, sketch, output) in all() {
        let made = sketch.made(output);
        let larger = |values: &mut Vec<f32>| values.iter_mut().for_each(|value| *value *= 3.0);
        let (_, sketch, _) = all().into_iter().find(|(name, ..)| *name == network).unwrap();
        let scaled = sketch.with("fc.weight", larger).with("fc.bias", larger).made(output);
        for method in fitting(network) {
            let unit = |made: &Made| {
                let network = loaded(made, layers(*method), &DeviceName::default());
                let map = Asked::new(*method, ranked(&network, &input)[0]).map(&network, &input);
                let most = magnitude(&map);
                map.into_iter().map(|value| value / most).collect::<Vec<f32>>()
            };
            let gap = distance(&unit(&made), &unit(&scaled));
            let what = format!("{} of {network}: {gap:e}", name(*method));
            match has_scale.contains(method) {
                true => assert!(gap > 1e-4, "{what}"),
                false => assert!(gap <= 1e-5, "{what}"),
            }
        }
    }
}

#[test]
fn a_mirrored_picture_gives_a_mirrored_map_where_kernels_are_symmetric() {
    let input = picture();
    let mirror_image = flipped(&input, SIDE);
    for (network, made) in
        [("plain", plain().mirrored().made("fc")), ("gated", gated().mirrored().made("fc"))]
    {
        for method in fitting(network) {
            // Noise is not symmetric. Of equal values a maximum takes the first, which a mirror makes the last, and where all
            // are zero only the deconvolution sends anything back.
            if DRAWS.contains(method) || *method == M::Deconvolution {
                continue;
            }
            let network = loaded(&made, layers(*method), &DeviceName::default());
            let asked = Asked::new(*method, ranked(&network, &input)[0]);
            let mut scene = Scene::new(&network, &input).unwrap();
            let map = asked.of(&mut scene).unwrap().map;
            let other = asked.map(&network, &mirror_image);
            let gap = distance(&flipped(map.values(), map.width()), &other) / map.magnitude();
            assert!(gap <= 1e-5, "{}: {gap:e}", name(*method));
            assert!(
                distance(map.values(), &other) > 0.01 * map.magnitude(),
                "{} is symmetric",
                name(*method)
            );
        }
    }
}

#[test]
fn the_positive_part_of_a_signed_map_is_the_unsigned_one() {
    let negative = std::cell::Cell::new(0);
    everywhere(|what, network, asked, classes| {
        if SIZES.contains(&asked.method) || asked.method == M::RefineCam {
            return;
        }
        for class in &classes {
            let input = picture();
            let mut scene = Scene::new(network, &input).unwrap();
            let unsigned = asked.but(|asked| asked.class = *class);
            let signed = unsigned.but(|asked| asked.options.signed = true).of(&mut scene).unwrap().map;
            let below = signed.stats().min < 0.0;
            negative.set(negative.get() + usize::from(below));
            assert_eq!(signed.rectified(), unsigned.of(&mut scene).unwrap().map, "{what}, class {class}");
        }
    });
    assert!(negative.get() > 100, "only {} maps have a negative side", negative.get());
}
