//! Pictures as PNG bytes.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{EncodableLayout, ImageBuffer, ImageEncoder, Pixel, PixelWithColorType};

use crate::error::{Error, Result};

/// Encodes a picture as PNG: grey, colour, or colour with opacity, of 8 or 16 bits a channel.
///
/// Compresses fast rather than small: a photo of twelve megapixels takes less than a tenth of a second, where the
/// usual setting takes over ten times that for files of the same size.
///
/// # Errors
/// [`Error::Internal`] when the encoder refuses, as it does a picture without pixels.
pub fn encode_png<P>(picture: &ImageBuffer<P, Vec<P::Subpixel>>) -> Result<Vec<u8>>
where
    P: Pixel + PixelWithColorType,
    [P::Subpixel]: EncodableLayout,
{
    let samples = picture.as_raw().as_bytes();
    let mut bytes = Vec::with_capacity(samples.len() / 2 + 1024);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(samples, picture.width(), picture.height(), P::COLOR_TYPE)
        .map_err(|error| Error::internal(format!("encoding a PNG: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Rgb, RgbImage, RgbaImage};

    use super::*;

    #[test]
    fn a_picture_survives_the_way_to_png_and_back() {
        let color = RgbImage::from_fn(31, 7, |x, y| Rgb([x as u8, y as u8 * 30, 200]));
        let decoded = image::load_from_memory(&encode_png(&color).unwrap()).unwrap();
        assert_eq!(decoded.into_rgb8(), color);
        let grey = GrayImage::from_fn(5, 9, |x, y| image::Luma([(x * y) as u8]));
        let decoded = image::load_from_memory(&encode_png(&grey).unwrap()).unwrap();
        assert_eq!(decoded.into_luma8(), grey);
        let deep = ImageBuffer::from_fn(3, 2, |x, y| image::Luma([(x * 20_000 + y) as u16]));
        let decoded = image::load_from_memory(&encode_png(&deep).unwrap()).unwrap();
        assert_eq!(decoded.into_luma16(), deep);
        let clear = RgbaImage::from_fn(4, 4, |x, y| image::Rgba([1, 2, x as u8, y as u8 * 80]));
        let decoded = image::load_from_memory(&encode_png(&clear).unwrap()).unwrap();
        assert_eq!(decoded.into_rgba8(), clear);
        assert!(encode_png(&GrayImage::new(0, 3)).is_err());
    }
}
