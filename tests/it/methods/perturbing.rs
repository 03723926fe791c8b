//! Methods that send many changed pictures through the network: how many at once, and the reported progress.

use std::num::NonZero;
use std::sync::{Arc, Mutex};

use burncam::internal::Scene;
use burncam::{DeviceName, Method, Method as M, Progress, Reads};
use burncam_engine::{Network, Runtime};

use super::networks::{Asked, all, fitting, layers, loaded, picture, plain};

/// Passes in all, for `plain` at its late layer of 8 channels of 8x8, a 16x16 picture and four samples.
const PASSES: [(Method, usize); 12] = [
    (M::ScoreCam, 8),
    (M::SsCam, 8 * 4),
    (M::IsCam, 8 * 4),
    (M::AblationCam, 8),
    (M::ReciproCam, 64),
    (M::VitReciproCam, 64),
    // Squares of two pixels, one pixel apart.
    (M::Occlusion, 15 * 15),
    (M::Rise, 4),
    (M::IntegratedGradients, 4),
    (M::Xrai, 4),
    (M::SmoothGrad, 4),
    (M::SmoothGradCamPlusPlus, 4),
];

#[test]
fn progress_is_told_after_every_batch_and_none_is_larger_than_asked_for() {
    let input = picture();
    let made = plain().made("fc");
    for method in fitting("plain") {
        let network = loaded(&made, layers(*method), &DeviceName::default());
        let mut scene = Scene::new(&network, &input).unwrap();
        for size in [1, 5, 16, 1000] {
            let heard = Arc::new(Mutex::new(Vec::new()));
            let listener = Arc::clone(&heard);
            let progress = Progress::new(move |done, total| listener.lock().unwrap().push((done, total)));
            let asked = Asked::new(*method, 0).but(|asked| {
                asked.options.batch_size = size;
                asked.options.progress = Some(progress);
            });
            asked.of(&mut scene).unwrap();
            let heard = heard.lock().unwrap();
            let what = format!("{} by {size}: {heard:?}", method.info().name);
            // Noisy copies of a picture go to a layer one at a time.
            let passes = PASSES.iter().find(|(other, _)| other == method);
            let in_batches = passes.is_some() && *method != M::SmoothGradCamPlusPlus;
            assert_eq!(method.reads(Reads::BatchSize), in_batches, "{what}");
            let Some((_, total)) = passes else {
                assert!(heard.is_empty(), "{what}");
                continue;
            };
            let size = if in_batches { size } else { 1 };
            // XRAI goes from black, then from white.
            let times = if *method == M::Xrai { 2 } else { 1 };
            assert_eq!(heard.iter().filter(|(done, _)| done == total).count(), times, "{what}");
            let mut before = 0;
            for (done, of) in heard.iter() {
                // Threads share out a batch, so that fewer may be done at a time; one more where one would be left over.
                assert!(of == total && (before + 1..=before + size + 1).contains(done), "{what}");
                before = if done == total { 0 } else { *done };
            }
            assert_eq!(before, 0, "{what}");
        }
    }
}

/// Methods whose passes have no gradients.
const FORWARD: [Method; 8] =
    [M::ScoreCam, M::SsCam, M::IsCam, M::AblationCam, M::ReciproCam, M::VitReciproCam, M::Occlusion, M::Rise];

#[test]
fn any_number_of_threads_and_any_batch_gives_the_same_bytes() {
    let input = picture();
    for (name, sketch, output) in all() {
        let made = sketch.made(output);
        let on = |method: Method, threads: usize, size: usize| {
            let runtime = Runtime { threads: NonZero::new(threads), ..Runtime::default() };
            let taps: Vec<usize> =
                layers(method).iter().map(|name| made.model.graph().position(name).unwrap()).collect();
            let network = Network::load(&made.model, &taps, runtime).unwrap();
            let asked = Asked::new(method, 1).but(|asked| asked.options.batch_size = size);
            asked.of(&mut Scene::new(&network, &input).unwrap()).unwrap()
        };
        for method in FORWARD.into_iter().filter(|method| fitting(name).any(|other| other == method)) {
            // Burn multiplies a single row by another routine.
            let [alone, together] = [on(method, 1, 1), on(method, 1, 2)];
            for (threads, size) in [(1, 16), (2, 1), (2, 4), (3, 1), (3, 5), (7, 1000)] {
                let what = format!("{} of {name}, {threads} threads, {size} together", method.info().name);
                let expected = if size == 1 { &alone } else { &together };
                assert_eq!(on(method, threads, size), *expected, "{what}");
            }
        }
    }
}

#[test]
fn channels_that_are_the_same_everywhere_share_a_pass() {
    let input = picture();
    // Three of the layer's eight channels never get above zero.
    let made = plain().with("c2.bias", |bias| bias[2..5].fill(-1e6)).made("fc");
    let network = loaded(&made, &["late"], &DeviceName::default());
    for (method, expected) in [(M::ScoreCam, 6), (M::IsCam, 6 * 4), (M::SsCam, 8 * 4)] {
        let before = network.passes();
        Asked::new(method, 0).of(&mut Scene::new(&network, &input).unwrap()).unwrap();
        assert_eq!(network.passes() - before - 1, expected, "{}", method.info().name);
    }
}
