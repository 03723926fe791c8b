//! Networks with nothing to show: what every method says of them, in the place of a map.

use burncam::internal::{ClassMap, Finding, Scene};
use burncam::{DeviceName, Method, Method as M, Score};

use super::networks::{Asked, Sketch, all, fitting, layers, loaded, picture, plain, ranked};

/// Every method that fits each network after a change of it.
fn every_map(change: impl Fn(Sketch) -> Sketch, check: impl Fn(&str, Method, ClassMap)) {
    let input = picture();
    for (network, sketch, output) in all() {
        let made = change(sketch).made(output);
        for method in fitting(network) {
            let loaded = loaded(&made, layers(*method), &DeviceName::default());
            let asked = Asked::new(*method, ranked(&loaded, &input)[0]);
            let map = asked.of(&mut Scene::new(&loaded, &input).unwrap()).unwrap();
            assert!(map.map.values().iter().all(|value| value.is_finite() && *value >= 0.0));
            assert_eq!(map.finding.is_some(), map.map.magnitude() == 0.0);
            check(&format!("{} of {network}: {:?}", method.info().name, map.finding), *method, map);
        }
    }
}

#[test]
fn a_class_that_nothing_moves_is_told() {
    let blind = |sketch: Sketch| sketch.with("fc.weight", |values| values.fill(0.0));
    every_map(blind, |what, method, map| {
        assert_eq!(map.finding.is_some(), method.info().uses_class, "{what}");
        // Flat is for maps of one value that is not zero.
        assert_ne!(map.finding, Some(Finding::Flat), "{what}");
    });
}

#[test]
fn a_layer_without_activity_is_told() {
    // What skips the layer is silenced too.
    let dead = |sketch: Sketch| {
        sketch
            .with("c1.weight", |values| values.fill(0.0))
            .with("c1.bias", |values| values.fill(0.0))
            .with("c2.weight", |values| values.fill(0.0))
            .with("c2.bias", |values| values.fill(0.0))
    };
    every_map(dead, |what, method, map| {
        // A soft mask reaches over the border, and the first convolution's flat rule over its padding, so that what the norm
        // makes of equal activations has a frame.
        let has_frame = matches!(method, M::VitReciproCam | M::Lrp) && what.contains("gated");
        assert!(map.finding.is_some() || has_frame, "{what}");
    });
}

#[test]
fn a_layer_that_speaks_against_the_class_is_told() {
    // The logit is less the more anything is active.
    let below = |values: &mut Vec<f32>| values.iter_mut().for_each(|value| *value = -value.abs());
    let made = plain().with("fc.weight", below).with("fc.bias", |values| values.fill(0.0)).made("fc");
    let input = picture();
    let by_gradient = [M::GradCam, M::GradCamPlusPlus, M::LayerCam, M::HiResCam, M::XGradCam, M::ElementWise];
    let others = [M::SmoothGradCamPlusPlus, M::Cam, M::ShapleyCam, M::AblationCam, M::RefineCam];
    for method in by_gradient.iter().chain(&others) {
        let network = loaded(&made, layers(*method), &DeviceName::default());
        let map = Asked::new(*method, 0).of(&mut Scene::new(&network, &input).unwrap()).unwrap();
        let expected = match method {
            M::SmoothGradCamPlusPlus => Finding::Nothing,
            _ => Finding::AllNegative,
        };
        // RefineCAM's early layer may still have something for the class.
        let shared = *method == M::RefineCam && map.finding == Some(Finding::NothingShared);
        assert!(map.finding == Some(expected) || shared, "{}: {:?}", method.info().name, map.finding);
    }
}

#[test]
fn numbers_that_overflow_are_told_or_refused() {
    let input: Vec<f32> = picture().iter().map(|value| value * 1e30).collect();
    for (network, sketch, output) in all() {
        // Not before the ReLU6, which makes six of what overflowed.
        let huge = |values: &mut Vec<f32>| {
            values.iter_mut().for_each(|value| *value = 3e38_f32.copysign(*value));
        };
        let made = sketch.with("c2.weight", huge).made(output);
        for method in fitting(network) {
            let loaded = loaded(&made, layers(*method), &DeviceName::default());
            let what = format!("{} of {network}", method.info().name);
            match Asked::new(*method, 0).of(&mut Scene::new(&loaded, &input).unwrap()) {
                // A slope may be finite where its function is not.
                Ok(map) if !method.info().uses_layer => assert!(map.map.magnitude().is_finite(), "{what}"),
                Ok(map) => {
                    assert!(map.finding.is_some(), "{what}");
                    assert_eq!(map.map.magnitude(), 0.0, "{what}");
                }
                Err(error) => assert!(error.to_string().contains("not finite"), "{what}: {error}"),
            }
        }
    }
}

#[test]
fn a_saturated_softmax_blanks_what_is_made_of_its_gradient_and_nothing_else() {
    let by_gradient = [
        M::GradCam,
        M::GradCamPlusPlus,
        M::LayerCam,
        M::HiResCam,
        M::XGradCam,
        M::ElementWise,
        M::ShapleyCam,
        M::RefineCam,
        M::EigenGradCam,
        M::SegEigenCam,
        M::Gradient,
        M::InputXGradient,
        M::GuidedBackprop,
        M::Deconvolution,
        M::GuidedGradCam,
        M::FullGrad,
    ];
    let input = picture();
    // Logits so far apart that the probability of the first rounds to one.
    let apart = |values: &mut Vec<f32>| values.iter_mut().for_each(|value| *value *= 100.0);
    let made = plain().with("fc.weight", apart).made("fc");
    for method in fitting("plain") {
        let network = loaded(&made, layers(*method), &DeviceName::default());
        let asked = Asked::new(*method, ranked(&network, &input)[0]);
        let finding = |score| {
            let asked = asked.but(|asked| asked.score = score);
            asked.of(&mut Scene::new(&network, &input).unwrap()).unwrap().finding
        };
        let saturated = finding(Score::Prob) == Some(Finding::Saturated);
        assert_eq!(saturated, by_gradient.contains(method), "{}", method.info().name);
        assert_ne!(finding(Score::Logit), Some(Finding::Saturated), "{}", method.info().name);
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let made = plain().made("fc");
    let network = loaded(&made, &["late"], &DeviceName::default());
    let input = picture();
    let mut scene = Scene::new(&network, &input).unwrap();
    for method in Method::ALL {
        let asked = Asked::new(*method, 0);
        let mut refused = |change: fn(&mut Asked)| asked.but(change).of(&mut scene).unwrap_err().to_string();
        assert!(refused(|asked| asked.options.samples = Some(0)).contains("Options::samples"));
        assert!(refused(|asked| asked.class = 5).contains("out of range"));
        for noise in [-0.1, f32::NAN, f32::INFINITY] {
            let asked = asked.but(|asked| asked.options.noise = Some(noise));
            assert!(asked.of(&mut scene).unwrap_err().to_string().contains("Options::noise"));
        }
    }
}
