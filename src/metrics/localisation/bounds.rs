//! A rectangle with sides along the axes.

/// A rectangle in pixels, as places on the axes: the first pixel reaches from 0 to 1. So a box of the pixels 3 to 5 has `left` 3 and `right` 6.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Right edge; a rectangle with any area has it beyond `left`.
    pub right: f64,
    /// Bottom edge.
    pub bottom: f64,
}

impl Bounds {
    /// All of a grid.
    #[must_use]
    pub fn whole(height: usize, width: usize) -> Self {
        Self { left: 0.0, top: 0.0, right: width as f64, bottom: height as f64 }
    }

    /// Whether it has any area. Sides that are not finite have none.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let (width, height) = (self.right - self.left, self.bottom - self.top);
        width > 0.0 && height > 0.0 && width.is_finite() && height.is_finite()
    }

    /// Its area; 0 of one that is not sound.
    #[must_use]
    pub fn area(&self) -> f64 {
        if self.is_sound() { (self.right - self.left) * (self.bottom - self.top) } else { 0.0 }
    }

    /// What is in both; not sound when nothing is.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    /// Intersection over union of two rectangles, 0 to 1.
    ///
    /// ```
    /// use burncam_metrics::localisation::Bounds;
    ///
    /// let bounds = |left, top, right, bottom| Bounds { left, top, right, bottom };
    /// let iou = bounds(1.0, 1.0, 3.0, 3.0).iou(&bounds(1.0, 0.0, 3.0, 3.0));
    /// assert!((iou - 2.0 / 3.0).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn iou(&self, other: &Self) -> f64 {
        let both = self.within(other).area();
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }

    /// The same place on a grid of `height` rows and `width` columns that covers `view`, both in the coordinates of this rectangle. Parts
    /// outside of the view are cut off; not sound when nothing is left.
    #[must_use]
    pub fn on_grid(&self, view: &Self, height: usize, width: usize) -> Self {
        let seen = self.within(view);
        let across = width as f64 / (view.right - view.left);
        let down = height as f64 / (view.bottom - view.top);
        Self {
            left: (seen.left - view.left) * across,
            top: (seen.top - view.top) * down,
            right: (seen.right - view.left) * across,
            bottom: (seen.bottom - view.top) * down,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(left: f64, top: f64, right: f64, bottom: f64) -> Bounds {
        Bounds { left, top, right, bottom }
    }

    #[test]
    fn rectangles_apart_have_nothing_in_common() {
        let first = bounds(0.0, 0.0, 2.0, 2.0);
        assert_eq!(first.iou(&bounds(2.0, 0.0, 4.0, 2.0)), 0.0);
        // Apart on both axes, where two negative sides would multiply to an area.
        assert_eq!(first.iou(&bounds(5.0, 5.0, 9.0, 9.0)), 0.0);
        assert_eq!(first.iou(&first), 1.0);
        assert_eq!(bounds(1.0, 1.0, 1.0, 5.0).area(), 0.0);
        assert!(!bounds(0.0, 0.0, f64::NAN, 1.0).is_sound());
        assert!(!bounds(0.0, 0.0, f64::INFINITY, 1.0).is_sound());
    }

    #[test]
    fn a_box_moves_with_the_crop_and_the_scale_of_the_network() {
        // The network saw the middle square of 200x100 at 50x50: half size, the left 50 pixels cut off.
        let view = bounds(50.0, 0.0, 150.0, 100.0);
        assert_eq!(bounds(60.0, 20.0, 170.0, 40.0).on_grid(&view, 50, 50), bounds(5.0, 10.0, 50.0, 20.0));
        assert!(!bounds(0.0, 20.0, 40.0, 40.0).on_grid(&view, 50, 50).is_sound());
    }
}
