//! A picture as metrics see it, and the scores of its changed copies, a bounded number at a time.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use burncam_graph::error::{Error, Problem};

use super::copies::Key;
use crate::map::Map;
use crate::scorer::Scorer;

/// One input of the network after preprocessing, `[channels, height, width]`, and its score. It is for the scores of one target: those of
/// copies are kept, and serve every map and metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    shape: [usize; 3],
    values: Vec<f32>,
    black: Vec<f32>,
    score: f64,
    /// Scores of copies.
    known: RefCell<HashMap<Key, f64>>,
}

impl Picture {
    /// A picture of this shape. `black` is what preprocessing makes of a black pixel, one value per channel.
    ///
    /// Its own score is computed here, once for all metrics and maps.
    ///
    /// # Errors
    ///
    /// When the counts do not fit the shape, a value is not finite, and what the scorer reports.
    pub fn new(
        shape: [usize; 3],
        values: Vec<f32>,
        black: Vec<f32>,
        scorer: &mut dyn Scorer,
    ) -> Result<Self, Error> {
        let size: usize = shape.iter().product();
        if size == 0 || values.len() != size || black.len() != shape[0] {
            let expected = format!("{size} values and {} of black for a shape of {shape:?}", shape[0]);
            let found = format!("{} and {}", values.len(), black.len());
            return Err(Problem::new("picture has another size").expected(expected).found(found).into());
        }
        if values.iter().chain(&black).any(|value| !value.is_finite()) {
            return Err(Problem::new("picture has values that are not finite").into());
        }
        let mut picture = Self { shape, values, black, score: f64::NAN, known: RefCell::default() };
        picture.score = picture.scores(scorer, 1, |_, _| ())?[0];
        Ok(picture)
    }

    /// The number of channels, rows and columns.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The values, channel by channel and row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// What black is after preprocessing, per channel.
    #[must_use]
    pub fn black(&self) -> &[f32] {
        &self.black
    }

