//! A decoded picture: upright, without transparency, 8-bit RGB.
//!
//! The format is detected from the content, never from the file's name. Animations give their first frame, TIFF files
//! their
//! first page. Damage that the decoder repaired is reported, and so is a colour profile other than sRGB.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{ImageFormat, RgbImage};

use super::file::{check_size, read_file, sha256_hex};
use super::kind::{self, Kind};
use super::options::{Icc, ReadOptions};
use super::preprocess::reduction;
use super::profile::Profile;
use super::raster::{Decoded, Fault};
use super::upright::upright;
use super::{general, jpeg, jxl, tiff};
use crate::card::Preprocess;
use crate::error::{OptionName, Phrase, Problem, Result};

/// A decoded, upright picture with 8 bits per channel.
///
/// ```
/// use burncam_picture::input::{Picture, ReadOptions};
///
/// # fn main() -> burncam_graph::Result<()> {
/// let bytes = b"P6 2 1 255\n\xff\x00\x00\x00\x00\xff"; // one red pixel, one blue
/// let picture = Picture::from_bytes(bytes, "two.ppm", ReadOptions::default())?;
/// assert_eq!((picture.format.as_str(), picture.size), ("pnm", [2, 1]));
/// assert_eq!(picture.rgb.get_pixel(1, 0).0, [0, 0, 255]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Picture {
    /// The network's pixels: oriented, and composited over the background.
    ///
    /// 16-bit samples become 8-bit ones by rounding `value / 257` to nearest; grey becomes three equal channels.
    pub rgb: RgbImage,
    /// The same pixels in sRGB when `rgb` is in another colour space; this is what gets drawn on.
    pub shown: Option<RgbImage>,
    /// Format of the file: `png`, `jpeg`, `jxl`, `webp`, `gif`, `bmp`, `tiff` or `pnm`; `rgb` of pixels that no file gave.
    pub format: String,
    /// Width and height of the upright picture in the file, in pixels.
    pub size: [u32; 2],
    /// What each side was divided by while it was decoded ([`Picture::open_for`]): 1, 2, 4 or 8.
    pub reduced: u32,
    /// EXIF orientation of the file, already applied to [`Picture::rgb`]: 1 (as stored) to 8. JPEG XL, which turns by its own means,
    /// has 1.
    pub orientation: u8,
    /// SHA-256 of the file's bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// The embedded colour profile, unless it is sRGB.
    pub profile: Option<ColourProfile>,
    /// Warnings: damage that the decoder repaired, values of which it is said what is black and what is white, and a profile that was ignored.
    pub warnings: Vec<Phrase>,
}

/// An embedded colour profile other than sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColourProfile {
    /// The profile's own name, or `unreadable`.
    pub name: String,
    /// Whether the network's pixels were converted with it.
    pub converted: bool,
}

impl Picture {
    /// A picture that is decoded already: upright, in sRGB, without transparency.
    ///
    /// Records say `rgb` of its format, and have the hash of its pixels, row by row, three bytes each.
    ///
    /// ```
    /// use burncam_picture::input::Picture;
    /// use burncam_picture::render::RgbImage;
    ///
    /// let picture = Picture::from_rgb(RgbImage::new(640, 480));
    /// assert_eq!(picture.rgb.dimensions(), (640, 480));
    /// ```
    #[must_use]
    pub fn from_rgb(rgb: RgbImage) -> Self {
        let sha256 = sha256_hex(rgb.as_raw());
        Self {
            size: rgb.dimensions().into(),
            rgb,
            shown: None,
            reduced: 1,
            format: "rgb".to_owned(),
            orientation: 1,
            sha256,
            profile: None,
            warnings: vec![],
        }
    }

    /// Reads and decodes a file. The options may be just the RGB colour under transparent pixels.
    ///
    /// # Errors
    /// As [`read_file`], and as [`Picture::from_bytes`].
    pub fn open(path: &Path, options: impl Into<ReadOptions>) -> Result<Self> {
        Self::from_bytes(&read_file(path)?, &path.display().to_string(), options)
    }

    /// As [`Picture::open`], for a network's input alone: a JPEG of many more pixels than this preprocessing leaves is decoded at a half,
    /// a quarter or an eighth of its size, while every side stays at least four times as long as it is resized to. That takes a half of the
    /// time; logits of photographs change by up to 0.15.
    ///
    /// # Errors
    /// As [`Picture::open`].
    pub fn open_for(path: &Path, options: impl Into<ReadOptions>, network: &Preprocess) -> Result<Self> {
        let by = |size| reduction(size, network);
        Self::decoded(&read_file(path)?, &path.display().to_string(), options.into(), &by)
    }

    /// As [`Picture::open`], for a small version: a JPEG is decoded at a half, a quarter or an eighth of its size, while its longer side stays
    /// at least `side` pixels long.
    ///
    /// # Errors
    /// As [`Picture::open`].
    pub fn open_small(path: &Path, options: impl Into<ReadOptions>, side: u32) -> Result<Self> {
        let by = |[width, height]: [u32; 2]| {
            [8, 4, 2].into_iter().find(|by| width.max(height).div_ceil(*by) >= side).unwrap_or(1)
        };
        Self::decoded(&read_file(path)?, &path.display().to_string(), options.into(), &by)
    }

