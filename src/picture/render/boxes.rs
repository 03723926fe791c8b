//! Boxes drawn on a picture.
//!
//! Receives a picture and boxes in its pixels; returns a copy with the boxes drawn. [`regions`](super::regions) finds
//! them.

use image::{Rgb, RgbImage};

use super::PixelBox;
use super::text::Style;
use crate::error::Result;

/// White inside a dark halo is visible on any photo.
const LINE: Rgb<u8> = Rgb([255; 3]);

/// Share of the picture left under the halo, in 1/256.
const HALO: u16 = 64;

/// Draws a white outline around each box, inside a dark halo that keeps it visible on light ground.
///
/// The outline covers the outermost pixels inside the box. Its width is 1/200 of the picture's shorter side, at least
/// two pixels; the halo is half as wide on either side. Parts of a box outside the picture are not drawn.
#[must_use]
pub fn draw_boxes(picture: &RgbImage, boxes: &[PixelBox]) -> RgbImage {
    let mut out = picture.clone();
    // In proportion, because an overlay is looked at as a whole, at any size.
    let line = (picture.width().min(picture.height()) as f32 / 200.0).round().max(2.0) as i64;
    let halo = (line + 1) / 2;
    for frame in boxes {
        ring(&mut out, frame, -halo, line + halo, |Rgb(pixel)| {
            *pixel = pixel.map(|level| (u16::from(level) * HALO / 256) as u8);
        });
    }
    // After all halos, so that no box darkens another's outline.
    for frame in boxes {
        ring(&mut out, frame, 0, line, |pixel| *pixel = LINE);
    }
    out
}

/// As [`draw_boxes`], with the number of each box, from 1, on a white ground in its upper left corner. Boxes with lower numbers are drawn over
/// others.
///
/// # Errors
/// When the font cannot be read.
pub fn draw_numbered(picture: &RgbImage, boxes: &[PixelBox]) -> Result<RgbImage> {
    let mut out = draw_boxes(picture, boxes);
    let size = (picture.width().min(picture.height()) as f32 / 24.0).max(11.0);
    let ink = Style::semi_bold(size, Rgb([0; 3]))?;
    for (at, frame) in boxes.iter().enumerate().rev() {
        let number = (at + 1).to_string();
        let (width, height) = ((ink.width(&number) + 0.6 * size) as u32, (1.2 * size) as u32);
        // Within the picture, also where the box begins outside of it.
        let left = (frame.left as u32).min(out.width().saturating_sub(width));
        let top = (frame.top as u32).min(out.height().saturating_sub(height));
        for y in top..(top + height).min(out.height()) {
            for x in left..(left + width).min(out.width()) {
                out.put_pixel(x, y, LINE);
            }
        }
        ink.draw(&mut out, left as f32 + 0.3 * size, top as f32 + 0.95 * size, &number);
    }
    Ok(out)
}

/// Paints every pixel whose distance inwards from the edge of `frame` is in `from..to`.
fn ring(picture: &mut RgbImage, frame: &PixelBox, from: i64, to: i64, paint: impl Fn(&mut Rgb<u8>)) {
    let [left, top, right, bottom] =
        [frame.left, frame.top, frame.right, frame.bottom].map(|edge| edge as i64);
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    for y in (top + from).max(0)..(bottom - from).min(height) {
        for x in (left + from).max(0)..(right - from).min(width) {
            let inwards = (x - left).min(right - 1 - x).min(y - top).min(bottom - 1 - y);
            if (from..to).contains(&inwards) {
                paint(picture.get_pixel_mut(x as u32, y as u32));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey() -> RgbImage {
        RgbImage::from_pixel(40, 30, Rgb([200; 3]))
    }

    #[test]
    fn an_outline_lies_inside_its_box_between_dark_lines() {
        let frame = PixelBox { left: 10, top: 8, right: 30, bottom: 22 };
        let drawn = draw_boxes(&grey(), &[frame]);
        let across: Vec<u8> = (7..16).map(|x| drawn.get_pixel(x, 15).0[0]).collect();
        assert_eq!(across, [200, 200, 50, 255, 255, 50, 200, 200, 200]);
        let down: Vec<u8> = (18..25).map(|y| drawn.get_pixel(20, y).0[0]).collect();
        assert_eq!(down, [200, 50, 255, 255, 50, 200, 200]);
    }

    #[test]
    fn what_is_outside_is_left_out_and_no_box_changes_nothing() {
        assert_eq!(draw_boxes(&grey(), &[]), grey());
        let whole = draw_boxes(&grey(), &[PixelBox { left: 0, top: 0, right: 40, bottom: 30 }]);
        assert_eq!(whole.get_pixel(0, 0), &LINE);
        assert_eq!(whole.get_pixel(20, 15), &Rgb([200; 3]));
        let beyond = PixelBox { left: 50, top: 0, right: 90, bottom: 30 };
        assert_eq!(draw_boxes(&grey(), &[beyond]), grey());
    }

    #[test]
    fn numbers_stand_in_the_corners_of_their_boxes_and_within_the_picture() {
        let frame = PixelBox { left: 10, top: 8, right: 34, bottom: 28 };
        let drawn = draw_numbered(&grey(), &[frame]).unwrap();
        let is_dark = |x: u32, y: u32| drawn.get_pixel(x, y).0[0] < 80;
        let inked =
            (12..17).flat_map(|x| (10..20).map(move |y| (x, y))).filter(|(x, y)| is_dark(*x, *y)).count();
        assert!(inked > 5, "{inked}");
        // What is below the number and inside of the outline is the picture.
        assert_eq!(drawn.get_pixel(22, 24), grey().get_pixel(22, 24));
        let outside = PixelBox { left: 39, top: 29, right: 60, bottom: 60 };
        let drawn = draw_numbered(&grey(), &[outside]).unwrap();
        assert!(drawn.pixels().any(|pixel| pixel == &LINE) && drawn.dimensions() == (40, 30));
    }

    #[test]
    fn no_box_darkens_anothers_outline() {
        let left = PixelBox { left: 4, top: 4, right: 20, bottom: 20 };
        let right = PixelBox { left: 20, top: 4, right: 36, bottom: 20 };
        let drawn = draw_boxes(&grey(), &[left, right]);
        assert!((18..22).all(|x| drawn.get_pixel(x, 12) == &LINE));
    }

    #[test]
    fn lines_grow_with_the_picture() {
        let large = RgbImage::from_pixel(1200, 900, Rgb([200; 3]));
        let drawn = draw_boxes(&large, &[PixelBox { left: 100, top: 100, right: 900, bottom: 700 }]);
        let white = (0..1200).filter(|x| drawn.get_pixel(*x, 400) == &LINE).count();
        assert_eq!(white, 2 * 5);
    }
}
