//! `show_cam_on_image` of pytorch-grad-cam 1.5.7, with `use_rgb=True`.

use image::RgbImage;

use super::part::Part;
use crate::render::Colormap;

/// pytorch-grad-cam's overlay of a map with values 0 to 1; values outside are clamped.
///
/// The map is enlarged by `cv2.resize`. The colour is that at `floor(255 h) / 255`. `o = (1 - w) colour + w photo`,
/// both in 0 to 1, is divided by the picture's maximum of `o`, so the same heat looks different on different
/// pictures. Levels are `floor(255 o)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PytorchGradCam {
    /// The photo's share, 0 to 1. Default: 0.5.
    pub image_weight: f32,
    /// Default: OpenCV's jet.
    pub colormap: Colormap,
}

impl PytorchGradCam {
    /// The defaults of `show_cam_on_image`.
    pub const DEFAULT: Self = Self { image_weight: 0.5, colormap: Colormap::JetOpencv };

    pub(super) fn draw(&self, part: &Part) -> RgbImage {
        let (colors, share) = (self.colormap.colors(), self.image_weight);
        // `as` saturates, so that values out of range are clamped.
        let heat = part
            .bilinear(part.map.values())
            .into_iter()
            .map(|value| colors[usize::from((255.0 * value) as u8)]);
        let unit = |level: u8| f32::from(level) / 255.0;
        let mixed: Vec<[f32; 3]> = part
            .picture
            .pixels()
            .zip(heat)
            .map(|(under, over)| {
                std::array::from_fn(|channel| {
                    (1.0 - share) * unit(over[channel]) + share * unit(under.0[channel])
                })
            })
            .collect();
        let greatest = mixed.iter().flatten().copied().fold(0.0, f32::max);
        part.paint(mixed, |_, mixed| mixed.map(|level| (255.0 * (level / greatest)) as u8))
    }
}

impl Default for PytorchGradCam {
    fn default() -> Self {
        Self::DEFAULT
    }
}
