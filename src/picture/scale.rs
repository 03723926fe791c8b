//! A picture at another size.
//!
//! Receives a picture, a size and a filter; gives the picture at that size. Which size, and in how many steps, is the
//! caller's decision.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::error::Problem;

/// The picture at `width` by `height` pixels.
///
/// The scaler is called for this one type of pixels. `Resizer::resize`, which finds the type itself, would compile it
/// for 13 types into this crate and again into its tests, a minute of processor time each.
///
/// # Errors
/// A clause, when the scaler fails.
pub(crate) fn scaled(
    picture: &RgbImage,
    [width, height]: [u32; 2],
    algorithm: ResizeAlg,
) -> Result<RgbImage, Problem> {
    let (across, down) = picture.dimensions();
    let source: TypedImageRef<U8x3> =
        TypedImageRef::from_buffer(across, down, picture).map_err(|error| error.to_string())?;
    let mut pixels = RgbImage::new(width, height);
    let mut target: TypedImage<U8x3> =
        TypedImage::from_buffer(width, height, &mut pixels).map_err(|error| error.to_string())?;
    let options = ResizeOptions::new().resize_alg(algorithm);
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|error| error.to_string())?;
    drop(target);
    Ok(pixels)
}
