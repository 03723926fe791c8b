//! Pictures as files: PNG, JPEG or WebP.
//!
//! Receives rows and an encoding; writes the file. PNG is encoded strip by strip while rows are computed, the others from memory.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, RgbImage};
use jpeg_encoder::{ColorType, Encoder};

use super::png::{PngLevel, write_png};
use super::rows::{Rows, Samples};
use crate::error::{Error, Result};

/// A format of picture files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Lossless.
    #[default]
    Png,
    /// A fifth to a tenth of the size on photographs, with small losses.
    Jpeg,
    /// Lossless WebP: a quarter to a third smaller than PNG, and slower.
    Webp,
}

/// How a picture becomes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// The format.
    pub format: Format,
    /// Of JPEG, 1 to 100.
    pub quality: u8,
    /// Effort of PNG.
    pub png_level: PngLevel,
}

impl Default for Encoding {
    /// PNG, and JPEG with colours as fine as brightness.
    fn default() -> Self {
        // The encoder halves the resolution of colours below 90, and heat is colour.
        Self { format: Format::Png, quality: 90, png_level: PngLevel::default() }
    }
}

impl Format {
    /// In the order that help texts list them.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Webp];

    /// The name that parsing takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
        }
    }

    /// The extension of file names, without a dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            other => other.name(),
        }
    }

    /// The format of files with this extension, in any case.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::Webp),
            _ => None,
        }
    }

    /// Most pixels in a direction.
    fn limit(self) -> u32 {
        match self {
            Self::Png => u32::MAX,
            Self::Jpeg => 65_535,
            Self::Webp => 16_384,
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    /// The format of this name, in any case; `jpg` is also understood.
    fn from_str(name: &str) -> Result<Self> {
        let name = if name.eq_ignore_ascii_case("jpg") { "jpeg" } else { name };
        super::by_name("format", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Writes a picture's file. JPEG and WebP are for pictures in colour without transparency.
///
/// # Errors
/// When the writer fails, and for a picture that the format cannot hold.
pub fn write_picture(rows: &Rows, encoding: &Encoding, out: &mut dyn Write) -> io::Result<()> {
    let Encoding { format, quality, png_level } = *encoding;
    let (width, height) = (rows.width, rows.height);
    if format != Format::Png && rows.samples != Samples::Rgb {
        return Err(unfit(format!("{format} is for pictures in colour without transparency")));
    }
    if width.max(height) > format.limit() {
        let most = format.limit();
        return Err(unfit(format!(
            "{format} holds up to {most} pixels in a direction, and the picture has {width}x{height}"
        )));
    }
    match format {
        Format::Png => write_png(rows, png_level, out),
        Format::Jpeg => {
            let encoder = Encoder::new(out, quality);
            // Within 16 bits by the limit.
            encoder
                .encode(&rows.collect(), width as u16, height as u16, ColorType::Rgb)
                .map_err(io::Error::other)
        }
        Format::Webp => {
            let encoder = WebPEncoder::new_lossless(out);
            encoder.encode(&rows.collect(), width, height, ExtendedColorType::Rgb8).map_err(io::Error::other)
        }
    }
}

fn unfit(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// A picture's file in memory.
///
/// # Errors
/// [`Internal`](crate::error::ErrorKind::Internal) for a picture that the format cannot hold.
pub fn encode_picture(rows: &Rows, encoding: &Encoding) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_picture(rows, encoding, &mut bytes)
        .map_err(|error| Error::internal(format!("encoding a picture: {error}")))?;
    Ok(bytes)
}

/// A picture's JPEG file in memory; `quality` is 1 to 100.
///
/// # Errors
/// As [`encode_picture`].
pub fn encode_jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    encode_picture(&Rows::of(picture), &Encoding { format: Format::Jpeg, quality, ..Encoding::default() })
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageFormat, Rgb};

    use super::*;

    fn smooth() -> RgbImage {
        RgbImage::from_fn(40, 30, |x, y| Rgb([(x * 6) as u8, (y * 8) as u8, 128]))
    }

    #[test]
    fn each_format_is_what_its_name_says_and_two_are_lossless() {
        for format in Format::ALL {
            let bytes =
                encode_picture(&Rows::of(&smooth()), &Encoding { format, ..Encoding::default() }).unwrap();
            let found = image::guess_format(&bytes).unwrap();
            let expected = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP][format as usize];
            assert_eq!(found, expected);
            let decoded = image::load_from_memory(&bytes).unwrap().into_rgb8();
            let apart =
                decoded.iter().zip(smooth().iter()).map(|(one, other)| one.abs_diff(*other)).max().unwrap();
            assert!(
                if format == Format::Jpeg { (1..16).contains(&apart) } else { apart == 0 },
                "{format}: {apart}"
            );
        }
    }

    #[test]
    fn quality_is_size() {
        let sizes = [10, 50, 90, 100].map(|quality| encode_jpeg(&smooth(), quality).unwrap().len());
        assert!(sizes.is_sorted_by(|less, more| less < more), "{sizes:?}");
    }

    #[test]
    fn what_a_format_cannot_hold_is_refused() {
        let of = |rows: &Rows, format| {
            write_picture(rows, &Encoding { format, ..Encoding::default() }, &mut Vec::new())
                .unwrap_err()
                .to_string()
        };
        let grey = GrayImage::new(3, 3);
        assert_eq!(of(&Rows::of(&grey), Format::Jpeg), "jpeg is for pictures in colour without transparency");
        let wide = RgbImage::new(16_385, 1);
        assert!(of(&Rows::of(&wide), Format::Webp).contains("16384 pixels in a direction"));
        assert!(encode_jpeg(&wide, 50).is_ok());
        assert!(encode_jpeg(&RgbImage::new(1, 65_536), 50).is_err());
    }

    #[test]
    fn formats_have_names() {
        assert_eq!("JPG".parse::<Format>().unwrap(), Format::Jpeg);
        assert_eq!(Format::ALL.map(Format::extension), ["png", "jpg", "webp"]);
        assert!("tiff".parse::<Format>().unwrap_err().to_string().contains("png, jpeg, webp"));
    }
}
