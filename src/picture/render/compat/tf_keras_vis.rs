//! What the documentation of tf-keras-vis 0.8.7 does with a map; the library itself draws nothing.

use image::RgbImage;

use super::figure::blend;
use super::part::Part;
use crate::render::Colormap;

/// The documented overlay, of a map with values 0 to 1; what lies outside counts as the nearer end.
///
/// The library's maps have the size of the network's input, which is also the picture's. To any other picture the map is brought
/// bilinearly. Colours lie over the photo with one opacity, as matplotlib shows them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TfKerasVis {
    /// The colours' opacity, 0 to 1; 0.5.
    pub alpha: f32,
    /// matplotlib's jet.
    pub colormap: Colormap,
}

impl TfKerasVis {
    /// What the documentation does.
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
