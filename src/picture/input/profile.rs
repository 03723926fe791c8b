//! Embedded colour profiles: their name, whether they are equivalent to sRGB, and conversion to sRGB.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, ProfileText, TransformOptions};

use super::raster::{Cmyk, Decoded, Pixels, compose};
use crate::error::Problem;

/// Largest difference from sRGB, in levels of 255, for a profile to count as sRGB. Makers' sRGB profiles differ by
/// rounding.
const SAME_LEVELS: u8 = 3;

/// Distance between the sampled colours when profiles are compared: 16 levels per channel.
const STEP: usize = 17;

const BROKEN: &str = "it does not fit the picture";

/// Longest profile name shown, in characters; the name is untrusted text.
const MAX_NAME: usize = 60;

/// An embedded profile.
pub(super) struct Profile {
    profile: ColorProfile,
    /// The profile's own name.
    pub(super) name: String,
}

impl Profile {
    /// `None` for a profile equivalent to sRGB.
    ///
    /// # Errors
    /// When the profile cannot be used.
    pub(super) fn read(icc: &[u8]) -> Result<Option<Self>, Problem> {
        let profile =
            contained(|| ColorProfile::new_from_slice(icc).map_err(|error| error.to_string().into()))?;
        let name = name(&profile);
        let this = Self { profile, name };
        Ok(if this.is_srgb()? { None } else { Some(this) })
    }

    /// Whether it maps all sampled colours to where sRGB has them.
    fn is_srgb(&self) -> Result<bool, Problem> {
        let (layout, channels, colours) = match self.profile.color_space {
            DataColorSpace::Rgb => (Layout::Rgb, 3, grid()),
            DataColorSpace::Gray => (Layout::Gray, 1, (0..=255).collect()),
            _ => return Ok(false),
        };
        let found = self.transform(layout, Layout::Rgb, &colours, colours.len() / channels * 3)?;
        let near = |(at, level): (usize, &u8)| {
            level.abs_diff(colours[if channels == 3 { at } else { at / 3 }]) <= SAME_LEVELS
        };
        Ok(found.iter().enumerate().all(near))
    }

    /// The picture in sRGB, composited over the background. A grey profile applies to grey pictures only.
    ///
    /// # Errors
    /// When the profile is for another colour model than the picture's, or cannot be used.
    pub(super) fn to_srgb(&self, decoded: &Decoded, background: [u8; 3]) -> Result<RgbImage, Problem> {
        let space = self.profile.color_space;
        let fits = match &decoded.pixels {
            Pixels::Cmyk(_) => space == DataColorSpace::Cmyk,
            Pixels::Image(image) if image.color().has_color() => space == DataColorSpace::Rgb,
            Pixels::Image(_) => space == DataColorSpace::Gray,
        };
        if !fits {
            return Err(format!("it is for other colours ({space:?})").into());
        }
        match &decoded.pixels {
            Pixels::Cmyk(Cmyk { width, height, samples }) => {
                // The library's layout for four channels, those of CMYK included.
                self.opaque([*width, *height], Layout::Rgba, samples)
            }
            Pixels::Image(image) if image.color().has_alpha() => {
                let rgba = self.transparent(image, decoded.is_premultiplied)?;
                Ok(compose(&rgba, background, false))
            }
            Pixels::Image(image) => {
                let size = [image.width(), image.height()];
                if image.color().has_color() {
                    self.opaque(size, Layout::Rgb, &image.to_rgb8())
                } else {
                    self.opaque(size, Layout::Gray, &image.to_luma8())
                }
            }
        }
    }

    fn opaque(&self, [width, height]: [u32; 2], layout: Layout, samples: &[u8]) -> Result<RgbImage, Problem> {
        let rgb = self.transform(layout, Layout::Rgb, samples, width as usize * height as usize * 3)?;
        RgbImage::from_raw(width, height, rgb).ok_or_else(|| BROKEN.into())
    }

    fn transparent(&self, image: &DynamicImage, is_premultiplied: bool) -> Result<RgbaImage, Problem> {
        let (width, height) = (image.width(), image.height());
        let count = width as usize * height as usize * 4;
        let rgba = if image.color().has_color() {
            self.transform(Layout::Rgba, Layout::Rgba, &straight(image, is_premultiplied), count)?
        } else {
            self.transform(Layout::GrayAlpha, Layout::Rgba, &image.to_luma_alpha8(), count)?
        };
        RgbaImage::from_raw(width, height, rgba).ok_or_else(|| BROKEN.into())
    }

    fn transform(&self, from: Layout, to: Layout, source: &[u8], count: usize) -> Result<Vec<u8>, Problem> {
        contained(|| {
            let options = TransformOptions::default();
            let transform = self
                .profile
                .create_transform_8bit(from, &ColorProfile::new_srgb(), to, options)
                .map_err(|error| error.to_string())?;
            let mut converted = vec![0; count];
            transform.transform(source, &mut converted).map_err(|error| error.to_string())?;
            Ok(converted)
        })
    }
}

/// Sample colours spread over the RGB cube.
fn grid() -> Vec<u8> {
    let levels = || (0..=255u8).step_by(STEP);
    levels().flat_map(|r| levels().flat_map(move |g| levels().flat_map(move |b| [r, g, b]))).collect()
}

/// Undoes premultiplication by alpha: profiles apply to straight colours.
fn straight(image: &DynamicImage, is_premultiplied: bool) -> RgbaImage {
    let mut rgba = image.to_rgba8();
    if is_premultiplied {
        for pixel in rgba.pixels_mut() {
            let [colour @ .., alpha] = &mut pixel.0;
            for channel in colour {
                let whole = u32::from(*channel) * 255 + u32::from(*alpha) / 2;
                *channel = whole.checked_div(u32::from(*alpha)).unwrap_or(0).min(255) as u8;
            }
        }
    }
    rgba
}

/// The profile's own name, printable characters only, on one line.
fn name(profile: &ColorProfile) -> String {
    let text = match &profile.description {
        Some(ProfileText::PlainString(text)) => text.clone(),
        Some(ProfileText::Localizable(texts)) => {
            let english = texts.iter().find(|text| text.language == "en");
            english.or(texts.first()).map_or_else(String::new, |text| text.value.clone())
        }
        Some(ProfileText::Description(text)) => text.ascii_string.clone(),
        None => String::new(),
    };
    let printable = |letter: &char| letter.is_alphanumeric() || " -_.,:;()[]/+&#'".contains(*letter);
    let name: String = text.chars().filter(printable).take(MAX_NAME).collect();
    let name = name.trim();
    if name.is_empty() { format!("unnamed, {:?}", profile.color_space) } else { name.to_owned() }
}

/// A panic of the colour library on a malformed profile makes the profile unusable; it must not end the run.
fn contained<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it is damaged".into()))
}
