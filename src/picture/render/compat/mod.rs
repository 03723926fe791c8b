//! Overlays exactly as other libraries draw them, including their rounding.
//!
//! Receives a picture, a map and its placement; returns the picture with the covered part drawn as the library would
//! draw a whole picture. One library per file, each with the version and source it follows. The map's values come
//! from the methods of `burncam`.

mod captum;
mod eli5;
mod figure;
mod part;
mod pillow;
mod pytorch_grad_cam;
mod tf_keras_vis;
mod torchcam;
mod xplique;

use image::RgbImage;

use crate::Heatmap;
use crate::input::Placement;
use part::Part;

pub use captum::{Captum, CaptumSign};
pub use eli5::Eli5;
pub use pytorch_grad_cam::PytorchGradCam;
pub use tf_keras_vis::TfKerasVis;
pub use torchcam::Torchcam;
pub use xplique::Xplique;

/// The library whose overlay to draw, with its own options and defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CompatOverlay {
    /// `format_as_image` of eli5 0.16.0.
    Eli5(Eli5),
    /// `show_cam_on_image` of pytorch-grad-cam 1.5.7.
    PytorchGradCam(PytorchGradCam),
    /// `overlay_mask` of torchcam 0.5.0.
    Torchcam(Torchcam),
    /// `visualize_image_attr(..., "blended_heat_map")` of captum 0.9.0.
    Captum(Captum),
    /// The example in the documentation of tf-keras-vis 0.8.7.
    TfKerasVis(TfKerasVis),
    /// `plot_attributions` of xplique 2.0.2.
    Xplique(Xplique),
}

/// The picture with the map drawn on it as the library does.
///
/// The map, of any resolution, covers the rectangle `placement`, rounded to whole pixels. That part is drawn as if it
/// were the library's whole picture; the rest stays bit-identical. Values are as the library expects them: 0 to 1, or
/// any for captum and xplique.
#[must_use]
pub fn compat_overlay(
    picture: &RgbImage,
    map: &Heatmap,
    placement: &Placement,
    style: &CompatOverlay,
) -> RgbImage {
    let mut out = picture.clone();
    let Some(part) = Part::new(picture, map, placement) else { return out };
    let drawn = match style {
        CompatOverlay::Eli5(style) => style.draw(&part),
        CompatOverlay::PytorchGradCam(style) => style.draw(&part),
        CompatOverlay::Torchcam(style) => style.draw(&part),
        CompatOverlay::Captum(style) => style.draw(&part),
        CompatOverlay::TfKerasVis(style) => style.draw(&part),
        CompatOverlay::Xplique(style) => style.draw(&part),
    };
    image::imageops::replace(&mut out, &drawn, part.left.into(), part.top.into());
    out
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    const ALL: [CompatOverlay; 6] = [
        CompatOverlay::Eli5(Eli5::DEFAULT),
        CompatOverlay::PytorchGradCam(PytorchGradCam::DEFAULT),
        CompatOverlay::Torchcam(Torchcam::DEFAULT),
        CompatOverlay::Captum(Captum::DEFAULT),
        CompatOverlay::TfKerasVis(TfKerasVis::DEFAULT),
        CompatOverlay::Xplique(Xplique::DEFAULT),
    ];

    fn photo() -> RgbImage {
        RgbImage::from_fn(9, 7, |x, y| Rgb([x as u8 * 20, y as u8 * 30, 90]))
    }

    #[test]
    fn only_what_the_map_covers_is_drawn_on() {
        let map = Heatmap::new(2, 2, vec![0.0, 0.4, 0.8, 1.0]).unwrap();
        let placement = Placement { left: 2.3, top: 0.6, right: 6.6, bottom: 5.0 };
        for style in &ALL {
            let drawn = compat_overlay(&photo(), &map, &placement, style);
            for (x, y, pixel) in photo().enumerate_pixels() {
                let inside = (2..7).contains(&x) && (1..5).contains(&y);
                assert!(inside || drawn.get_pixel(x, y) == pixel, "{style:?} at {x},{y}");
            }
            assert_ne!(drawn, photo(), "{style:?}");
        }
    }

    #[test]
    fn a_letterbox_shows_the_middle_of_the_map() {
        // The first and last row are outside the picture, so they must not affect maps that use their values only.
        let rows = |edge: f32| Heatmap::new(4, 1, vec![edge, 0.25, 0.75, edge]).unwrap();
        let placement = Placement { left: 0.0, top: -7.0, right: 9.0, bottom: 14.0 };
        // The kernel reads neighbouring rows; the pixels in the middle are beyond its reach.
        let middle = |edge| {
            let drawn = compat_overlay(&photo(), &rows(edge), &placement, &ALL[1]);
            [3, 4].map(|y| *drawn.get_pixel(4, y))
        };
        assert_eq!(middle(0.0), middle(1.0));
    }

    #[test]
    fn a_map_outside_the_picture_and_a_blank_one_do_no_harm() {
        let map = Heatmap::new(1, 2, vec![0.0, 0.0]).unwrap();
        let outside = Placement { left: 9.0, top: 0.0, right: 12.0, bottom: 7.0 };
        for style in &ALL {
            assert_eq!(compat_overlay(&photo(), &map, &outside, style), photo());
            let drawn = compat_overlay(&photo(), &map, &Placement::whole(9, 7), style);
            assert_eq!(drawn.dimensions(), (9, 7));
        }
        assert_eq!(compat_overlay(&photo(), &map, &Placement::whole(9, 7), &ALL[0]), photo());
    }
}
