//! Overlays, against hand-worked levels and a plain version of the formula.

use image::Rgb;
use proptest::prelude::*;

use super::super::{Interpolation, place};
use super::*;
use crate::Heatmap;
use crate::input::Placement;

fn overlay(picture: &RgbImage, placed: &Placed, style: Overlay, map: Colormap) -> RgbImage {
    // Over the photo itself and without lines, whose tests are in files of their own.
    let look = Look {
        overlay: style,
        colormap: map,
        backdrop: Backdrop::Colour,
        crop_edge: false,
        ..Look::default()
    };
    super::overlay(picture, placed, &look).to_rgb()
}

fn heatmap_picture(placed: &Placed, map: Colormap) -> RgbImage {
    super::heatmap_picture(placed, map).to_rgb()
}

fn photo(width: u32, height: u32) -> RgbImage {
    let level = |value: u32| (value % 256) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([level(x * 37), level(y * 53), level(x * y)]))
}

#[test]
fn opacity_follows_heat_up_to_the_limit() {
    let picture = RgbImage::from_pixel(4, 1, Rgb([100; 3]));
    let heat = Placed::of_values(4, &[0.0, 0.25, 0.5, 1.0]);
    let drawn = overlay(&picture, &heat, Overlay::Alpha { limit: 0.5 }, Colormap::Grey);
    // Greys 64, 128 and 255: 100 - 0.25 * 36 = 91, 100 + 0.5 * 28 = 114, 100 + 0.5 * 155 = 177.5.
    let levels: Vec<u8> = drawn.pixels().map(|pixel| pixel.0[0]).collect();
    assert_eq!(levels, [100, 91, 114, 178]);
}

#[test]
fn a_full_blend_is_the_heatmap_picture() {
    let heat = Placed::of_values(5, &(0..10).map(|value| value as f32 / 9.0).collect::<Vec<_>>());
    for map in Colormap::ALL {
        let drawn = overlay(&photo(5, 2), &heat, Overlay::Blend { alpha: 1.0 }, map);
        assert_eq!(drawn, heatmap_picture(&heat, map));
    }
}

#[test]
fn a_signed_map_is_opaque_at_both_ends_and_clear_at_zero() {
    let picture = RgbImage::from_pixel(3, 1, Rgb([100; 3]));
    let heat = Placed::of_values(3, &[-1.0, 0.0, 1.0]);
    let map = Colormap::RedBlue;
    let drawn = overlay(&picture, &heat, Overlay::Alpha { limit: 1.0 }, map);
    let pixels: Vec<[u8; 3]> = drawn.pixels().map(|pixel| pixel.0).collect();
    assert_eq!(pixels, [map.color(0.0), [100; 3], map.color(1.0)]);
    // The map alone has the palest colour at zero; an unsigned map looks the same on diverging colours.
    assert_eq!(heatmap_picture(&heat, map).get_pixel(1, 0).0, map.color(0.5));
    let positive = Placed::of_values(2, &[0.0, 1.0]);
    assert_eq!(heatmap_picture(&positive, map).get_pixel(0, 0).0, map.color(0.5));
    assert_eq!(heatmap_picture(&heat, Colormap::Grey).get_pixel(1, 0).0, [128; 3]);
}

#[test]
fn what_was_not_seen_stays_untouched() {
    let map = Heatmap::new(1, 1, vec![0.8]).unwrap();
    let inner = Placement { left: 1.0, top: 1.0, right: 3.0, bottom: 2.0 };
    let heat = place(&map, &inner, 4, 3, Interpolation::Nearest);
    for style in [Overlay::Alpha { limit: 1.0 }, Overlay::Blend { alpha: 0.5 }] {
        let drawn = overlay(&photo(4, 3), &heat, style, Colormap::Jet);
        for (x, y, pixel) in photo(4, 3).enumerate_pixels() {
            let inside = (1..3).contains(&x) && y == 1;
            assert_eq!(drawn.get_pixel(x, y) != pixel, inside, "{x},{y}");
        }
    }
}

#[test]
fn heat_is_laid_over_the_backdrop_and_the_edge_of_the_crop_is_outside_of_it() {
    let map = Heatmap::new(1, 1, vec![0.5]).unwrap();
    let inner = Placement { left: 8.0, top: 0.0, right: 132.0, bottom: 120.0 };
    let heat = place(&map, &inner, 140, 120, Interpolation::Nearest);
    let picture = RgbImage::from_pixel(140, 120, Rgb([200, 10, 90]));
    for backdrop in Backdrop::ALL {
        let mut under = [0; 3];
        backdrop.fill(&[200, 10, 90], &mut under);
        let base = RgbImage::from_pixel(140, 120, Rgb(under));
        let (style, map) = (Overlay::Alpha { limit: 0.65 }, Colormap::Grey);
        let plain = overlay(&base, &heat, style, map);
        let look = Look { overlay: style, colormap: map, backdrop, ..Look::default() };
        let drawn = super::overlay(&picture, &heat, &look).to_rgb();
        let blank = no_heat(&picture, &heat, &look).to_rgb();
        for (x, y, pixel) in drawn.enumerate_pixels() {
            let is_edge = [7, 132].contains(&x);
            assert_eq!(pixel == plain.get_pixel(x, y), !is_edge, "{backdrop} {x},{y}");
            assert_eq!(blank.get_pixel(x, y).0 == under, !is_edge, "{backdrop} {x},{y}");
        }
        let hidden = super::overlay(&picture, &heat, &Look { crop_edge: false, ..look }).to_rgb();
        assert_eq!(hidden, plain);
    }
}

