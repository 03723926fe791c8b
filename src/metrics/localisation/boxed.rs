//! A map as a detector without boxes: its heat above a threshold, compared with the object's box or mask.

use super::bounds::Bounds;
use super::region::Region;
use crate::map::Map;

/// Thresholds that [`box_ious`] tries: 0, 0.01, ... 0.99 of the maximum.
const THRESHOLDS: usize = 100;

/// A share of pictures whose box is right, with the threshold that gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxAccuracy {
    /// Threshold as a share of each map's maximum.
    pub threshold: f64,
    /// Share of pictures, 0 to 1.
    pub accuracy: f64,
}

/// The box around the largest component of the pixels whose value is at least `threshold` times the maximum, in pixels of the map.
///
/// Selvaraju et al., "Grad-CAM", 2017, arXiv:1610.02391, section 4.1, with [`GRAD_CAM_THRESHOLD`](super::GRAD_CAM_THRESHOLD). Pixels
/// that touch by a corner are connected, as in OpenCV's contours; of components of one size the first in reading order is taken. The box is right if its
/// [`iou`](Bounds::iou) with one of the object's boxes is above 0.5. `None` when no value is positive.
#[must_use]
pub fn component_box(map: &Map, threshold: f64) -> Option<Bounds> {
    let mut is_open = above(map, threshold)?;
    let mut largest: Option<(usize, Bounds)> = None;
    for start in 0..is_open.len() {
        if is_open[start] {
            let (count, bounds) = component(&mut is_open, map.width(), start);
            if largest.is_none_or(|(most, _)| count > most) {
                largest = Some((count, bounds));
            }
        }
    }
    largest.map(|(_, bounds)| bounds)
}

/// For each threshold of 0, 0.01, ... 0.99 of the maximum the IoU of [`component_box`] with the nearest of the object's `boxes`, in pixels of the
/// map. `None` when no value is positive.
#[must_use]
pub fn box_ious(map: &Map, boxes: &[Bounds]) -> Option<Vec<f64>> {
    let best = |found: Bounds| boxes.iter().map(|bounds| bounds.iou(&found)).fold(0.0, f64::max);
    (0..THRESHOLDS).map(|at| component_box(map, share(at)).map(best)).collect()
}

/// At which thresholds the box of a picture is right, a bit for each: 16 bytes per picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RightBoxes(u128);

impl RightBoxes {
    /// From the row of [`box_ious`]: right where the IoU is at least `iou`. `None` for a row of another length.
    #[must_use]
    pub fn new(ious: &[f64], iou: f64) -> Option<Self> {
        let bits = ious.iter().enumerate().map(|(at, found)| u128::from(*found >= iou) << at);
        (ious.len() == THRESHOLDS).then(|| Self(bits.sum()))
    }

    fn at(self, threshold: usize) -> bool {
        self.0 >> threshold & 1 == 1
    }
}

/// MaxBoxAcc: the greatest share of pictures whose box is right, over all thresholds.
///
/// Choe et al., "Evaluating weakly supervised object localization methods right", 2020, arXiv:2001.07437; its boxes are right from an IoU of 0.5
/// on. The threshold is fitted to the pictures that are scored, so that few pictures give too much: [`held_out_box_accuracy`]. Of
/// equally good thresholds the lowest is given. `None` without pictures.
#[must_use]
pub fn box_accuracy(pictures: &[RightBoxes]) -> Option<BoxAccuracy> {
    // Picture by picture, not threshold by threshold: a bootstrap calls this 2000 times, and a picture's bits are one number.
    let mut counts = [0_u32; THRESHOLDS];
    for picture in pictures {
        counts.iter_mut().enumerate().for_each(|(at, count)| *count += u32::from(picture.at(at)));
    }
    let (at, right) =
        counts.into_iter().enumerate().fold((0, 0), |best, new| if new.1 > best.1 { new } else { best });
    let accuracy = f64::from(right) / pictures.len() as f64;
    (!pictures.is_empty()).then(|| BoxAccuracy { threshold: share(at), accuracy })
}

/// Share of pictures whose box is right at a threshold that other pictures chose: every second picture chooses it for the others.
///
/// `None` with fewer than two pictures.
#[must_use]
pub fn held_out_box_accuracy(pictures: &[RightBoxes]) -> Option<f64> {
    let halves =
        [0, 1].map(|first| pictures.iter().skip(first).step_by(2).copied().collect::<Vec<RightBoxes>>());
    let mut sum = 0;
    for (chooses, scored) in [(&halves[0], &halves[1]), (&halves[1], &halves[0])] {
        let chosen = (box_accuracy(chooses)?.threshold * THRESHOLDS as f64).round() as usize;
        sum += scored.iter().filter(|picture| picture.at(chosen)).count();
    }
    Some(sum as f64 / pictures.len() as f64)
}

/// IoU of the pixels whose value is at least `threshold` times the maximum with the object's, 0 to 1.
///
/// `None` when no value is positive, and for a region of another size.
#[must_use]
pub fn region_iou(map: &Map, object: &Region, threshold: f64) -> Option<f64> {
    if (map.height(), map.width()) != (object.height(), object.width()) {
        return None;
    }
    let found = above(map, threshold)?;
    let both = found.iter().zip(object.inside()).filter(|(found, inside)| **found && **inside).count();
    let either = found.iter().filter(|found| **found).count() + object.count() - both;
    Some(both as f64 / either as f64)
}

fn share(at: usize) -> f64 {
    at as f64 / THRESHOLDS as f64
}

