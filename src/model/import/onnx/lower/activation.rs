//! Elementwise operations, and softmax.

use super::super::builder::{Builder, Tensor};
use super::super::cast::is_real;
use super::super::constant::Constant;
use super::super::site::{Site, Value};
use super::operands::{one, required, scaled, weight};
use crate::card::{Op, from_onnx, is_onnx_function};
use crate::error::Problem;

/// Whether ONNX's operator `op` works on each element by itself, and [`pointwise`] lowers it.
pub(in super::super) fn is_pointwise(op: &str) -> bool {
    let composed = ["PRelu", "Selu", "Celu", "Gelu", "Swish", "Softsign", "Neg", "Reciprocal"];
    composed.contains(&op) || is_onnx_function(op)
}

/// The activations and elementary functions; the table of functions has most of them.
pub(super) fn pointwise(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let op = match site.op() {
        "PRelu" => return prelu(builder, site),
        "Softsign" => return softsign(builder, x),
        "Celu" => return celu(builder, x, site.float("alpha", 1.0)?),
        "Neg" => return one(scaled(builder, x, -1.0)?),
        "Selu" => selu(site)?,
        "Gelu" => Op::Gelu { approximate: site.text("approximate", "none")? == "tanh" },
        "Swish" if site.float("alpha", 1.0)? == 1.0 => Op::Silu {},
        "Reciprocal" => Op::Pow { exponent: -1.0 },
        name => from_onnx(name, |attribute, default| site.float(attribute, default))
            .ok_or("has settings that are not supported")??,
    };
    one(builder.unary(op, x)?)
}

/// `max(x, 0) + min(0, alpha (e^(x / alpha) - 1))` is `alpha` times the ELU of `x / alpha`.
fn celu(builder: &mut Builder, x: &Tensor, alpha: f64) -> Result<Vec<Value>, Problem> {
    let small = scaled(builder, x, 1.0 / alpha)?;
    let bent = builder.unary(Op::Elu { alpha: 1.0 }, &small)?;
    one(scaled(builder, &bent, alpha)?)
}

/// Only the constants of the paper are supported, which are also ONNX's defaults.
fn selu(site: &Site) -> Result<Op, Problem> {
    let (alpha, gamma) = (site.float("alpha", 1.673_263_2)?, site.float("gamma", 1.050_701)?);
    match (alpha - 1.673_263_2).abs() < 1e-4 && (gamma - 1.050_701).abs() < 1e-4 {
        true => Ok(Op::Selu {}),
        false => Err(Problem::new(format!("its 'alpha' and 'gamma' are {alpha} and {gamma}"))
            .expected("those of the paper")),
    }
}

/// One slope, or one per channel, is an operation of the graph; any other shape that broadcasts becomes `max(x, 0) +
/// slope min(x, 0)`.
fn prelu(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let shape = site.constant(1)?.shape().to_vec();
    if shape.len() > x.rank() {
        return Err(Problem::new(format!("its slope has shape {shape:?}"))
            .expected(format!("one that broadcasts to rank {}", x.rank())));
    }
    // ONNX aligns shapes at the last axis.
    let axis_of = |at: usize| at + x.rank() - shape.len();
    let wide: Vec<usize> = (0..shape.len()).filter(|at| shape[*at] != 1).map(axis_of).collect();
    match wide[..] {
        [] => {
            let slope = required(site, 1, 1)?;
            one(builder.emit(Op::Prelu {}, &[x], vec![("slope", slope)])?)
        }
        [1] => {
            let slope = required(site, 1, x.side(1)?)?;
            one(builder.emit(Op::Prelu {}, &[x], vec![("slope", slope)])?)
        }
        _ => {
            let above = builder.unary(Op::Relu {}, x)?;
            let below = builder.unary(Op::Minimum { scalar: Some(0.0) }, x)?;
            let slope = weight(site, 1)?;
            let bent = builder.emit(Op::Mul { scalar: None }, &[&below], vec![("other", slope)])?;
            if bent.shapes != x.shapes {
                return Err(Problem::new(format!(
                    "its slope has shape {shape:?}, which does not broadcast to its input"
                )));
            }
            one(builder.emit(Op::Add { scalar: None }, &[&above, &bent], vec![])?)
        }
    }
}

