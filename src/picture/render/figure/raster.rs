//! A figure in pixels.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::super::thumbnail::reduced;
use super::page::{Item, Page, style};
use crate::error::Result;

/// Pixels per point: sharp on screens of usual and of double density.
const SCALE: f32 = 2.0;

pub(super) fn draw(page: &Page) -> Result<RgbImage> {
    let pixels = |points: f32| (points * SCALE).round().max(1.0) as u32;
    let mut paper = RgbImage::from_pixel(pixels(page.width), pixels(page.height), Rgb([255; 3]));
    for item in &page.items {
        match item {
            Item::Picture { picture, left, top, width, height } => {
                let size = [pixels(*width), pixels(*height)];
                let sized = if picture.width() == 1 || size[1] > picture.height() {
                    // Small photos keep their pixels: smoothed they look like a bad map. So does a bar, of one column.
                    imageops::resize(*picture, size[0], size[1], FilterType::Nearest)
                } else {
                    reduced(picture, size)?
                };
                imageops::replace(&mut paper, &sized, i64::from(pixels(*left)), i64::from(pixels(*top)));
            }
            Item::Text { text, left, baseline, size, bold, color } => {
                style(size * SCALE, *bold, *color)?.draw(&mut paper, left * SCALE, baseline * SCALE, text);
            }
        }
    }
    Ok(paper)
}
