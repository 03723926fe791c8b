//! How alike the maps of every two rows of one target are.

use burncam_metrics::{Map, pearson, spearman, ssim};

use super::rows::Row;

/// Every two of `rows` rows, each pair once, in the order of records.
pub(super) fn pairs(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |first| (first + 1..rows).map(move |second| (first, second)))
}

/// For each pair of the maps of one target Spearman, Pearson and SSIM; none of a blank map.
pub(super) fn of_maps(rows: &[Row]) -> Vec<[Option<f64>; 3]> {
    let map = |at: usize| match &rows[at] {
        Row::Map(map) => Some(map),
        Row::Blank(_) => None,
    };
    let alike = |(first, second): (usize, usize)| match (map(first), map(second)) {
        (Some(first), Some(second)) => {
            let compare: [fn(&Map, &Map) -> Option<f64>; 3] = [spearman, pearson, ssim];
            compare.map(|compare| compare(first, second))
        }
        _ => [None; 3],
    };
    pairs(rows.len()).map(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_compared_once_and_blank_maps_with_nothing() {
        let map = |values: [f32; 4]| Row::Map(Map::new(2, 2, values.to_vec()).unwrap());
        let rows = [
            map([0.0, 0.25, 0.5, 1.0]),
            Row::Blank("zeros".to_owned()),
            map([0.0, 0.5, 0.25, 1.0]),
            map([1.0, 0.5, 0.25, 0.0]),
        ];
        let found = of_maps(&rows);
        assert_eq!(pairs(4).collect::<Vec<_>>(), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
        assert_eq!([found[0], found[3], found[4]], [[None; 3]; 3]);
        // The reference's correlations of these maps.
        let [spearman, pearson, _] = found[1].map(Option::unwrap);
        assert!((spearman - 0.8).abs() < 1e-12 && (pearson - 0.885_714_285_7).abs() < 1e-9);
        assert!((found[2][0].unwrap() + 1.0).abs() < 1e-12);
    }
}
