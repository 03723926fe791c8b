//! The pixels of a map that are on the object.

use super::bounds::Bounds;
use super::mask::Mask;

/// Where an object is on the grid of a map, `[height, width]`: at least one pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    height: usize,
    width: usize,
    inside: Vec<bool>,
    count: usize,
    /// Height and width of a pixel of the map, in pixels of the picture.
    pixel: [f64; 2],
}

impl Region {
    /// The pixels that are inside, row by row; one pixel of the map counts as one of the picture.
    ///
    /// `None` when the count is not `height * width`, and when no pixel is inside.
    #[must_use]
    pub fn new(height: usize, width: usize, inside: Vec<bool>) -> Option<Self> {
        Self::scaled(height, width, inside, [1.0; 2])
    }

    /// The pixels of a map of `height` and `width` whose centres are in one of the boxes. The map covers `view`, which is in the coordinates of
    /// the boxes; parts outside of it are cut off. A box so small that it has no centre in it is the pixel under its own centre.
    ///
    /// `None` when no box is in the view, and for a view or a grid without area.
    ///
    /// ```
    /// use burncam_metrics::localisation::{Bounds, Region};
    ///
    /// let object = Bounds { left: 8.0, top: 0.0, right: 16.0, bottom: 8.0 };
    /// let region = Region::of_boxes(&[object], &Bounds::whole(16, 16), 4, 4).unwrap();
    /// assert_eq!(region.share(), 0.25);
    /// assert!(region.contains(0, 2) && !region.contains(0, 1) && !region.contains(2, 2));
    /// ```
    #[must_use]
    pub fn of_boxes(boxes: &[Bounds], view: &Bounds, height: usize, width: usize) -> Option<Self> {
        let mut inside = vec![false; height.checked_mul(width)?];
        if inside.is_empty() || !view.is_sound() {
            return None;
        }
        for bounds in boxes.iter().map(|bounds| bounds.on_grid(view, height, width)) {
            if !bounds.is_sound() {
                continue;
            }
            let (rows, columns) =
                (pixels(bounds.top, bounds.bottom, height), pixels(bounds.left, bounds.right, width));
            for row in rows {
                inside[row * width + columns.start..row * width + columns.end].fill(true);
            }
        }
        Self::scaled(height, width, inside, pixel_of(view, height, width))
    }

    /// The pixels of a map of `height` and `width` whose centres are on pixels of the class. The map covers `view`, in pixels of the mask.
    ///
    /// `None` when none is, and for a view or a grid without area.
    #[must_use]
    pub fn of_mask(mask: &Mask, class: usize, view: &Bounds, height: usize, width: usize) -> Option<Self> {
        if height == 0 || width == 0 || !view.is_sound() {
            return None;
        }
        let [down, across] = pixel_of(view, height, width);
        let place = |from: f64, step: f64, at: usize| {
            let place = (from + (at as f64 + 0.5) * step).floor();
            // Negative places are outside, and so is the greatest number.
            if place < 0.0 { usize::MAX } else { place as usize }
        };
        let columns: Vec<usize> = (0..width).map(|at| place(view.left, across, at)).collect();
        let rows = (0..height).map(|at| place(view.top, down, at));
        let inside = rows.flat_map(|row| columns.iter().map(move |column| mask.is(class, row, *column)));
        Self::scaled(height, width, inside.collect(), [down, across])
    }

    fn scaled(height: usize, width: usize, inside: Vec<bool>, pixel: [f64; 2]) -> Option<Self> {
        let count = inside.iter().filter(|inside| **inside).count();
        (count > 0 && Some(inside.len()) == height.checked_mul(width)).then_some(Self {
            height,
            width,
            inside,
            count,
            pixel,
        })
    }

    /// Number of rows of the grid.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of columns of the grid.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of pixels inside, at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Share of the grid that is inside, 0 to 1: the chance level of [`energy`](super::energy()) and [`rank_accuracy`](super::rank_accuracy),
    /// and of [`pointing`](super::pointing()) without tolerance.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.count as f64 / self.inside.len() as f64
    }

    /// Whether the pixel is inside. Panics outside of the grid.
    #[must_use]
    pub fn contains(&self, row: usize, column: usize) -> bool {
        self.inside[row * self.width + column]
    }

    /// Row by row.
    pub(super) fn inside(&self) -> &[bool] {
        &self.inside
    }

    /// Height and width of a pixel, in pixels of the picture.
    pub(super) fn pixel(&self) -> [f64; 2] {
        self.pixel
    }
}

