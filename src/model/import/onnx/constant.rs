//! Constants: weights, and the sizes that exporters compute in the graph.
//!
//! Sizes may depend on the batch size, which ONNX leaves open. Every integer is therefore computed twice, for a batch
//! of [`BATCHES`]`[0]` and one of [`BATCHES`]`[1]`. If both results are equal, it does not depend on the batch; if
//! they are these two numbers, it is the batch size.

use crate::error::Problem;
use ndarray::ArrayD;

/// The two batch sizes. Neither is 1, so that the batch is not mistaken for an axis that may be squeezed.
pub(super) const BATCHES: [usize; 2] = [2, 3];

/// One integer for each of the [`BATCHES`].
pub(super) type Lanes = [i64; 2];

/// Numbers known at import.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// Weights and other real numbers.
    Float(ArrayD<f32>),
    /// Sizes, axes and indices; booleans as 0 and 1.
    Int(ArrayD<Lanes>),
}

/// A number that does not depend on the batch.
pub(super) fn both(number: i64) -> Lanes {
    [number; 2]
}

impl Constant {
    pub(super) fn shape(&self) -> &[usize] {
        match self {
            Self::Float(array) => array.shape(),
            Self::Int(array) => array.shape(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Float(array) => array.len(),
            Self::Int(array) => array.len(),
        }
    }

    /// As real numbers.
    pub(super) fn floats(&self) -> Result<ArrayD<f32>, Problem> {
        match self {
            Self::Float(array) => Ok(array.clone()),
            Self::Int(array) => {
                if array.iter().any(|[first, second]| first != second) {
                    return Err(depends());
                }
                Ok(array.mapv(|[number, _]| number as f32))
            }
        }
    }

    /// As integers for both batch sizes.
    pub(super) fn lanes(&self) -> Result<&ArrayD<Lanes>, Problem> {
        match self {
            Self::Int(array) => Ok(array),
            Self::Float(_) => Err(Problem::new("is made of real numbers").expected("integers")),
        }
    }

    /// As integers that do not depend on the batch.
    pub(super) fn ints(&self) -> Result<Vec<i64>, Problem> {
        let same = |[first, second]: &Lanes| if first == second { Ok(*first) } else { Err(depends()) };
        self.lanes()?.iter().map(same).collect()
    }

    /// The number, if it is a single one.
    pub(super) fn scalar(&self) -> Option<f64> {
        match self {
            Self::Float(array) if array.len() == 1 => array.first().map(|number| f64::from(*number)),
            Self::Int(array) if array.len() == 1 => {
                array.first().filter(|[first, second]| first == second).map(|[number, _]| *number as f64)
            }
            _ => None,
        }
    }
}

fn depends() -> Problem {
    Problem::new("depends on the batch size").expected("a fixed number")
}

/// Applies the same rearrangement to both kinds of constants.
macro_rules! rearrange {
    ($constant:expr, $array:ident => $result:expr) => {
        match $constant {
            Constant::Float($array) => Constant::Float($result),
            Constant::Int($array) => Constant::Int($result),
        }
    };
}
pub(super) use rearrange;
