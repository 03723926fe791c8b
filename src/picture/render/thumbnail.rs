//! Pictures scaled to the cells of a sheet.

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
    let (width, height) = picture.dimensions();
    let scale = f64::from(side) / f64::from(width.max(height).max(1));
    let [across, down] = [width, height].map(|length| ((f64::from(length) * scale).round() as u32).max(1));
    if (across, down) == (width, height) {
        return Ok(picture.clone());
    }
    let lanczos = ResizeAlg::Convolution(FilterType::Lanczos3);
    scaled(picture, [across, down], lanczos)
        .map_err(|problem| Error::internal(problem.after("scaling a picture: ")))
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
}
