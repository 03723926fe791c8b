//! The boxes that a detector finds in a picture.
//!
//! For each anchor the class with the greatest score that is not the background; of boxes of one class that overlap only the surest
//! stays (non-maximum suppression), with the usual thresholds of ultralytics: a probability of 0.25, an overlap of 0.7, 300 boxes.
//! Where the graph gives no boxes none are found.

use super::Subject;
use crate::model::{Anchors, FinalActivation, Model, Proposal};
use crate::record::DetectionRecord;

/// Least probability of a box.
const LEAST: f64 = 0.25;

/// Intersection over union from which on two boxes of a class are one.
const SAME: f64 = 0.7;

/// Most boxes of a picture.
const MOST: usize = 300;

/// A box and where its score is in the explained numbers.
#[derive(Debug, Clone)]
pub(super) struct Detection {
    pub(super) class: usize,
    /// Index of its score.
    pub(super) at: usize,
    pub(super) score: f32,
    pub(super) proba: f64,
    /// Left, top, right and bottom in pixels of the network's input.
    corners: [f64; 4],
}

/// The probabilities of the classes at every anchor, where they exclude each other there.
pub(super) fn shares(scores: &[f32], form: &Anchors, activation: FinalActivation) -> Option<Vec<Vec<f64>>> {
    let at = |anchor| form.probabilities(scores, activation, anchor);
    (activation == FinalActivation::Softmax).then(|| (0..form.anchors).map(at).collect())
}

/// The boxes in the explained numbers of a picture, `[rows, anchors]`, the surest first. `size` is height and width of the input,
/// `shares` those of the same numbers.
pub(super) fn found(
    scores: &[f32],
    form: &Anchors,
    (activation, shares): (FinalActivation, Option<&[Vec<f64>]>),
    size: [usize; 2],
) -> Vec<Detection> {
    let start = |class: usize| (form.first() + class) * form.anchors;
    let best = |anchor: usize| {
        let value = |class: usize| scores[start(class) + anchor];
        let better = |best: usize, class: usize| if value(class) > value(best) { class } else { best };
        let class = (0..form.classes).filter(|class| form.background != Some(*class)).reduce(better)?;
        let proba = match shares {
            Some(shares) => shares[anchor][class],
            None => activation.of_one(value(class))?,
        };
        let corners = form.corners(scores, anchor, size).filter(|_| proba > LEAST)?;
        Some(Detection { class, at: start(class) + anchor, score: value(class), proba, corners })
    };
    let mut open: Vec<Detection> = (0..form.anchors).filter_map(best).collect();
    // Probabilities near one are equal where scores are not; shares of different anchors have no other order.
    let surest = |a: &Detection, b: &Detection| match shares {
        Some(_) => b.proba.total_cmp(&a.proba),
        None => b.score.total_cmp(&a.score),
    };
    open.sort_by(|a, b| surest(a, b).then(a.at.cmp(&b.at)));
    suppressed(open)
}

/// Those that do not overlap with a surer one of their class.
fn suppressed(open: Vec<Detection>) -> Vec<Detection> {
    let mut kept: Vec<Detection> = Vec::new();
    for detection in open {
        let is_new = kept.iter().all(|other| {
            other.class != detection.class || Proposal::overlap(&other.corners, &detection.corners) <= SAME
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

impl Detection {
    /// The box in a record, in pixels of the photo; `number` counts from 1.
    pub(super) fn record(&self, number: usize, model: &Model, subject: &Subject) -> DetectionRecord {
        let (input, place) = (&model.graph().input, &subject.placement);
        let x = |value: f64| place.left + value / input.width as f64 * (place.right - place.left);
        let y = |value: f64| place.top + value / input.height as f64 * (place.bottom - place.top);
        let [left, top, right, bottom] = self.corners;
        DetectionRecord {
            number,
            target: self.class,
            class_name: model.class_name(self.class),
            proba: self.proba,
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
    use crate::model::{Boxes, OwnOutput};

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
        let form = form(Boxes::Centre { unit: false }, 4, 2);
        let found = found(&output, &form, (FinalActivation::Identity, None), [64, 64]);
        let kept: Vec<_> =
            found.iter().map(|detection| (detection.class, detection.at, detection.score)).collect();
        assert_eq!(kept, [(0, 17, 0.9), (1, 22, 0.7)]);
        assert_eq!(found[0].corners, [6.5, 6.0, 14.5, 14.0]);
    }

    fn form(boxes: Boxes, anchors: usize, classes: usize) -> Anchors {
        let own = OwnOutput { rows: 6, first: 4, turned: false };
        Anchors { anchors, classes, boxes, has_objectness: false, background: None, own }
    }

    #[test]
    fn what_is_sure_to_be_background_is_no_box() {
        // Corners as shares of the input; two classes and the background, which wins at the first anchor.
        let corners = [0.0, 0.5, 0.0, 0.5, 0.5, 1.0, 0.5, 1.0];
        let output = [&corners[..], &[1.0, 4.0], &[0.0, 1.0], &[3.0, 0.0]].concat();
        let form = Anchors { background: Some(2), ..form(Boxes::Corners { unit: true }, 2, 3) };
        let of = |output: &[f32], form: &Anchors| {
            let softmax = FinalActivation::Softmax;
            found(output, form, (softmax, shares(output, form, softmax).as_deref()), [10, 20])
        };
        let found = of(&output, &form);
        let [only] = &found[..] else { panic!("{found:?}") };
        assert_eq!((only.class, only.corners), (0, [10.0, 5.0, 20.0, 10.0]));
        let e = |power: f64| power.exp();
        assert!((only.proba - e(4.0) / (e(4.0) + e(1.0) + 1.0)).abs() < 1e-6);
        let unknown = Anchors { boxes: Boxes::Unknown, ..form };
        assert!(of(&output[8..], &unknown).is_empty());
    }
}
