//! The hot pixels as a mask, and the photo cut out along it.
//!
//! Receives a placed map and a threshold; returns pictures of the photo's size. `region` finds connected pixels.

use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::region::{Components, runs};
use super::{Placed, Threshold};

/// White in the selected regions, black elsewhere. All black when nothing is above zero.
#[must_use]
pub fn mask(placed: &Placed, threshold: Threshold, components: Components) -> GrayImage {
    let mut levels = vec![0; placed.values.len()];
    if let Some(level) = threshold.level(placed) {
        for run in runs(placed, level, components) {
            levels[run].fill(255);
        }
    }
    picture(placed, levels)
}

/// The photo where [`mask`] is white, transparent black elsewhere, at the photo's own size.
///
/// When photo and map differ in size, only their common part is shown.
#[must_use]
pub fn cut_out(photo: &RgbImage, placed: &Placed, threshold: Threshold, components: Components) -> RgbaImage {
    let mask = mask(placed, threshold, components);
    // Transparent black, and not the photo with no opacity: what was cut away must not be in the file.
    let mut out = RgbaImage::new(photo.width(), photo.height());
    for (x, y, Luma([white])) in mask.enumerate_pixels() {
        if let (255, Some(Rgb([red, green, blue]))) = (*white, photo.get_pixel_checked(x, y)) {
            out.put_pixel(x, y, Rgba([*red, *green, *blue, 255]));
        }
    }
    out
}

fn picture(placed: &Placed, levels: Vec<u8>) -> GrayImage {
    GrayImage::from_raw(placed.width as u32, placed.height as u32, levels).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::PixelBox;
    use super::*;

    fn placed(width: usize, values: &[f32]) -> Placed {
        let height = values.len() / width;
        let seen = PixelBox { left: 0, top: 0, right: width, bottom: height };
        Placed { width, height, values: values.to_vec(), signed: false, seen }
    }

    #[test]
    fn a_mask_is_white_from_the_threshold_on_and_never_without_heat() {
        let heat = placed(4, &[0.0, 0.4, 0.5, 1.0]);
        let of = |level| mask(&heat, Threshold::Fraction(level), Components::All).into_raw();
        assert_eq!(of(0.5), [0, 0, 255, 255]);
        assert_eq!(of(0.0), [0, 255, 255, 255]);
    }

    #[test]
    fn a_mask_is_of_all_regions_or_of_the_largest() {
        let heat = placed(5, &[0.9, 0.0, 0.2, 1.0, 0.1]);
        let of = |components| mask(&heat, Threshold::Fraction(0.15), components);
        assert_eq!(of(Components::All).into_raw(), [255, 0, 255, 255, 0]);
        assert_eq!(of(Components::Largest).into_raw(), [0, 0, 255, 255, 0]);
        assert_eq!(mask(&placed(2, &[0.0; 2]), Threshold::Otsu, Components::All).into_raw(), [0; 2]);
    }

    #[test]
    fn a_cut_out_is_the_photo_inside_and_nothing_outside() {
        let photo = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8 + 1, y as u8 + 1, 7]));
        let heat = placed(3, &[0.0, 1.0, 0.0, 0.9, 0.8, 0.0]);
        let cut = cut_out(&photo, &heat, Threshold::default(), Components::All);
        let opaque: Vec<bool> = cut.pixels().map(|pixel| pixel.0[3] == 255).collect();
        assert_eq!(opaque, [false, true, false, true, true, false]);
        assert_eq!(cut.get_pixel(0, 1).0, [1, 2, 7, 255]);
        assert_eq!(cut.get_pixel(0, 0).0, [0; 4]);
    }
}
