//! Where a map's heat is in general, to be added up over a data set: on the border, around which centre, in which part.

use crate::map::Map;

/// Width of the border of [`border_share`], as a share of each side.
const BORDER: f64 = 0.1;

/// Share of the positive values' sum on the border, with the border's share of the area, its chance level. The border is a tenth of each side,
/// at least one pixel.
///
/// Padding makes some networks look at borders; frames, captions and watermarks are there, too. `None` when no value is positive.
///
/// ```
/// use burncam_metrics::{Map, border_share};
///
/// let even = Map::new(10, 10, vec![1.0; 100]).unwrap();
/// let [share, area] = border_share(&even).unwrap();
/// assert!((share - 0.36).abs() < 1e-9 && (area - 0.36).abs() < 1e-9);
/// ```
#[must_use]
pub fn border_share(map: &Map) -> Option<[f64; 2]> {
    let reach = |side: usize| ((side as f64 * BORDER).round() as usize).max(1);
    let (down, across) = (reach(map.height()), reach(map.width()));
    let is_border = |row: usize, column: usize| {
        row < down || row + down >= map.height() || column < across || column + across >= map.width()
    };
    let (mut heat, mut all, mut count) = (0.0, 0.0, 0);
    for (at, value) in map.values().iter().enumerate() {
        let value = f64::from(value.max(0.0));
        all += value;
        if is_border(at / map.width(), at % map.width()) {
            heat += value;
            count += 1;
        }
    }
    (all > 0.0).then(|| [heat / all, f64::from(count) / map.values().len() as f64])
}

/// The centre of mass of the positive values, as shares of height and width, 0 to 1: `[0.5, 0.5]` is the middle.
///
/// `None` when no value is positive.
#[must_use]
pub fn centre_of_mass(map: &Map) -> Option<[f64; 2]> {
    let (mut all, mut down, mut across) = (0.0, 0.0, 0.0);
    for (at, value) in map.values().iter().enumerate() {
        let value = f64::from(value.max(0.0));
        all += value;
        down += value * ((at / map.width()) as f64 + 0.5);
        across += value * ((at % map.width()) as f64 + 0.5);
    }
    (all > 0.0).then(|| [down / all / map.height() as f64, across / all / map.width() as f64])
}

/// The means of blocks of `side` rows and `side` columns, `None` where these do not divide the map.
///
/// Of maps enlarged to one size it gives small maps that can be added up over a data set.
#[must_use]
pub fn block_means(map: &Map, side: usize) -> Option<Map> {
    let (height, width) = (map.height().checked_div(side)?, map.width().checked_div(side)?);
    if (height * side, width * side) != (map.height(), map.width()) {
        return None;
    }
    let mut sums = vec![0.0; height * width];
    for (at, value) in map.values().iter().enumerate() {
        let (row, column) = (at / map.width(), at % map.width());
        sums[row / side * width + column / side] += f64::from(*value);
    }
    let count = (side * side) as f64;
    Map::new(height, width, sums.into_iter().map(|sum| (sum / count) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_of_a_small_map_is_one_pixel_wide() {
        let map = Map::new(3, 3, vec![1.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, -9.0, 0.0]).unwrap();
        assert_eq!(border_share(&map), Some([0.25, 8.0 / 9.0]));
        assert_eq!(border_share(&Map::new(1, 1, vec![0.0]).unwrap()), None);
        assert_eq!(border_share(&Map::new(1, 1, vec![2.0]).unwrap()), Some([1.0, 1.0]));
    }

    #[test]
    fn the_centre_of_mass_is_a_share_of_the_sides() {
        let mut values = vec![0.0; 8];
        (values[0], values[3], values[7]) = (1.0, 1.0, -5.0);
        let map = Map::new(2, 4, values).unwrap();
        assert_eq!(centre_of_mass(&map), Some([0.25, 0.5]));
        assert_eq!(centre_of_mass(&Map::new(1, 2, vec![-1.0, 0.0]).unwrap()), None);
    }

    #[test]
    fn a_block_has_the_mean_of_its_cells() {
        let map = Map::new(2, 4, vec![1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 8.0]).unwrap();
        assert_eq!(block_means(&map, 2), Map::new(1, 2, vec![2.5, 2.0]));
        assert_eq!(block_means(&map, 1), Some(map.clone()));
        assert_eq!((block_means(&map, 3), block_means(&map, 0), block_means(&map, 4)), (None, None, None));
    }
}
