//! Maps laid over a picture, and pictures of the map alone.

use burncam_graph::wide;
use image::RgbImage;

use super::backdrop::Backdrop;
use super::colormap::{COLORS, Colormap, index, signed_position};
use super::contour::{Contours, Lines};
use super::crop::CropEdge;
use super::placed::Placed;
use super::rows::{BATCH, Rows, Samples};
use crate::fixed::{floor, product};

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

/// How an overlay looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// How the map is mixed in.
    pub overlay: Overlay,
    /// Its colours.
    pub colormap: Colormap,
    /// What it is laid over.
    pub backdrop: Backdrop,
    /// Lines of equal heat.
    pub contours: Contours,
    /// Whether the edge of what the network saw is drawn as a thin dashed line.
    pub crop_edge: bool,
}

impl Default for Look {
    /// Heat in the default colours over the grey photo, opacity by heat, and the edge of the crop.
    fn default() -> Self {
        Self {
            overlay: Overlay::default(),
            colormap: Colormap::default(),
            backdrop: Backdrop::default(),
            contours: Contours::default(),
            crop_edge: true,
        }
    }
}

/// Draws the map over the picture: `(1 - opacity) * backdrop + opacity * colour`, rounded to nearest, then contours and the edge of the crop.
///
/// For signed maps, and on diverging colour maps, the colour is that at `(value + 1) / 2`. Pixels of zero opacity and
/// parts that the network did not see are those of the backdrop. When picture and map differ in size, only their common part
/// is drawn on.
#[must_use]
pub fn overlay<'a>(picture: &'a RgbImage, placed: &'a Placed, look: &Look) -> Rows<'a> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let columns = placed.seen.left..placed.seen.right.min(width);
    let Look { overlay, colormap, backdrop, contours, crop_edge } = *look;
    let paint = Paint { style: overlay, palette: Palette::new(placed, colormap) };
    let lines = Lines::new(placed, &contours);
    let edge = if crop_edge { CropEdge::of(placed) } else { None };
    Rows::new([width, height], Samples::Rgb, move |y, row| {
        backdrop.fill(&picture.as_raw()[y * row.len()..][..row.len()], row);
        if (placed.seen.top..placed.seen.bottom).contains(&y) && !columns.is_empty() {
            mix_row(&paint, &mut row[columns.start * 3..columns.end * 3], placed, [y, columns.start]);
        }
        lines.draw(y, row);
        edge.iter().for_each(|edge| edge.draw(y, row));
    })
}

/// The backdrop without a map, with the edge of the crop: what is drawn of a blank one.
#[must_use]
pub fn no_heat<'a>(picture: &'a RgbImage, placed: &'a Placed, look: &Look) -> Rows<'a> {
    overlay(
        picture,
        placed,
        &Look { overlay: Overlay::Alpha { limit: 0.0 }, contours: Contours::default(), ..*look },
    )
}

wide!(fn mix_row(paint: &Paint, pixels: &mut [u8], placed: &Placed, start: [usize; 2]) = Paint::row);

/// How a row of the map is mixed into a row of pixels.
struct Paint {
    style: Overlay,
    palette: Palette,
}

impl Paint {
    /// Mixes the values of row `y` from column `x` on into pixels.
    #[inline(always)]
    fn row(&self, pixels: &mut [u8], placed: &Placed, [y, x]: [usize; 2]) {
        let mut values = [0.0; BATCH];
        let mut opacities = [0; BATCH];
        let mut places = [0; BATCH];
        let mut colors = [[0; 12]; BATCH / 4];
        let mut spread = [[0; 12]; BATCH / 4];
        for (batch, pixels) in pixels.chunks_mut(3 * BATCH).enumerate() {
            let heat = &mut values[..pixels.len() / 3];
            placed.fill_part(y, x + batch * BATCH, heat);
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
            // Colours and opacities of every channel first: mixing then is one loop over numbers that stand next to each other.
            self.palette.gather(&places, &mut colors);
            for (channels, [a, b, c, d]) in spread.iter_mut().zip(opacities.as_chunks().0) {
                *channels = [*a, *a, *a, *b, *b, *b, *c, *c, *c, *d, *d, *d];
            }
            mix(pixels, colors.as_flattened(), spread.as_flattened());
        }
    }
}

