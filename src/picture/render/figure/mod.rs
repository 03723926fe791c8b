//! A figure for papers and slides: photo, map and colour bar side by side under a title.
//!
//! Receives a photo, the overlay, a bar and texts; gives a PNG picture, an SVG file or a PDF file of the same layout, which is
//! here, in points of 1/72 inch. Text stays text in SVG and PDF; pictures are embedded there with enough pixels for print.

mod page;
mod pdf;
mod raster;
mod svg;
mod winansi;

use image::RgbImage;

use self::page::{FAINT, INK, Item, MARGIN, Page, TEXT, TITLE};
use super::bar::Bar;
use super::text::Style;
use super::thumbnail::preview;
use crate::error::Result;

/// What a figure shows.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The first line, for example class and probability.
    pub title: String,
    /// The line below it, for example method and layer.
    pub detail: String,
    /// At the bottom, for example why the map is blank; may be empty.
    pub note: String,
    /// The plain photo.
    pub photo: RgbImage,
    /// The photo with the map on it, of the same shape.
    pub map: RgbImage,
    /// The colours of the map; none where they have no one scale.
    pub bar: Option<Bar>,
}

/// Longer side of a panel.
const PANEL: f32 = 240.0;
const GAP: f32 = 10.0;
const BAR_WIDTH: f32 = 9.0;
/// Of very wide photos a panel is lower than that.
const LEAST_BAR: f32 = 48.0;
/// Room for the ends of the bar.
const ENDS: f32 = 40.0;
/// Narrow panels leave room for a title.
const LEAST_WIDTH: f32 = 320.0;
/// Longer side of embedded pictures: 300 pixels per inch at the size of the layout.
const EMBEDDED: u32 = 1000;

impl Figure {
    /// The figure in pixels, twice as many as points.
    ///
    /// # Errors
    /// [`Internal`](crate::error::ErrorKind::Internal) when the font cannot be read or a picture cannot be scaled.
    pub fn to_rgb(&self) -> Result<RgbImage> {
        let bar = self.bar_picture();
        raster::draw(&self.page([&self.photo, &self.map], bar.as_ref())?)
    }

    /// The figure as an SVG file: text as text, pictures as PNG.
    ///
    /// # Errors
    /// As [`Figure::to_rgb`].
    pub fn to_svg(&self) -> Result<Vec<u8>> {
        self.with_page(svg::write)
    }

    /// The figure as a PDF file of one page: text as text in Helvetica, pictures with lossless compression. Characters beyond
    /// Western European ones are question marks, because Helvetica has no others.
    ///
    /// # Errors
    /// As [`Figure::to_rgb`].
    pub fn to_pdf(&self) -> Result<Vec<u8>> {
        self.with_page(pdf::write)
    }

    fn with_page(&self, write: fn(&Page) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
        let [photo, map] = [preview(&self.photo, EMBEDDED)?, preview(&self.map, EMBEDDED)?];
        let bar = self.bar_picture();
        write(&self.page([&photo, &map], bar.as_ref())?)
    }

    /// One column of pixels, hot above.
    fn bar_picture(&self) -> Option<RgbImage> {
        self.bar.as_ref().map(|bar| image::imageops::rotate270(&bar.picture(256, 1)))
    }

    fn page<'a>(&self, panels: [&'a RgbImage; 2], bar: Option<&'a RgbImage>) -> Result<Page<'a>> {
        let [across, down] = [self.photo.width(), self.photo.height()].map(|length| length.max(1) as f32);
        let scale = PANEL / across.max(down);
        let (width, height) = ((across * scale).max(1.0), (down * scale).max(1.0));
        let top = MARGIN + TITLE + 4.0 + TEXT + 8.0;
        let right = MARGIN + 2.0 * width + GAP + if bar.is_some() { GAP + BAR_WIDTH + ENDS } else { 0.0 };
        let page_width = (right + MARGIN).max(LEAST_WIDTH).ceil();
        let mut page = Page { width: page_width, height: 0.0, items: vec![] };
        page.text(&self.title, [MARGIN, MARGIN + 0.8 * TITLE], TITLE, INK)?;
        page.text(&self.detail, [MARGIN, MARGIN + TITLE + 4.0 + 0.8 * TEXT], TEXT, FAINT)?;
        for (at, picture) in panels.into_iter().enumerate() {
            let left = MARGIN + at as f32 * (width + GAP);
            page.items.push(Item::Picture { picture, left, top, width, height });
        }
        let mut bottom = top + height;
        if let (Some(picture), Some(bar)) = (bar, &self.bar) {
            let (left, high) = (MARGIN + 2.0 * (width + GAP), height.max(LEAST_BAR));
            page.items.push(Item::Picture { picture, left, top, width: BAR_WIDTH, height: high });
            for (place, end) in bar.marks() {
                let y = top + high - place * (high - 0.72 * TEXT);
                page.text(end, [left + BAR_WIDTH + 4.0, y], TEXT, FAINT)?;
            }
            bottom = bottom.max(top + high);
        }
        let room = page_width - 2.0 * MARGIN;
        for line in Style::regular(TEXT, image::Rgb(FAINT))?.wrapped(&self.note, room, 3) {
            bottom += TEXT + 5.0;
            page.text(&line, [MARGIN, bottom], TEXT, FAINT)?;
        }
        page.height = (bottom + MARGIN).ceil();
        Ok(page)
    }
}

#[cfg(test)]
mod tests;
