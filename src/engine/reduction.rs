//! How a network's output becomes one number per target.
//!
//! A class of a classifier is one value. A class of a segmentation is the sum of its values over a mask, of a detector its
//! greatest value over the anchors; an embedding is one target, whose number is its cosine with another embedding. All code
//! that asks for scores reads these numbers: methods that run backward from the tensor that [`Reduction::of`] makes, which
//! Burn differentiates, methods that perturb from rows of outputs ([`Reduction::numbers`]).

use std::borrow::Cow;
use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};

use super::greatest::Greatest;
use super::rivals::Rivals;
use crate::error::{Error, Problem, Result};

/// The reduction of a network's output, `[batch, values]`, to one number per target, `[batch, targets]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Reduction {
    /// Each value is a target.
    #[default]
    Values,
    /// Each target is the sum of its own values times the weight of their places. The output is
    /// `[batch, targets, places]`, the weights `[targets, places]`.
    Sums {
        /// Usually 1 inside of a mask and 0 outside.
        weights: Arc<Vec<f32>>,
        /// Number of targets.
        targets: usize,
        /// The target whose values are first subtracted from those of every target, place by place.
        rival: Option<usize>,
    },
    /// Targets of a detector: of classes, then of single anchors.
    Greatest(Greatest),
    /// One target: the cosine of the output with this vector, whose length is not zero.
    Cosine {
        /// As many numbers as the output has.
        like: Arc<Vec<f32>>,
    },
}

impl Reduction {
    /// The numbers of one picture, from its output, in double precision.
    #[must_use]
    pub fn numbers<'a>(&self, output: &'a [f32]) -> Cow<'a, [f32]> {
        match self {
            Self::Values => Cow::Borrowed(output),
            Self::Sums { weights, targets, rival } => {
                let places = (output.len() / targets.max(&1)).max(1);
                let less = rival.and_then(|rival| output.chunks(places).nth(rival));
                let sum = |(row, weights): (&[f32], &[f32])| {
                    (dot(row, weights) - less.map_or(0.0, |less| dot(less, weights))) as f32
                };
                Cow::Owned(output.chunks(places).zip(weights.chunks(places)).map(sum).collect())
            }
            Self::Greatest(greatest) => Cow::Owned(greatest.numbers(output)),
            Self::Cosine { like } => {
                Cow::Owned(vec![(dot(output, like) / (length(output) * length(like))) as f32])
            }
        }
    }

    /// The classes that a target competes with, where there are `targets` in all.
    #[must_use]
    pub fn rivals(&self, target: usize, targets: usize) -> Rivals {
        match self {
            Self::Greatest(greatest) => greatest.rivals(target),
            _ => Rivals { own: target, classes: targets },
        }
    }

    /// Refuses a reduction of another number of values.
    ///
    /// # Errors
    /// When it does not fit outputs of `values` numbers per picture.
    pub fn check(&self, values: usize) -> Result<()> {
        let fits = match self {
            Self::Values => true,
            Self::Sums { weights, targets, rival } => {
                weights.len() == values
                    && *targets > 0
                    && values.is_multiple_of(*targets)
                    && rival.is_none_or(|rival| rival < *targets)
            }
            Self::Greatest(greatest) => greatest.fits(values),
            Self::Cosine { like } => like.len() == values && length(like) > 0.0,
        };
        match fits {
            true => Ok(()),
            false => Err(Error::request(
                Problem::new("the reduction to targets is of another output")
                    .found(format!("{values} values")),
            )),
        }
    }

    /// The numbers as a tensor, for differentiation; `output` is `[batch, values]`.
    pub(super) fn of(&self, output: Tensor<2>) -> Tensor<2> {
        let [batch, values] = output.dims();
        match self {
            Self::Values => output,
            Self::Sums { weights, targets, rival } => {
                let weights = constant(weights, &output).reshape([1, *targets, values / targets]);
                let rows = output.reshape([batch, *targets, values / targets]);
                let rows = match rival {
                    Some(rival) => rows.clone() - rows.narrow(1, *rival, 1),
                    None => rows,
                };
                (rows * weights).sum_dim(2).reshape([batch, *targets])
            }
            Self::Greatest(greatest) => greatest.read(&output, output.clone()),
            Self::Cosine { like } => {
                let unit = unit(like, &output);
                let length = output.clone().square().sum_dim(1).sqrt();
                let cosine = (output.clone() * unit.clone()).sum_dim(1) / length.clone();
                let apart = (output.inner() / length.inner() - unit).square().sum_dim(1).sqrt();
                let moves = apart.greater_elem(SAME).float();
                let stays = cosine.clone().inner() * (moves.clone() * -1.0 + 1.0);
                cosine * moves + stays
            }
        }
    }

    /// As [`Reduction::of`], with the length of the output taken as a constant: the part of each value in the numbers is
    /// then itself times its derivative.
    pub(super) fn proportional(&self, output: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Cosine { like } => {
                let length = output.clone().inner().square().sum_dim(1).sqrt();
                (output.clone() * unit(like, &output)).sum_dim(1) / length
            }
            _ => self.of(output),
        }
    }

    /// How the numbers change where the output changes by `rate`; both are `[batch, values]`.
    pub(super) fn rate(&self, output: Tensor<2>, rate: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Values | Self::Sums { .. } => self.of(rate),
            Self::Greatest(greatest) => greatest.read(&output, rate),
            Self::Cosine { like } => {
                let unit = unit(like, &output);
                let squares = output.clone().square().sum_dim(1);
                let along = (output.clone() * unit.clone()).sum_dim(1);
                let turn = (output * rate.clone()).sum_dim(1) * along / squares.clone();
                ((rate * unit).sum_dim(1) - turn) / squares.sqrt()
            }
        }
    }
}

