//! The pointing game: is the hottest pixel on the object?
//!
//! Zhang et al., "Top-down neural attention by excitation backprop", 2016, arXiv:1608.00507.

use super::bounds::Bounds;
use super::region::Region;
use crate::map::Map;

/// Whether the greatest value is on the object, or nearer to it than `tolerance`, in pixels of the picture: 0 is the plain game, the paper's is
/// [`POINTING_TOLERANCE`](super::POINTING_TOLERANCE). Of several greatest values the first in reading order is taken.
///
/// `None` for a constant map, which points nowhere, and for a region of another size. Compare it with the centre of the picture, which is on
/// the object in many data sets.
///
/// ```
/// use burncam_metrics::Map;
/// use burncam_metrics::localisation::{Region, pointing};
///
/// let map = Map::new(1, 4, vec![0.1, 0.2, 0.9, 0.3]).unwrap();
/// let object = Region::new(1, 4, vec![true, false, false, false]).unwrap();
/// assert_eq!(pointing(&map, &object, 0.0), Some(false));
/// assert_eq!(pointing(&map, &object, 2.0), Some(true));
/// ```
#[must_use]
pub fn pointing(map: &Map, object: &Region, tolerance: f64) -> Option<bool> {
    if map.is_constant() || (map.height(), map.width()) != (object.height(), object.width()) {
        return None;
    }
    let at = *peaks(map).first()?;
    let (row, column) = (at / map.width(), at % map.width());
    let [down, across] = object.pixel();
    let near = |other: usize| {
        let down = (other / map.width()).abs_diff(row) as f64 * down;
        let across = (other % map.width()).abs_diff(column) as f64 * across;
        down.hypot(across) <= tolerance
    };
    let mut inside = object.inside().iter().enumerate().filter(|(_, inside)| **inside);
    Some(object.contains(row, column) || tolerance > 0.0 && inside.any(|(other, _)| near(other)))
}

/// The pointing game of OpenVINO XAI 1.1.0: whether any of the greatest values is in one of the boxes, whose right and bottom edges are inside,
/// too. `boxes` are in pixels of the map ([`Bounds::on_grid`]).
///
/// A constant map always hits, which this convention cannot avoid; so `None` for it, as in [`pointing`].
#[must_use]
pub fn pointing_any(map: &Map, boxes: &[Bounds]) -> Option<bool> {
    let hit = |at: &usize| {
        let (row, column) = ((at / map.width()) as f64, (at % map.width()) as f64);
        let holds = |bounds: &Bounds| {
            (bounds.left..=bounds.right).contains(&column) && (bounds.top..=bounds.bottom).contains(&row)
        };
        boxes.iter().any(holds)
    };
    (!map.is_constant()).then(|| peaks(map).iter().any(hit))
}

/// The places of the greatest value.
fn peaks(map: &Map) -> Vec<usize> {
    let most = map.values().iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (0..map.values().len()).filter(|at| map.values()[*at] == most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Map {
        let mut values = vec![0.0; 16];
        (values[5], values[15]) = (1.0, 1.0);
        Map::new(4, 4, values).unwrap()
    }

    fn region(left: f64, top: f64, right: f64, bottom: f64, view: f64) -> Region {
        let view = Bounds { left: 0.0, top: 0.0, right: view, bottom: view };
        Region::of_boxes(&[Bounds { left, top, right, bottom }], &view, 4, 4).unwrap()
    }

    #[test]
    fn the_first_of_equal_peaks_points() {
        assert_eq!(pointing(&map(), &region(1.0, 1.0, 2.0, 2.0, 4.0), 0.0), Some(true));
        assert_eq!(pointing(&map(), &region(3.0, 3.0, 4.0, 4.0, 4.0), 0.0), Some(false));
    }

    #[test]
    fn the_tolerance_is_in_pixels_of_the_picture() {
        // From (1, 1) to (3, 3) are 2 pixels of the map each way, in a picture ten times as large 20.
        assert_eq!(pointing(&map(), &region(30.0, 30.0, 40.0, 40.0, 40.0), 28.2), Some(false));
        assert_eq!(pointing(&map(), &region(30.0, 30.0, 40.0, 40.0, 40.0), 28.3), Some(true));
        assert_eq!(pointing(&map(), &region(3.0, 3.0, 4.0, 4.0, 4.0), 2.9), Some(true));
    }

    #[test]
    fn openvino_takes_any_peak_and_both_edges() {
        let bounds = |left, top, right, bottom| Bounds { left, top, right, bottom };
        assert_eq!(pointing_any(&map(), &[bounds(2.0, 2.0, 3.0, 3.0)]), Some(true));
        assert_eq!(pointing_any(&map(), &[bounds(0.0, 0.0, 1.0, 1.0)]), Some(true));
        assert_eq!(
            pointing_any(&map(), &[bounds(0.0, 0.0, 0.9, 1.0), bounds(2.0, 0.0, 3.0, 2.0)]),
            Some(false)
        );
    }

    #[test]
    fn a_constant_map_points_nowhere() {
        let constant = Map::new(4, 4, vec![0.5; 16]).unwrap();
        assert_eq!(pointing(&constant, &region(0.0, 0.0, 4.0, 4.0, 4.0), 15.0), None);
        assert_eq!(pointing_any(&constant, &[Bounds::whole(4, 4)]), None);
        assert_eq!(pointing(&map(), &Region::new(1, 1, vec![true]).unwrap(), 0.0), None);
    }
}
