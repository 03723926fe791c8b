//! How concentrated a map is: receives a map, gives one figure from the sizes of its values, or `None` where all are zero.
//!
//! None of these says whether a map is right. A single wrong pixel is as concentrated as a map can be.

use crate::map::Map;

/// Share of the largest size above which a pixel counts for [`effective_complexity`] unless the caller chooses otherwise.
pub const EFFECTIVE_SHARE: f64 = 1e-5;

/// Gini's index of the sizes of the values, in 0 to `1 - 1/n`: 0 if all are equal, `1 - 1/n` for a single peak. Higher is sparser.
///
/// Chalasani et al., "Concise explanations of neural networks using adversarial training", 2020, arXiv:1810.06583, with sizes `a` in
/// rising order:
///
/// ```text
/// G = sum_i (2i - n - 1) a_i / (n sum a)
/// ```
///
/// ```
/// use burncam_metrics::{Map, gini};
///
/// let map = Map::new(2, 2, vec![0.1, 0.2, 0.3, 0.4]).unwrap();
/// assert!((gini(&map).unwrap() - 0.25).abs() < 1e-6);
/// ```
#[must_use]
pub fn gini(map: &Map) -> Option<f64> {
    let mut sizes = sizes(map);
    sizes.sort_by(f64::total_cmp);
    let (count, sum) = (sizes.len() as f64, sizes.iter().sum::<f64>());
    let weighted = sizes.iter().enumerate().map(|(at, size)| (2.0 * at as f64 + 1.0 - count) * size);
    (sum > 0.0).then(|| weighted.sum::<f64>() / (count * sum))
}

/// Entropy of the sizes as shares of their sum, in nats, in 0 to `ln n`. Lower is more concentrated.
///
/// Bhatt et al., "Evaluating and aggregating feature-based model explanations", 2020, arXiv:2005.00631:
///
/// ```text
/// H = - sum_i p_i ln p_i        p_i = |a_i| / sum |a|
/// ```
///
/// Its exponential is [`effective_size`].
#[must_use]
pub fn entropy(map: &Map) -> Option<f64> {
    let sizes = sizes(map);
    let sum: f64 = sizes.iter().sum();
    let terms = sizes.iter().filter(|size| **size > 0.0).map(|size| size / sum);
    // Of one peak -0 becomes 0.
    (sum > 0.0).then(|| -terms.map(|share| share * share.ln()).sum::<f64>() + 0.0)
}

/// Number of pixels that an even map of the same entropy has, as a share of all pixels, in `1/n` to 1: `exp(H) / n` with the [`entropy`] `H` of
/// `n` values. Lower is more concentrated. A map that is even on k of n pixels and 0 elsewhere has `k/n`.
///
/// Hill, "Diversity and evenness", Ecology 54, 1973: the number of order 1, there of species, here of pixels. Divided by `n`, inputs of different
/// sizes compare.
///
/// ```
/// use burncam_metrics::{Map, effective_size};
///
/// let map = Map::new(2, 2, vec![0.5, 0.5, 0.0, 0.0]).unwrap();
/// assert!((effective_size(&map).unwrap() - 0.5).abs() < 1e-12);
/// ```
#[must_use]
pub fn effective_size(map: &Map) -> Option<f64> {
    Some(entropy(map)?.exp() / map.values().len() as f64)
}

/// Number of pixels whose size is more than `share` of the largest. Lower is more concentrated.
///
/// Nguyen and Martínez, "On quantitative aspects of model interpretability", 2020, arXiv:2007.07584, with a fixed tolerance.
#[must_use]
pub fn effective_complexity(map: &Map, share: f64) -> Option<usize> {
    let sizes = sizes(map);
    let most = sizes.iter().copied().fold(0.0, f64::max);
    (most > 0.0).then(|| sizes.iter().filter(|size| **size > share * most).count())
}

fn sizes(map: &Map) -> Vec<f64> {
    map.values().iter().map(|value| f64::from(value.abs())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32]) -> Map {
        Map::new(1, values.len(), values.to_vec()).unwrap()
    }

    #[test]
    fn sparseness_and_entropy_are_those_of_the_reference() {
        let cases: [(&[f32], f64, f64); 5] = [
            (&[1.0, 0.0, 0.0, 0.0], 0.75, 0.0),
            (&[1.0, 1.0, 1.0, 1.0], 0.0, 1.386_294_4),
            (&[0.1, 0.2, 0.3, 0.4], 0.25, 1.279_854_2),
            (&[0.0, 0.5, 1.0, 0.0, 1.0, 0.2], 0.512_345_7, 1.240_830_0),
            (&[-0.5, 0.5, 0.0, 1.0], 0.375, 1.039_720_8),
        ];
        for (values, sparseness, bits) in cases {
            assert!((gini(&map(values)).unwrap() - sparseness).abs() < 1e-6, "{values:?}");
            assert!((entropy(&map(values)).unwrap() - bits).abs() < 1e-6, "{values:?}");
        }
    }

    #[test]
    fn pixels_count_above_their_share_of_the_largest_size() {
        let map = map(&[-2.0, 1.0, 0.2, 1e-5, 0.0]);
        assert_eq!(effective_complexity(&map, 0.5), Some(1));
        assert_eq!(effective_complexity(&map, 0.05), Some(3));
        assert_eq!(effective_complexity(&map, EFFECTIVE_SHARE), Some(3));
        assert_eq!(effective_complexity(&map, 0.0), Some(4));
    }

    #[test]
    fn an_even_part_of_a_map_is_its_effective_size() {
        // By hand: k equal sizes of n give exp(ln k) / n; of 1/2, 1/4, 1/4 and nothing the entropy is 1.5 ln 2, so 2^1.5 / 4.
        let cases: [(&[f32], f64); 6] = [
            (&[1.0, 0.0, 0.0, 0.0], 0.25),
            (&[0.5, 0.0, -0.5, 0.0], 0.5),
            (&[3.0, 0.0, 3.0, 3.0], 0.75),
            (&[0.2, 0.2, 0.2, 0.2], 1.0),
            (&[2.0, 1.0, 0.0, 1.0], std::f64::consts::FRAC_1_SQRT_2),
            (&[-0.5, 0.5, 0.0, 1.0], std::f64::consts::FRAC_1_SQRT_2),
        ];
        for (values, size) in cases {
            assert!((effective_size(&map(values)).unwrap() - size).abs() < 1e-9, "{values:?}");
        }
    }

    #[test]
    fn a_map_of_zeros_has_no_complexity() {
        let zeros = map(&[0.0, -0.0]);
        assert_eq!([gini(&zeros), entropy(&zeros), effective_size(&zeros)], [None; 3]);
        assert_eq!(effective_complexity(&zeros, 0.0), None);
    }
}
