//! The baseline of random weights: a draw of its own for each picture, which neither its name nor other pictures change.

use burncam::{DeviceName, Method as M, Smoothing};

use super::networks::{Asked, SIDE, loaded, picture, plain};
use crate::support::{Made, distance, magnitude};

const PICTURES: u16 = 200;

/// A network that does not see the third colour: pictures that differ in it alone have the same activations.
fn two_colours() -> Made {
    let blind = |values: &mut Vec<f32>| {
        for kernel in values.chunks_mut(27) {
            kernel[18..].fill(0.0);
        }
    };
    plain().with("c1.weight", blind).made("fc")
}

fn with_third_colour(value: f32) -> Vec<f32> {
    let mut values = picture();
    values[2 * SIDE * SIDE..].fill(value);
    values
}

fn signed() -> Asked {
    Asked::new(M::Random, 0).but(|asked| asked.options.signed = true)
}

#[test]
fn each_picture_has_weights_of_its_own() {
    let network = loaded(&two_colours(), &["late"], &DeviceName::default());
    let map = |third: f32| signed().map(&network, &with_third_colour(third));
    let other_method = |third| Asked::new(M::EigenCam, 0).map(&network, &with_third_colour(third));
    assert_eq!(other_method(0.0), other_method(0.5), "the activations are the same");
    let first = map(0.0);
    assert!(distance(&first, &map(0.5)) > 0.1 * magnitude(&first));
    assert_eq!(first, map(0.0), "the picture alone counts, not what came between");
    let another_class = signed().but(|asked| asked.class = 1);
    assert_eq!(first, another_class.map(&network, &with_third_colour(0.0)));
}

#[test]
fn over_many_pictures_the_weights_cancel() {
    let network = loaded(&two_colours(), &["late"], &DeviceName::default());
    let map = |at: u16| signed().map(&network, &with_third_colour(f32::from(at) / 64.0));
    let maps: Vec<Vec<f32>> = (0..PICTURES).map(map).collect();
    let mut sums = vec![0.0; maps[0].len()];
    for map in &maps {
        sums.iter_mut().zip(map).for_each(|(sum, value)| *sum += f64::from(*value) / f64::from(PICTURES));
    }
    let of_means: f64 = sums.iter().map(|mean| mean * mean).sum();
    let of_maps: f64 = maps.iter().flatten().map(|value| f64::from(*value).powi(2)).sum();
    let share = of_means / (of_maps / f64::from(PICTURES));
    // One draw for all would give 1, draws of their own about one in as many as there are pictures.
    assert!(share < 0.05, "{share}");
}

#[test]
fn changed_copies_of_a_picture_share_its_weights() {
    // Without biases the map grows with the brightness, and 0.9, 1.0 and 1.1 are 1 in the mean.
    let made = plain().mirrored().with(".bias", |values| values.fill(0.0)).made("fc");
    let network = loaded(&made, &["late"], &DeviceName::default());
    let plain = signed().map(&network, &picture());
    let augment = Smoothing { augment: true, ..Smoothing::default() };
    let smooth = signed().but(|asked| asked.smoothing = augment).map(&network, &picture());
    assert!(distance(&plain, &smooth) < 1e-5 * magnitude(&plain));
}
