//! `plot_attributions` of xplique 2.0.2.

use image::RgbImage;

use super::figure::{blend, normalize, range};
use super::part::Part;
use crate::render::Colormap;
use crate::render::threshold::percentile;

/// xplique's overlay of a map with any values.
///
/// Values are clipped at two percentiles, normalised to 0 to 1, enlarged bilinearly as by `tf.image.resize`, and
/// coloured from the resulting minimum to the maximum. The photo's levels are stretched to 0 to 255.
/// `plot_attribution`, which draws a single map, differs only in its colour map, jet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Xplique {
    /// Opacity of the colours, 0 to 1. Default: 0.5.
    pub alpha: f32,
    /// Default: viridis.
    pub colormap: Colormap,
    /// Percentile clipped at either end, 0 to 100. Default: 0.1.
    pub clip_percentile: f32,
}

impl Xplique {
    /// The defaults of `plot_attributions`.
    pub const DEFAULT: Self = Self { alpha: 0.5, colormap: Colormap::Viridis, clip_percentile: 0.1 };

    pub(super) fn draw(&self, part: &Part) -> RgbImage {
        let values = part.bilinear(&self.clipped(part.map.values()));
        let (coldest, hottest) = range(values.iter().copied());
        let (darkest, lightest) = range(part.picture.iter().map(|level| f32::from(*level)));
        part.paint(values, |under, value| {
            let under = under.map(|level| (normalize(level.into(), darkest, lightest) * 255.0) as u8);
            blend(under, self.colormap.color(normalize(value, coldest, hottest)), self.alpha)
        })
    }

    /// The values with outliers clipped, normalised to 0 to 1.
    fn clipped(&self, values: &[f32]) -> Vec<f32> {
        let [lower, upper] = [self.clip_percentile, 100.0 - self.clip_percentile]
            .map(|percent| percentile(values.to_vec(), percent));
        let upper = upper.max(lower);
        values.iter().map(|value| normalize(value.clamp(lower, upper), lower, upper)).collect()
    }
}

impl Default for Xplique {
    fn default() -> Self {
        Self::DEFAULT
    }
}
