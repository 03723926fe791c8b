//! `overlay_mask` of torchcam 0.5.0, with a mask of 32-bit floats (`mode='F'`) as in its documentation.

use image::RgbImage;

use super::part::Part;
use crate::render::{Colormap, Interpolation};

/// torchcam's overlay of a map with values 0 to 1.
///
/// Pillow enlarges the map with its bicubic kernel, which overshoots. The colour is that of the **square**, so
/// moderate heat looks colder than it is, and values below zero look hot again. Levels are `floor(colour + alpha
/// (photo - colour))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Torchcam {
    /// The photo's share, 0 to 1. Default: 0.7.
    pub alpha: f32,
    /// Default: matplotlib's jet.
    pub colormap: Colormap,
}

impl Torchcam {
    /// The defaults of `overlay_mask`.
    pub const DEFAULT: Self = Self { alpha: 0.7, colormap: Colormap::Jet };

    pub(super) fn draw(&self, part: &Part) -> RgbImage {
        let values = part.grid(Interpolation::Bicubic, true).resample(part.map.values());
        part.paint(values, |under, value| {
            let over = self.colormap.color(value * value);
            let [over, under] = [over, under].map(|pixel| pixel.map(f32::from));
            std::array::from_fn(|channel| {
                (over[channel] + self.alpha * (under[channel] - over[channel])) as u8
            })
        })
    }
}

impl Default for Torchcam {
    fn default() -> Self {
        Self::DEFAULT
    }
}