#[test]
fn contours_are_drawn_on_the_heat() {
    let heat =
        Placed::of_values(41, &(0..3).flat_map(|_| (0..41).map(|x| x as f32 / 40.0)).collect::<Vec<_>>());
    let picture = photo(41, 3);
    let plain = Look::default();
    let with = Look { contours: "0.5".parse().unwrap(), ..plain };
    let [plain, with] = [plain, with].map(|look| super::overlay(&picture, &heat, &look).to_rgb());
    let changed: Vec<u32> = (0..41).filter(|x| plain.get_pixel(*x, 1) != with.get_pixel(*x, 1)).collect();
    assert_eq!(changed, [19, 20, 21]);
    assert_eq!(with.get_pixel(20, 1).0, [255; 3]);
}

/// A plain version, pixel by pixel as [`overlay`] documents it.
fn plain(picture: &RgbImage, placed: &Placed, style: Overlay, map: Colormap) -> RgbImage {
    let mut out = picture.clone();
    let values = placed.values();
    for (at, pixel) in out.pixels_mut().enumerate() {
        let value = values[at];
        let opacity = match style {
            Overlay::Alpha { limit } => value.abs().min(limit),
            Overlay::Blend { alpha } => alpha,
        };
        let opacity = f64::from((opacity.clamp(0.0, 1.0) * 65536.0).floor()) / 65536.0;
        let signed = placed.signed || map.is_diverging();
        let color = map.color(if signed { signed_position(value) } else { value });
        for (channel, color) in pixel.0.iter_mut().zip(color) {
            let mixed = (1.0 - opacity) * f64::from(*channel) + opacity * f64::from(color);
            *channel = (mixed + 0.5).floor() as u8;
        }
    }
    out
}

#[test]
fn rows_longer_and_shorter_than_a_batch_are_mixed_pixel_by_pixel() {
    for width in [1, BATCH - 1, BATCH, 3 * BATCH + 5] {
        for start in [0.0, -1.0] {
            let count = width * 3;
            let values = (0..count).map(|at| start + (at * 7 % count) as f32 / count as f32 * (1.0 - start));
            let heat = Placed::of_values(width, &values.collect::<Vec<_>>());
            let picture = photo(width as u32, 3);
            for style in [Overlay::Alpha { limit: 0.65 }, Overlay::Blend { alpha: 0.3 }] {
                for map in Colormap::ALL {
                    let drawn = overlay(&picture, &heat, style, map);
                    assert!(drawn == plain(&picture, &heat, style, map), "{width} {style:?} {map}");
                }
            }
        }
    }
}

#[test]
fn every_opacity_is_mixed_as_in_whole_numbers() {
    for opacity in (0..=u16::MAX).step_by(251).chain([1, 32_767, 32_768, 32_769, u16::MAX]) {
        for color in (0..=255).step_by(5) {
            let mut mixed: Vec<u8> = (0..=255).collect();
            mix(&mut mixed, &[color; 256], &[opacity; 256]);
            for (under, mixed) in (0..).zip(mixed) {
                // Full opacity stands for 65536, whose result is the colour.
                let whole = i64::from(opacity) + i64::from(opacity == u16::MAX);
                let expected = under + ((whole * (i64::from(color) - under) + 32_768) >> 16);
                assert_eq!(i64::from(mixed), expected, "{opacity} {color} {under}");
            }
        }
    }
}

#[test]
fn two_pictures_stand_side_by_side() {
    let both = side_by_side(Rows::of(&photo(3, 2)), Rows::of(&photo(2, 4))).to_rgb();
    assert_eq!(both.dimensions(), (3 + GAP + 2, 4));
    assert_eq!(both.get_pixel(2, 1), photo(3, 2).get_pixel(2, 1));
    assert_eq!(both.get_pixel(3 + GAP, 3), photo(2, 4).get_pixel(0, 3));
    assert_eq!(both.get_pixel(0, 3).0, [255; 3]);
}

proptest! {
#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_opacity_and_no_heat_give_the_photo(value in 0.0f32..=1.0, share in 0.0f32..=1.0) {
        let picture = photo(6, 5);
        let (heat, cold) = (Placed::of_values(6, &[value; 30]), Placed::of_values(6, &[0.0; 30]));
        let plain = [
            overlay(&picture, &heat, Overlay::Alpha { limit: 0.0 }, Colormap::Turbo),
            overlay(&picture, &heat, Overlay::Blend { alpha: 0.0 }, Colormap::Turbo),
            overlay(&picture, &cold, Overlay::Alpha { limit: share }, Colormap::Turbo),
        ];
        prop_assert!(plain.iter().all(|drawn| *drawn == picture));
    }
}
