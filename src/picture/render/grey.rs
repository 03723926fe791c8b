//! The map as grey levels, for programs that read values from pictures.
//!
//! Receives a placed map; returns 8-bit or 16-bit pictures. [`heatmap_picture`](super::heatmap_picture) is the one in
//! colour.

use super::colormap::signed_position;
use super::placed::Placed;
use super::rows::{Rows, Samples};

/// `round(255 * value)`; of a signed map `round(255 * (value + 1) / 2)`, so that zero is the middle grey 128.
#[must_use]
pub fn grey_picture(placed: &Placed) -> Rows<'_> {
    // `as` saturates: values of a fixed scale may exceed one.
    levels(placed, Samples::Grey, |share| [(share * 255.0).round() as u8])
}

/// `round(65535 * value)`; of a signed map `round(65535 * (value + 1) / 2)`, so that zero is the middle grey 32768.
#[must_use]
pub fn grey16_picture(placed: &Placed) -> Rows<'_> {
    levels(placed, Samples::Grey16, |share| ((share * 65535.0).round() as u16).to_be_bytes())
}

/// `level` gives the bytes of a pixel, given its grey as a share of white.
fn levels<const N: usize>(
    placed: &Placed,
    samples: Samples,
    level: impl Fn(f32) -> [u8; N] + Sync + 'static,
) -> Rows<'_> {
    Rows::of_map(placed, samples, move |values, pixels| {
        for (pixel, value) in pixels.iter_mut().zip(values) {
            *pixel = level(if placed.signed { signed_position(*value) } else { *value });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(values: &[f32]) -> Vec<u8> {
        grey_picture(&Placed::of_values(values.len(), values)).collect()
    }

    fn grey16(values: &[f32]) -> Vec<u16> {
        let bytes = grey16_picture(&Placed::of_values(values.len(), values)).collect();
        bytes.as_chunks().0.iter().map(|bytes| u16::from_be_bytes(*bytes)).collect()
    }

    #[test]
    fn levels_are_the_rounded_values() {
        let heat = [0.0, 0.1, 0.5, 1.0, 1.5];
        assert_eq!(grey(&heat), [0, 26, 128, 255, 255]);
        assert_eq!(grey16(&heat), [0, 6554, 32768, 65535, 65535]);
    }

    #[test]
    fn zero_of_a_signed_map_is_the_middle() {
        let heat = [-1.0, 0.0, 0.5, 1.0];
        assert_eq!(grey(&heat), [0, 128, 191, 255]);
        assert_eq!(grey16(&heat), [0, 32768, 49151, 65535]);
    }
}
