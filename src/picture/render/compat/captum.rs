//! `visualize_image_attr` of captum 0.9.0 with `method="blended_heat_map"`, after `LayerAttribution.interpolate`.

use image::RgbImage;

use super::figure::{blend, grey, normalize, range};
use super::part::Part;
use crate::render::Colormap;
use crate::render::colormap::signed_position;

/// captum's overlay, of a map with values of any size and sign.
///
/// The map is enlarged with the nearest cell. Values are divided by the one above which all greater values sum to
/// `outlier_percent` of the total, and clamped to -1 to 1. The photo's grey levels, stretched to the full range, are
/// drawn under the colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Captum {
    /// Which values are drawn, and in which colours. Default: absolute values.
    pub sign: CaptumSign,
    /// Opacity of the colours, 0 to 1. Default: 0.5.
    pub alpha: f32,
    /// Share of the total sum that may be clipped, 0 to 100. Default: 2.
    pub outlier_percent: f32,
}

/// Which values captum draws.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CaptumSign {
    /// Absolute values, in blue.
    #[default]
    AbsoluteValue,
    /// Positive values, in green.
    Positive,
    /// Negative values, in red.
    Negative,
    /// All values, negative in red and positive in green.
    All,
}

impl Captum {
    /// The defaults of `visualize_image_attr`.
    pub const DEFAULT: Self = Self { sign: CaptumSign::AbsoluteValue, alpha: 0.5, outlier_percent: 2.0 };

    pub(super) fn draw(&self, part: &Part) -> RgbImage {
        let signed = |value: f32| match self.sign {
            CaptumSign::AbsoluteValue => value.abs(),
            CaptumSign::Positive => value.max(0.0),
            CaptumSign::Negative => -value.min(0.0),
            CaptumSign::All => value,
        };
        let values: Vec<f32> = part.torch_nearest().into_iter().map(signed).collect();
        let scale = threshold(&values, 100.0 - self.outlier_percent);
        let mean = |pixel: [u8; 3]| pixel.into_iter().map(f32::from).sum::<f32>() / 3.0;
        let (darkest, lightest) = range(part.picture.pixels().map(|pixel| mean(pixel.0)));
        part.paint(values, |under, value| {
            let under = [grey(normalize(mean(under), darkest, lightest)); 3];
            // captum refuses a map of zeros; here it draws nothing.
            let value = if scale > 0.0 { (value / scale).clamp(-1.0, 1.0) } else { 0.0 };
            blend(under, self.color(value), self.alpha)
        })
    }

    fn color(&self, value: f32) -> [u8; 3] {
        match self.sign {
            CaptumSign::AbsoluteValue => Colormap::Blues.color(value),
            CaptumSign::Positive => Colormap::Greens.color(value),
            CaptumSign::Negative => Colormap::Reds.color(value),
            CaptumSign::All => Colormap::RedWhiteGreen.color(signed_position(value)),
        }
    }
}

impl Default for Captum {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The first magnitude, in ascending order, up to which all sum to `percent` of the total. Sums are `f32`, as
/// captum's are.
fn threshold(values: &[f32], percent: f32) -> f32 {
    let mut magnitudes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
    magnitudes.sort_unstable_by(f32::total_cmp);
    let running = |sum: &mut f32, magnitude: &f32| {
        *sum += magnitude;
        Some(*sum)
    };
    let whole = magnitudes.iter().scan(0.0, running).last().unwrap_or(0.0);
    let wanted = whole * 0.01 * percent;
    let at = magnitudes.iter().scan(0.0, running).position(|sum| sum >= wanted);
    at.and_then(|at| magnitudes.get(at)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_where_the_running_sum_reaches_the_share() {
        // Ascending: 1, 2, 3, 4; running sums 1, 3, 6, 10.
        let values = [4.0, -3.0, 2.0, 1.0];
        assert_eq!(threshold(&values, 60.0), 3.0);
        assert_eq!(threshold(&values, 61.0), 4.0);
        assert_eq!(threshold(&values, 0.0), 1.0);
        assert_eq!(threshold(&[0.0; 3], 98.0), 0.0);
    }
}
