//! The tensor that is explained of a detector, and what is read from it: for each anchor a box and the probabilities of classes.

use crate::card::Card;
use crate::error::Problem;
use crate::output::activation::FinalActivation;

/// Numbers of a box.
pub(super) const BOX: usize = 4;

/// Most scales of a head whose cells are listed.
const MOST_SCALES: usize = 8;

/// The explained tensor of a detector, `[batch, rows, anchors]`: the rows of a box, of the objectness, and of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchors {
    /// Number of anchors, or queries.
    pub anchors: usize,
    /// Number of classes, the background among them.
    pub classes: usize,
    /// What the first four rows are; none of them where it is not known.
    pub boxes: Boxes,
    /// Whether a row with the logit, or probability, of any object comes before the classes. The classes' scores then are
    /// those of an object of the class: of the product of both probabilities.
    pub has_objectness: bool,
    /// The class that means no object.
    pub background: Option<usize>,
    /// The network's own output.
    pub own: OwnOutput,
}

/// Where classes are in the network's own output, `[batch, rows, anchors]` or `[batch, anchors, rows]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnOutput {
    /// Number of rows.
    pub rows: usize,
    /// The first of a class.
    pub first: usize,
    /// Whether anchors come before rows.
    pub turned: bool,
}

/// How four numbers are a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boxes {
    /// Regressions from anchors that the graph does not have: no box can be read.
    Unknown,
    /// Centre, width and height.
    Centre {
        /// As shares of the input, and not in its pixels.
        unit: bool,
    },
    /// Left, top, right and bottom.
    Corners {
        /// As shares of the input, and not in its pixels.
        unit: bool,
    },
    /// Centre as an offset from the cell's corner, and the logarithms of width and height, all in cells: as YOLOX gives them.
    Cells(Scales),
}

/// Rows and columns of each scale of a head, the anchors of the first before those of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scales {
    count: usize,
    cells: [[usize; 2]; MOST_SCALES],
}

impl Scales {
    /// `None` for none or too many.
    pub(super) fn new(scales: &[[usize; 2]]) -> Option<Self> {
        let mut cells = [[0; 2]; MOST_SCALES];
        cells.get_mut(..scales.len())?.copy_from_slice(scales);
        (!scales.is_empty()).then_some(Self { count: scales.len(), cells })
    }

    /// Row and column of an anchor, and the cells of its scale.
    fn cell(&self, mut anchor: usize) -> Option<([usize; 2], [usize; 2])> {
        for &[rows, columns] in &self.cells[..self.count] {
            if anchor < rows * columns {
                return Some(([anchor / columns, anchor % columns], [rows, columns]));
            }
            anchor -= rows * columns;
        }
        None
    }
}

/// What a detector proposes at one anchor.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Left, top, right and bottom in pixels of the network's input; `None` where the graph gives no box.
    pub corners: Option<[f64; 4]>,
    /// Probability that there is an object; 1 where the network does not say.
    pub objectness: f64,
    /// Probability of each class. With objectness that of a class if there is an object.
    pub classes: Vec<f64>,
}

impl Anchors {
    /// Index of the first class's row.
    #[must_use]
    pub fn first(&self) -> usize {
        self.box_rows() + usize::from(self.has_objectness)
    }

    fn box_rows(&self) -> usize {
        if self.boxes == Boxes::Unknown { 0 } else { BOX }
    }

    /// Refuses names of another number of classes. Those of queries may leave out the background, which comes last.
    pub(in crate::output) fn check_names(&self, card: &Card) -> Result<(), Problem> {
        let (names, classes) = (card.classes.len(), self.classes);
        if names == 0 || names == classes || names + 1 == classes && self.background == Some(names) {
            return Ok(());
        }
        let expected = format!("{classes}, one for each class of the output");
        Err(Problem::new(format!("its card names {names} classes")).expected(expected))
    }

    /// Whether a value of the network's own output is of a class.
    pub(in crate::output) fn is_class_of_output(&self, at: usize) -> bool {
        let OwnOutput { rows, first, turned } = self.own;
        let row = if turned { at % rows.max(1) } else { at / self.anchors.max(1) };
        (first..first + self.classes).contains(&row)
    }

    /// What the detector proposes at an anchor, from the explained numbers of one picture, `[rows, anchors]`; `size` is height
    /// and width of the network's input.
    ///
    /// # Panics
    /// Never for numbers and an anchor of this network: there are `rows * anchors`.
    #[must_use]
    pub fn proposal(
        &self,
        scores: &[f32],
        activation: FinalActivation,
        anchor: usize,
        size: [usize; 2],
    ) -> Proposal {
        let objectness = match self.has_objectness {
            true => unit(scores[self.box_rows() * self.anchors + anchor], activation),
            false => 1.0,
        };
        let given_an_object = |share: f64| (share / objectness.max(f64::MIN_POSITIVE)).min(1.0);
        let classes = self.probabilities(scores, activation, anchor);
        Proposal {
            corners: self.corners(scores, anchor, size),
            objectness,
            classes: match self.has_objectness {
                true => classes.into_iter().map(given_an_object).collect(),
                false => classes,
            },
        }
    }

