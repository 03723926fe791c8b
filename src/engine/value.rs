//! A tensor whose rank is known only at run time.
//!
//! Burn's tensors have their rank in the type; a graph read from a file cannot. Only this file converts between the
//! two.

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};

use crate::error::{Error, Problem, Result};
use burncam_graph::shapes::MAX_RANK;

/// A float tensor of rank one to six.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    R1(Tensor<1>),
    R2(Tensor<2>),
    R3(Tensor<3>),
    R4(Tensor<4>),
    R5(Tensor<5>),
    // Windows of a picture: batch, two axes of windows, two of cells, features.
    R6(Tensor<6>),
}

/// Evaluates the same expression for the tensor of any rank; the result has the type of the expression.
macro_rules! on_tensor {
    ($value:expr, $tensor:ident => $body:expr) => {
        match $value {
            $crate::value::Value::R1($tensor) => $body,
            $crate::value::Value::R2($tensor) => $body,
            $crate::value::Value::R3($tensor) => $body,
            $crate::value::Value::R4($tensor) => $body,
            $crate::value::Value::R5($tensor) => $body,
            $crate::value::Value::R6($tensor) => $body,
        }
    };
}
pub(crate) use on_tensor;

/// Evaluates an expression that keeps the rank.
macro_rules! map_tensor {
    ($value:expr, $tensor:ident => $body:expr) => {
        $crate::value::on_tensor!($value, $tensor => $crate::value::Value::from($body))
    };
}
pub(crate) use map_tensor;

/// Evaluates an expression on two tensors of the same rank.
macro_rules! zip_tensors {
    ($left:expr, $right:expr, ($a:ident, $b:ident) => $body:expr) => {{
        use $crate::value::Value;
        match ($left, $right) {
            (Value::R1($a), Value::R1($b)) => Ok(Value::from($body)),
            (Value::R2($a), Value::R2($b)) => Ok(Value::from($body)),
            (Value::R3($a), Value::R3($b)) => Ok(Value::from($body)),
            (Value::R4($a), Value::R4($b)) => Ok(Value::from($body)),
            (Value::R5($a), Value::R5($b)) => Ok(Value::from($body)),
            (Value::R6($a), Value::R6($b)) => Ok(Value::from($body)),
            _ => Err($crate::error::Error::internal("two tensors of different rank met")),
        }
    }};
}
pub(crate) use zip_tensors;

macro_rules! from_rank {
    ($($rank:literal $variant:ident),*) => {
        $(impl From<Tensor<$rank>> for Value {
            fn from(tensor: Tensor<$rank>) -> Self {
                Self::$variant(tensor)
            }
        })*
    };
}
from_rank!(1 R1, 2 R2, 3 R3, 4 R4, 5 R5, 6 R6);

impl Value {
    /// Values in row-major order, copied to the device.
    pub(crate) fn new(values: Vec<f32>, shape: &[usize], device: &Device) -> Result<Self> {
        let data = TensorData::new(values, shape.to_vec());
        Ok(match shape.len() {
            1 => Tensor::<1>::from_data(data, device).into(),
            2 => Tensor::<2>::from_data(data, device).into(),
            3 => Tensor::<3>::from_data(data, device).into(),
            4 => Tensor::<4>::from_data(data, device).into(),
            5 => Tensor::<5>::from_data(data, device).into(),
            6 => Tensor::<6>::from_data(data, device).into(),
            rank => return Err(unsupported(rank)),
        })
    }

    pub(crate) fn shape(&self) -> Vec<usize> {
        on_tensor!(self, tensor => tensor.dims().to_vec())
    }

    /// The precision of its numbers.
    pub(crate) fn precision(&self) -> DType {
        on_tensor!(self, tensor => tensor.dtype())
    }

    /// One number per channel, in double precision where the device has it.
    pub(crate) fn of_channels(values: Vec<f64>, device: &Device) -> Self {
        let count = values.len();
        let precision = if device.supports_dtype(FloatDType::F64) { DType::F64 } else { DType::F32 };
        Tensor::<1>::from_data(TensorData::new(values, [count]), (device, precision)).into()
    }

    /// In double precision; itself where the device has none.
    pub(crate) fn precise(self) -> Self {
        map_tensor!(self, t => if t.device().supports_dtype(FloatDType::F64) { t.cast(FloatDType::F64) } else { t })
    }

    /// The same values with another shape of as many elements.
    pub(crate) fn reshape(self, shape: &[usize]) -> Result<Self> {
        if self.shape() == shape {
            return Ok(self);
        }
        on_tensor!(self, tensor => reshaped(tensor, shape))
    }

    /// Prepends axes of size one up to `rank`.
    pub(crate) fn with_rank(self, rank: usize) -> Result<Self> {
        let shape = self.shape();
        let missing = rank.saturating_sub(shape.len());
        self.reshape(&[vec![1; missing], shape].concat())
    }

    pub(crate) fn into_rank4(self) -> Result<Tensor<4>> {
        match self {
            Self::R4(tensor) => Ok(tensor),
            other => Err(Error::internal(Problem::expected_but(
                "a value of rank 4",
                format!("{:?}", other.shape()),
            ))),
        }
    }

    /// The values, row-major.
    pub(crate) fn to_vec(&self) -> Result<Vec<f32>> {
        on_tensor!(self, tensor => tensor.try_to_vec_as::<f32>())
            .map_err(|error| Error::internal(format!("the device did not give its numbers back: {error:?}")))
    }
}

fn reshaped<const RANK: usize>(tensor: Tensor<RANK>, shape: &[usize]) -> Result<Value> {
    Ok(match *shape {
        [a] => tensor.reshape([a]).into(),
        [a, b] => tensor.reshape([a, b]).into(),
        [a, b, c] => tensor.reshape([a, b, c]).into(),
        [a, b, c, d] => tensor.reshape([a, b, c, d]).into(),
        [a, b, c, d, e] => tensor.reshape([a, b, c, d, e]).into(),
        [a, b, c, d, e, f] => tensor.reshape([a, b, c, d, e, f]).into(),
        _ => return Err(unsupported(shape.len())),
    })
}

fn unsupported(rank: usize) -> Error {
    Error::internal(Problem::new(format!("a value has rank {rank}")).expected(format!("1 to {MAX_RANK}")))
}

/// The sum of what there is of two tensors; `None` is zero.
pub(super) fn sum(a: Option<Value>, b: Option<Value>) -> Result<Option<Value>> {
    match (a, b) {
        (Some(a), Some(b)) => zip_tensors!(a, b, (a, b) => a.add(b)).map(Some),
        (a, b) => Ok(a.or(b)),
    }
}
