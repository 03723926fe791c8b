//! Arithmetic by its name in Keras.

use crate::card::Op;

/// An operation with two operands, the second of which may be one number.
pub(super) type Arithmetic = fn(Option<f64>) -> Op;

/// The operation called `name`, of those in `keras.ops`.
pub(super) fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        "add" => PLUS,
        "subtract" => SUBTRACT,
        "multiply" => TIMES,
        "divide" => OVER,
        "maximum" => MAXIMUM,
        "minimum" => MINIMUM,
        _ => return None,
    })
}

/// The sum.
pub(super) const PLUS: Arithmetic = |scalar| Op::Add { scalar };
/// The first minus the second.
pub(super) const SUBTRACT: Arithmetic = |scalar| Op::Sub { scalar };
/// The product.
pub(super) const TIMES: Arithmetic = |scalar| Op::Mul { scalar };
/// The first divided by the second.
pub(super) const OVER: Arithmetic = |scalar| Op::Div { scalar };
/// The lesser.
pub(super) const MINIMUM: Arithmetic = |scalar| Op::Minimum { scalar };
/// The greater.
pub(super) const MAXIMUM: Arithmetic = |scalar| Op::Maximum { scalar };
