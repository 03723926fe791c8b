//! A picture turned as its file says.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use super::spare;

/// Rows that are turned together: as many cache lines are read in turn, and each is used up before it is dropped.
const BLOCK: usize = 32;

/// The picture, upright.
pub(super) fn upright(picture: RgbImage, orientation: Orientation) -> RgbImage {
    let (picture, rest) = match after_quarter_turn(orientation) {
        Some(rest) => (quarter_turn(picture), rest),
        None => (picture, orientation),
    };
    let mut upright = DynamicImage::ImageRgb8(picture);
    // All that are left keep the size, and need no further memory.
    upright.apply_orientation(rest);
    upright.into_rgb8()
}

/// A size after it is turned upright.
pub(super) fn turned([width, height]: [u32; 2], orientation: Orientation) -> [u32; 2] {
    if after_quarter_turn(orientation).is_some() { [height, width] } else { [width, height] }
}

/// What is left to do after a quarter turn clockwise; `None` where there is none.
pub(super) fn after_quarter_turn(orientation: Orientation) -> Option<Orientation> {
    match orientation {
        Orientation::Rotate90 => Some(Orientation::NoTransforms),
        Orientation::Rotate270 => Some(Orientation::Rotate180),
        Orientation::Rotate90FlipH => Some(Orientation::FlipHorizontal),
        Orientation::Rotate270FlipH => Some(Orientation::FlipVertical),
        _ => None,
    }
}

/// A quarter turn clockwise.
fn quarter_turn(picture: RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let size = [width, height].map(|length| length as usize);
    let mut turned = spare::take(picture.as_raw().len());
    let rows = picture.as_raw().chunks(BLOCK * 3 * size[0].max(1));
    for (block, rows) in rows.enumerate() {
        turn_rows(rows, block * BLOCK, size, &mut turned);
    }
    spare::give(picture.into_raw());
    RgbImage::from_raw(height, width, turned).unwrap_or_default()
}

/// Puts some rows of a picture of this size, from row `top` on, where they are after a quarter turn clockwise.
pub(super) fn turn_rows(rows: &[u8], top: usize, [across, down]: [usize; 2], turned: &mut [u8]) {
    let (from, to) = (rows.as_chunks::<3>().0, turned.as_chunks_mut::<3>().0);
    let count = from.len() / across.max(1);
    let bottom = top + count;
    for x in 0..across {
        // The column becomes a row, from below.
        let row = &mut to[x * down + down - bottom..x * down + down - top];
        row.iter_mut().zip((0..count).rev()).for_each(|(pixel, y)| *pixel = from[y * across + x]);
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn every_orientation_is_that_of_the_image_crate() {
        let picture = RgbImage::from_fn(71, 45, |x, y| Rgb([x as u8, y as u8, 7]));
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut expected = DynamicImage::ImageRgb8(picture.clone());
            expected.apply_orientation(orientation);
            let upright = upright(picture.clone(), orientation);
            assert!(upright == expected.into_rgb8(), "{exif}");
            assert_eq!(turned([71, 45], orientation), <[u32; 2]>::from(upright.dimensions()), "{exif}");
        }
    }
}
