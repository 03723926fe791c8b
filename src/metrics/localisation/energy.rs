//! How much of the heat is on the object, and how high it ranks there.

use super::region::Region;
use crate::map::Map;
use crate::similarity::ranks;

/// Share of the positive values' sum that is on the object, 0 to 1. An even map and, on average, a random one have the object's
/// [`share`](Region::share) of the area.
///
/// Wang et al., "Score-CAM", 2020, arXiv:1910.01279 (energy-based pointing game); the same as *relevance mass accuracy* of Arras
/// et al., arXiv:2003.07258. Maps there have no negative values; of a signed map only the positive ones count. `None` when no value is positive, and for a
/// region of another size.
///
/// ```
/// use burncam_metrics::Map;
/// use burncam_metrics::localisation::{Region, energy};
///
/// let map = Map::new(1, 4, vec![0.6, 0.2, 0.2, -5.0]).unwrap();
/// let object = Region::new(1, 4, vec![true, false, false, false]).unwrap();
/// assert!((energy(&map, &object).unwrap() - 0.6).abs() < 1e-6);
/// ```
#[must_use]
pub fn energy(map: &Map, object: &Region) -> Option<f64> {
    let mut sums = [0.0; 2];
    for (value, inside) in pairs(map, object)? {
        sums[usize::from(inside)] += f64::from(value.max(0.0));
    }
    let all = sums[0] + sums[1];
    (all > 0.0).then(|| sums[1] / all)
}

/// Share of the K highest pixels that are on the object, 0 to 1, where K is the object's number of pixels. Its chance level is the object's
/// [`share`](Region::share) of the area.
///
/// Arras et al., "CLEVR-XAI", 2020, arXiv:2003.07258 (relevance rank accuracy). Where the K-th value is tied, the
/// pixels that have it count by the share of them that is on the object, which is the mean over all orders. `None` for a constant map, and for a region of another size.
#[must_use]
pub fn rank_accuracy(map: &Map, object: &Region) -> Option<f64> {
    let pairs: Vec<(f32, bool)> = pairs(map, object)?.collect();
    if map.is_constant() {
        return None;
    }
    let mut sorted = map.values().to_vec();
    sorted.sort_by(|first, second| second.total_cmp(first));
    let last = sorted[object.count() - 1];
    let (mut above, mut above_inside, mut tied, mut tied_inside) = (0, 0, 0, 0);
    for (value, inside) in pairs {
        above += usize::from(value > last);
        above_inside += usize::from(value > last && inside);
        tied += usize::from(value == last);
        tied_inside += usize::from(value == last && inside);
    }
    let of_tied = (object.count() - above) as f64 * tied_inside as f64 / tied as f64;
    Some((above_inside as f64 + of_tied) / object.count() as f64)
}

/// Area under the ROC curve of the values as a detector of the object's pixels, 0 to 1; chance is 0.5. Equal values count half.
///
/// `None` for a constant map, an object that fills the map, and a region of another size.
#[must_use]
pub fn roc_area(map: &Map, object: &Region) -> Option<f64> {
    let pairs = pairs(map, object)?;
    let (inside, outside) = (object.count() as f64, (map.values().len() - object.count()) as f64);
    if map.is_constant() || outside == 0.0 {
        return None;
    }
    let values: Vec<f64> = map.values().iter().map(|value| f64::from(*value)).collect();
    // Mann and Whitney's U: the ranks inside, less those that they have among themselves.
    let sum: f64 =
        ranks(&values).iter().zip(pairs).filter(|(_, (_, inside))| *inside).map(|(rank, _)| rank).sum();
    Some((sum - inside * (inside + 1.0) / 2.0) / (inside * outside))
}

