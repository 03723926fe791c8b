//! A page of pictures and texts, in points of 1/72 inch; the other files of this folder write it in their formats.

use image::RgbImage;

use super::super::text::Style;
use crate::error::Result;

pub(super) const MARGIN: f32 = 12.0;
/// Sizes of letters.
pub(super) const TITLE: f32 = 13.0;
pub(super) const TEXT: f32 = 9.0;
pub(super) const INK: [u8; 3] = [24, 27, 32];
pub(super) const FAINT: [u8; 3] = [90, 96, 106];

/// Width and height, and what stands on the page, from back to front.
pub(super) struct Page<'a> {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) items: Vec<Item<'a>>,
}

/// Places are from the upper left corner.
pub(super) enum Item<'a> {
    Picture { picture: &'a RgbImage, left: f32, top: f32, width: f32, height: f32 },
    Text { text: String, left: f32, baseline: f32, size: f32, bold: bool, color: [u8; 3] },
}

impl Page<'_> {
    /// A line of text from `left` on, cut where the page ends. Titles are bold.
    pub(super) fn text(
        &mut self,
        text: &str,
        [left, baseline]: [f32; 2],
        size: f32,
        color: [u8; 3],
    ) -> Result<()> {
        let bold = size >= TITLE;
        let style = style(size, bold, color)?;
        let text = style.elided(text, self.width - MARGIN - left + 2.0);
        if !text.is_empty() {
            self.items.push(Item::Text { text, left, baseline, size, bold, color });
        }
        Ok(())
    }
}

/// Letters of a size, for drawing and measuring.
pub(super) fn style(size: f32, bold: bool, color: [u8; 3]) -> Result<Style> {
    let make = if bold { Style::semi_bold } else { Style::regular };
    make(size, image::Rgb(color))
}
