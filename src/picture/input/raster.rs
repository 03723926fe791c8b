//! What every decoder gives: pixels and metadata, or the reason why there are none.

use image::metadata::Orientation;
use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageError, RgbImage, RgbaImage};

use super::upright::{after_quarter_turn, turned};
use crate::error::Problem;
use crate::memory::{Part, allow};

/// The most pixels that a picture may claim, checked before decoding.
pub const MAX_PIXELS: u64 = Part::Pixels.ceiling();

/// The longest side, in pixels. Resizing takes memory for each of them, even where the other side has one.
const MAX_SIDE: u32 = 1_000_000;

/// A decoded file as stored: not oriented, not composited over a background.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) pixels: Pixels,
    /// Whether colours are already multiplied by alpha.
    pub(super) is_premultiplied: bool,
    pub(super) orientation: Orientation,
    /// Whether the quarter turn of that was made while decoding.
    pub(super) is_turned: bool,
    /// The embedded colour profile.
    pub(super) icc: Option<Vec<u8>>,
    /// Damage that the decoder repaired.
    pub(super) damage: Vec<String>,
    /// What else is to be said of how it was read.
    pub(super) notes: Vec<String>,
    /// What each side was divided by, and the size before that.
    pub(super) reduced: Option<(u32, [u32; 2])>,
}

#[derive(Debug)]
pub(super) enum Pixels {
    Image(DynamicImage),
    Cmyk(Cmyk),
}

/// Interleaved 8-bit samples as a picture: grey or RGB, each with or without alpha. `None` for another number of channels, and
/// where they do not fill the picture.
pub(super) fn by_channels(
    width: u32,
    height: u32,
    channels: usize,
    samples: Vec<u8>,
) -> Option<DynamicImage> {
    Some(match channels {
        1 => GrayImage::from_raw(width, height, samples)?.into(),
        2 => GrayAlphaImage::from_raw(width, height, samples)?.into(),
        3 => RgbImage::from_raw(width, height, samples)?.into(),
        4 => RgbaImage::from_raw(width, height, samples)?.into(),
        _ => return None,
    })
}

/// CMYK samples; 255 is full ink.
#[derive(Debug)]
pub(super) struct Cmyk {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Cyan, magenta, yellow and black, pixel by pixel.
    pub(super) samples: Vec<u8>,
}

/// Why a picture could not be decoded.
#[derive(Debug)]
pub(super) enum Fault {
    Size {
        width: u32,
        height: u32,
    },
    Unsupported(String),
    Damaged(String),
    Memory,
    /// A complete problem.
    Other(Problem),
}

impl From<ImageError> for Fault {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(reason) => Self::Unsupported(reason.to_string()),
            ImageError::Limits(_) => Self::Memory,
            error => Self::Damaged(error.to_string()),
        }
    }
}

impl Fault {
    /// The message on one line: what is wrong, what was expected, and a way out.
    pub(super) fn problem(self, format: &str) -> Problem {
        let line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match self {
            Self::Size { width, height } if width == 0 || height == 0 => {
                format!("{width}x{height} pixels: has nothing to look at").into()
            }
            Self::Size { width, height } if width.max(height) > MAX_SIDE => {
                let what = format!("{width}x{height} pixels has a side of more than {MAX_SIDE}");
                Problem::new(what).hint("cut it into pieces first")
            }
            Self::Size { width, height } => {
                let limit = MAX_PIXELS / 1_000_000;
                let what = format!("{width}x{height} pixels is more than the limit of {limit} megapixels");
                Problem::new(what).hint("shrink it first")
            }
            Self::Unsupported(reason) => {
                let what = format!("a kind of {format} that cannot be read: {}", line(reason));
                Problem::new(what).hint("save it as PNG or JPEG")
            }
            Self::Memory => {
                let what = format!("decoding this {format} takes more memory than the limit");
                Problem::new(what).hint("shrink it first")
            }
            Self::Damaged(reason) => {
                Problem::new(format!("damaged or cut short: {}", line(reason))).hint("is it whole?")
            }
            Self::Other(problem) => problem,
        }
    }
}

/// Refuses empty pictures, more than [`MAX_PIXELS`], sides of more than [`MAX_SIDE`], and more than the share of memory.
pub(super) fn check_pixels(width: u32, height: u32) -> Result<(), Fault> {
    let pixels = u64::from(width) * u64::from(height);
    let fits = (1..=MAX_PIXELS).contains(&pixels) && width.max(height) <= MAX_SIDE;
    if fits { Part::Pixels.check(pixels).map_err(Fault::Other) } else { Err(Fault::Size { width, height }) }
}

/// Refuses more than the share of memory: `bytes` of samples as a decoder gives them, and pixels of 8-bit RGB made of them.
pub(super) fn check_samples(bytes: u64, width: u32, height: u32) -> Result<(), Fault> {
    /// Flattened, turned, and in another colour space.
    const RGB: u64 = 3 * 3;
    let pixels = u64::from(width) * u64::from(height) * RGB;
    allow(bytes.saturating_add(pixels)).map_err(Fault::Other)
}

