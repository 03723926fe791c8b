//! `plot_attributions` of xplique 2.0.2.

use image::RgbImage;

use super::figure::{blend, normalize, range};
use super::part::Part;
use crate::render::Colormap;
use crate::render::threshold::percentile;

/// xplique's overlay, of a map with values of any size.
///
/// Values are held between two percentiles, brought to 0 to 1, enlarged bilinearly as by `tf.image.resize`, and coloured from the
/// smallest to the greatest that this leaves. The photo's levels are stretched to 0 to 255. `plot_attribution`, which draws a single
/// map, differs in its colours only: jet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Xplique {
    /// The colours' opacity, 0 to 1; 0.5.
    pub alpha: f32,
    /// Viridis.
    pub colormap: Colormap,
    /// Percentile of the values, from below and from above, that is clipped, 0 to 100; 0.1.
    pub clip_percentile: f32,
}

impl Xplique {
    /// What `plot_attributions` does when nothing else is said.
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

    /// The values without their outliers, from 0 to 1.
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
