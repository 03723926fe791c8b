//! Figures over a data set that need no truth but classes: where heat is in general, and which classes are taken for which.

use std::collections::BTreeMap;

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

/// The mean of maps of one size, one at a time. Its memory does not grow with their number.
#[derive(Debug, Clone, Default)]
pub struct MeanMap {
    size: Option<(usize, usize)>,
    sums: Vec<f64>,
    count: usize,
}

impl MeanMap {
    /// Adds a map. `false`, and nothing is added, for a size other than the first one's.
    ///
    /// Maps are taken as they are: bring them to one scale first, or those of large values decide.
    pub fn add(&mut self, map: &Map) -> bool {
        let size = (map.height(), map.width());
        if self.size.is_some_and(|first| first != size) {
            return false;
        }
        self.size = Some(size);
        self.sums.resize(map.values().len(), 0.0);
        self.sums.iter_mut().zip(map.values()).for_each(|(sum, value)| *sum += f64::from(*value));
        self.count += 1;
        true
    }

    /// Number of maps.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The mean; `None` before the first map.
    #[must_use]
    pub fn mean(&self) -> Option<Map> {
        let (height, width) = self.size?;
        Map::new(height, width, self.sums.iter().map(|sum| (sum / self.count as f64) as f32).collect())
    }
}

/// Which classes were predicted for which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confusion(BTreeMap<(usize, usize), usize>);

impl Confusion {
    /// Adds a picture.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        *self.0.entry((truth, predicted)).or_default() += 1;
    }

    /// True class, predicted class and number of pictures, of those pairs that occur, in order of the classes.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        self.0.iter().map(|((truth, predicted), count)| (*truth, *predicted, *count))
    }

    /// Share of pictures whose class was predicted; `None` without pictures.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let all: usize = self.0.values().sum();
        let right: usize =
            self.pairs().filter(|(truth, predicted, _)| truth == predicted).map(|pair| pair.2).sum();
        (all > 0).then(|| right as f64 / all as f64)
    }

    /// The pairs of different classes with the most pictures, most first, equals in order of the classes.
    #[must_use]
    pub fn most_frequent(&self, most: usize) -> Vec<(usize, usize, usize)> {
        let mut pairs: Vec<_> = self.pairs().filter(|(truth, predicted, _)| truth != predicted).collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.2));
        pairs.truncate(most);
        pairs
    }
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
    fn the_mean_map_is_that_of_its_maps() {
        let mut mean = MeanMap::default();
        assert!(mean.mean().is_none());
        for values in [[0.0, 1.0], [1.0, 0.5]] {
            assert!(mean.add(&Map::new(1, 2, values.to_vec()).unwrap()));
        }
        assert!(!mean.add(&Map::new(2, 1, vec![9.0, 9.0]).unwrap()));
        assert_eq!((mean.count(), mean.mean()), (2, Map::new(1, 2, vec![0.5, 0.75])));
    }

    #[test]
    fn confusions_are_listed_by_their_number() {
        let mut confusion = Confusion::default();
        for (truth, predicted) in [(0, 0), (0, 1), (1, 1), (2, 1), (2, 1), (1, 0)] {
            confusion.add(truth, predicted);
        }
        assert_eq!(confusion.accuracy(), Some(2.0 / 6.0));
        assert_eq!(confusion.most_frequent(2), [(2, 1, 2), (0, 1, 1)]);
        assert_eq!(confusion.pairs().next(), Some((0, 0, 1)));
        assert_eq!(Confusion::default().accuracy(), None);
    }
}
