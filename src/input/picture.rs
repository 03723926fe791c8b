//! A picture file decoded, turned upright and laid on a background: plain 8-bit RGB.
//!
//! The format is told from the content, never from the file's name. Of an animation the first frame counts, of a
//! TIFF the first page. Colour profiles are not applied, as the libraries that networks are trained with do not.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, RgbaImage};

use super::file::{check_size, read_file, sha256_hex};
use super::jpeg;
use crate::error::{Error, Result};

/// The most pixels that a picture may claim. Checked before any of them is decoded.
pub const MAX_PIXELS: u64 = 100_000_000;

/// What decoding may allocate at once: twice [`MAX_PIXELS`] of 16-bit RGBA, in bytes.
const MAX_ALLOC: u64 = 2 * 8 * MAX_PIXELS;

/// A decoded picture, upright, 8 bits a channel.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The pixels after turning upright, with transparency laid on the background.
    ///
    /// 16-bit samples become 8-bit ones by rounding `value / 257` to nearest; grey becomes three equal channels.
    pub rgb: RgbImage,
    /// Format of the file: `png`, `jpeg`, `webp`, `gif`, `bmp`, `tiff` or `pnm`.
    pub format: String,
    /// EXIF orientation that the file asked for and that [`Picture::rgb`] already has: 1 (as stored) to 8.
    pub orientation: u8,
    /// SHA-256 of the file's bytes, in lower-case hexadecimal.
    pub sha256: String,
}

impl Picture {
    /// Reads and decodes a file. `background` is the RGB colour under transparent pixels.
    ///
    /// # Errors
    /// As [`read_file`], and as [`Picture::from_bytes`].
    pub fn open(path: &Path, background: [u8; 3]) -> Result<Self> {
        Self::from_bytes(&read_file(path)?, &path.display().to_string(), background)
    }

    /// Decodes a file's bytes. `name` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Image`] when the bytes are no picture of a known format, end too early, are damaged, or claim
    /// more than [`MAX_PIXELS`].
    pub fn from_bytes(bytes: &[u8], name: &str, background: [u8; 3]) -> Result<Self> {
        check_size(bytes, || name.to_owned())?;
        let refuse = |problem: String| Error::image(name, problem);
        let (kind, format) = known_format(bytes).ok_or_else(|| {
            refuse(
                "not a picture: expected PNG, JPEG, WebP, GIF, BMP, TIFF or PNM \
                 (is the file what its name says?)"
                    .into(),
            )
        })?;
        let (pixels, orientation) = decode(bytes, kind).map_err(|fault| refuse(fault.tell(format)))?;
        let mut upright = DynamicImage::ImageRgb8(flatten(pixels, background));
        upright.apply_orientation(orientation);
        Ok(Self {
            rgb: upright.into_rgb8(),
            format: format.to_owned(),
            orientation: orientation.to_exif(),
            sha256: sha256_hex(bytes),
        })
    }
}

/// The format that the first bytes tell, when it is one that this build reads.
fn known_format(bytes: &[u8]) -> Option<(ImageFormat, &'static str)> {
    let kind = image::guess_format(bytes).ok()?;
    let name = match kind {
        ImageFormat::Png => "png",
        ImageFormat::Jpeg => "jpeg",
        ImageFormat::WebP => "webp",
        ImageFormat::Gif => "gif",
        ImageFormat::Bmp => "bmp",
        ImageFormat::Tiff => "tiff",
        ImageFormat::Pnm => "pnm",
        _ => return None,
    };
    Some((kind, name))
}

/// Why a picture could not be decoded.
enum Fault {
    Size { width: u32, height: u32 },
    CutShort,
    Decoder(ImageError),
}

impl From<ImageError> for Fault {
    fn from(error: ImageError) -> Self {
        Self::Decoder(error)
    }
}

impl Fault {
    /// What is wrong, what was expected, and a way out.
    fn tell(self, format: &str) -> String {
        match self {
            Self::Size { width, height } if width == 0 || height == 0 => {
                format!("{width}x{height} pixels: has nothing to look at")
            }
            Self::Size { width, height } => {
                let limit = MAX_PIXELS / 1_000_000;
                format!(
                    "{width}x{height} pixels is more than the limit of {limit} megapixels (shrink it first)"
                )
            }
            Self::CutShort => format!("cut short: the {format} ends before its last pixel (is it whole?)"),
            Self::Decoder(ImageError::Unsupported(reason)) => {
                format!("a kind of {format} that cannot be read: {reason} (save it as PNG or JPEG)")
            }
            Self::Decoder(ImageError::Limits(_)) => {
                format!("decoding this {format} takes more memory than the limit (shrink it first)")
            }
            Self::Decoder(error) => format!("damaged or cut short: {} (is it whole?)", reason(&error)),
        }
    }
}

/// The decoder's own words on one line.
fn reason(error: &ImageError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn decode(bytes: &[u8], kind: ImageFormat) -> Result<(DynamicImage, image::metadata::Orientation), Fault> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOC);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS {
        return Err(Fault::Size { width, height });
    }
    if kind == ImageFormat::Jpeg && !jpeg::is_whole(bytes) {
        return Err(Fault::CutShort);
    }
    // A damaged EXIF block is no reason to refuse a sound picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

