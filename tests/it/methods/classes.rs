//! Several classes and methods asked about at once: the same maps, to the bit, from fewer passes.

use burncam::internal::Scene;
use burncam::{DeviceName, Library, Method, Method as M, Score, Smoothing};
use burncam_engine::Network;

use super::networks::{Asked, everywhere, fitting, layers, loaded, picture, plain, ranked};

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
        for recorded in [false, true] {
            let mut scenes = Scene::several(&network, &[&input], recorded).unwrap();
            let together = asked.of_methods(&mut scenes[0], &methods, classes).unwrap();
            for (method, maps) in methods.iter().zip(together) {
                let alone = asked.but(|asked| asked.method = *method);
                let alone = alone.of_classes(&mut Scene::new(&network, &input).unwrap(), classes).unwrap();
                assert_eq!(maps, alone, "{}, {smoothing:?}, recorded: {recorded}", method.info().name);
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
