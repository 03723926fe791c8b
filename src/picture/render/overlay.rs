//! Maps laid over a picture, and pictures of the map alone.

use image::{Rgb, RgbImage};

use super::colormap::{COLORS, Colormap, index, signed_position};
use super::placed::Placed;
use super::rows::{Rows, Samples};

/// Pixels between two pictures drawn next to each other.
const GAP: u32 = 8;

/// How the map and the picture are mixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Overlay {
    /// Opacity follows heat: `min(|value|, limit)` of the colour, the rest from the picture. Zero heat changes
    /// nothing.
    Alpha {
        /// The greatest opacity, 0 to 1.
        limit: f32,
    },
    /// A constant share of colour everywhere the network looked, so that cold areas are tinted too.
    Blend {
        /// The share of the colour, 0 to 1.
        alpha: f32,
    },
}

impl Default for Overlay {
    /// Opacity follows heat, up to 0.65, as in eli5.
    fn default() -> Self {
        Self::Alpha { limit: 0.65 }
    }
}

/// Draws the map over the picture: `(1 - opacity) * picture + opacity * colour`, rounded to nearest.
///
/// For signed maps, and on diverging colour maps, the colour is that at `(value + 1) / 2`. Pixels of zero opacity and
/// parts that the network did not see stay bit-identical. When picture and map differ in size, only their common part
/// is drawn on.
#[must_use]
pub fn overlay<'a>(
    picture: &'a RgbImage,
    placed: &'a Placed,
    style: Overlay,
    colormap: Colormap,
) -> Rows<'a> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let columns = placed.seen.left..placed.seen.right.min(width);
    let paint = Paint { style, palette: Palette::new(placed, colormap) };
    Rows::new([width, height], Samples::Rgb, move |y, row| {
        row.copy_from_slice(&picture.as_raw()[y * row.len()..][..row.len()]);
        if (placed.seen.top..placed.seen.bottom).contains(&y) && !columns.is_empty() {
            paint.row(&mut row[columns.start * 3..columns.end * 3], placed, [y, columns.start]);
        }
    })
}

/// Pixels per batch: opacities and colours of a whole batch first, then the mixing, so that each loop vectorises.
const BATCH: usize = 64;

/// How a row of the map is mixed into a row of pixels.
struct Paint {
    style: Overlay,
    palette: Palette,
}

impl Paint {
    /// Mixes the values of row `y` from column `x` on into pixels.
    fn row(&self, pixels: &mut [u8], placed: &Placed, [y, x]: [usize; 2]) {
        let mut opacities = [0; BATCH];
        let mut places = [0; BATCH];
        let mut values = [0.0; BATCH];
        for (batch, pixels) in pixels.chunks_mut(3 * BATCH).enumerate() {
            let heat = &mut values[..pixels.len() / 3];
            placed.fill(y, x + batch * BATCH, heat);
            match self.style {
                Overlay::Alpha { limit } => {
                    for (opacity, value) in opacities.iter_mut().zip(&*heat) {
                        *opacity = fixed(value.abs().min(limit));
                    }
                }
                Overlay::Blend { alpha } => opacities.fill(fixed(alpha)),
            }
            // Much of most maps is zero, and changes nothing.
            if opacities[..heat.len()].iter().all(|opacity| *opacity == 0) {
                continue;
            }
            self.palette.places(heat, &mut places);
            let colors = opacities.iter().zip(&places);
            for (pixel, (opacity, place)) in pixels.as_chunks_mut().0.iter_mut().zip(colors) {
                mix(pixel, self.palette.colors[usize::from(*place)], *opacity);
            }
        }
    }
}

/// The colours of a map's values.
struct Palette {
    colors: &'static [[u8; 3]; COLORS],
    /// Whether values are in -1 to 1 instead of 0 to 1.
    signed: bool,
}

impl Palette {
    fn new(placed: &Placed, colormap: Colormap) -> Self {
        Self { colors: colormap.colors(), signed: placed.signed || colormap.is_diverging() }
    }

    /// The colour index of each value.
    fn places(&self, heat: &[f32], places: &mut [u8; BATCH]) {
        let pairs = places.iter_mut().zip(heat);
        if self.signed {
            pairs.for_each(|(place, value)| *place = index(signed_position(*value)));
        } else {
            pairs.for_each(|(place, value)| *place = index(*value));
        }
    }
}

/// 1.0 in 16-bit fixed point.
const ONE: i32 = 1 << 16;

/// A share of 0 to 1 in 16-bit fixed point, rounded down.
fn fixed(share: f32) -> i32 {
    (share.clamp(0.0, 1.0) * ONE as f32) as i32
}

/// Mixes one pixel. At zero opacity the added half is rounded away, so the pixel stays bit-identical.
fn mix(pixel: &mut [u8; 3], color: [u8; 3], opacity: i32) {
    for (channel, color) in pixel.iter_mut().zip(color) {
        let under = i32::from(*channel);
        *channel = (under + ((opacity * (i32::from(color) - under) + ONE / 2) >> 16)) as u8;
    }
}

/// The map alone, in colours. Parts that the network did not see have the colour of zero.
#[must_use]
pub fn heatmap_picture(placed: &Placed, colormap: Colormap) -> Rows<'_> {
    let palette = Palette::new(placed, colormap);
    Rows::new([placed.width, placed.height], Samples::Rgb, move |y, row| {
        let mut values = [0.0; BATCH];
        let mut places = [0; BATCH];
        for (batch, pixels) in row.chunks_mut(3 * BATCH).enumerate() {
            let heat = &mut values[..pixels.len() / 3];
            placed.fill(y, batch * BATCH, heat);
            palette.places(heat, &mut places);
            for (pixel, place) in pixels.as_chunks_mut().0.iter_mut().zip(places) {
                *pixel = palette.colors[usize::from(place)];
            }
        }
    })
}

/// Two pictures in a row, aligned at the top, with a white gap.
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

    use super::super::{Interpolation, place};
    use super::*;
    use crate::Heatmap;
    use crate::input::Placement;

    fn overlay(picture: &RgbImage, placed: &Placed, style: Overlay, map: Colormap) -> RgbImage {
        super::overlay(picture, placed, style, map).to_rgb()
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
                let values =
                    (0..count).map(|at| start + (at * 7 % count) as f32 / count as f32 * (1.0 - start));
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
            let (heat, cold) = (Placed::of_values(6, &[value; 30]), Placed::of_values(6, &[0.0; 30]));
            let plain = [
                overlay(&picture, &heat, Overlay::Alpha { limit: 0.0 }, Colormap::Turbo),
                overlay(&picture, &heat, Overlay::Blend { alpha: 0.0 }, Colormap::Turbo),
                overlay(&picture, &cold, Overlay::Alpha { limit: share }, Colormap::Turbo),
            ];
            prop_assert!(plain.iter().all(|drawn| *drawn == picture));
        }
    }
}
