//! Levels of samples that have more than 8 bits, where it is said which value is black and which is white.

use image::{DynamicImage, ImageBuffer, Pixel};

/// The value as a level: 0 up to black, 255 from white on.
pub(super) fn level(value: f64, [black, white]: [f64; 2]) -> u8 {
    // `as` saturates, so that values out of range are clamped.
    ((value - black) / (white - black) * 255.0).round() as u8
}

/// What is to be said of a picture that is shown so, because of `whose` word.
pub(super) fn note([black, white]: [f64; 2], whose: &str) -> String {
    format!("its values from {black} to {white} are shown from black to white, {whose}")
}

/// The words for a window that the caller stated.
pub(super) const AS_ASKED: &str = "as was asked";

/// A picture of 16 bits with 8, and true; any other as it is.
pub(super) fn narrowed(image: DynamicImage, window: [f64; 2]) -> (DynamicImage, bool) {
    let narrow = match image {
        DynamicImage::ImageLuma16(image) => samples(&image, window).map(DynamicImage::ImageLuma8),
        DynamicImage::ImageLumaA16(image) => samples(&image, window).map(DynamicImage::ImageLumaA8),
        DynamicImage::ImageRgb16(image) => samples(&image, window).map(DynamicImage::ImageRgb8),
        DynamicImage::ImageRgba16(image) => samples(&image, window).map(DynamicImage::ImageRgba8),
        other => return (other, false),
    };
    (narrow.unwrap_or_default(), true)
}

/// Colours by the window; alpha from all of its range.
fn samples<P: Pixel<Subpixel = u16>, Q: Pixel<Subpixel = u8>>(
    image: &ImageBuffer<P, Vec<u16>>,
    window: [f64; 2],
) -> Option<ImageBuffer<Q, Vec<u8>>> {
    let colours = usize::from(P::CHANNEL_COUNT - u8::from(P::HAS_ALPHA));
    let of = |(channel, sample): (usize, &u16)| {
        let range = if channel < colours { window } else { [0.0, f64::from(u16::MAX)] };
        level(f64::from(*sample), range)
    };
    let levels =
        image.chunks_exact(usize::from(P::CHANNEL_COUNT)).flat_map(|pixel| pixel.iter().enumerate().map(of));
    ImageBuffer::from_raw(image.width(), image.height(), levels.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_window_and_alpha_does_not() {
        let twelve_bits =
            ImageBuffer::from_raw(2, 1, vec![0_u16, 819, 4095, 65_535, 8000, 4095, 2048, 0]).unwrap();
        let (image, is_narrow) = narrowed(DynamicImage::ImageRgba16(twelve_bits), [0.0, 4095.0]);
        // 819 of 4095 is a fifth, 2048 a half.
        assert_eq!(
            (image.into_rgba8().into_raw(), is_narrow),
            (vec![0, 51, 255, 255, 255, 255, 128, 0], true)
        );
        let grey = DynamicImage::ImageLuma8(ImageBuffer::from_raw(1, 1, vec![7]).unwrap());
        assert_eq!(narrowed(grey.clone(), [0.0, 1.0]), (grey, false));
    }
}
