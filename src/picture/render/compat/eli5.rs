//! `format_as_image` of eli5 0.16.0: coloured at the map's own size, then enlarged.

use image::RgbImage;

use super::part::Part;
use super::pillow;
use crate::render::{Colormap, Interpolation};

/// eli5's overlay of a map with values 0 to 1; values outside are clamped.
///
/// The small picture has the colours at `min(floor(256 h), 255)` and the opacity `floor(255 min(h, alpha_limit))`.
/// Pillow resizes it premultiplied and composites it over the photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eli5 {
    /// The greatest opacity, 0 to 1. Default: 0.65.
    pub alpha_limit: f32,
    /// Default: viridis.
    pub colormap: Colormap,
    /// Default: Lanczos.
    pub interpolation: Interpolation,
}

impl Eli5 {
    /// The defaults of `format_as_image`.
    pub const DEFAULT: Self =
        Self { alpha_limit: 0.65, colormap: Colormap::Viridis, interpolation: Interpolation::Lanczos };

    pub(super) fn draw(&self, part: &Part) -> RgbImage {
        let premultiplies = self.interpolation != Interpolation::Nearest;
        let colored = part.map.values().iter().map(|heat| {
            let [red, green, blue] = self.colormap.color(*heat);
            let opacity = (heat.clamp(0.0, 1.0).min(self.alpha_limit) * 255.0) as u8;
            let pixel = [red, green, blue, opacity];
            if premultiplies { pillow::premultiply(pixel) } else { pixel }
        });
        let coarse: Vec<[u8; 4]> = colored.collect();
        let grid = part.grid(self.interpolation, true);
        let enlarged = pillow::resize(&coarse, part.map.width(), &grid);
        part.paint(enlarged, |under, over| {
            let over = if premultiplies { pillow::unpremultiply(over) } else { over };
            pillow::compose(under, over)
        })
    }
}

impl Default for Eli5 {
    fn default() -> Self {
        Self::DEFAULT
    }
}
