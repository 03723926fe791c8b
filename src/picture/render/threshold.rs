//! The value from which on a pixel belongs to an object.
//!
//! Receives a placed map; returns one value. Only the positive part of a signed map counts.
//! [`regions`](super::regions) and [`mask`](super::mask) use the pixels that reach it.

use std::fmt;
use std::str::FromStr;

use super::placed::Placed;
use crate::error::{Error, Problem, Result};

/// A rule for the smallest value that counts. Pixels at zero or below never do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// This share, 0 to 1, of the map's greatest value.
    Fraction(f32),
    /// The level that maximises the variance between the two classes of grey levels (Otsu, "A threshold selection
    /// method from gray-level histograms", 1979), on 256 levels from 0 to the greatest value, as OpenCV does.
    Otsu,
    /// This percentile, 0 to 100, of the pixels that the network saw, with NumPy's linear interpolation.
    Percentile(f32),
}

impl Default for Threshold {
    /// 15 % of the greatest value: the Grad-CAM paper's choice for localisation.
    fn default() -> Self {
        Self::Fraction(0.15)
    }
}

impl Threshold {
    /// The smallest value that counts, or `None` when nothing is above zero.
    #[must_use]
    pub fn level(self, placed: &Placed) -> Option<f32> {
        let greatest = placed.greatest();
        (greatest > 0.0).then(|| match self {
            Self::Fraction(share) => share * greatest,
            Self::Otsu => otsu(placed, greatest),
            Self::Percentile(percent) => {
                let mut values = Vec::new();
                placed.for_each_seen(|row| values.extend(row.iter().map(|value| value.max(0.0))));
                percentile(values, percent)
            }
        })
    }
}

impl FromStr for Threshold {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let within = |text: &str, end: f32| text.parse().ok().filter(|number| (0.0..=end).contains(number));
        let found = match text.strip_prefix(['p', 'P']) {
            _ if text.eq_ignore_ascii_case("otsu") => Some(Self::Otsu),
            Some(percent) => within(percent, 100.0).map(Self::Percentile),
            None => within(text, 1.0).map(Self::Fraction),
        };
        found.ok_or_else(|| {
            let expected = "expected a share of the greatest heat from 0 to 1 such as 0.15, otsu, or a percentile such as p80";
            Problem::new("is not known").remark(expected).named("threshold", text).into()
        })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fraction(share) => write!(formatter, "{share}"),
            Self::Otsu => formatter.write_str("otsu"),
            Self::Percentile(percent) => write!(formatter, "p{percent}"),
        }
    }
}

/// The lower edge of the upper class's first level.
fn otsu(placed: &Placed, greatest: f32) -> f32 {
    const TOP: f32 = 255.0;
    let mut counts = [0_u64; 256];
    placed.for_each_seen(|row| {
        for value in row {
            // Negative values saturate to level 0: only the positive part of a signed map counts.
            counts[(value / greatest * TOP).round() as usize] += 1;
        }
    });
    let levels = || counts.iter().enumerate().map(|(level, count)| (level, *count as f64));
    let pixels: f64 = levels().map(|(_, count)| count).sum();
    let sum: f64 = levels().map(|(level, count)| level as f64 * count).sum();
    let (mut below, mut sum_below) = (0.0, 0.0);
    let (mut best, mut last_below) = (0.0, 0);
    for (level, count) in levels() {
        below += count;
        sum_below += level as f64 * count;
        // Variance between the classes, times the squared number of pixels; the constant factor does not move the
        // maximum.
        let variance = (sum_below * pixels - sum * below).powi(2) / (below * (pixels - below));
        // An empty class gives NaN, which compares false.
        if variance > best {
            (best, last_below) = (variance, level);
        }
    }
    (last_below as f32 + 0.5) / TOP * greatest
}

/// `numpy.percentile` of at least one value, 0 to 100.
pub(super) fn percentile(mut values: Vec<f32>, percent: f32) -> f32 {
    let position = f64::from(percent) / 100.0 * (values.len() - 1) as f64;
    let (_, lower, above) = values.select_nth_unstable_by(position as usize, f32::total_cmp);
    let upper = above.iter().copied().fold(f32::INFINITY, f32::min);
    let share = position.fract();
    if share > 0.0 { (f64::from(*lower) + share * f64::from(upper - *lower)) as f32 } else { *lower }
}

#[cfg(test)]
mod tests {
    use super::super::{Interpolation, place};
    use super::*;
    use crate::Heatmap;
    use crate::input::Placement;

    fn placed(values: &[f32]) -> Placed {
        Placed::of_values(values.len(), values)
    }

    #[test]
    fn a_fraction_is_of_the_greatest_heat() {
        assert_eq!(Threshold::default().level(&placed(&[0.0, 0.5])), Some(0.075));
        assert_eq!(Threshold::Otsu.level(&placed(&[0.0, 0.0])), None);
        assert_eq!(Threshold::Fraction(0.5).level(&placed(&[-1.0, -0.5])), None);
    }

    #[test]
    fn otsu_parts_two_heaps_at_the_end_of_the_lower() {
        // Levels 0 (twice), 51 and 204, 255 (twice): cv2.threshold(uint8([0, 0, 51, 204, 255, 255]), 0, 255,
        // THRESH_OTSU) gives 51; values above it are white.
        let level = Threshold::Otsu.level(&placed(&[0.0, 0.0, 0.2, 0.8, 1.0, 1.0])).unwrap();
        assert!((level - 51.5 / 255.0).abs() < 1e-6, "{level}");
        // The scale of the map does not matter, and a flat map is one object.
        let half = Threshold::Otsu.level(&placed(&[0.0, 0.0, 0.1, 0.4, 0.5, 0.5])).unwrap();
        assert!((half - level / 2.0).abs() < 1e-6, "{half}");
        assert!(Threshold::Otsu.level(&placed(&[0.7; 5])).unwrap() < 0.7);
    }

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile([0.9, 0.1, 0.5, 0.3], [0, 50, 80, 100]) gives 0.1, 0.4, 0.66, 0.9.
        let heat = placed(&[0.9, 0.1, 0.5, 0.3]);
        for (percent, expected) in [(0.0, 0.1), (50.0, 0.4), (80.0, 0.66), (100.0, 0.9)] {
            let level = Threshold::Percentile(percent).level(&heat).unwrap();
            assert!((level - expected).abs() < 1e-6, "{percent}: {level}");
        }
    }

    #[test]
    fn only_what_was_seen_counts() {
        let map = Heatmap::new(1, 2, vec![0.2, 0.4]).unwrap();
        let right = Placement { left: 2.0, top: 0.0, right: 4.0, bottom: 1.0 };
        let heat = place(&map, &right, 4, 1, Interpolation::Nearest);
        assert_eq!(Threshold::Percentile(0.0).level(&heat), Some(0.2));
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in ["0.15", "otsu", "p80", "p99.5", "0", "1"] {
            assert_eq!(text.parse::<Threshold>().unwrap().to_string(), text);
        }
        for text in ["", "1.5", "-0.1", "p101", "p", "NaN", "pNaN", "15%", "yen"] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("threshold '{text}' is not known; expected ")), "{error}");
        }
    }
}