/// The orientation in an EXIF block. Some programs prefix the block as in JPEG in other formats too. A damaged block
/// is ignored: the pixels are still good.
pub(super) fn orientation(exif: Option<&[u8]>) -> Orientation {
    let block = |exif: &[u8]| Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    exif.and_then(block).unwrap_or(Orientation::NoTransforms)
}

impl Decoded {
    /// Pixels of which nothing else is known.
    pub(super) fn of(pixels: Pixels) -> Self {
        Self {
            pixels,
            is_premultiplied: false,
            orientation: Orientation::NoTransforms,
            is_turned: false,
            icc: None,
            damage: vec![],
            notes: vec![],
            reduced: None,
        }
    }

    /// Width and height as stored, also where the pixels were reduced.
    fn size(&self) -> [u32; 2] {
        match (&self.reduced, &self.pixels) {
            (Some((_, size)), _) => *size,
            (None, Pixels::Image(image)) => [image.width(), image.height()],
            (None, Pixels::Cmyk(cmyk)) => [cmyk.width, cmyk.height],
        }
    }

    /// Width and height of the upright picture in the file.
    pub(super) fn upright_size(&self) -> [u32; 2] {
        turned(self.size(), self.left_to_turn())
    }

    /// What is left to do for the picture to be upright.
    pub(super) fn left_to_turn(&self) -> Orientation {
        let rest = after_quarter_turn(self.orientation).filter(|_| self.is_turned);
        rest.unwrap_or(self.orientation)
    }

    /// 8-bit RGB, composited over the background. Pixels that are 8-bit RGB already are not copied.
    pub(super) fn flattened(self, background: [u8; 3]) -> RgbImage {
        match self.pixels {
            Pixels::Cmyk(cmyk) => cmyk.to_rgb(),
            Pixels::Image(image) if !image.color().has_alpha() => image.into_rgb8(),
            Pixels::Image(image) => compose(&image.into_rgba8(), background, self.is_premultiplied),
        }
    }
}

impl Cmyk {
    /// Each ink removes its share of what black leaves, as Pillow and browsers do without a profile.
    fn to_rgb(&self) -> RgbImage {
        let mut rgb = RgbImage::new(self.width, self.height);
        for (pixel, inks) in rgb.pixels_mut().zip(self.samples.chunks_exact(4)) {
            let left = 255 - inks[3];
            for (channel, ink) in pixel.0.iter_mut().zip(inks) {
                *channel = left - share(*ink, left);
            }
        }
        rgb
    }
}

/// `a * b / 255`, rounded to nearest.
fn share(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    (((product >> 8) + product) >> 8) as u8
}

/// `(alpha * colour + (255 - alpha) * background) / 255`, rounded to nearest. Premultiplied colours already contain
/// the factor `alpha`.
pub(super) fn compose(rgba: &RgbaImage, background: [u8; 3], is_premultiplied: bool) -> RgbImage {
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [colour @ .., alpha] = pixel.0;
        let alpha = u32::from(alpha);
        let weight = if is_premultiplied { 255 } else { alpha };
        for ((out, colour), under) in out.0.iter_mut().zip(colour).zip(background) {
            let sum = u32::from(colour) * weight + u32::from(under) * (255 - alpha);
            *out = ((sum + 127) / 255).min(255) as u8;
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_take_away_what_black_leaves() {
        let samples = vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 128, 0, 64, 127];
        let cmyk = Cmyk { width: 4, height: 1, samples };
        // 128 - 128 * 128 / 255 = 63.7, 128, 128 - 64 * 128 / 255 = 95.9
        assert_eq!(cmyk.to_rgb().into_raw(), [255, 255, 255, 0, 255, 255, 0, 0, 0, 64, 128, 96]);
    }

    #[test]
    fn premultiplied_colours_are_not_multiplied_once_more() {
        let straight = RgbaImage::from_raw(1, 1, vec![200, 100, 0, 51]).unwrap();
        let premultiplied = RgbaImage::from_raw(1, 1, vec![40, 20, 0, 51]).unwrap();
        let expected = [40 + 8, 20 + 16, 24];
        assert_eq!(compose(&straight, [10, 20, 30], false).into_raw(), expected);
        assert_eq!(compose(&premultiplied, [10, 20, 30], true).into_raw(), expected);
    }

    #[test]
    fn an_exif_block_may_carry_its_name() {
        // One entry: tag 0x112, a short, one of them, 6.
        let block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let named = [&b"Exif\0\0"[..], block].concat();
        assert_eq!(orientation(Some(block)), Orientation::Rotate90);
        assert_eq!(orientation(Some(&named)), Orientation::Rotate90);
        assert_eq!(orientation(Some(b"Exif\0\0II")), Orientation::NoTransforms);
    }
}
