//! Heat laid over a picture, and pictures of the heat alone.

use image::{Rgb, RgbImage};
use rayon::prelude::*;

use super::colormap::{Colormap, index, signed_position};
use super::resample::Placed;

/// Pixels between two pictures side by side.
const GAP: u32 = 8;

/// How heat and picture share a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Overlay {
    /// Heat is opacity: `min(|value|, limit)` of the colour, the rest of the picture. No heat, no change.
    Alpha {
        /// The greatest opacity, 0 to 1.
        limit: f32,
    },
    /// The same share of colour everywhere the network looked, so that cold colours tint too.
    Blend {
        /// The share of the colour, 0 to 1.
        alpha: f32,
    },
}

impl Default for Overlay {
    /// Opacity by heat, up to 0.65, as in eli5.
    fn default() -> Self {
        Self::Alpha { limit: 0.65 }
    }
}

/// Lays the heat over the picture: `(1 - opacity) * picture + opacity * colour`, rounded to nearest.
///
/// The colour of a signed map's value, and of any value on a diverging colour map, is that at `(value + 1) / 2`.
/// Pixels without opacity, and all that the network never saw, stay as they are, bit for bit. Where the sizes of
/// picture and heat differ, only what they share is drawn on.
#[must_use]
pub fn overlay(picture: &RgbImage, placed: &Placed, style: Overlay, colormap: Colormap) -> RgbImage {
    let mut out = picture.clone();
    let colors = colormap.colors();
    let position = position(placed, colormap);
    let columns = placed.seen.left..placed.seen.right.min(out.width() as usize);
    let stride = out.width() as usize * 3;
    if columns.is_empty() {
        return out;
    }
    let rows = out.par_chunks_exact_mut(stride).zip(placed.values.par_chunks_exact(placed.width));
    let seen = placed.seen.top..placed.seen.bottom;
    rows.enumerate().filter(|(y, _)| seen.contains(y)).for_each(|(_, (row, values))| {
        let row = &mut row[columns.start * 3..columns.end * 3];
        for (pixel, value) in row.chunks_exact_mut(3).zip(&values[columns.clone()]) {
            let opacity = match style {
                Overlay::Alpha { limit } => fixed(value.abs().min(limit)),
                Overlay::Blend { alpha } => fixed(alpha),
            };
            if opacity > 0 {
                mix(pixel, colors[index(position(*value))], opacity);
            }
        }
    });
    out
}

/// One, in 16-bit fixed point.
const ONE: i32 = 1 << 16;

/// A share of 0 to 1 in 16-bit fixed point, rounded down.
fn fixed(share: f32) -> i32 {
    (share.clamp(0.0, 1.0) * ONE as f32) as i32
}

/// Where a value lies between the colour map's ends.
fn position(placed: &Placed, colormap: Colormap) -> fn(f32) -> f32 {
    if placed.signed || colormap.is_diverging() { signed_position } else { |value| value }
}

fn mix(pixel: &mut [u8], color: [u8; 3], opacity: i32) {
    for (channel, color) in pixel.iter_mut().zip(color) {
        let under = i32::from(*channel);
        *channel = (under + ((opacity * (i32::from(color) - under) + ONE / 2) >> 16)) as u8;
    }
}

/// The heat alone, in colours. What the network never saw has the colour of zero.
#[must_use]
pub fn heatmap_picture(placed: &Placed, colormap: Colormap) -> RgbImage {
    let mut out = RgbImage::new(placed.width as u32, placed.height as u32);
    let colors = colormap.colors();
    let position = position(placed, colormap);
    let pixels = out.par_chunks_exact_mut(3).with_min_len(1 << 14);
    let painted = pixels.zip(&placed.values);
    painted.for_each(|(pixel, value)| pixel.copy_from_slice(&colors[index(position(*value))]));
    out
}

