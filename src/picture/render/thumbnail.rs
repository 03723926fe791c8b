//! Pictures scaled down: to the cells of a sheet, and for pages.

use fast_image_resize::{FilterType, ResizeAlg};
use image::RgbImage;

use crate::error::{Error, Result};
use crate::scale::scaled;

/// Scales the picture to just fit into `side` by `side` pixels, keeping its aspect ratio. Smaller pictures are
/// enlarged.
///
/// # Errors
/// [`Internal`](crate::error::ErrorKind::Internal) when the scaler fails, for example on a picture without pixels.
pub fn thumbnail(picture: &RgbImage, side: u32) -> Result<RgbImage> {
    reduced(picture, fitted(picture, side))
}

/// As [`thumbnail`], but a smaller picture keeps its size, and a much larger one takes a fraction of the time: a tall filter
/// over every column of twelve megapixels costs as much as decoding them, so rows of groups are averaged first. Two groups
/// for each row of the result keep its details.
///
/// # Errors
/// As [`thumbnail`].
pub fn preview(picture: &RgbImage, side: u32) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    let size = fitted(picture, side.min(width.max(height)));
    let groups = 2 * size[1];
    if height / groups < 2 { reduced(picture, size) } else { reduced(&joined(picture, groups), size) }
}

/// Rows of a group that are averaged at most, evenly spread. Reading all of a large photo again takes longer than everything else
/// that is done for its preview.
const MOST_JOINED: usize = 4;

/// Width and height that just fit into `side` by `side` pixels.
fn fitted(picture: &RgbImage, side: u32) -> [u32; 2] {
    let (width, height) = picture.dimensions();
    let scale = f64::from(side) / f64::from(width.max(height).max(1));
    [width, height].map(|length| ((f64::from(length) * scale).round() as u32).max(1))
}

/// Scaled to a size with a filter that keeps edges sharp.
pub(super) fn reduced(picture: &RgbImage, size: [u32; 2]) -> Result<RgbImage> {
    if size == <[u32; 2]>::from(picture.dimensions()) {
        return Ok(picture.clone());
    }
    let lanczos = ResizeAlg::Convolution(FilterType::Lanczos3);
    scaled(picture, size, lanczos).map_err(|problem| Error::internal(problem.after("scaling a picture: ")))
}

/// The picture with as many rows as `groups`, each the mean of rows of its share of the picture.
fn joined(picture: &RgbImage, groups: u32) -> RgbImage {
    let stride = 3 * picture.width() as usize;
    let rows = picture.as_raw().chunks_exact(stride.max(1));
    let edge = |group: u32| (u64::from(group) * u64::from(picture.height()) / u64::from(groups)) as usize;
    let mut out = RgbImage::new(picture.width(), groups);
    let mut sums = vec![0_u16; stride];
    for (group, out) in (0..groups).zip(out.chunks_exact_mut(stride.max(1))) {
        let all = edge(group + 1) - edge(group);
        let step = all.div_ceil(MOST_JOINED);
        let count = all.div_ceil(step);
        sums.fill(0);
        for row in rows.clone().skip(edge(group)).step_by(step).take(count) {
            sums.iter_mut().zip(row).for_each(|(sum, level)| *sum += u16::from(*level));
        }
        // A product with a rounded inverse, because vectors cannot divide: exact for this few rows.
        let inverse = (65536.0 / count as f64).round() as u32;
        for (out, sum) in out.iter_mut().zip(&sums) {
            *out = ((u32::from(*sum) * inverse + 32768) >> 16).min(255) as u8;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn the_longer_side_fits_and_the_aspect_stays() {
        let size = |width, height| {
            let picture = RgbImage::from_pixel(width, height, Rgb([10, 200, 30]));
            let small = thumbnail(&picture, 320).unwrap();
            assert!(small.pixels().all(|pixel| pixel.0 == [10, 200, 30]));
            small.dimensions()
        };
        assert_eq!(size(600, 400), (320, 213));
        assert_eq!(size(400, 600), (213, 320));
        assert_eq!(size(32, 32), (320, 320));
        assert_eq!(size(320, 100), (320, 100));
        assert_eq!(size(3000, 1), (320, 1));
    }

    #[test]
    fn a_preview_has_the_size_of_a_thumbnail_and_is_never_enlarged() {
        for (width, height) in
            [(3000, 2001), (2001, 3000), (40, 30), (1, 90_000), (3000, 1), (321, 320), (640, 480)]
        {
            let picture = RgbImage::from_pixel(width, height, Rgb([255, 200, 0]));
            let small = preview(&picture, 320).unwrap();
            let expected = thumbnail(&picture, 320.min(width.max(height))).unwrap();
            assert!(small == expected, "{width}x{height}: {:?}", small.dimensions());
        }
    }

    #[test]
    fn a_preview_is_the_thumbnail_but_for_few_levels() {
        // Edges, slopes and a fine texture along both axes.
        let level = |x: u32, y: u32| {
            (x / 9 + y / 7) as u8 ^ if (x / 300 + y / 200).is_multiple_of(2) { 0 } else { 96 }
        };
        let picture = RgbImage::from_fn(2400, 1800, |x, y| {
            Rgb([level(x, y), (40 * (y % 5)) as u8, if (x + y) % 700 < 350 { 250 } else { 5 }])
        });
        let (small, exact) = (preview(&picture, 360).unwrap(), thumbnail(&picture, 360).unwrap());
        let apart = |(one, other): (&u8, &u8)| f64::from(one.abs_diff(*other));
        let mean = small.iter().zip(exact.iter()).map(apart).sum::<f64>() / small.len() as f64;
        assert!(mean < 1.5, "{mean} levels on average");
    }

    #[test]
    fn joined_rows_are_means_of_their_groups() {
        let picture = RgbImage::from_fn(2, 7, |x, y| Rgb([y as u8 * 10, 255, x as u8]));
        let rows = joined(&picture, 3);
        // Rows 0 and 1, 2 and 3, 4 to 6.
        assert_eq!(rows.into_raw(), [5, 255, 0, 5, 255, 1, 25, 255, 0, 25, 255, 1, 50, 255, 0, 50, 255, 1]);
        // Rows 0, 2 and 4 of five, 5, 7 and 9 of the others.
        let tall = RgbImage::from_fn(1, 10, |_, y| Rgb([(y * y) as u8, 255, 9]));
        assert_eq!(joined(&tall, 2).into_raw(), [7, 255, 9, 52, 255, 9]);
    }
}
