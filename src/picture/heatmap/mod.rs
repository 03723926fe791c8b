//! A heatmap: finite numbers on a small grid, free of any library.
//!
//! Methods produce one and rendering consumes it. The methods report maps that are zero or not finite;
//! [`crate::render`] turns values into colours and pixels.

mod resize;

pub use resize::{Resizer, Sampling};

/// A map at the layer's own resolution. Every value is finite.
///
/// ```
/// use burncam_picture::heatmap::Heatmap;
///
/// let map = Heatmap::new(2, 2, vec![-1.0, 0.0, 2.0, 4.0]).unwrap();
/// assert_eq!(map.rectified_to_unit().values(), [0.0, 0.0, 0.5, 1.0]);
/// assert!(Heatmap::new(2, 2, vec![f32::NAN; 4]).is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

/// Statistics of a map before ReLU and normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    /// Smallest value.
    pub min: f32,
    /// Greatest value.
    pub max: f32,
    /// Arithmetic mean.
    pub mean: f32,
    /// Share of cells above zero, 0 to 1.
    pub share_above_zero: f32,
}

impl Heatmap {
    /// A map of `height` rows of `width` values each, row by row.
    ///
    /// `None` when a value is not finite, a side is zero, or the count is not `height * width`.
    #[must_use]
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Option<Self> {
        let sound = height > 0 && width > 0 && values.len() == height * width;
        (sound && values.iter().all(|value| value.is_finite())).then_some(Self { height, width, values })
    }

    /// A map of zeros. A side of zero becomes one, because a map without cells cannot be drawn.
    #[must_use]
    pub fn zeros(height: usize, width: usize) -> Self {
        let (height, width) = (height.max(1), width.max(1));
        Self { height, width, values: vec![0.0; height * width] }
    }

    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Minimum, maximum, mean and share above zero.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let count = self.values.len() as f64;
        let sum: f64 = self.values.iter().map(|value| f64::from(*value)).sum();
        let above = self.values.iter().filter(|value| **value > 0.0).count();
        Stats {
            min: self.values.iter().copied().fold(f32::INFINITY, f32::min),
            max: self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            mean: (sum / count) as f32,
            share_above_zero: (above as f64 / count) as f32,
        }
    }

    /// Clamps negative values to zero and divides by the maximum. A map without positive values becomes all zeros.
    ///
    /// No minimum is subtracted, so zero keeps meaning "no evidence", as in eli5.
    #[must_use]
    pub fn rectified_to_unit(&self) -> Self {
        let max = self.stats().max;
        let scale = |value: &f32| if max > 0.0 { (value.max(0.0) / max).min(1.0) } else { 0.0 };
        Self { values: self.values.iter().map(scale).collect(), ..*self }
    }

    /// Clamps negative values to zero.
    #[must_use]
    pub fn rectified(&self) -> Self {
        Self { values: self.values.iter().map(|value| value.max(0.0)).collect(), ..*self }
    }

    /// Applies a function to every value; `None` when a result is not finite.
    #[must_use]
    pub fn map(&self, change: impl Fn(f32) -> f32) -> Option<Self> {
        Self::new(self.height, self.width, self.values.iter().map(|value| change(*value)).collect())
    }

    /// The largest absolute value.
    #[must_use]
    pub fn magnitude(&self) -> f32 {
        self.values.iter().fold(0.0, |most, value| most.max(value.abs()))
    }

    /// The absolute value that `share` (0 to 1) of the cells do not exceed.
    #[must_use]
    pub fn magnitude_quantile(&self, share: f64) -> f32 {
        let mut sizes: Vec<f32> = self.values.iter().map(|value| value.abs()).collect();
        let at = ((sizes.len() - 1) as f64 * share.clamp(0.0, 1.0)).round() as usize;
        *sizes.select_nth_unstable_by(at, f32::total_cmp).1
    }

    /// True when nothing is above zero.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.values.iter().all(|value| *value <= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32]) -> Heatmap {
        Heatmap::new(1, values.len(), values.to_vec()).unwrap()
    }

    #[test]
    fn a_map_holds_only_finite_numbers_that_fill_its_grid() {
        assert!(Heatmap::new(1, 2, vec![0.0, f32::NAN]).is_none());
        assert!(Heatmap::new(2, 2, vec![0.0; 3]).is_none());
        assert!(Heatmap::new(0, 0, vec![]).is_none());
    }

    #[test]
    fn the_greatest_becomes_one_and_the_negative_zero() {
        assert_eq!(map(&[-2.0, 0.0, 1.0, 4.0]).rectified_to_unit().values(), [0.0, 0.0, 0.25, 1.0]);
        assert_eq!(map(&[-2.0, -1.0]).rectified_to_unit().values(), [0.0, 0.0]);
    }

    #[test]
    fn statistics_are_those_of_the_numbers() {
        let stats = map(&[-1.0, 0.0, 1.0, 2.0]).stats();
        assert_eq!((stats.min, stats.max, stats.mean, stats.share_above_zero), (-1.0, 2.0, 0.5, 0.5));
    }

    #[test]
    fn the_smallest_maximum_still_becomes_one() {
        let tiny = f32::MIN_POSITIVE / 4.0;
        assert_eq!(map(&[tiny, 0.0]).rectified_to_unit().values(), [1.0, 0.0]);
    }
}