/// Two pictures in one, from left to right with a white gap, aligned at the top.
#[must_use]
pub fn side_by_side(left: &RgbImage, right: &RgbImage) -> RgbImage {
    let start = left.width() + GAP;
    let mut both =
        RgbImage::from_pixel(start + right.width(), left.height().max(right.height()), Rgb([255; 3]));
    image::imageops::replace(&mut both, left, 0, 0);
    image::imageops::replace(&mut both, right, i64::from(start), 0);
    both
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::resample::PixelBox;
    use super::*;

    fn placed(width: usize, height: usize, values: Vec<f32>) -> Placed {
        let signed = values.iter().any(|value| *value < 0.0);
        Placed {
            width,
            height,
            values,
            signed,
            seen: PixelBox { left: 0, top: 0, right: width, bottom: height },
        }
    }

    fn photo(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([x as u8 * 37, y as u8 * 53, (x * y) as u8]))
    }

    #[test]
    fn opacity_follows_heat_up_to_the_limit() {
        let picture = RgbImage::from_pixel(4, 1, Rgb([100; 3]));
        let heat = placed(4, 1, vec![0.0, 0.25, 0.5, 1.0]);
        let drawn = overlay(&picture, &heat, Overlay::Alpha { limit: 0.5 }, Colormap::Grey);
        // Greys 64, 128 and 255: 100 - 0.25 * 36 = 91, 100 + 0.5 * 28 = 114, 100 + 0.5 * 155 = 177.5.
        let levels: Vec<u8> = drawn.pixels().map(|pixel| pixel.0[0]).collect();
        assert_eq!(levels, [100, 91, 114, 178]);
    }

    #[test]
    fn a_full_blend_is_the_heatmap_picture() {
        let heat = placed(5, 2, (0..10).map(|value| value as f32 / 9.0).collect());
        for map in Colormap::ALL {
            let drawn = overlay(&photo(5, 2), &heat, Overlay::Blend { alpha: 1.0 }, map);
            assert_eq!(drawn, heatmap_picture(&heat, map));
        }
    }

    #[test]
    fn a_signed_map_is_opaque_at_both_ends_and_clear_at_zero() {
        let picture = RgbImage::from_pixel(3, 1, Rgb([100; 3]));
        let heat = placed(3, 1, vec![-1.0, 0.0, 1.0]);
        let map = Colormap::RedBlue;
        let drawn = overlay(&picture, &heat, Overlay::Alpha { limit: 1.0 }, map);
        let pixels: Vec<[u8; 3]> = drawn.pixels().map(|pixel| pixel.0).collect();
        assert_eq!(pixels, [map.color(0.0), [100; 3], map.color(1.0)]);
        // The heat alone has the palest colour at zero; a map that is not signed looks the same on diverging colours.
        assert_eq!(heatmap_picture(&heat, map).get_pixel(1, 0).0, map.color(0.5));
        let positive = placed(2, 1, vec![0.0, 1.0]);
        assert_eq!(heatmap_picture(&positive, map).get_pixel(0, 0).0, map.color(0.5));
        assert_eq!(heatmap_picture(&heat, Colormap::Grey).get_pixel(1, 0).0, [128; 3]);
    }

    #[test]
    fn what_was_not_seen_stays_untouched() {
        let mut heat = placed(4, 3, vec![0.8; 12]);
        heat.seen = PixelBox { left: 1, top: 1, right: 3, bottom: 2 };
        for style in [Overlay::Alpha { limit: 1.0 }, Overlay::Blend { alpha: 0.5 }] {
            let drawn = overlay(&photo(4, 3), &heat, style, Colormap::Jet);
            for (x, y, pixel) in photo(4, 3).enumerate_pixels() {
                let inside = (1..3).contains(&x) && y == 1;
                assert_eq!(drawn.get_pixel(x, y) != pixel, inside, "{x},{y}");
            }
        }
    }

    #[test]
    fn two_pictures_stand_side_by_side() {
        let both = side_by_side(&photo(3, 2), &photo(2, 4));
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
            let (heat, cold) = (placed(6, 5, vec![value; 30]), placed(6, 5, vec![0.0; 30]));
            let plain = [
                overlay(&picture, &heat, Overlay::Alpha { limit: 0.0 }, Colormap::Turbo),
                overlay(&picture, &heat, Overlay::Blend { alpha: 0.0 }, Colormap::Turbo),
                overlay(&picture, &cold, Overlay::Alpha { limit: share }, Colormap::Turbo),
            ];
            prop_assert!(plain.iter().all(|drawn| *drawn == picture));
        }
    }
}
