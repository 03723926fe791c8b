//! Several classes and methods asked about at once: the same maps, to the bit, from fewer passes.

use burncam::internal::Scene;
use burncam::{DeviceName, Engine, Library, Method, Method as M, Precision, Runtime, Score, Smoothing};
use burncam_engine::Network;

use super::networks::{Asked, everywhere, fitting, layers, loaded, picture, plain, ranked};
use crate::support::{distance, magnitude};

const AUGMENT: Smoothing = Smoothing { augment: true, noise: false, eigen: false };
const NOISE: Smoothing = Smoothing { augment: false, noise: true, eigen: false };
/// Samples, of methods that take any, and noisy copies.
const SAMPLES: usize = 4;

#[test]
fn several_classes_at_once_get_what_each_gets_alone() {
    everywhere(|what, network, asked, classes| {
        let input = picture();
        let classes = &classes[..3];
        let plain = Smoothing::default();
        for (score, smoothing) in [
            (Score::Logit, plain),
            (Score::Prob, plain),
            (Score::Margin, plain),
            (Score::Logit, AUGMENT),
            (Score::LogProb, NOISE),
        ] {
            let asked = asked.but(|asked| (asked.score, asked.smoothing) = (score, smoothing));
            let together = asked.of_classes(&mut Scene::new(network, &input).unwrap(), classes).unwrap();
            for (class, map) in classes.iter().zip(&together) {
                let alone = asked.but(|asked| asked.class = *class);
                let alone = alone.of(&mut Scene::new(network, &input).unwrap()).unwrap();
                assert_eq!(*map, alone, "{what}, class {class}, {score:?}, {smoothing:?}");
            }
        }
    });
}

#[test]
fn several_methods_at_once_get_what_each_gets_alone() {
    let input = picture();
    let network = loaded(&plain().made("fc"), &["early", "late"], &DeviceName::default());
    let classes = &ranked(&network, &input)[..3];
    // CAM does not fit the early layer, and Guided Grad-CAM takes one.
    let fits = |method: &&Method| ![M::Cam, M::GuidedGradCam].contains(method);
    let methods: Vec<Method> = fitting("plain").filter(fits).copied().collect();
    for (smoothing, library) in [
        (Smoothing::default(), None),
        (AUGMENT, None),
        (NOISE, None),
        (AUGMENT, Some(Library::PytorchGradCam)),
    ] {
        let has = |method: &&Method| library.is_none_or(|library| library.has(**method));
        let methods: Vec<Method> = methods.iter().filter(has).copied().collect();
        let asked = Asked::new(methods[0], 0).but(|asked| {
            asked.smoothing = smoothing;
            asked.options.library = library;
        });
        for known in [&[][..], &methods] {
            let mut scenes = Scene::several(&network, &[&input], known).unwrap();
            let together = asked.of_methods(&mut scenes[0], &methods, classes).unwrap();
            for (method, maps) in methods.iter().zip(together) {
                let alone = asked.but(|asked| asked.method = *method);
                let alone = alone.of_classes(&mut Scene::new(&network, &input).unwrap(), classes).unwrap();
                assert_eq!(maps, alone, "{}, {smoothing:?}, known: {}", method.info().name, known.len());
            }
        }
    }
}

/// How many pictures go through the network for these methods and classes, the picture itself among them.
fn passes(network: &Network, asked: &Asked, methods: &[Method], classes: usize) -> usize {
    let input = picture();
    let classes = &ranked(network, &input)[..classes];
    let before = network.passes();
    asked.of_methods(&mut Scene::new(network, &input).unwrap(), methods, classes).unwrap();
    network.passes() - before
}

#[test]
fn copies_of_a_picture_are_made_once_for_all_methods_and_classes() {
    let network = loaded(&plain().made("fc"), &["late"], &DeviceName::default());
    let cams = [M::GradCam, M::LayerCam, M::HiResCam, M::XGradCam];
    for (smoothing, expected) in [
        (Smoothing::default(), 1),
        // The picture itself is one of the six.
        (AUGMENT, 6),
        (NOISE, 1 + SAMPLES),
        (Smoothing { augment: true, ..NOISE }, 1 + 6 * SAMPLES),
    ] {
        let asked = Asked::new(M::GradCam, 0).but(|asked| {
            asked.smoothing = smoothing;
            asked.options.samples = Some(SAMPLES);
        });
        for (methods, classes) in [(&cams[..1], 1), (&cams[..1], 5), (&cams[..], 1), (&cams[..], 5)] {
            let found = passes(&network, &asked, methods, classes);
            assert_eq!(found, expected, "{} methods, {classes} classes, {smoothing:?}", methods.len());
        }
    }
}

#[test]
fn changed_pictures_go_through_the_network_once_for_all_classes() {
    // Burn runs backward through what it recorded only once, so these record a pass per class.
    let per_class = [M::Gradient, M::InputXGradient, M::SmoothGrad, M::IntegratedGradients, M::Xrai];
    let made = plain().made("fc");
    for method in fitting("plain") {
        let network = loaded(&made, layers(*method), &DeviceName::default());
        let asked = Asked::new(*method, 0);
        let [one, five] = [1, 5].map(|classes| passes(&network, &asked, &[*method], classes) - 1);
        let times = if per_class.contains(method) { 5 } else { 1 };
        assert_eq!(five, times * one, "{}", method.info().name);
    }
}

#[test]
fn methods_on_pixels_share_the_pass_that_gives_the_logits() {
    let input = picture();
    let made = plain().made("fc");
    let load = |precision| {
        let runtime = Runtime { precision, engine: Engine::Native(None), ..Runtime::default() };
        Network::load(&made.model, &[], runtime).unwrap()
    };
    let logits = |network: &Network, methods: &[Method]| {
        Scene::several(network, &[&input], methods).unwrap().remove(0).logits().to_vec()
    };
    let network = load(Precision::F32);
    let own = network.logits(input.clone()).unwrap();
    let pixels = [M::Gradient, M::InputXGradient, M::GuidedBackprop, M::Deconvolution];
    for methods in [&pixels[..], &[M::FullGrad]] {
        for (smoothing, copies) in [(Smoothing::default(), 1), (AUGMENT, 6)] {
            let asked = Asked::new(methods[0], 0).but(|asked| asked.smoothing = smoothing);
            let before = network.passes();
            let mut scene = Scene::several(&network, &[&input], methods).unwrap().remove(0);
            let found = asked.of_methods(&mut scene, methods, &[0, 1, 2]).unwrap();
            assert_eq!(network.passes() - before, copies, "{methods:?}, {smoothing:?}");
            let alone = asked.of_methods(&mut Scene::new(&network, &input).unwrap(), methods, &[0, 1, 2]);
            assert_eq!(found, alone.unwrap(), "{methods:?}, {smoothing:?}");
        }
        assert!(distance(&logits(&network, methods), &own) < 1e-5 * magnitude(&own), "{methods:?}");
    }
    // Scores of changed copies come from passes forward alone, and are compared with the picture's.
    assert_eq!(logits(&network, &[M::Gradient, M::Occlusion]), own);
    // Sweeps are in single precision, and a request for another one is about the logits, too.
    let rounded = load(Precision::Int8);
    assert_eq!(logits(&rounded, &pixels), rounded.logits(input.clone()).unwrap());
}
