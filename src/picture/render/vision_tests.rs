//! How well the colours of heat are distinguished from a photo, by people of every kind of colour vision: why the defaults are what they are.
//!
//! Colour vision without one kind of cones is simulated as by Machado, Oliveira and Fernandes, "A physiologically-based model for
//! simulation of color vision deficiency", 2009, at full severity. Differences are of CIELAB (1976), where 2.3 is just noticed.

use super::{Backdrop, Colormap, Look, Overlay, overlay, place};
use crate::Heatmap;
use crate::input::Placement;
use crate::render::Interpolation;
use image::{Rgb, RgbImage};

type Matrix = [[f64; 3]; 3];

/// Usual vision, and that without red, green and blue cones: on linear RGB.
const VISIONS: [(&str, Matrix); 4] = [
    ("usual", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protan",
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    ),
    (
        "deutan",
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ),
    (
        "tritan",
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ),
];

/// From linear RGB to XYZ, of sRGB's primaries.
const XYZ: Matrix =
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]];
const WHITE: [f64; 3] = [0.95047, 1.0, 1.08883];

fn times(matrix: &Matrix, vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// CIELAB of a colour as a vision sees it.
fn lab(Rgb(color): Rgb<u8>, vision: &Matrix) -> [f64; 3] {
    let linear = color.map(|level| {
        let c = f64::from(level) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    });
    let seen = times(vision, linear).map(|c| c.clamp(0.0, 1.0));
    let xyz = times(&XYZ, seen);
    let [x, y, z] = [0, 1, 2].map(|at| {
        let t = xyz[at] / WHITE[at];
        if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn difference(one: Rgb<u8>, other: Rgb<u8>, vision: &Matrix) -> f64 {
    let (one, other) = (lab(one, vision), lab(other, vision));
    one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// Heat from 0.3 to 1 over a photo of one colour: the mean difference from the photo without heat.
fn distinguished(photo: Rgb<u8>, look: &Look, vision: &Matrix) -> f64 {
    let heat: Vec<f32> = (6..=20).map(|step| step as f32 / 20.0).collect();
    let count = heat.len();
    let picture = RgbImage::from_pixel(count as u32, 1, photo);
    let whole = Placement::whole(count, 1);
    let draw = |values: Vec<f32>| {
        let map = Heatmap::new(1, count, values).unwrap();
        overlay(&picture, &place(&map, &whole, count, 1, Interpolation::Nearest), look).to_rgb()
    };
    let (hot, cold) = (draw(heat), draw(vec![0.0; count]));
    hot.pixels().zip(cold.pixels()).map(|(hot, cold)| difference(*hot, *cold, vision)).sum::<f64>()
        / count as f64
}

/// The least of [`distinguished`] over all greys, in each vision.
fn on_grey(colormap: Colormap) -> [f64; 4] {
    let look = Look { colormap, ..Look::default() };
    VISIONS.map(|(_, vision)| {
        let greys = (0..=255_u8).step_by(5).map(|level| distinguished(Rgb([level; 3]), &look, &vision));
        greys.fold(f64::INFINITY, f64::min)
    })
}

/// The table of docs/pictures.md: usual vision, protan, deutan, tritan.
const UNIFORM: [(Colormap, [f64; 4]); 5] = [
    (Colormap::Viridis, [36.9, 28.4, 25.0, 22.7]),
    (Colormap::Magma, [32.0, 20.6, 21.1, 31.7]),
    (Colormap::Inferno, [40.8, 32.9, 32.9, 33.2]),
    (Colormap::Plasma, [42.4, 33.5, 32.2, 31.7]),
    (Colormap::Cividis, [22.0, 22.4, 21.7, 11.1]),
];

#[test]
fn of_the_uniform_colour_maps_the_default_is_distinguished_best_from_grey_by_all_eyes() {
    let worst = |colormap| on_grey(colormap).into_iter().fold(f64::INFINITY, f64::min);
    for (colormap, expected) in UNIFORM {
        let found = on_grey(colormap);
        let is_near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 0.25);
        assert!(is_near, "{colormap}: {found:.1?}");
    }
    let default = Colormap::default();
    assert!(worst(default) > 30.0, "{}", worst(default));
    assert!(UNIFORM.iter().all(|(other, _)| *other == default || worst(*other) < worst(default)));
}

#[test]
fn heat_of_the_photos_own_colour_is_distinguished_on_grey_and_not_on_the_photo() {
    let yellow = Rgb([250, 220, 40]);
    let usual = VISIONS[0].1;
    let old = Look { colormap: Colormap::Viridis, backdrop: Backdrop::Colour, ..Look::default() };
    let hottest = |look: &Look| {
        let picture = RgbImage::from_pixel(1, 1, yellow);
        let map = Heatmap::new(1, 1, vec![1.0]).unwrap();
        let placed = place(&map, &Placement::whole(1, 1), 1, 1, Interpolation::Nearest);
        let mut under = [0; 3];
        look.backdrop.fill(&yellow.0, &mut under);
        difference(*overlay(&picture, &placed, look).to_rgb().get_pixel(0, 0), Rgb(under), &usual)
    };
    let (before, now) = (hottest(&old), hottest(&Look::default()));
    assert!(before < 10.0 && now > 30.0, "{before} {now}");
}

#[test]
fn signed_heat_is_distinguished_from_grey_on_both_sides_of_zero_by_all_eyes() {
    let look = Look { colormap: Colormap::Coolwarm, overlay: Overlay::default(), ..Look::default() };
    for (name, vision) in VISIONS {
        let [negative, positive] = [-1.0, 1.0].map(|value| {
            let picture = RgbImage::from_pixel(1, 1, Rgb([128; 3]));
            let map = Heatmap::new(1, 1, vec![value]).unwrap();
            let placed = place(&map, &Placement::whole(1, 1), 1, 1, Interpolation::Nearest);
            *overlay(&picture, &placed, &look).to_rgb().get_pixel(0, 0)
        });
        let apart = difference(negative, positive, &vision);
        assert!(apart > 25.0, "{name}: {apart}");
    }
}
