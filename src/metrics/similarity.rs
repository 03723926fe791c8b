//! How alike two maps are: receives maps of one size, gives one figure, or `None` where it is not defined.
//!
//! Maps of different sizes are not compared; the caller brings them to one size first.

use crate::map::Map;

/// Longest side and deviation of the window of [`ssim`], and its two constants: Wang et al. 2004, section III.C.
const WINDOW: usize = 11;
const DEVIATION: f64 = 1.5;
const CONSTANTS: [f64; 2] = [0.01, 0.03];

/// Pearson's correlation of the values of two maps, in -1 to 1.
///
/// `None` for maps of different sizes, and when one of them is constant.
///
/// ```
/// use burncam_metrics::{Map, pearson};
///
/// let map = |values: &[f32]| Map::new(2, 2, values.to_vec()).unwrap();
/// let found = pearson(&map(&[0.0, 0.25, 0.5, 1.0]), &map(&[0.0, 0.5, 0.25, 1.0])).unwrap();
/// assert!((found - 0.885_714_3).abs() < 1e-6);
/// assert_eq!(pearson(&map(&[0.5; 4]), &map(&[0.0, 0.5, 0.25, 1.0])), None);
/// ```
#[must_use]
pub fn pearson(first: &Map, second: &Map) -> Option<f64> {
    let [first, second] = both(first, second)?;
    correlation(&first, &second)
}

/// Spearman's rank correlation of two maps, in -1 to 1: Pearson's, of the ranks. Equal values share the average of their ranks.
///
/// `None` for maps of different sizes, and when one of them is constant: it ranks nothing.
#[must_use]
pub fn spearman(first: &Map, second: &Map) -> Option<f64> {
    let [first, second] = both(first, second)?;
    rank_correlation(&first, &second)
}

/// Structural similarity of two maps, at most 1: the mean over all places of a Gaussian window of 11 x 11 with a deviation of 1.5.
///
/// Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004, equation 13:
///
/// ```text
/// SSIM = (2 m_x m_y + c_1)(2 s_xy + c_2) / ( (m_x^2 + m_y^2 + c_1)(s_x^2 + s_y^2 + c_2) )        c_i = (k_i range)^2
/// ```
///
/// `range` is that of both maps together, so that it does not depend on their scale. The window is within the map everywhere; on maps with a
/// shorter side it is the greatest odd window that fits. `None` for maps of different sizes, and for two maps that are the same constant.
#[must_use]
pub fn ssim(first: &Map, second: &Map) -> Option<f64> {
    let [x, y] = both(first, second)?;
    let (low, high) =
        x.iter().chain(&y).fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    if low == high {
        return None;
    }
    let [c1, c2] = CONSTANTS.map(|constant| (constant * (high - low)).powi(2));
    let window = window(first.height().min(first.width()).min(WINDOW));
    let mean = |values: &[f64]| filtered(values, first.width(), &window);
    let product = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let [squares_x, squares_y, products] =
        [product(&x, &x), product(&y, &y), product(&x, &y)].map(|values| mean(&values));
    let at = |i: usize| {
        let (m_x, m_y) = (mean_x[i], mean_y[i]);
        let variances = squares_x[i] - m_x * m_x + squares_y[i] - m_y * m_y;
        let covariance = products[i] - m_x * m_y;
        (2.0 * m_x * m_y + c1) * (2.0 * covariance + c2) / ((m_x * m_x + m_y * m_y + c1) * (variances + c2))
    };
    Some((0..mean_x.len()).map(at).sum::<f64>() / mean_x.len() as f64)
}

/// The values in double precision, of maps of one size.
fn both(first: &Map, second: &Map) -> Option<[Vec<f64>; 2]> {
    let alike = first.height() == second.height() && first.width() == second.width();
    let values = |map: &Map| map.values().iter().map(|value| f64::from(*value)).collect();
    alike.then(|| [values(first), values(second)])
}

/// Pearson's correlation of lists of one length; `None` when one is constant.
fn correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    // Exactly, because the rounded mean of a constant may differ from it.
    let constant = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if constant(first) || constant(second) {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_first, mean_second) = (mean(first), mean(second));
    let mut sums = [0.0; 3];
    for (a, b) in first.iter().zip(second) {
        let (a, b) = (a - mean_first, b - mean_second);
        sums[0] += a * b;
        sums[1] += a * a;
        sums[2] += b * b;
    }
    // The roots apart: the product of two sums of tiny values would be zero.
    let found = sums[0] / sums[1].sqrt() / sums[2].sqrt();
    found.is_finite().then(|| found.clamp(-1.0, 1.0))
}

