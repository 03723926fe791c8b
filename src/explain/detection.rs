//! The boxes that a detector finds in a picture.
//!
//! For each anchor the class with the greatest score; of boxes of one class that overlap only the one with the greatest
//! score stays (non-maximum suppression), with the usual thresholds of ultralytics: a probability of 0.25, an overlap of 0.7,
//! 300 boxes.

use super::Subject;
use crate::model::Model;
use crate::record::DetectionRecord;

/// Least probability of a box.
const LEAST: f64 = 0.25;

/// Intersection over union from which on two boxes of a class are one.
const SAME: f64 = 0.7;

/// Most boxes of a picture.
const MOST: usize = 300;

/// A box and where its score is in the output.
#[derive(Debug, Clone)]
pub(super) struct Detection {
    pub(super) class: usize,
    /// Index of its score in the output.
    pub(super) at: usize,
    pub(super) score: f32,
    /// Left, top, right and bottom in pixels of the network's input.
    corners: [f64; 4],
}

/// The boxes in an output `[first + classes, anchors]`, those with the greatest scores first. `probability` of a score.
pub(super) fn found(
    output: &[f32],
    [first, classes, anchors]: [usize; 3],
    probability: impl Fn(f32) -> f64,
) -> Vec<Detection> {
    let value = |row: usize, anchor: usize| output[row * anchors + anchor];
    let best = |anchor: usize| {
        let better = |best: usize, class: usize| {
            if value(first + class, anchor) > value(first + best, anchor) { class } else { best }
        };
        let class = (0..classes).fold(0, better);
        let [x, y, width, height] = [0, 1, 2, 3].map(|row| f64::from(value(row, anchor)));
        let corners = [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
        Detection {
            class,
            at: (first + class) * anchors + anchor,
            score: value(first + class, anchor),
            corners,
        }
    };
    let mut open: Vec<Detection> =
        (0..anchors).map(best).filter(|detection| probability(detection.score) > LEAST).collect();
    open.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
    let mut kept: Vec<Detection> = Vec::new();
    for detection in open {
        let is_new = kept.iter().all(|other| {
            other.class != detection.class || overlap(&other.corners, &detection.corners) <= SAME
        });
        if is_new {
            kept.push(detection);
        }
        if kept.len() == MOST {
            break;
        }
    }
    kept
}

/// Intersection over union.
fn overlap(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let side = |from: usize| (a[from + 2].min(b[from + 2]) - a[from].max(b[from])).max(0.0);
    let area = |corners: &[f64; 4]| (corners[2] - corners[0]).max(0.0) * (corners[3] - corners[1]).max(0.0);
    let shared = side(0) * side(1);
    shared / (area(a) + area(b) - shared).max(f64::MIN_POSITIVE)
}

impl Detection {
    /// The box in a record, in pixels of the photo; `number` counts from 1.
    pub(super) fn record(
        &self,
        number: usize,
        proba: f64,
        model: &Model,
        subject: &Subject,
    ) -> DetectionRecord {
        let (input, place) = (&model.graph().input, &subject.placement);
        let x = |value: f64| place.left + value / input.width as f64 * (place.right - place.left);
        let y = |value: f64| place.top + value / input.height as f64 * (place.bottom - place.top);
        let [left, top, right, bottom] = self.corners;
        DetectionRecord {
            number,
            target: self.class,
            class_name: model.class_name(self.class),
            proba,
            left: x(left),
            top: y(top),
            right: x(right),
            bottom: y(bottom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_of_one_class_that_overlap_become_the_surest() {
        // Three anchors of two classes: two nearly equal boxes of class 0, the same place of class 1, and one below the threshold.
        let output = [
            10.0, 10.5, 10.0, 30.0, // x
            10.0, 10.0, 10.0, 30.0, // y
            8.0, 8.0, 8.0, 4.0, // width
            8.0, 8.0, 8.0, 4.0, // height
            0.8, 0.9, 0.1, 0.2, // class 0
            0.1, 0.2, 0.7, 0.1, // class 1
        ];
        let found = found(&output, [4, 2, 4], f64::from);
        let kept: Vec<_> =
            found.iter().map(|detection| (detection.class, detection.at, detection.score)).collect();
        assert_eq!(kept, [(0, 17, 0.9), (1, 22, 0.7)]);
        assert_eq!(found[0].corners, [6.5, 6.0, 14.5, 14.0]);
    }

    #[test]
    fn the_overlap_of_boxes_by_hand() {
        let a = [0.0, 0.0, 10.0, 10.0];
        assert_eq!(overlap(&a, &a), 1.0);
        assert_eq!(overlap(&a, &[5.0, 0.0, 15.0, 10.0]), 1.0 / 3.0);
        assert_eq!(overlap(&a, &[10.0, 0.0, 20.0, 10.0]), 0.0);
    }
}
