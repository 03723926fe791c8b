//! Smoothing: what it averages, and when it must change nothing.

use burncam::internal::Scene;
use burncam::{DeviceName, Method, Method as M, Smoothing};

use super::networks::{
    Asked, SIDE, Sketch, everywhere, flipped, loaded, picture, plain, ranked, sees_the_input,
};
use crate::support::{distance, magnitude};

const AUGMENT: Smoothing = Smoothing { augment: true, noise: false, eigen: false };
const NOISE: Smoothing = Smoothing { augment: false, noise: true, eigen: false };
const EIGEN: Smoothing = Smoothing { augment: false, noise: false, eigen: true };

#[test]
fn augmenting_averages_six_maps() {
    everywhere(|what, network, asked, _| {
        // Products of means are not means of products, and pictures that are asked about alone have random weights of their own.
        if [M::RefineCam, M::Random].contains(&asked.method) {
            return;
        }
        let asked = asked.but(|asked| asked.options.signed = true);
        let input = picture();
        let mut sum: Vec<f64> = Vec::new();
        for mirrored in [false, true] {
            let base = if mirrored { flipped(&input, SIDE) } else { input.clone() };
            for factor in [0.9, 1.0, 1.1] {
                let changed: Vec<f32> = base.iter().map(|value| value * factor).collect();
                let map = asked.of(&mut Scene::new(network, &changed).unwrap()).unwrap().map;
                let values =
                    if mirrored { flipped(map.values(), map.width()) } else { map.values().to_vec() };
                sum.resize(values.len(), 0.0);
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(value));
            }
        }
        let expected: Vec<f32> = sum.into_iter().map(|value| (value / 6.0) as f32).collect();
        let found = asked.but(|asked| asked.smoothing = AUGMENT).map(network, &input);
        assert!(distance(&found, &expected) <= 1e-6 * magnitude(&expected), "{what}");
        let plain = asked.map(network, &input);
        assert!(distance(&found, &plain) > 1e-3 * magnitude(&plain), "{what}: nothing was smoothed");
    });
}

#[test]
fn augmenting_changes_nothing_where_mirrors_and_brightness_do_not_matter() {
    // Without biases everything grows with the brightness: at f times the input these maps are f times as great, or
    // the same, and 0.9, 1.0 and 1.1 are 1 in the mean.
    let unbiased = plain().mirrored().with(".bias", |values| values.fill(0.0)).made("fc");
    let linear = [M::GradCam, M::LayerCam, M::HiResCam, M::XGradCam, M::ElementWise, M::Cam, M::FinerCam];
    let others = [M::AblationCam, M::ReciproCam, M::EigenCam, M::EigenGradCam, M::SegEigenCam, M::Fem];
    let pixels = [M::Gradient, M::InputXGradient, M::IntegratedGradients, M::GuidedBackprop, M::Occlusion];
    let input = picture();
    let network = loaded(&unbiased, &["late"], &DeviceName::default());
    for method in linear.iter().chain(&others).chain(&pixels) {
        let asked = Asked::new(*method, ranked(&network, &input)[0]);
        let (plain, smooth) =
            (asked.map(&network, &input), asked.but(|asked| asked.smoothing = AUGMENT).map(&network, &input));
        let gap = distance(&plain, &smooth) / magnitude(&plain);
        assert!(gap < 1e-5, "{}: {gap:e}", method.info().name);
    }
}

#[test]
fn noise_without_deviation_changes_nothing() {
    everywhere(|what, network, asked, _| {
        let calm = asked.but(|asked| asked.options.noise = Some(0.0));
        let input = picture();
        let smooth = calm.but(|asked| asked.smoothing = NOISE);
        assert_eq!(smooth.map(network, &input), calm.map(network, &input), "{what}");
        let noisy = smooth.but(|asked| asked.options.noise = Some(0.2));
        let moved = noisy.map(network, &input) != calm.map(network, &input);
        assert_eq!(moved, sees_the_input(what), "{what}");
    });
}

#[test]
fn the_first_component_of_terms_of_one_pattern_is_their_sum() {
    // Every channel of the layer sees the same, more or less strongly: A_k = a_k p.
    let copied = |values: &mut Vec<f32>| {
        let first = values[..values.len() / 8].to_vec();
        let stretched = |at: usize| 0.5 + 0.25 * at as f32;
        let copies = (0..8).flat_map(|at| first.iter().map(move |value| value * stretched(at)));
        *values = copies.collect();
    };
    let silent = |values: &mut Vec<f32>| values.fill(0.0);
    let sketch: Sketch = plain().with("c2.weight", copied).with("c2.bias", silent);
    let made = sketch.made("fc");
    let network = loaded(&made, &["late"], &DeviceName::default());
    let input = picture();
    for method in Method::ALL.iter().filter(|method| method.info().has_terms) {
        // A random stream of its own for each; FEM's and LayerCAM's terms would have no pattern in common.
        if [M::RefineCam, M::Fem].contains(method) {
            continue;
        }
        let asked = Asked::new(*method, ranked(&network, &input)[0]).but(|asked| asked.options.signed = true);
        let sum = asked.of(&mut Scene::new(&network, &input).unwrap()).unwrap().map;
        let eigen = asked.but(|asked| asked.smoothing = EIGEN).of(&mut Scene::new(&network, &input).unwrap());
        let eigen = eigen.unwrap().map;
        // The mean over positions is taken off first.
        let mean = sum.stats().mean;
        let scale = |values: &[f32]| {
            let most = magnitude(values);
            values.iter().map(|value| value / most).collect::<Vec<f32>>()
        };
        let centered: Vec<f32> = sum.values().iter().map(|value| value - mean).collect();
        let gap = distance(&scale(&centered), &scale(eigen.values()));
        assert!(gap < 1e-5, "{}: {gap:e}", method.info().name);
    }
}

#[test]
fn methods_without_terms_refuse_to_project_them() {
    everywhere(|what, network, asked, _| {
        let input = picture();
        let found = asked.but(|asked| asked.smoothing = EIGEN).of(&mut Scene::new(network, &input).unwrap());
        if asked.method.info().has_terms {
            let sum = asked.of(&mut Scene::new(network, &input).unwrap());
            assert_ne!(found.unwrap(), sum.unwrap(), "{what}");
        } else {
            assert!(found.unwrap_err().to_string().contains("Request::smoothing = eigen"), "{what}");
        }
    });
}