fn above(map: &Map, threshold: f64) -> Option<Vec<bool>> {
    let most = f64::from(map.values().iter().copied().fold(0.0, f32::max));
    let is_above = |value: &f32| f64::from(*value) >= threshold * most;
    (most > 0.0).then(|| map.values().iter().map(is_above).collect())
}

/// Closes the component of a pixel; gives its number of pixels and the box around it.
fn component(is_open: &mut [bool], width: usize, start: usize) -> (usize, Bounds) {
    let height = is_open.len() / width;
    let mut bounds = Bounds { left: f64::MAX, top: f64::MAX, right: 0.0, bottom: 0.0 };
    let (mut count, mut waiting) = (0, vec![start]);
    is_open[start] = false;
    while let Some(at) = waiting.pop() {
        let (row, column) = (at / width, at % width);
        count += 1;
        bounds = Bounds {
            left: bounds.left.min(column as f64),
            top: bounds.top.min(row as f64),
            right: bounds.right.max(column as f64 + 1.0),
            bottom: bounds.bottom.max(row as f64 + 1.0),
        };
        for row in row.saturating_sub(1)..(row + 2).min(height) {
            for column in column.saturating_sub(1)..(column + 2).min(width) {
                let next = row * width + column;
                if std::mem::take(&mut is_open[next]) {
                    waiting.push(next);
                }
            }
        }
    }
    (count, bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(left: f64, top: f64, right: f64, bottom: f64) -> Bounds {
        Bounds { left, top, right, bottom }
    }

    /// A corner of four pixels at 0.5 and a peak apart from it, with a bridge of 0.2 by the corners.
    fn map() -> Map {
        #[rustfmt::skip]
        let values = vec![
            0.5, 0.5, 0.0, 0.0, 0.0,
            0.5, 0.5, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.2, 0.0, 0.0,
            0.0, 0.0, 0.0, 1.0, 0.1,
        ];
        Map::new(4, 5, values).unwrap()
    }

    #[test]
    fn the_largest_component_counts_not_the_hottest() {
        assert_eq!(component_box(&map(), 0.3), Some(bounds(0.0, 0.0, 2.0, 2.0)));
        assert_eq!(component_box(&map(), 0.6), Some(bounds(3.0, 3.0, 4.0, 4.0)));
        // Joined by the corners.
        assert_eq!(component_box(&map(), 0.15), Some(bounds(0.0, 0.0, 4.0, 4.0)));
        assert_eq!(component_box(&map(), 0.0), Some(bounds(0.0, 0.0, 5.0, 4.0)));
        assert_eq!(component_box(&Map::new(1, 2, vec![-1.0, 0.0]).unwrap(), 0.15), None);
    }

    #[test]
    fn rows_do_not_touch_around_the_edge() {
        let map = Map::new(2, 3, vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0]).unwrap();
        assert_eq!(component_box(&map, 0.5), Some(bounds(2.0, 0.0, 3.0, 1.0)));
    }

    #[test]
    fn the_best_threshold_is_the_one_with_most_boxes_right() {
        let (corner, peak) = (bounds(0.0, 0.0, 2.0, 2.0), bounds(3.0, 3.0, 4.0, 4.0));
        let [first, second] = [[corner], [peak]].map(|boxes| box_ious(&map(), &boxes).unwrap());
        assert_eq!((first.len(), first[30], first[60], second[60]), (THRESHOLDS, 1.0, 0.0, 1.0));
        let right = |ious: &[f64]| RightBoxes::new(ious, 0.5).unwrap();
        // Above 0.2 the corner stands alone up to 0.5; 0.21 is the lowest that is right.
        let found = box_accuracy(&[right(&first), right(&second)]).unwrap();
        assert_eq!((found.threshold, found.accuracy), (0.21, 0.5));
        let all = box_ious(&map(), &[corner, peak]).unwrap();
        assert_eq!(box_accuracy(&[right(&all)]).unwrap().accuracy, 1.0);
        assert_eq!(box_accuracy(&[]), None);
        assert_eq!(RightBoxes::new(&all[..3], 0.5), None);
        let ends = [vec![0.5], vec![0.0; THRESHOLDS - 2], vec![1.0]].concat();
        assert_eq!([0, 1, THRESHOLDS - 1].map(|at| right(&ends).at(at)), [true, false, true]);
    }

    #[test]
    fn a_held_out_threshold_is_chosen_by_the_other_pictures() {
        let right = |b| RightBoxes::new(&box_ious(&map(), &[b]).unwrap(), 0.5).unwrap();
        let [first, second] = [bounds(0.0, 0.0, 2.0, 2.0), bounds(3.0, 3.0, 4.0, 4.0)].map(right);
        // Each picks the threshold that is wrong for the other.
        assert_eq!(held_out_box_accuracy(&[first, second]), Some(0.0));
        assert_eq!(held_out_box_accuracy(&[first, first, second]), Some(2.0 / 3.0));
        assert_eq!(held_out_box_accuracy(&[first]), None);
    }

    #[test]
    fn pixels_above_the_threshold_overlap_the_object() {
        let object = Region::of_boxes(&[bounds(0.0, 0.0, 2.0, 4.0)], &Bounds::whole(4, 5), 4, 5).unwrap();
        // At 0.15: six pixels, four of them inside of eight.
        assert_eq!(region_iou(&map(), &object, 0.15), Some(0.4));
        assert_eq!(region_iou(&map(), &Region::new(1, 1, vec![true]).unwrap(), 0.15), None);
    }
}