    /// Decodes a file's bytes. `name` is what errors call it.
    ///
    /// # Errors
    /// [`Image`](crate::error::ErrorKind::Image) when the bytes are no picture of a known format, are damaged beyond what the decoder can fill in (or
    /// damaged at all, where the options are strict), or claim more than [`MAX_PIXELS`](super::MAX_PIXELS).
    pub fn from_bytes(bytes: &[u8], name: &str, options: impl Into<ReadOptions>) -> Result<Self> {
        Self::decoded(bytes, name, options.into(), &|_| 1)
    }

    /// `by` is what each side of an upright picture of this size may be divided by while it is decoded: 1, 2, 4 or 8.
    fn decoded(bytes: &[u8], name: &str, options: ReadOptions, by: &dyn Fn([u32; 2]) -> u32) -> Result<Self> {
        // Also for bytes that came from a caller and not from `read_file`.
        check_size(bytes, || name.to_owned())?;
        let refuse = |problem: Problem| problem.of_image(name);
        let (kind, format) = kind::of(bytes).map_err(refuse)?;
        let mut decoded =
            decode(bytes, kind, options.window, by).map_err(|fault| refuse(fault.problem(format)))?;
        let damage = std::mem::take(&mut decoded.damage);
        let notes = std::mem::take(&mut decoded.notes);
        if let (true, [damage, ..]) = (options.strict, &damage[..]) {
            let hint = Phrase::from("read it without ").without(OptionName::StrictPictures);
            return Err(refuse(Problem::new(damage.clone()).hint(hint.text(" to use what there is"))));
        }
        let (orientation, size, left) = (decoded.orientation, decoded.upright_size(), decoded.left_to_turn());
        let reduced = decoded.reduced.map_or(1, |(by, _)| by);
        let Colours { rgb, shown, profile, warning } = Colours::of(decoded, options);
        let warnings = damage.into_iter().chain(notes).map(Phrase::from).chain(warning).collect();
        Ok(Self {
            // Turned after the colours: a profile does not depend on the orientation, and fewer bytes are moved.
            rgb: upright(rgb, left),
            shown: shown.map(|shown| upright(shown, left)),
            format: format.to_owned(),
            size,
            reduced,
            orientation: orientation.to_exif(),
            sha256: sha256_hex(bytes),
            profile,
            warnings,
        })
    }
}

/// Decodes a file. Decoders may panic on malformed files; that must fail this file, not a run over thousands.
fn decode(
    bytes: &[u8],
    kind: Kind,
    window: Option<[f64; 2]>,
    by: &dyn Fn([u32; 2]) -> u32,
) -> Result<Decoded, Fault> {
    let decode = || match kind {
        Kind::JpegXl => jxl::decode(bytes),
        Kind::Image(ImageFormat::Jpeg) => jpeg::decode(bytes, by),
        Kind::Image(ImageFormat::Tiff) => tiff::decode(bytes, window),
        Kind::Image(kind) => general::decode(bytes, kind, window),
    };
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    outcome.unwrap_or_else(|_| Err(Fault::Damaged("its decoder failed".to_owned())))
}

/// A picture's pixels for the network, and for display.
struct Colours {
    rgb: RgbImage,
    shown: Option<RgbImage>,
    profile: Option<ColourProfile>,
    warning: Option<Phrase>,
}

impl Colours {
    fn plain(rgb: RgbImage) -> Self {
        Self { rgb, shown: None, profile: None, warning: None }
    }

    fn of(decoded: Decoded, options: ReadOptions) -> Self {
        let background = options.background;
        let Some(icc) = &decoded.icc else { return Self::plain(decoded.flattened(background)) };
        let (name, converted) = match Profile::read(icc) {
            Ok(None) => return Self::plain(decoded.flattened(background)),
            Ok(Some(profile)) => (profile.name.clone(), profile.to_srgb(&decoded, background)),
            Err(problem) => ("unreadable".to_owned(), Err(problem)),
        };
        let converted = match converted {
            Ok(converted) => converted,
            Err(problem) => {
                let warning = format!(
                    "its colour profile '{name}' cannot be used, so its colours are as stored: {problem}"
                );
                let profile = Some(ColourProfile { name, converted: false });
                let plain = Self::plain(decoded.flattened(background));
                return Self { profile, warning: Some(warning.into()), ..plain };
            }
        };
        match options.icc {
            Icc::Convert => {
                let profile = Some(ColourProfile { name, converted: true });
                Self { rgb: converted, shown: None, profile, warning: None }
            }
            Icc::Keep => {
                let what = format!(
                    "its colours are in the profile '{name}' and not in sRGB; the network gets them as stored ("
                );
                let warning =
                    Phrase::from(what).set(OptionName::Icc, "convert").text(" brings them to sRGB)");
                let profile = Some(ColourProfile { name, converted: false });
                let stored = decoded.flattened(background);
                Self { rgb: stored, shown: Some(converted), profile, warning: Some(warning) }
            }
        }
    }
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
