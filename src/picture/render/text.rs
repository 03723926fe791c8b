//! Text on pictures.
//!
//! Receives strings; draws antialiased letters. Inter, reduced to Latin, is built in (`font/`). A missing character
//! becomes the font's replacement box. There is no shaping, so scripts that need it become boxes too.

use ab_glyph::{Font as _, FontRef, GlyphId, OutlinedGlyph, PxScaleFont, ScaleFont as _, point};
use image::{Rgb, RgbImage};

use crate::error::{Error, Result};

static REGULAR: &[u8] = include_bytes!("font/Inter-Regular.ttf");
static SEMI_BOLD: &[u8] = include_bytes!("font/Inter-SemiBold.ttf");

/// Marks truncated text.
const ELLIPSIS: char = '…';

/// A font of one weight, size and colour.
pub(super) struct Style {
    font: PxScaleFont<FontRef<'static>>,
    color: Rgb<u8>,
}

impl Style {
    /// The regular weight, with an em of `size` pixels.
    pub(super) fn regular(size: f32, color: Rgb<u8>) -> Result<Self> {
        Self::new(REGULAR, size, color)
    }

    /// The semi-bold weight.
    pub(super) fn semi_bold(size: f32, color: Rgb<u8>) -> Result<Self> {
        Self::new(SEMI_BOLD, size, color)
    }

    fn new(file: &'static [u8], size: f32, color: Rgb<u8>) -> Result<Self> {
        let font = FontRef::try_from_slice(file)
            .map_err(|error| Error::internal(format!("reading the built-in font: {error}")))?;
        let units = font.units_per_em().unwrap_or(1000.0);
        // `ab_glyph` scales by the font's full height; font sizes usually mean the em.
        let scale = size * font.height_unscaled() / units;
        Ok(Self { font: font.into_scaled(scale), color })
    }

    /// Width in pixels.
    pub(super) fn width(&self, text: &str) -> f32 {
        self.glyphs(text).last().map_or(0.0, |(id, x)| x + self.font.h_advance(id))
    }

    /// The text, truncated with an ellipsis when it is wider than `room` pixels.
    pub(super) fn elided(&self, text: &str, room: f32) -> String {
        if self.width(text) <= room {
            return text.to_owned();
        }
        let ends = text.char_indices().map(|(at, _)| at).rev();
        let cut = |end: usize| format!("{}{ELLIPSIS}", text[..end].trim_end());
        ends.map(cut).find(|cut| self.width(cut) <= room).unwrap_or_else(|| ELLIPSIS.to_string())
    }