/// The colours of a map's values.
struct Palette {
    /// Red in the lowest byte, then green and blue.
    colors: [u32; COLORS],
    /// Whether values are in -1 to 1 instead of 0 to 1.
    signed: bool,
}

impl Palette {
    fn new(placed: &Placed, colormap: Colormap) -> Self {
        let colors = colormap.colors().map(|[red, green, blue]| u32::from_le_bytes([red, green, blue, 0]));
        Self { colors, signed: placed.signed || colormap.is_diverging() }
    }

    /// The colours of a batch of indices. Four pixels are put together in registers first: single bytes take four times as many writes.
    #[inline(always)]
    fn gather(&self, places: &[u8; BATCH], colors: &mut [[u8; 12]; BATCH / 4]) {
        for (bytes, places) in colors.iter_mut().zip(places.as_chunks::<4>().0) {
            let [a, b, c, d] = places.map(|place| self.colors[usize::from(place)]);
            bytes[..4].copy_from_slice(&(a | b << 24).to_le_bytes());
            bytes[4..8].copy_from_slice(&(b >> 8 | c << 16).to_le_bytes());
            bytes[8..].copy_from_slice(&(c >> 16 | d << 8).to_le_bytes());
        }
    }

    /// The colour index of each value.
    #[inline(always)]
    fn places(&self, heat: &[f32], places: &mut [u8; BATCH]) {
        for (place, value) in places.iter_mut().zip(heat) {
            *place = index(if self.signed { signed_position(*value) } else { *value });
        }
    }
}

/// A share of 0 to 1 in 16-bit fixed point, rounded down. One is a unit too low, which changes no result of [`mix`].
#[inline(always)]
fn fixed(share: f32) -> u16 {
    // Rounded down, and at most the greatest number of 16 bits.
    floor(share * 65536.0, 65535.0) as u16
}

/// `under + (opacity * (color - under) + half) / 65536` for every channel. At zero opacity the half is rounded away, so that the channel stays bit-identical.
///
/// The product is that of signed numbers, corrected where the opacity is none.
#[inline(always)]
fn mix(under: &mut [u8], colors: &[u8], opacities: &[u16]) {
    for (under, (color, opacity)) in under.iter_mut().zip(colors.iter().zip(opacities)) {
        let difference = i16::from(*color) - i16::from(*under);
        let signed = *opacity as i16;
        let share = product(signed, difference) + (difference & (signed >> 15));
        *under = (i16::from(*under) + share) as u8;
    }
}

/// The map alone, in colours. Parts that the network did not see have the colour of zero.
#[must_use]
pub fn heatmap_picture(placed: &Placed, colormap: Colormap) -> Rows<'_> {
    let palette = Palette::new(placed, colormap);
    Rows::of_map(placed, Samples::Rgb, move |heat, pixels: &mut [[u8; 3]]| {
        let mut places = [0; BATCH];
        palette.places(heat, &mut places);
        let mut colors = [[0; 12]; BATCH / 4];
        palette.gather(&places, &mut colors);
        pixels.as_flattened_mut().copy_from_slice(&colors.as_flattened()[..3 * heat.len()]);
    })
}

/// Two pictures in colour in a row, aligned at the top, with a white gap.
#[must_use]
pub fn side_by_side<'a>(left: Rows<'a>, right: Rows<'a>) -> Rows<'a> {
    let start = left.width + GAP;
    let size = [start + right.width, left.height.max(right.height)].map(|length| length as usize);
    Rows::new(size, Samples::Rgb, move |y, row| {
        row.fill(255);
        for (picture, x) in [(&left, 0), (&right, start as usize)] {
            if y < picture.height as usize {
                picture.write(y, &mut row[3 * x..][..picture.stride()]);
            }
        }
    })
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
