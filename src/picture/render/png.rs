//! PNG encoding.

use std::fmt;
use std::str::FromStr;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{EncodableLayout, ImageBuffer, ImageEncoder, Pixel, PixelWithColorType};

use crate::error::{Error, Result};

/// Encoding time against file size. All four levels are lossless.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PngLevel {
    /// Not compressed: one byte per sample.
    None,
    /// A tenth of a second for a 12-megapixel photo; files are 5 to 30 % larger than with [`PngLevel::Balanced`].
    #[default]
    Fast,
    /// The usual effort of PNG encoders: six to forty times slower than [`PngLevel::Fast`] on photographs.
    Balanced,
    /// The smallest files: another 2 % on photographs, up to a third on masks; two to three times slower again.
    Best,
}

impl PngLevel {
    /// From the least effort to the most.
    pub const ALL: [Self; 4] = [Self::None, Self::Fast, Self::Balanced, Self::Best];

    /// The name that parsing takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Best => "best",
        }
    }

    fn compression(self) -> CompressionType {
        match self {
            Self::None => CompressionType::Uncompressed,
            Self::Fast => CompressionType::Fast,
            Self::Balanced => CompressionType::Default,
            Self::Best => CompressionType::Best,
        }
    }
}

impl FromStr for PngLevel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        super::by_name("PNG level", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for PngLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Encodes a picture as PNG: grey, RGB or RGBA with 8 or 16 bits per channel.
///
/// # Errors
/// [`Internal`](crate::error::ErrorKind::Internal) when the encoder fails, for example on a picture without pixels.
pub fn encode_png<P>(picture: &ImageBuffer<P, Vec<P::Subpixel>>, level: PngLevel) -> Result<Vec<u8>>
where
    P: Pixel + PixelWithColorType,
    [P::Subpixel]: EncodableLayout,
{
    let samples = picture.as_raw().as_bytes();
    // Photographs shrink to about half; a buffer that grows would be copied.
    let mut bytes = Vec::with_capacity(samples.len() / 2 + 1024);
    PngEncoder::new_with_quality(&mut bytes, level.compression(), FilterType::Adaptive)
        .write_image(samples, picture.width(), picture.height(), P::COLOR_TYPE)
        // Writing to memory does not fail, so what is left is a picture that PNG cannot hold.
        .map_err(|error| Error::internal(format!("encoding a PNG: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Rgb, RgbImage, RgbaImage};

    use super::*;

    #[test]
    fn a_picture_survives_the_way_to_png_and_back_at_every_level() {
        let color = RgbImage::from_fn(31, 7, |x, y| Rgb([x as u8, y as u8 * 30, 200]));
        let grey = GrayImage::from_fn(5, 9, |x, y| image::Luma([(x * y) as u8]));
        let deep = ImageBuffer::from_fn(3, 2, |x, y| image::Luma([(x * 20_000 + y) as u16]));
        let clear = RgbaImage::from_fn(4, 4, |x, y| image::Rgba([1, 2, x as u8, y as u8 * 80]));
        for level in PngLevel::ALL {
            let decoded = |bytes: Result<Vec<u8>>| image::load_from_memory(&bytes.unwrap()).unwrap();
            assert_eq!(decoded(encode_png(&color, level)).into_rgb8(), color, "{level}");
            assert_eq!(decoded(encode_png(&grey, level)).into_luma8(), grey, "{level}");
            assert_eq!(decoded(encode_png(&deep, level)).into_luma16(), deep, "{level}");
            assert_eq!(decoded(encode_png(&clear, level)).into_rgba8(), clear, "{level}");
            assert!(encode_png(&GrayImage::new(0, 3), level).is_err());
        }
    }

    #[test]
    fn more_effort_never_makes_a_smooth_picture_larger() {
        let smooth = RgbImage::from_fn(300, 200, |x, y| Rgb([(x / 2) as u8, y as u8, ((x + y) / 4) as u8]));
        let sizes = PngLevel::ALL.map(|level| encode_png(&smooth, level).unwrap().len());
        assert!(sizes.is_sorted_by(|less, more| less > more), "{sizes:?}");
        assert!(sizes[0] > smooth.as_raw().len());
    }

    #[test]
    fn levels_have_names() {
        assert_eq!("Best".parse::<PngLevel>().unwrap(), PngLevel::Best);
        let error = "bets".parse::<PngLevel>().unwrap_err().to_string();
        assert!(
            error.contains("did you mean 'best'?") && error.contains("none, fast, balanced, best"),
            "{error}"
        );
    }
}
