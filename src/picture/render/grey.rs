//! The map as grey levels, for programs that read values from pictures.
//!
//! Receives a placed map; returns 8-bit or 16-bit pictures. [`heatmap_picture`](super::heatmap_picture) is the one in
//! colour.

use image::{GrayImage, ImageBuffer, Luma};

use super::colormap::signed_position;
use super::resample::Placed;

/// `round(255 * value)`; of a signed map `round(255 * (value + 1) / 2)`, so that zero is the middle grey 128.
#[must_use]
pub fn grey_picture(placed: &Placed) -> GrayImage {
    // `as` saturates: values of a fixed scale may exceed one.
    let levels = shares(placed).map(|share| (share * 255.0).round() as u8);
    GrayImage::from_raw(placed.width as u32, placed.height as u32, levels.collect()).unwrap_or_default()
}

/// `round(65535 * value)`; of a signed map `round(65535 * (value + 1) / 2)`, so that zero is the middle grey 32768.
#[must_use]
pub fn grey16_picture(placed: &Placed) -> ImageBuffer<Luma<u16>, Vec<u16>> {
    let levels = shares(placed).map(|share| (share * 65535.0).round() as u16);
    ImageBuffer::from_raw(placed.width as u32, placed.height as u32, levels.collect()).unwrap_or_default()
}

/// Grey as a share of white, for every pixel. The `as` conversions of the callers saturate.
fn shares(placed: &Placed) -> impl Iterator<Item = f32> {
    let signed = placed.signed;
    placed.values.iter().map(move |value| if signed { signed_position(*value) } else { *value })
}

#[cfg(test)]
mod tests {
    use super::super::resample::PixelBox;
    use super::*;

    fn placed(values: &[f32]) -> Placed {
        let seen = PixelBox { left: 0, top: 0, right: values.len(), bottom: 1 };
        let signed = values.iter().any(|value| *value < 0.0);
        Placed { width: values.len(), height: 1, values: values.to_vec(), signed, seen }
    }

    #[test]
    fn levels_are_the_rounded_values() {
        let heat = placed(&[0.0, 0.1, 0.5, 1.0, 1.5]);
        assert_eq!(grey_picture(&heat).into_raw(), [0, 26, 128, 255, 255]);
        assert_eq!(grey16_picture(&heat).into_raw(), [0, 6554, 32768, 65535, 65535]);
    }

    #[test]
    fn zero_of_a_signed_map_is_the_middle() {
        let heat = placed(&[-1.0, 0.0, 0.5, 1.0]);
        assert_eq!(grey_picture(&heat).into_raw(), [0, 128, 191, 255]);
        assert_eq!(grey16_picture(&heat).into_raw(), [0, 32768, 49151, 65535]);
    }
}