/// Unit vectors that are closer than this are one, up to rounding. The cosine is at its greatest there, and its slope is exactly zero, not
/// what rounding makes of it: a picture compared with itself has no map.
const SAME: f64 = 1e-5;

fn constant(values: &[f32], on: &Tensor<2>) -> Tensor<1> {
    let device = on.clone().inner().device();
    Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &device).cast(on.dtype())
}

/// A vector of length one, `[1, values]`.
fn unit(vector: &[f32], on: &Tensor<2>) -> Tensor<2> {
    let length = length(vector);
    let unit: Vec<f32> = vector.iter().map(|value| (f64::from(*value) / length) as f32).collect();
    constant(&unit, on).reshape([1, vector.len()])
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn length(vector: &[f32]) -> f64 {
    dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceName;

    fn tensor(values: &[f32]) -> Tensor<2> {
        let device = "flex".parse::<DeviceName>().unwrap().open().unwrap();
        Tensor::from_data(TensorData::new(values.to_vec(), [1, values.len()]), &device)
    }

    fn all() -> [(Reduction, Vec<f32>); 6] {
        let output = vec![1.0, -2.0, 3.0, 0.5, 2.5, -1.0];
        let weights = Arc::new(vec![1.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        let like = Arc::new(vec![0.5, 1.0, -1.0, 2.0, 0.0, 1.0]);
        let picked = Arc::new(vec![5, 2]);
        let greatest = Greatest { first: 1, classes: 2, anchors: 2, by_share: false, picked, rival: None };
        [
            (Reduction::Values, output.clone()),
            (Reduction::Sums { weights: Arc::clone(&weights), targets: 2, rival: None }, output.clone()),
            (Reduction::Greatest(greatest.clone()), output.clone()),
            (Reduction::Cosine { like }, output.clone()),
            (Reduction::Sums { weights, targets: 2, rival: Some(1) }, output.clone()),
            (Reduction::Greatest(Greatest { rival: Some(1), ..greatest }), output),
        ]
    }

    #[test]
    fn the_numbers_by_hand() {
        // The sum over a mask is that of pytorch-grad-cam's SemanticSegmentationTarget: [[1, 2], [3, 4]] with [[1, 0], [1, 1]] is 8.
        let weights = Arc::new(vec![1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let sums = Reduction::Sums { weights, targets: 2, rival: None };
        assert_eq!(*sums.numbers(&[1.0, 2.0, 3.0, 4.0, 0.5, -1.0, 2.0, 0.0]), [8.0, 1.5]);
        let [_, (sums, output), (greatest, _), (cosine, _), (differences, _), (of_anchors, _)] = all();
        assert_eq!(*sums.numbers(&output), [4.0, 1.5]);
        // Over the first class's places 1 + 3 less 0.5 - 1.0.
        assert_eq!(*differences.numbers(&output), [4.5, 0.0]);
        assert_eq!(*greatest.numbers(&output), [3.0, 2.5, -1.0, 3.0]);
        // Class 0 is greatest at the first anchor, where class 1 has 2.5; class 1 less itself; the second box is at the first anchor.
        assert_eq!(*of_anchors.numbers(&output), [0.5, 0.0, 0.0, 0.5]);
        let expected = -4.5 / (21.5_f32.sqrt() * 7.25_f32.sqrt());
        assert!((cosine.numbers(&output)[0] - expected).abs() < 1e-6);
    }

    #[test]
    fn boxes_are_of_a_class_and_no_rivals() {
        let [_, _, (greatest, _), ..] = all();
        // Rows 1 and 2 are the classes; the values at 5 and 2 are one of class 1 and one of class 0.
        let rivals = |target| greatest.rivals(target, 4).iter().collect::<Vec<_>>();
        assert_eq!([rivals(0), rivals(1), rivals(2)], [vec![1], vec![0], vec![0]]);
        assert_eq!(Reduction::Values.rivals(1, 3).iter().collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn tensors_and_rows_give_the_same_numbers() {
        for (reduction, output) in all() {
            let found = reduction.of(tensor(&output)).into_data().try_to_vec::<f32>().unwrap();
            let expected = reduction.numbers(&output);
            assert_eq!(found.len(), expected.len());
            let far = found.iter().zip(&*expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-6, "{reduction:?}: {found:?}, {expected:?}");
        }
    }

    #[test]
    fn gradients_and_rates_are_the_slopes_of_the_numbers() {
        let step = 1e-3_f32;
        for (reduction, output) in all() {
            for target in 0..reduction.numbers(&output).len() {
                let leaf = tensor(&output).autodiff().require_grad();
                let gradients = reduction.of(leaf.clone()).narrow(1, target, 1).sum().backward();
                let gradient = leaf.grad(&gradients).unwrap().into_data().try_to_vec::<f32>().unwrap();
                for at in 0..output.len() {
                    let moved = |by: f32| {
                        let mut moved = output.clone();
                        moved[at] += by;
                        f64::from(reduction.numbers(&moved)[target])
                    };
                    let slope = (moved(step) - moved(-step)) / f64::from(2.0 * step);
                    assert!((slope - f64::from(gradient[at])).abs() < 1e-3, "{reduction:?} {target} {at}");
                    let mut direction = vec![0.0; output.len()];
                    direction[at] = 1.0;
                    let rate = reduction.rate(tensor(&output), tensor(&direction));
                    let rate = rate.into_data().try_to_vec::<f32>().unwrap()[target];
                    assert!((rate - gradient[at]).abs() < 1e-5, "{reduction:?} {target} {at}");
                }
            }
        }
    }

    #[test]
    fn a_vector_compared_with_itself_has_no_slope_at_all() {
        let output = vec![0.3, -1.2, 0.7, 2.0, 0.1, -0.4];
        let slopes = |like: Vec<f32>| {
            let leaf = tensor(&output).autodiff().require_grad();
            let cosine = Reduction::Cosine { like: Arc::new(like) }.of(leaf.clone());
            let number = cosine.clone().inner().into_data().try_to_vec::<f32>().unwrap()[0];
            let gradients = cosine.sum().backward();
            (number, leaf.grad(&gradients).unwrap().into_data().try_to_vec::<f32>().unwrap())
        };
        let (number, same) = slopes(output.iter().map(|value| value * 3.1).collect());
        assert!((number - 1.0).abs() < 1e-6 && same.iter().all(|slope| *slope == 0.0), "{number} {same:?}");
        let (_, near) = slopes(output.iter().map(|value| value + 1e-3).collect());
        assert!(near.iter().any(|slope| slope.abs() > 1e-5), "{near:?}");
    }

    #[test]
    fn what_does_not_fit_an_output_is_refused() {
        for (reduction, output) in all() {
            assert!(reduction.check(output.len()).is_ok());
            assert!(
                reduction == Reduction::Values || reduction.check(output.len() - 1).is_err(),
                "{reduction:?}"
            );
        }
        assert!(Reduction::Cosine { like: Arc::new(vec![0.0; 6]) }.check(6).is_err());
    }
}