/// `x / (1 + |x|)`.
fn softsign(builder: &mut Builder, x: &Tensor) -> Result<Vec<Value>, Problem> {
    let size = builder.unary(Op::Abs {}, x)?;
    let divisor = builder.unary(Op::Add { scalar: Some(1.0) }, &size)?;
    one(builder.emit(Op::Div { scalar: None }, &[x, &divisor], vec![])?)
}

/// `Clip`: bounds are attributes before operator set 11 and inputs since; both are optional.
pub(super) fn clip(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let bound = |name: &str, at: usize| -> Result<Option<f64>, Problem> {
        if site.attribute(name).is_some() {
            return site.float(name, 0.0).map(Some);
        }
        let input = site.optional(at)?;
        let number = |constant: &Constant| -> Result<f64, Problem> {
            let number =
                constant.scalar().ok_or_else(|| Problem::new(format!("its '{name}' is not one number")))?;
            Ok(site.step.map_or(number, |step| step.real(number)))
        };
        input.map(number).transpose()
    };
    // The limits of single precision mean no limit.
    let limit = f64::from(f32::MAX);
    let least = bound("min", 1)?.filter(|number| *number > -limit);
    let most = bound("max", 2)?.filter(|number| *number < limit);
    let op = match (least, most) {
        (Some(0.0), Some(6.0)) => Op::Relu6 {},
        (Some(0.0), None) => Op::Relu {},
        (Some(min), Some(max)) => Op::Clip { min, max },
        // Not `minimum` or `maximum`: these share the gradient where both are equal, and a clip has gradient zero
        // there.
        (Some(min), None) => Op::Clip { min, max: limit },
        (None, Some(max)) => Op::Clip { min: -limit, max },
        (None, None) => Op::Identity {},
    };
    one(builder.unary(op, x)?)
}

/// Before operator set 13, all axes from `axis` on count as one.
pub(super) fn softmax(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let along = |axis| if site.op() == "Softmax" { Op::Softmax { axis } } else { Op::LogSoftmax { axis } };
    if site.opset >= 13 {
        let axis = site.front(site.int("axis", -1)?, x.rank())?;
        x.side(axis)?;
        return one(builder.unary(along(axis), x)?);
    }
    // The default differs, too: -1 since operator set 13.
    let axis = site.front(site.int("axis", 1)?, x.rank())?;
    x.side(axis)?;
    let wide: Vec<usize> = (axis..x.rank()).filter(|axis| x.shapes[0][*axis] > 1).collect();
    match wide[..] {
        // One value normalised alone is 1 (or 0, its logarithm) along any axis.
        [] => one(builder.unary(along(axis), x)?),
        [only] => one(builder.unary(along(only), x)?),
        _ if axis == 1 => {
            let sides = (1..x.rank())
                .map(|axis| x.side(axis).map(|side| side as i64))
                .collect::<Result<Vec<_>, _>>()?;
            let flat = builder.unary(Op::Flatten { start_axis: 1 }, x)?;
            let result = builder.unary(along(1), &flat)?;
            let shape = std::iter::once(0).chain(sides).collect();
            one(builder.unary(Op::Reshape { shape }, &result)?)
        }
        _ => Err(Problem::new(format!("normalises over axes {wide:?} together")).expected("one axis")),
    }
}

const INTEGERS: &str = "turns a computed value into integers, through which there is no gradient";

/// Operations without effect in evaluation mode: `Identity`, `Dropout`, and `Cast` between real types.
///
/// A `Dropout` in training mode is refused, since it drops at random.
pub(super) fn nothing(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let trains = |mode: &Constant| mode.scalar() != Some(0.0);
    match site.op() {
        "Dropout" if site.optional(2)?.is_some_and(trains) => {
            Err(Problem::new("drops at random, as in training").hint("export the model in evaluation mode"))
        }
        "Dropout" => one(builder.unary(Op::Dropout {}, x)?),
        "Cast" if is_real(site.int("to", 1)?) != Some(true) => Err(INTEGERS.into()),
        "CastLike" if matches!(site.input(1), Some(Value::Constant(like)) if matches!(**like, Constant::Int(_))) => {
            Err(INTEGERS.into())
        }
        _ => one(x.clone()),
    }
}
