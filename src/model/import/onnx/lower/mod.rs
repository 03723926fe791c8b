//! From ONNX nodes to the graph's operations, one function per operation.
//!
//! Receives a [`Site`] and adds its operation to the [`Builder`]. Some settings are attributes in older operator sets
//! and inputs in newer ones, with other defaults; both are read here. A setting that the graph cannot express is
//! refused, never dropped.

mod activation;
mod choice;
mod columns;
mod einsum;
mod join;
mod linear;
mod norm;
mod operands;
mod pad;
mod pairs;
mod pick;
mod picture;
mod place;
mod quantised;
mod reduce;
mod resize;
mod running;
mod sample;
mod shape;
mod split;
mod top;
mod transposed;
mod volume;
mod window;

pub(super) use activation::is_pointwise;
pub(super) use top::{is_of_chosen, on_chosen};

use super::builder::Builder;
use super::site::{Site, Value};
use crate::error::Problem;

/// Lowers one node to its output values.
pub(super) type Lower = fn(&mut Builder, &Site) -> Result<Vec<Value>, Problem>;

/// The operations that are supported, without the functions of one element, which [`activation`] finds.
const OPERATIONS: &[(&[&str], Lower)] = &[
    (&["Conv"], volume::conv),
    (&["ConvTranspose"], transposed::conv),
    (&["Col2Im"], columns::columns),
    (&["MaxPool"], volume::max_pool),
    (&["AveragePool"], volume::average_pool),
    (&["GlobalAveragePool", "GlobalMaxPool"], reduce::global_pool),
    (&["Gemm"], linear::gemm),
    (&["MatMul"], linear::matmul),
    (&["Einsum"], einsum::einsum),
    (&["BatchNormalization"], norm::batch),
    (&["LayerNormalization"], norm::layer),
    (&["GroupNormalization"], norm::group),
    (&["InstanceNormalization"], norm::instance),
    (&["LRN"], norm::local_response),
    (&["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean"], pairs::arithmetic),
    (&["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"], choice::compare),
    (&["Not", "And", "Or", "Xor"], choice::logic),
    (&["ThresholdedRelu"], choice::thresholded),
    (&["Shrink"], choice::shrink),
    (&["Trilu"], running::triangle),
    (&["CumSum"], running::sums),
    (&["RMSNormalization"], norm::root_mean_square),
    (&["Where"], choice::choose),
    (&["IsNaN"], choice::is_nan),
    (&["Clip"], activation::clip),
    (&["Softmax", "LogSoftmax"], activation::softmax),
    (&["Identity", "Cast", "CastLike", "Dropout"], activation::nothing),
    (&["QuantizeLinear"], quantised::quantise),
    (&["DequantizeLinear"], quantised::dequantise),
    (&["Concat"], join::concat),
    (&["DepthToSpace", "SpaceToDepth"], picture::blocks),
    (&["Expand"], join::expand),
    (&["Flatten"], shape::flatten),
    (&["Gather"], pick::gather),
    (&["GatherND"], pick::gather_nd),
    (&["Pad"], pad::pad),
    (&["Reshape"], shape::reshape),
    (&["Slice"], pick::slice),
    (&["Split"], split::split),
    (&["Squeeze"], shape::squeeze),
    (&["Tile"], join::tile),
    (&["Transpose"], shape::transpose),
    (&["Unsqueeze"], shape::unsqueeze),
    (super::reduce::OPERATIONS, reduce::along),
    (&["LpNormalization"], norm::lp),
    (&["SplitToSequence"], split::to_sequence),
    (&["SequenceAt"], split::sequence_at),
    (&["Resize", "Upsample"], resize::resize),
    (&["GridSample"], sample::sample),
    (&["TopK"], top::top_k),
    (&["GatherElements"], top::gather_elements),
];

/// The function that lowers an operation, if it is supported.
pub(super) fn find(op: &str) -> Option<Lower> {
    if is_pointwise(op) {
        return Some(activation::pointwise);
    }
    OPERATIONS.iter().find(|(names, _)| names.contains(&op)).map(|(_, lower)| *lower)
}

/// Whether an operation treats each row of a list separately and in the same way.
pub(super) fn is_rowwise(op: &str) -> bool {
    is_pointwise(op) && op != "PRelu"
        || matches!(
            op,
            "Gemm" | "MatMul" | "Add" | "Sub" | "Mul" | "Div" | "Clip" | "Identity" | "Cast" | "Dropout"
        )
}
