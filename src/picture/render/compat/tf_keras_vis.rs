//! The overlay in the documentation of tf-keras-vis 0.8.7; the library itself draws nothing.

use image::RgbImage;

use super::figure::blend;
use super::part::Part;
use crate::render::Colormap;

/// The documented overlay of a map with values 0 to 1; values outside are clamped.
///
/// The library's maps have the size of the network's input, which is also the picture's. For pictures of other sizes
/// the map is resized bilinearly. The colours have one opacity, as matplotlib draws them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TfKerasVis {
    /// Opacity of the colours, 0 to 1. Default: 0.5.
    pub alpha: f32,
    /// Default: matplotlib's jet.
    pub colormap: Colormap,
}

impl TfKerasVis {
    /// The values in the documentation.
    pub const DEFAULT: Self = Self { alpha: 0.5, colormap: Colormap::Jet };

    pub(super) fn draw(&self, part: &Part) -> RgbImage {
        let values = part.bilinear(part.map.values());
        part.paint(values, |under, value| blend(under, self.colormap.color(value), self.alpha))
    }
}

impl Default for TfKerasVis {
    fn default() -> Self {
        Self::DEFAULT
    }
}
