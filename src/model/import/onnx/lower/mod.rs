//! From ONNX nodes to the graph's operations, one function per operation.
//!
//! Receives a [`Site`] and adds its operation to the [`Builder`]. Some settings are attributes in older operator sets
//! and inputs in newer ones, with other defaults; both are read here. A setting that the graph cannot express is
//! refused, never dropped.

mod activation;
mod join;
mod linear;
mod norm;
mod pairs;
mod pick;
mod picture;
mod reduce;
mod resize;
mod shape;
mod split;
mod window;

use super::builder::{Builder, Tensor, Weight};
use super::site::{Site, Value};
use crate::card::Op;
use crate::error::Problem;

/// More parts than any network selects from a value one by one.
const MAX_PARTS: usize = 64;

/// Lowers one node to its output values.
pub(super) type Lower = fn(&mut Builder, &Site) -> Result<Vec<Value>, Problem>;

/// The function that lowers an operation, if it is supported.
pub(super) fn find(op: &str) -> Option<Lower> {
    Some(match op {
        "Conv" => window::conv,
        "MaxPool" => window::max_pool,
        "AveragePool" => window::average_pool,
        "GlobalAveragePool" | "GlobalMaxPool" => reduce::global_pool,
        "Gemm" => linear::gemm,
        "MatMul" => linear::matmul,
        "BatchNormalization" => norm::batch,
        "LayerNormalization" => norm::layer,
        "GroupNormalization" => norm::group,
        "InstanceNormalization" => norm::instance,
        "LRN" => norm::local_response,
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Sum" | "Mean" => pairs::arithmetic,
        op if activation::is_pointwise(op) => activation::pointwise,
        "Clip" => activation::clip,
        "Softmax" | "LogSoftmax" => activation::softmax,
        "Identity" | "Cast" | "CastLike" | "Dropout" => activation::nothing,
        "Concat" => join::concat,
        "DepthToSpace" | "SpaceToDepth" => picture::blocks,
        "Expand" => join::expand,
        "Flatten" => shape::flatten,
        "Gather" => pick::gather,
        "GatherND" => pick::gather_nd,
        "Pad" => picture::pad,
        "Reshape" => shape::reshape,
        "Slice" => pick::slice,
        "Split" => split::split,
        "Squeeze" => shape::squeeze,
        "Tile" => join::tile,
        "Transpose" => shape::transpose,
        "Unsqueeze" => shape::unsqueeze,
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceL2" | "ReduceSumSquare" => {
            reduce::along
        }
        "LpNormalization" => norm::lp,
        "SplitToSequence" => split::to_sequence,
        "SequenceAt" => split::sequence_at,
        "Resize" | "Upsample" => resize::resize,
        _ => return None,
    })
}

/// Whether an operation treats each row of a list separately and in the same way.
pub(super) fn is_rowwise(op: &str) -> bool {
    activation::is_pointwise(op) && op != "PRelu"
        || matches!(
            op,
            "Gemm" | "MatMul" | "Add" | "Sub" | "Mul" | "Div" | "Clip" | "Identity" | "Cast" | "Dropout"
        )
}

/// The only output of a node.
fn one(tensor: Tensor) -> Result<Vec<Value>, Problem> {
    Ok(vec![Value::Tensor(tensor)])
}

/// The weight in input `at`.
fn weight(site: &Site, at: usize) -> Result<Weight, Problem> {
    Ok(Weight { values: site.floats(at)?, source: site.sources[at].to_owned() })
}

/// The weight in input `at` if there is one, repeated to `length` elements.
fn listed(site: &Site, at: usize, length: usize) -> Result<Option<Weight>, Problem> {
    if site.optional(at)?.is_none() {
        return Ok(None);
    }
    let weight = weight(site, at)?;
    let shape = weight.values.shape().to_vec();
    let values = match weight.values.len() {
        1 => weight.values.into_iter().next().map(|value| vec![value; length]).unwrap_or_default(),
        count if count == length => weight.values.into_iter().collect(),
        _ => {
            return Err(Problem::new(format!("its input {at} has shape {shape:?}"))
                .expected(format!("{length} numbers")));
        }
    };
    let values = ndarray::Array1::from(values).into_dyn();
    Ok(Some(Weight { values, source: weight.source }))
}

/// A required weight, as in [`listed`].
fn required(site: &Site, at: usize, length: usize) -> Result<Weight, Problem> {
    listed(site, at, length)?.ok_or_else(|| Problem::new(format!("its input {at} is not there")))
}

/// `x` times a number; no operation for 1.
fn scaled(builder: &mut Builder, x: &Tensor, factor: f64) -> Result<Tensor, Problem> {
    if factor == 1.0 { Ok(x.clone()) } else { builder.unary(Op::Mul { scalar: Some(factor) }, x) }
}
