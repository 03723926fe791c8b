//! Boxes drawn on a picture.
//!
//! Receives a picture and boxes in its pixels; returns a copy with the boxes drawn. [`regions`](super::regions) finds
//! them.

use image::{Rgb, RgbImage};

use super::PixelBox;

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