/// 8-bit RGB, with transparency laid on the background.
fn flatten(pixels: DynamicImage, background: [u8; 3]) -> RgbImage {
    if pixels.color().has_alpha() { compose(&pixels.into_rgba8(), background) } else { pixels.into_rgb8() }
}

/// `(alpha * colour + (255 - alpha) * background) / 255`, rounded to nearest. The alpha is straight.
fn compose(rgba: &RgbaImage, background: [u8; 3]) -> RgbImage {
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [colour @ .., alpha] = pixel.0;
        let alpha = u32::from(alpha);
        for ((out, colour), under) in out.0.iter_mut().zip(colour).zip(background) {
            *out = ((u32::from(colour) * alpha + u32::from(under) * (255 - alpha) + 127) / 255) as u8;
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use image::{Luma, LumaA, Rgb, Rgba};

    use super::*;

    const WHITE: [u8; 3] = [255; 3];

    fn encoded(picture: impl Into<DynamicImage>, kind: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, kind).unwrap();
        bytes.into_inner()
    }

    fn problem(bytes: &[u8]) -> String {
        Picture::from_bytes(bytes, "x", WHITE).unwrap_err().to_string()
    }

    #[test]
    fn lossless_formats_give_the_pixels_back_whatever_the_name_says() {
        let rgb = RgbImage::from_fn(5, 3, |x, y| Rgb([x as u8 * 40, y as u8 * 90, 7]));
        for (kind, format) in [
            (ImageFormat::Png, "png"),
            (ImageFormat::Bmp, "bmp"),
            (ImageFormat::Tiff, "tiff"),
            (ImageFormat::Pnm, "pnm"),
            (ImageFormat::WebP, "webp"),
        ] {
            let picture = Picture::from_bytes(&encoded(rgb.clone(), kind), "x.jpg", WHITE).unwrap();
            assert_eq!(picture.rgb, rgb, "{format}");
            assert_eq!((picture.format.as_str(), picture.orientation), (format, 1));
        }
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight_and_grey_becomes_three_channels() {
        let grey = image::ImageBuffer::<Luma<u16>, _>::from_vec(3, 1, vec![128, 129, 65535]).unwrap();
        let picture = Picture::from_bytes(&encoded(grey, ImageFormat::Png), "x", WHITE).unwrap();
        assert_eq!(picture.rgb.into_raw(), [0, 0, 0, 1, 1, 1, 255, 255, 255]);
    }

    #[test]
    fn transparency_shows_the_background() {
        let rgba = RgbaImage::from_vec(3, 1, vec![9, 8, 7, 255, 9, 8, 7, 0, 100, 0, 200, 51]).unwrap();
        let picture = Picture::from_bytes(&encoded(rgba, ImageFormat::Png), "x", [10, 20, 30]).unwrap();
        // 51 of 255 is one fifth: (100 + 4 * 10) / 5 = 28, 4 * 20 / 5 = 16, (200 + 4 * 30) / 5 = 64.
        assert_eq!(picture.rgb.into_raw(), [9, 8, 7, 10, 20, 30, 28, 16, 64]);

        let grey = image::ImageBuffer::<LumaA<u8>, _>::from_vec(1, 1, vec![40, 0]).unwrap();
        let picture = Picture::from_bytes(&encoded(grey, ImageFormat::Png), "x", WHITE).unwrap();
        assert_eq!(picture.rgb.into_raw(), [255, 255, 255]);
    }

    #[test]
    fn the_first_frame_of_an_animation_counts() {
        let mut bytes = Vec::new();
        {
            let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
            for colour in [[255, 0, 0, 255], [0, 0, 255, 255]] {
                encoder.encode_frame(image::Frame::new(RgbaImage::from_pixel(4, 4, Rgba(colour)))).unwrap();
            }
        }
        let picture = Picture::from_bytes(&bytes, "x", WHITE).unwrap();
        assert_eq!(picture.format, "gif");
        assert!(picture.rgb.pixels().all(|pixel| pixel.0 == [255, 0, 0]));
    }

    #[test]
    fn what_is_no_picture_is_refused_in_plain_words() {
        assert_eq!(problem(b""), "image 'x': the file is empty");
        assert!(problem(b"hello, I am a text file").contains("not a picture: expected PNG, JPEG"));
        let whole = encoded(RgbImage::new(64, 64), ImageFormat::Png);
        let cut = problem(&whole[..whole.len() / 2]);
        assert!(cut.contains("damaged or cut short") && !cut.contains('\n'), "{cut}");
        let whole = encoded(RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y) as u8; 3])), ImageFormat::Jpeg);
        let cut = problem(&whole[..whole.len() - 40]);
        assert!(cut.contains("cut short: the jpeg ends before"), "{cut}");
    }

    #[test]
    fn a_size_beyond_the_limit_is_refused_before_decoding() {
        let bomb = b"P6 100000 100000 255 ";
        assert_eq!(
            problem(bomb),
            "image 'x': 100000x100000 pixels is more than the limit of 100 megapixels (shrink it first)"
        );
    }
}