    /// The score of the unchanged picture.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.score
    }

    /// Rows times columns.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.shape[1] * self.shape[2]
    }

    /// Scores of `count` copies; `change` gets the index of each, in order, and its values to change.
    ///
    /// # Errors
    ///
    /// What the scorer reports, a score that is not finite, or another number of scores than of copies.
    pub(super) fn scores(
        &self,
        scorer: &mut dyn Scorer,
        count: usize,
        mut change: impl FnMut(usize, &mut [f32]),
    ) -> Result<Vec<f64>, Error> {
        let size = self.values.len();
        let per_call = scorer.per_call().max(1);
        let mut scores = Vec::with_capacity(count);
        let mut batch = Vec::with_capacity(size * per_call.min(count));
        while scores.len() < count {
            let left = count - scores.len();
            // None alone in the last call: networks may multiply a single row by another routine, with other last digits.
            let here = if left == per_call + 1 && per_call > 2 { per_call - 1 } else { per_call.min(left) };
            batch.clear();
            for copy in 0..here {
                batch.extend_from_slice(&self.values);
                change(scores.len() + copy, &mut batch[copy * size..]);
            }
            let found = scorer.scores(&batch, here)?;
            if found.len() != here {
                let found = found.len().to_string();
                let problem = Problem::new("scorer gave another number of scores than inputs");
                return Err(Error::internal(problem.expected(here.to_string()).found(found)));
            }
            if let Some(score) = found.iter().find(|score| !score.is_finite()) {
                let problem = Problem::new("score of a changed picture is not finite");
                return Err(problem.found(score.to_string()).into());
            }
            scores.extend(found);
        }
        Ok(scores)
    }

    /// As [`Picture::scores`], where equal keys say that copies are the same: of those one is scored, once for all calls. `change` gets
    /// only these, in order, and may get one of them twice.
    pub(super) fn scores_once(
        &self,
        scorer: &mut dyn Scorer,
        keys: &[Key],
        mut change: impl FnMut(usize, &mut [f32]),
    ) -> Result<Vec<f64>, Error> {
        let mut seen: HashSet<Key> = self.known.borrow().keys().copied().collect();
        let mut new: Vec<usize> = (0..keys.len()).filter(|at| seen.insert(keys[*at])).collect();
        // Not alone, for the reason that `scores` has.
        if let ([only], 2..) = (&new[..], keys.len()) {
            new.push(*only);
        }
        let found = self.scores(scorer, new.len(), |at, values| change(new[at], values))?;
        let mut known = self.known.borrow_mut();
        known.extend(new.iter().map(|at| keys[*at]).zip(found));
        Ok(keys.iter().filter_map(|key| known.get(key).copied()).collect())
    }

    /// Checks that a map has this picture's rows and columns.
    ///
    /// # Errors
    ///
    /// When it has others: it must be enlarged first.
    pub(super) fn check(&self, map: &Map) -> Result<(), Error> {
        let [_, height, width] = self.shape;
        if [map.height(), map.width()] == [height, width] {
            return Ok(());
        }
        let problem = Problem::new("map has another size than the network's input");
        let found = format!("{} x {}", map.height(), map.width());
        Err(problem.expected(format!("{height} x {width} values")).found(found).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts its inputs per call, and gives the first value of each.
    struct Counting(Vec<usize>);

    impl Scorer for Counting {
        fn scores(&mut self, inputs: &[f32], count: usize) -> Result<Vec<f64>, Error> {
            self.0.push(count);
            Ok(inputs.chunks(inputs.len() / count).map(|input| f64::from(input[0])).collect())
        }

        fn per_call(&self) -> usize {
            3
        }
    }

    #[test]
    fn copies_are_scored_in_order_and_a_few_per_call() {
        let mut scorer = Counting(Vec::new());
        let picture = Picture::new([2, 1, 1], vec![5.0, 1.0], vec![0.0; 2], &mut scorer).unwrap();
        assert_eq!(picture.score(), 5.0);
        let scores = picture.scores(&mut scorer, 7, |index, values| values[0] += index as f32).unwrap();
        assert_eq!(scores, [5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        assert_eq!(scorer.0, [1, 3, 2, 2]);
    }

    #[test]
    fn copies_that_are_the_same_are_scored_once() {
        let mut scorer = Counting(Vec::new());
        let picture = Picture::new([2, 1, 1], vec![5.0, 1.0], vec![0.0; 2], &mut scorer).unwrap();
        let mut scores = |keys: &[u8]| {
            let change = |at: usize, values: &mut [f32]| values[0] = f32::from(keys[at]);
            let keys: Vec<Key> = keys.iter().map(|key| [*key; 32]).collect();
            picture.scores_once(&mut scorer, &keys, change).unwrap()
        };
        assert_eq!(scores(&[7, 8, 7, 9, 8]), [7.0, 8.0, 7.0, 9.0, 8.0]);
        assert_eq!(scores(&[9, 7]), [9.0, 7.0]);
        assert_eq!(scores(&[9, 4, 4]), [9.0, 4.0, 4.0]);
        assert_eq!(scores(&[3]), [3.0]);
        // The picture; three copies; none; one, and not alone; one that was asked for alone.
        assert_eq!(scorer.0, [1, 3, 2, 1]);
    }

    #[test]
    fn sizes_that_do_not_fit_and_scores_that_are_not_finite_are_errors() {
        let mut one = |_: &[f32]| 1.0;
        let message = |result: Result<Picture, Error>| result.unwrap_err().to_string();
        assert_eq!(
            message(Picture::new([1, 2, 2], vec![0.0; 3], vec![0.0], &mut one)),
            "picture has another size, expected 4 values and 1 of black for a shape of [1, 2, 2], got 3 and 1"
        );
        let nan = &mut |_: &[f32]| f64::NAN;
        assert_eq!(
            message(Picture::new([1, 1, 1], vec![0.0], vec![0.0], nan)),
            "score of a changed picture is not finite, got NaN"
        );
        let picture = Picture::new([1, 2, 2], vec![0.0; 4], vec![0.0], &mut one).unwrap();
        let map = Map::new(1, 2, vec![0.0, 1.0]).unwrap();
        assert_eq!(
            picture.check(&map).unwrap_err().to_string(),
            "map has another size than the network's input, expected 2 x 2 values, got 1 x 2"
        );
    }
}
