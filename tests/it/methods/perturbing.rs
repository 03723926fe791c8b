//! Methods that send many changed pictures through the network: how many at once, and the reported progress.

use std::sync::{Arc, Mutex};

use burncam::internal::Scene;
use burncam::{DeviceName, Method, Method as M, Progress, Reads};

use super::networks::{Asked, fitting, layers, loaded, picture, plain};

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
            let expected: Vec<(usize, usize)> =
                (1..=total.div_ceil(size)).map(|batch| ((batch * size).min(*total), *total)).collect();
            // XRAI goes from black, then from white.
            let times = if *method == M::Xrai { 2 } else { 1 };
            assert_eq!(*heard, expected.repeat(times), "{what}");
        }
    }
}
