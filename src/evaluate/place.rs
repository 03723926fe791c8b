//! Where the objects of an image are, and what a map's heat has to do with it.
//!
//! Receives boxes or a mask in pixels of the upright picture, and the placement of the network's input on it. The network may have seen a crop:
//! an object outside of it has no place on a map, and no figures.

use burncam_metrics::Map;
use burncam_metrics::localisation::{
    Bounds, GRAD_CAM_THRESHOLD, Mask, POINTING_TOLERANCE, Region, box_ious, component_box, energy, pointing,
    rank_accuracy, region_iou,
};

use crate::input::Placement;

/// Intersection over union from which on MaxBoxAcc's paper takes a box as right.
const IOU: f64 = 0.5;

/// From which value of a curve of boxes on the box is right.
pub(super) const RIGHT: f64 = 1.0;

/// The objects of one image, in pixels of the upright picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Objects {
    /// Boxes, each with the index of its class.
    Boxes(Vec<(usize, Bounds)>),
    /// The class of each pixel.
    Mask(Mask),
}

/// The objects of one class, on the grid of a map.
#[derive(Debug)]
pub(super) struct Place {
    region: Region,
    boxes: Vec<Bounds>,
}

/// The figures of one map.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) hit: Option<bool>,
    pub(super) near: Option<bool>,
    pub(super) energy: Option<f64>,
    pub(super) ranks: Option<f64>,
    pub(super) region_iou: Option<f64>,
    pub(super) box_iou: Option<f64>,
}

impl Objects {
    /// The objects of a class on a grid of `height` and `width` over the network's input; `None` when the input shows none of them.
    pub(super) fn place(
        &self,
        class: usize,
        placement: &Placement,
        [height, width]: [usize; 2],
    ) -> Option<Place> {
        let Placement { left, top, right, bottom } = *placement;
        let view = Bounds { left, top, right, bottom };
        match self {
            Self::Boxes(boxes) => {
                let own = boxes.iter().filter(|(of, _)| *of == class).map(|(_, bounds)| *bounds);
                let own: Vec<Bounds> = own.collect();
                let region = Region::of_boxes(&own, &view, height, width)?;
                let boxes = own.iter().map(|bounds| bounds.on_grid(&view, height, width));
                Some(Place { region, boxes: boxes.filter(Bounds::is_sound).collect() })
            }
            Self::Mask(mask) => {
                let region = Region::of_mask(mask, class, &view, height, width)?;
                let boxes = vec![around(&region)];
                Some(Place { region, boxes })
            }
        }
    }
}

impl Place {
    /// Share of the network's input that the objects cover.
    pub(super) fn area(&self) -> f64 {
        self.region.share()
    }

    /// For each threshold of 0, 0.01, ... 0.99 of the maximum whether the box around the largest part of the heat has an intersection over
    /// union of at least 0.5 with one of the object; `None` for a map without heat.
    pub(super) fn is_box_right(&self, map: &Map) -> Option<Vec<bool>> {
        Some(box_ious(map, &self.boxes)?.into_iter().map(|iou| iou >= IOU).collect())
    }

    pub(super) fn of(&self, map: &Map) -> Located {
        let best = |found: Bounds| self.boxes.iter().map(|bounds| bounds.iou(&found)).fold(0.0, f64::max);
        Located {
            hit: pointing(map, &self.region, 0.0),
            near: pointing(map, &self.region, POINTING_TOLERANCE),
            energy: energy(map, &self.region),
            ranks: rank_accuracy(map, &self.region),
            region_iou: region_iou(map, &self.region, GRAD_CAM_THRESHOLD),
            box_iou: component_box(map, GRAD_CAM_THRESHOLD).map(best),
        }
    }
}

/// The box around all pixels of a region.
fn around(region: &Region) -> Bounds {
    let (height, width) = (region.height(), region.width());
    let in_row = |row: usize| (0..width).any(|column| region.contains(row, column));
    let in_column = |column: usize| (0..height).any(|row| region.contains(row, column));
    let first = |is_in: &dyn Fn(usize) -> bool, side: usize| (0..side).find(|at| is_in(*at)).unwrap_or(0);
    let end = |is_in: &dyn Fn(usize) -> bool, side: usize| {
        (0..side).rev().find(|at| is_in(*at)).map_or(side, |last| last + 1)
    };
    Bounds {
        left: first(&in_column, width) as f64,
        top: first(&in_row, height) as f64,
        right: end(&in_column, width) as f64,
        bottom: end(&in_row, height) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The left half of a picture of 8x8 is in the view, on a grid of 4x2.
    const VIEW: Placement = Placement { left: 0.0, top: 0.0, right: 4.0, bottom: 8.0 };

    #[test]
    fn a_box_and_the_mask_of_its_pixels_are_one_place() {
        let bounds = Bounds { left: 2.0, top: 2.0, right: 6.0, bottom: 4.0 };
        let boxes = Objects::Boxes(vec![(1, bounds), (0, Bounds::whole(8, 8))]);
        let values =
            (0..64).map(|at| if (2..4).contains(&(at / 8)) && (2..6).contains(&(at % 8)) { 2 } else { 0 });
        let mask = Objects::Mask(Mask::new(8, 8, values.collect()).unwrap());
        let map = Map::new(4, 2, vec![0.0, 0.0, 0.25, 0.5, 0.0, 0.25, 0.0, 0.0]).unwrap();
        for objects in [boxes, mask] {
            let place = objects.place(1, &VIEW, [4, 2]).unwrap();
            assert_eq!(place.area(), 1.0 / 8.0);
            assert_eq!(place.boxes, [Bounds { left: 1.0, top: 1.0, right: 2.0, bottom: 2.0 }]);
            let found = place.of(&map);
            assert_eq!((found.hit, found.energy, found.ranks), (Some(true), Some(0.5), Some(1.0)));
            // Three pixels are hot, in a box of 2x2.
            assert_eq!((found.region_iou, found.box_iou), (Some(1.0 / 3.0), Some(0.25)));
            assert!(objects.place(2, &VIEW, [4, 2]).is_none(), "there is no such object");
        }
    }
}