fn pixel_of(view: &Bounds, height: usize, width: usize) -> [f64; 2] {
    [(view.bottom - view.top) / height as f64, (view.right - view.left) / width as f64]
}

/// The pixels whose centres are in `from..to`, or the one under the middle.
fn pixels(from: f64, to: f64, side: usize) -> std::ops::Range<usize> {
    let first = |edge: f64| ((edge - 0.5).ceil().max(0.0) as usize).min(side);
    let range = first(from)..first(to);
    if !range.is_empty() {
        return range;
    }
    let middle = (((from + to) / 2.0) as usize).min(side - 1);
    middle..middle + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(left: f64, top: f64, right: f64, bottom: f64) -> Bounds {
        Bounds { left, top, right, bottom }
    }

    fn columns(left: f64, right: f64) -> Vec<usize> {
        let region = Region::of_boxes(&[bounds(left, 0.0, right, 1.0)], &Bounds::whole(1, 4), 1, 4);
        let region = region.unwrap();
        (0..4).filter(|column| region.contains(0, *column)).collect()
    }

    #[test]
    fn pixels_belong_by_their_centres() {
        assert_eq!(columns(1.0, 3.0), [1, 2]);
        assert_eq!(columns(0.6, 2.4), [1]);
        assert_eq!(columns(0.4, 2.6), [0, 1, 2]);
        // One that has no centre in it, also at the border, and one that is larger than the picture.
        assert_eq!(columns(1.6, 1.9), [1]);
        assert_eq!(columns(3.9, 4.0), [3]);
        assert_eq!(columns(-9.0, 99.0), [0, 1, 2, 3]);
    }

    #[test]
    fn boxes_outside_of_the_view_leave_no_region() {
        let view = bounds(50.0, 0.0, 150.0, 100.0);
        let (out, partly) = (bounds(0.0, 0.0, 50.0, 50.0), bounds(0.0, 0.0, 75.0, 50.0));
        assert!(Region::of_boxes(&[out], &view, 4, 4).is_none());
        assert!(Region::of_boxes(&[], &view, 4, 4).is_none());
        let region = Region::of_boxes(&[out, partly], &view, 4, 4).unwrap();
        assert_eq!((region.count(), region.pixel()), (2, [25.0, 25.0]));
        assert!(region.contains(0, 0) && region.contains(1, 0));
        assert!(Region::of_boxes(&[partly], &bounds(0.0, 0.0, 0.0, 9.0), 4, 4).is_none());
        assert!(Region::of_boxes(&[partly], &view, 0, 4).is_none());
    }

    #[test]
    fn overlapping_boxes_count_once() {
        let boxes = [bounds(0.0, 0.0, 2.0, 2.0), bounds(1.0, 1.0, 3.0, 3.0)];
        assert_eq!(Region::of_boxes(&boxes, &Bounds::whole(4, 4), 4, 4).unwrap().count(), 7);
    }

    #[test]
    fn a_mask_is_read_at_the_centres_of_the_map_s_pixels() {
        // Class 1 (value 2) is the right half of 2x4; the view reaches one pixel beyond the left side.
        let mask = Mask::new(2, 4, vec![0, 0, 2, 2, 0, 0, 2, 2]).unwrap();
        let region = Region::of_mask(&mask, 1, &Bounds::whole(2, 4), 4, 8).unwrap();
        assert_eq!((region.count(), region.share(), region.pixel()), (16, 0.5, [0.5, 0.5]));
        let padded = Region::of_mask(&mask, 1, &bounds(-1.0, 0.0, 4.0, 2.0), 2, 5).unwrap();
        assert!(!padded.contains(0, 2) && padded.contains(0, 3) && padded.contains(1, 4));
        assert!(Region::of_mask(&mask, 0, &Bounds::whole(2, 4), 4, 8).is_none());
        assert!(Region::of_mask(&mask, 1, &bounds(0.0, 0.0, 2.0, 2.0), 2, 2).is_none());
    }
}