    /// The text in at most `most` lines of `room` pixels, broken at spaces; the last line is truncated.
    pub(super) fn wrapped(&self, text: &str, room: f32, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            let full = lines.len() == most;
            match lines.last_mut() {
                Some(line) if full || self.width(&format!("{line} {word}")) <= room => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines.iter().map(|line| self.elided(line, room)).collect()
    }

    /// Draws the text from column `x` on, with its baseline at row `baseline`. Parts outside the picture are clipped.
    pub(super) fn draw(&self, picture: &mut RgbImage, x: f32, baseline: f32, text: &str) {
        for (id, offset) in self.glyphs(text) {
            // On a whole pixel, so that all lines are equally sharp; across, letters keep their fractions and so
            // their distances.
            let at = point(x + offset, baseline.round());
            let glyph = id.with_scale_and_position(self.font.scale(), at);
            if let Some(outline) = self.font.outline_glyph(glyph) {
                self.fill(picture, &outline);
            }
        }
    }

    fn fill(&self, picture: &mut RgbImage, outline: &OutlinedGlyph) {
        // May be outside of the picture: the first letter of a line may reach over its start.
        let corner = outline.px_bounds().min;
        outline.draw(|across, down, coverage| {
            let (x, y) = (corner.x + across as f32, corner.y + down as f32);
            if x < 0.0 || y < 0.0 {
                return;
            }
            if let Some(Rgb(pixel)) = picture.get_pixel_mut_checked(x as u32, y as u32) {
                for (level, ink) in pixel.iter_mut().zip(self.color.0) {
                    let (under, over) = (f32::from(*level), f32::from(ink));
                    *level = (under + (over - under) * coverage.min(1.0)).round() as u8;
                }
            }
        });
    }

    /// Glyphs and their start positions.
    fn glyphs(&self, text: &str) -> impl Iterator<Item = (GlyphId, f32)> {
        let mut end = 0.0;
        let mut last = None;
        let printed = text.chars().map(|character| if character.is_control() { ' ' } else { character });
        printed.map(move |character| {
            let id = self.font.glyph_id(character);
            let start = end + last.map_or(0.0, |last| self.font.kern(last, id));
            (end, last) = (start + self.font.h_advance(id), Some(id));
            (id, start)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style() -> Style {
        Style::regular(16.0, Rgb([0; 3])).unwrap()
    }

    fn ink(text: &str) -> u32 {
        let mut picture = RgbImage::from_pixel(200, 30, Rgb([255; 3]));
        style().draw(&mut picture, 4.0, 20.0, text);
        picture.pixels().map(|pixel| u32::from(255 - pixel.0[0])).sum()
    }

    #[test]
    fn letters_leave_ink_and_stay_within_their_width() {
        let text = "Grad-CAM, Ångström";
        let mut picture = RgbImage::from_pixel(300, 30, Rgb([255; 3]));
        style().draw(&mut picture, 10.0, 20.0, text);
        let inked: Vec<u32> =
            picture.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] < 250).map(|(x, _, _)| x).collect();
        let (first, last) = (*inked.iter().min().unwrap() as f32, *inked.iter().max().unwrap() as f32);
        assert!((10.0..13.0).contains(&first), "{first}");
        let end = 10.0 + style().width(text);
        assert!(last < end + 1.0 && last > end - 3.0, "{last} of {end}");
        assert_eq!(ink(""), 0);
        assert_eq!(ink(" \t\n"), 0);
    }

    #[test]
    fn pairs_are_kerned() {
        let style = style();
        assert!(style.width("AV") < style.width("A") + style.width("V") - 0.5);
        assert!((style.width("nn") - 2.0 * style.width("n")).abs() < 1e-3);
    }

    #[test]
    fn what_the_font_has_is_drawn_and_the_rest_are_boxes() {
        let font = FontRef::try_from_slice(REGULAR).unwrap();
        let has = |character: char| font.glyph_id(character).0 != 0;
        assert!("Az09éßÿŁźŒ–—…“”×→−%·".chars().all(has));
        assert!(!has('漢') && !has('😀'));
        assert_eq!(ink("漢"), ink("😀"));
        assert!(ink("漢") > 0);
    }

    #[test]
    fn long_texts_end_in_an_ellipsis() {
        let style = style();
        assert_eq!(style.elided("tabby", 200.0), "tabby");
        let cut = style.elided("Chesapeake Bay retriever", 100.0);
        assert!(cut.starts_with("Chesap") && cut.ends_with('…') && style.width(&cut) <= 100.0, "{cut}");
        assert_eq!(style.elided("Chesapeake", 1.0), "…");
    }

    #[test]
    fn lines_break_at_spaces_and_the_last_one_is_cut() {
        let style = style();
        let room = style.width("Integrated grad");
        assert_eq!(style.wrapped("Integrated gradients", room, 2), ["Integrated", "gradients"]);
        assert_eq!(style.wrapped("CAM", room, 2), ["CAM"]);
        let cut = style.wrapped("Smooth Integrated gradients over inputs", room, 2);
        assert_eq!(cut.len(), 2);
        assert!(cut[1].ends_with('…') && cut.iter().all(|line| style.width(line) <= room), "{cut:?}");
        assert!(style.wrapped("", room, 2).is_empty());
    }

    #[test]
    fn what_is_outside_is_left_out() {
        let mut picture = RgbImage::from_pixel(5, 5, Rgb([255; 3]));
        style().draw(&mut picture, -20.0, 3.0, "across the edges");
        style().draw(&mut picture, 0.0, -40.0, "above");
        assert_eq!(picture.dimensions(), (5, 5));
    }
}