    /// The probability of each class at an anchor, with objectness that of an object of the class.
    #[must_use]
    pub fn probabilities(&self, scores: &[f32], activation: FinalActivation, anchor: usize) -> Vec<f64> {
        let of = |class: usize| scores[(self.first() + class) * self.anchors + anchor];
        if activation != FinalActivation::Softmax {
            return (0..self.classes).map(|class| unit(of(class), activation)).collect();
        }
        let greatest = (0..self.classes).map(of).fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> =
            (0..self.classes).map(|class| (f64::from(of(class)) - f64::from(greatest)).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(|power| power / sum).collect()
    }

    /// Left, top, right and bottom of an anchor's box in pixels of the input; `None` where the graph gives no box.
    #[must_use]
    pub fn corners(&self, scores: &[f32], anchor: usize, [height, width]: [usize; 2]) -> Option<[f64; 4]> {
        if self.boxes == Boxes::Unknown {
            return None;
        }
        let [a, b, c, d] = [0, 1, 2, 3].map(|row| f64::from(scores[row * self.anchors + anchor]));
        let size = [width as f64, height as f64];
        let [across, down] = match self.boxes {
            Boxes::Centre { unit: true } | Boxes::Corners { unit: true } => size,
            _ => [1.0, 1.0],
        };
        let around =
            |[x, y]: [f64; 2], [w, h]: [f64; 2]| [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
        match self.boxes {
            Boxes::Unknown => None,
            Boxes::Centre { .. } => Some(around([a * across, b * down], [c * across, d * down])),
            Boxes::Corners { .. } => Some([a * across, b * down, c * across, d * down]),
            Boxes::Cells(scales) => {
                let ([row, column], [rows, columns]) = scales.cell(anchor)?;
                let step = [size[0] / columns as f64, size[1] / rows as f64];
                let centre = [(a + column as f64) * step[0], (b + row as f64) * step[1]];
                Some(around(centre, [c.exp() * step[0], d.exp() * step[1]]))
            }
        }
    }
}

impl Proposal {
    /// Intersection over union of two boxes: left, top, right and bottom.
    #[must_use]
    pub fn overlap(a: &[f64; 4], b: &[f64; 4]) -> f64 {
        let side = |from: usize| (a[from + 2].min(b[from + 2]) - a[from].max(b[from])).max(0.0);
        let area =
            |corners: &[f64; 4]| (corners[2] - corners[0]).max(0.0) * (corners[3] - corners[1]).max(0.0);
        let shared = side(0) * side(1);
        shared / (area(a) + area(b) - shared).max(f64::MIN_POSITIVE)
    }
}

/// The probability of a score that is not one of a softmax.
fn unit(score: f32, activation: FinalActivation) -> f64 {
    activation.of_one(score).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(boxes: Boxes, has_objectness: bool) -> Anchors {
        let own = OwnOutput { rows: 7, first: 5, turned: true };
        Anchors { anchors: 2, classes: 2, boxes, has_objectness, background: None, own }
    }

    #[test]
    fn boxes_of_every_kind_by_hand() {
        // Two anchors, the second of them read.
        let rows = [0.0, 8.0, 0.0, 6.0, 0.0, 4.0, 0.0, 2.0];
        let of = |boxes| anchors(boxes, false).corners(&rows, 1, [10, 20]);
        assert_eq!(of(Boxes::Centre { unit: false }), Some([6.0, 5.0, 10.0, 7.0]));
        assert_eq!(of(Boxes::Corners { unit: false }), Some([8.0, 6.0, 4.0, 2.0]));
        assert_eq!(of(Boxes::Corners { unit: true }), Some([160.0, 60.0, 80.0, 20.0]));
        assert_eq!(of(Boxes::Unknown), None);
        // One row of two cells, 10 pixels wide and high: half a cell into the second, twice as wide as it, e times as high.
        let rows = [0.0, 0.5, 0.0, 0.0, 0.0, 2.0_f32.ln(), 0.0, 1.0];
        let cells = Boxes::Cells(Scales::new(&[[1, 2]]).unwrap());
        let found = anchors(cells, false).corners(&rows, 1, [10, 20]).unwrap();
        let e = std::f64::consts::E;
        for (found, expected) in found.iter().zip([5.0, -5.0 * e, 25.0, 5.0 * e]) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn a_proposal_divides_what_is_sure_by_what_is_an_object() {
        let logit = |share: f64| (share / (1.0 - share)).ln() as f32;
        // Objectness 0.5; an object of class 0 with 0.4, so class 0 with 0.8 if there is one.
        let row = |share| [0.0, logit(share)];
        let scores = [row(0.5), row(0.4), row(0.05)].concat();
        let found = anchors(Boxes::Unknown, true).proposal(&scores, FinalActivation::Sigmoid, 1, [1, 1]);
        assert!((found.objectness - 0.5).abs() < 1e-6 && found.corners.is_none());
        assert!((found.classes[0] - 0.8).abs() < 1e-6 && (found.classes[1] - 0.1).abs() < 1e-6);
        let found = anchors(Boxes::Unknown, false).proposal(&[0.0; 4], FinalActivation::Softmax, 0, [1, 1]);
        assert_eq!(found, Proposal { corners: None, objectness: 1.0, classes: vec![0.5, 0.5] });
    }

    #[test]
    fn the_overlap_of_boxes_by_hand() {
        let (overlap, a) = (Proposal::overlap, [0.0, 0.0, 10.0, 10.0]);
        assert_eq!(overlap(&a, &a), 1.0);
        assert_eq!(overlap(&a, &[5.0, 0.0, 15.0, 10.0]), 1.0 / 3.0);
        assert_eq!(overlap(&a, &[10.0, 0.0, 20.0, 10.0]), 0.0);
    }

    #[test]
    fn values_of_the_networks_own_output_are_of_a_class_or_not() {
        let turned = anchors(Boxes::Unknown, true);
        let of = |found: Anchors| (0..14).filter(|at| found.is_class_of_output(*at)).collect::<Vec<_>>();
        assert_eq!(of(turned), [5, 6, 12, 13]);
        let own = OwnOutput { turned: false, ..turned.own };
        assert_eq!(of(Anchors { own, ..turned }), [10, 11, 12, 13]);
    }
}
