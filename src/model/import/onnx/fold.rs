//! Operations on constants: exporters compute shapes, axes and rearranged weights in the graph itself.
//!
//! Receives a [`Site`] whose inputs are all known (or, for `Shape`, have a known shape); returns its results.
//! [`lower`](super::lower) handles nodes that depend on a picture.

use super::constant::Constant;
use super::site::Site;
use super::{arithmetic, border, cast, einsum, literal, parts, places, products, quantised, reduce, shaped};
use crate::card::is_onnx_function;
use crate::error::Problem;

/// Evaluates one node.
pub(super) type Fold = fn(&Site) -> Result<Vec<Constant>, Problem>;

/// The operations that are evaluated on constants, without the functions of one element.
const OPERATIONS: &[(&[&str], Fold)] = &[
    (
        &[
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Mod",
            "Pow",
            "Min",
            "Max",
            "Sum",
            "Mean",
            "Equal",
            "Less",
            "Greater",
            "LessOrEqual",
            "GreaterOrEqual",
            "And",
            "Or",
        ],
        arithmetic::binary,
    ),
    (
        &[
            "Neg",
            "Abs",
            "Sqrt",
            "Reciprocal",
            "Exp",
            "Log",
            "Sin",
            "Cos",
            "Floor",
            "Ceil",
            "Round",
            "Not",
            "Sign",
            "IsNaN",
        ],
        arithmetic::unary,
    ),
    (&["Cast"], cast::cast),
    (&["CastLike"], cast::cast_like),
    (&["Clip"], arithmetic::clip),
    (reduce::OPERATIONS, reduce::along),
    (&["ReduceProd"], reduce::along),
    (&["BatchNormalization"], reduce::batch_norm),
    (&["Constant"], literal::constant),
    (&["ConstantOfShape"], literal::constant_of_shape),
    (&["CumSum"], parts::running_sum),
    (&["Einsum"], einsum::of_constants),
    (&["DequantizeLinear"], quantised::dequantise),
    (&["QuantizeLinear"], quantised::quantise),
    (&["Tile"], parts::tile),
    (&["Concat"], shaped::concat),
    (&["Expand"], shaped::expand),
    (&["Flatten"], shaped::flatten),
    (&["Gather"], parts::gather),
    (&["GatherElements"], places::gather_elements),
    (&["GatherND"], places::gather_nd),
    (&["Gemm"], products::gemm),
    (&["Identity"], literal::identity),
    (&["MatMul"], products::matmul),
    (&["Pad"], border::pad),
    (&["Range"], literal::range),
    (&["Reshape"], shaped::reshape),
    (&["ScatterND"], places::scatter_nd),
    (&["Shape"], shaped::shape),
    (&["Size"], shaped::size),
    (&["Slice"], parts::slice),
    (&["Split"], parts::split),
    (&["Squeeze"], shaped::squeeze),
    (&["Transpose"], shaped::transpose),
    (&["Trilu"], places::triangle),
    (&["Unsqueeze"], shaped::unsqueeze),
    (&["Where"], arithmetic::choose),
];

/// The function that evaluates an operation on constants, if there is one.
pub(super) fn find(op: &str) -> Option<Fold> {
    let listed = OPERATIONS.iter().find(|(names, _)| names.contains(&op)).map(|(_, fold)| *fold);
    listed.or_else(|| is_onnx_function(op).then_some(arithmetic::unary as Fold))
}