/// Spearman's correlation of lists of one length; `None` when one is constant.
pub(crate) fn rank_correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    correlation(&ranks(first), &ranks(second))
}

/// Ranks from 1; equal values share the average of theirs.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    // By equality, for which -0 is 0.
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        for at in equal {
            ranks[*at] = before as f64 + (equal.len() + 1) as f64 / 2.0;
        }
        before += equal.len();
    }
    ranks
}

/// Weights of a Gaussian window that add up to 1, with the greatest odd length up to `most`.
fn window(most: usize) -> Vec<f64> {
    let reach = (most - 1) / 2;
    let weight = |at: usize| (-(at as f64 - reach as f64).powi(2) / (2.0 * DEVIATION * DEVIATION)).exp();
    let weights: Vec<f64> = (0..=2 * reach).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// Weighted means over all places of a square window that is within the map.
fn filtered(values: &[f64], width: usize, window: &[f64]) -> Vec<f64> {
    let dot = |values: &[f64]| values.iter().zip(window).map(|(value, weight)| value * weight).sum::<f64>();
    let rows: Vec<Vec<f64>> =
        values.chunks_exact(width).map(|row| row.windows(window.len()).map(dot).collect()).collect();
    let down = |rows: &[Vec<f64>]| -> Vec<f64> {
        let column = |at: usize| rows.iter().zip(window).map(|(row, weight)| row[at] * weight).sum();
        (0..rows[0].len()).map(column).collect()
    };
    rows.windows(window.len()).flat_map(down).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32]) -> Map {
        Map::new(1, values.len(), values.to_vec()).unwrap()
    }

    #[track_caller]
    fn near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?}, expected {expected}");
    }

    #[test]
    fn correlations_are_those_of_the_reference() {
        let [a, b, c] =
            [[0.0, 0.25, 0.5, 1.0], [0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 0.0]].map(|v| map(&v));
        near(pearson(&a, &a), 1.0);
        near(pearson(&a, &b), 0.885_714_2);
        near(pearson(&a, &c), -0.942_857_1);
        near(spearman(&map(&[0.0, 0.0, 0.5, 1.0, 0.2]), &map(&[0.0, 0.1, 0.5, 0.4, 0.4])), 0.789_473_7);
        near(spearman(&a, &b), 0.8);
        near(spearman(&a, &c), -1.0);
    }

    #[test]
    fn a_constant_has_no_correlation_and_other_sizes_are_not_compared() {
        let (a, constant) = (map(&[0.0, 0.25, 0.5, 1.0]), map(&[0.1; 4]));
        let tall = Map::new(4, 1, vec![0.0, 0.25, 0.5, 1.0]).unwrap();
        for compare in [pearson, spearman] {
            assert_eq!(compare(&a, &constant), None);
            assert_eq!(compare(&constant, &a), None);
            assert_eq!(compare(&a, &tall), None);
        }
        assert_eq!(ssim(&a, &tall), None);
        assert_eq!(ssim(&constant, &constant), None);
    }

    #[test]
    fn tiny_maps_correlate_as_large_ones_do() {
        let [a, b] = [[0.0, 1e-38, 2e-38, 4e-38], [0.0, 2e-38, 1e-38, 4e-38]].map(|v| map(&v));
        near(pearson(&a, &b), 0.885_714_2);
    }

    /// Two waves on a grid that is no square.
    fn waves() -> [Map; 2] {
        let wave = |phase: usize| {
            let value = |at: usize| ((at / 16 * 7 + at % 16 * 3 + phase * (at % 5)) % 23) as f32 / 23.0;
            Map::new(13, 16, (0..13 * 16).map(value).collect()).unwrap()
        };
        [wave(0), wave(1)]
    }

    #[test]
    fn structural_similarity_is_scikit_images() {
        let [a, b] = waves();
        near(ssim(&a, &a), 1.0);
        // scikit-image 0.26.0 with gaussian_weights=True, use_sample_covariance=False, data_range=22/23.
        near(ssim(&a, &b), 0.373_118_3);
        let scaled = |map: &Map| Map::new(13, 16, map.values().iter().map(|v| v * 1000.0).collect()).unwrap();
        near(ssim(&scaled(&a), &scaled(&b)), 0.373_118_3);
    }

    #[test]
    fn on_a_map_of_one_value_per_side_the_window_is_one_value() {
        // One pixel each: variances are 0, and the means alone are compared: (2*0*1 + c1) / (0 + 1 + c1), c1 = 1e-4.
        let [a, b] = [0.0, 1.0].map(|value| map(&[value]));
        near(ssim(&a, &b), 1e-4 / 1.0001);
    }
}