/// Values with whether they are on the object.
fn pairs<'a>(map: &'a Map, object: &'a Region) -> Option<impl Iterator<Item = (f32, bool)> + 'a> {
    let fits = (map.height(), map.width()) == (object.height(), object.width());
    fits.then(|| map.values().iter().copied().zip(object.inside().iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::localisation::{Bounds, GRAD_CAM_THRESHOLD, component_box, pointing};

    fn near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?}, expected {expected}");
    }

    /// Of the reference: energy 0.75, a hit, rank accuracy 1.
    fn reference() -> (Map, Region) {
        let values =
            [0.0, 0.1, 0.2, 0.1, 0.1, 0.6, 1.0, 0.2, 0.0, 0.3, 0.8, 0.1, 0.0, 0.0, 0.1, 0.0].to_vec();
        let middle = Bounds { left: 1.0, top: 1.0, right: 3.0, bottom: 3.0 };
        let object = Region::of_boxes(&[middle], &Bounds::whole(4, 4), 4, 4).unwrap();
        (Map::new(4, 4, values).unwrap(), object)
    }

    #[test]
    fn energy_hit_and_rank_accuracy_are_those_of_the_reference() {
        let (map, object) = reference();
        near(energy(&map, &object), 0.75);
        assert_eq!(pointing(&map, &object, 0.0), Some(true));
        near(rank_accuracy(&map, &object), 1.0);
        near(Some(object.share()), 0.25);
        // From 0.15: everything but the corners, the zeros and the tenths: columns 1 to 3, rows 0 to 2.
        let found = component_box(&map, GRAD_CAM_THRESHOLD).unwrap();
        assert_eq!(found, Bounds { left: 1.0, top: 0.0, right: 4.0, bottom: 3.0 });
    }

    #[test]
    fn tied_pixels_at_the_cut_count_by_their_share() {
        // K = 2: one clear pixel inside, then one of three that are equal, of which one is inside.
        let map = Map::new(1, 5, vec![0.9, 0.5, 0.5, 0.5, 0.1]).unwrap();
        let object = Region::new(1, 5, vec![true, true, false, false, false]).unwrap();
        near(rank_accuracy(&map, &object), (1.0 + 1.0 / 3.0) / 2.0);
    }

    #[test]
    fn a_detector_is_as_good_as_its_pairs_are_ordered() {
        // Pairs of inside and outside: 0.9 beats all three, 0.5 beats one and ties with one.
        let map = Map::new(1, 5, vec![0.9, 0.5, 0.5, 0.7, 0.1]).unwrap();
        let object = Region::new(1, 5, vec![true, true, false, false, false]).unwrap();
        near(roc_area(&map, &object), (3.0 + 1.5) / 6.0);
        assert_eq!(roc_area(&map, &Region::new(1, 5, vec![true; 5]).unwrap()), None);
    }

    #[test]
    fn blank_and_negative_maps_have_no_figures() {
        let object = Region::new(1, 3, vec![true, false, false]).unwrap();
        let map = |values: [f32; 3]| Map::new(1, 3, values.to_vec()).unwrap();
        assert_eq!(energy(&map([-1.0, -2.0, 0.0]), &object), None);
        let blank = map([0.0; 3]);
        assert_eq!(
            (energy(&blank, &object), rank_accuracy(&blank, &object), roc_area(&blank, &object)),
            (None, None, None)
        );
        // An even map that is not zero has the area's share of the energy.
        near(energy(&map([0.5; 3]), &object), 1.0 / 3.0);
        assert_eq!(energy(&blank, &Region::new(3, 1, vec![true; 3]).unwrap()), None);
    }

    #[test]
    fn the_energy_of_random_maps_is_the_area() {
        let (_, object) = reference();
        let share = |seed| energy(&crate::baselines::random(seed, &[0.5], 4, 4).unwrap(), &object).unwrap();
        let shares: Vec<f64> = (0..400).map(share).collect();
        let [low, high] = crate::summary(&shares, 0).unwrap().interval.unwrap();
        assert!(low < 0.25 && 0.25 < high, "{low} to {high}");
    }
}
