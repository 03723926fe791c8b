//! Targets of a detector: each class's greatest number among the anchors, and numbers of single anchors.
//!
//! Receives outputs, `[rows, anchors]` of each picture; gives numbers of them, and where these are, for rows and for tensors alike. A
//! maximum has the gradient of the one value that it is.

use std::sync::Arc;

use burn::tensor::{Int, Tensor, TensorData, activation};

use super::rivals::Rivals;

/// Targets of a detector, whose output is `[batch, rows, anchors]`: for each class the greatest value of its row, or
/// the one with the greatest share; then single values.
#[derive(Debug, Clone, PartialEq)]
pub struct Greatest {
    /// Index of the first class's row.
    pub first: usize,
    /// Number of classes.
    pub classes: usize,
    /// Number of anchors.
    pub anchors: usize,
    /// Whether classes exclude each other at an anchor: then a logit says nothing without the others there, and the anchor
    /// counts at which the softmax of the class is greatest.
    pub by_share: bool,
    /// Indices of single values of classes in the output, one for each further target.
    pub picked: Arc<Vec<usize>>,
    /// The class whose value at the same anchor is subtracted from every target.
    pub rival: Option<usize>,
}

impl Greatest {
    /// Where the number of each target is in one picture's output, the first of equals.
    pub(super) fn places(&self, output: &[f32]) -> Vec<usize> {
        let of = |class: usize, anchor: usize| f64::from(output[self.row(class) + anchor]);
        let total = |anchor: usize| {
            let most = (0..self.classes).map(|class| of(class, anchor)).fold(f64::NEG_INFINITY, f64::max);
            most + (0..self.classes).map(|class| (of(class, anchor) - most).exp()).sum::<f64>().ln()
        };
        let totals: Vec<f64> =
            if self.by_share { (0..self.anchors).map(total).collect() } else { vec![0.0; self.anchors] };
        let best = |class: usize| {
            let value = |anchor: usize| of(class, anchor) - totals[anchor];
            let better = |best: usize, at: usize| if value(at) > value(best) { at } else { best };
            self.row(class) + (0..self.anchors).fold(0, better)
        };
        (0..self.classes).map(best).chain(self.picked.iter().copied()).collect()
    }

    /// The anchor at which each target's number is in one picture's output.
    #[must_use]
    pub fn anchors_of(&self, output: &[f32]) -> Vec<usize> {
        self.places(output).into_iter().map(|at| at % self.anchors.max(1)).collect()
    }

    /// The numbers of one picture.
    pub(super) fn numbers(&self, output: &[f32]) -> Vec<f32> {
        let of_rival =
            |at: usize| self.rival.map_or(0.0, |rival| output[self.row(rival) + at % self.anchors]);
        self.places(output).into_iter().map(|at| output[at] - of_rival(at)).collect()
    }

    /// Where a class's values begin.
    fn row(&self, class: usize) -> usize {
        (self.first + class) * self.anchors
    }

    /// The classes that a target competes with.
    pub(super) fn rivals(&self, target: usize) -> Rivals {
        let of_box = || target.checked_sub(self.classes).and_then(|at| self.picked.get(at));
        let own = of_box().map_or(target, |at| (at / self.anchors.max(1)).saturating_sub(self.first));
        Rivals { own, classes: self.classes }
    }

    /// Whether it is of outputs with `values` numbers per picture.
    pub(super) fn fits(&self, values: usize) -> bool {
        let classes = self.row(0)..self.row(self.classes);
        self.anchors > 0
            && classes.end <= values
            && self.picked.iter().all(|at| classes.contains(at))
            && self.rival.is_none_or(|rival| rival < self.classes)
    }

    /// The numbers of `values` at the places that `output` has for the targets, `[batch, targets]`. Both are `[batch, values]`.
    pub(super) fn read(&self, output: &Tensor<2>, values: Tensor<2>) -> Tensor<2> {
        let at = self.places_of(output);
        let Some(rival) = self.rival else { return values.gather(1, at) };
        let of_rival = at.clone().remainder_scalar(self.anchors as i64).add_scalar(self.row(rival) as i64);
        values.clone().gather(1, at) - values.gather(1, of_rival)
    }

    /// As [`Greatest::places`], `[batch, targets]`.
    fn places_of(&self, output: &Tensor<2>) -> Tensor<2, Int> {
        let Self { first, classes, anchors, .. } = *self;
        let plain = output.clone().inner();
        let device = plain.device();
        let [batch, _] = plain.dims();
        let rows = plain.narrow(1, first * anchors, classes * anchors).reshape([batch, classes, anchors]);
        let rows = if self.by_share { activation::log_softmax(rows, 1) } else { rows };
        let starts: Vec<i64> = (0..classes).map(|class| self.row(class) as i64).collect();
        let starts = Tensor::<1, Int>::from_data(TensorData::new(starts, [classes]), &device);
        let greatest = rows.argmax(2).reshape([batch, classes]) + starts.reshape([1, classes]);
        if self.picked.is_empty() {
            return greatest;
        }
        let single: Vec<i64> = self.picked.iter().map(|at| *at as i64).collect();
        let count = single.len();
        let single = Tensor::<1, Int>::from_data(TensorData::new(single, [count]), &device);
        Tensor::cat(vec![greatest, single.reshape([1, count]).repeat_dim(0, batch)], 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceName;

    #[test]
    fn a_class_among_others_is_taken_where_it_is_most_sure() {
        // At the second anchor both logits are greater, and the first class less sure.
        let output = vec![2.0, 3.0, -1.0, 5.0];
        let device = "flex".parse::<DeviceName>().unwrap().open().unwrap();
        let tensor: Tensor<2> = Tensor::from_data(TensorData::new(output.clone(), [1, 4]), &device);
        for (by_share, expected) in [(true, [0, 3, 2]), (false, [1, 3, 2])] {
            let picked = Arc::new(vec![2]);
            let greatest = Greatest { first: 0, classes: 2, anchors: 2, by_share, picked, rival: None };
            assert_eq!(greatest.places(&output), expected);
            let found = greatest.places_of(&tensor).into_data().convert::<i64>();
            assert_eq!(found.try_to_vec::<i64>().unwrap(), expected.map(|at| at as i64));
            assert_eq!(greatest.anchors_of(&output), expected.map(|at| at % 2));
        }
    }
}
