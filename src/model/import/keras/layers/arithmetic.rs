//! Arithmetic of several tensors: merging layers, operations of `keras.ops`, and functions of TensorFlow in place of layers.

use serde_json::{Map, Value};

use super::super::settings::Settings;
use super::super::site::{Lower, Operand, Site, Tensor};
use super::activation;
use super::elementwise::{PLUS, TIMES, arithmetic};
use crate::card::Op;
use crate::error::Problem;

/// `Add`, `Subtract`, `Multiply`, `Average`, `Maximum` and `Minimum` of any number of tensors.
pub(super) fn merge(site: &mut Site) -> Result<Tensor, Problem> {
    let tensors = site.tensors()?;
    let [first, others @ ..] = &tensors[..] else { return Err("is called on nothing".into()) };
    let name = if site.class == "Average" { "add".to_owned() } else { site.class.to_lowercase() };
    let op = arithmetic(&name).ok_or("is not supported")?;
    let mut result = first.clone();
    for other in others {
        same_rank(&result, other)?;
        result = site.emit(op(None), &[&result, other], vec![])?;
    }
    match site.class {
        "Average" => site.unary(TIMES(Some((tensors.len() as f64).recip())), &result),
        _ => Ok(result),
    }
}

/// The axes of tensors of different ranks would not be those that Keras means.
fn same_rank(first: &Tensor, second: &Tensor) -> Result<(), Problem> {
    match first.rank() == second.rank() {
        true => Ok(()),
        false => {
            let what = format!("joins tensors of {} and {} axes", first.rank(), second.rank());
            Err(Problem::new(what).expected("as many axes"))
        }
    }
}

/// `Concatenate`.
pub(super) fn concatenate(site: &mut Site) -> Result<Tensor, Problem> {
    let tensors = site.tensors()?;
    let first = tensors.first().ok_or("is called on nothing")?;
    let axis = site.settings.list("axis")?.and_then(|axes| axes.first().copied()).unwrap_or(-1);
    let axis = site.axis(first, axis)?;
    if axis == 0 {
        return Err(Problem::new("joins the pictures of a batch").expected("another axis"));
    }
    site.emit(Op::Concat { axis, at: 0 }, &tensors.iter().collect::<Vec<_>>(), vec![])
}

/// `x + scale y`, which Inception-ResNet adds to a branch.
pub(super) fn scaled_sum(site: &mut Site) -> Result<Tensor, Problem> {
    let tensors = site.tensors()?;
    let [first, second] = &tensors[..] else { return Err("needs two tensors".into()) };
    let inner = site.settings.get("arguments").and_then(Value::as_object).map(Settings);
    let scale = inner.unwrap_or(site.settings).optional("scale")?.ok_or("has no 'scale'")?;
    same_rank(first, second)?;
    let scaled = site.unary(TIMES(Some(scale)), second)?;
    site.emit(PLUS(None), &[first, &scaled], vec![])
}

/// Whether a `Lambda` is the one in Keras's own Inception-ResNet. Its code is not read: the module that defines it has
/// no other.
pub(super) fn is_known_lambda(settings: &Map<String, Value>) -> bool {
    let text = |key: &str| settings.get(key).and_then(Value::as_str).unwrap_or_default();
    let arguments = settings.get("arguments").and_then(Value::as_object);
    text("module").ends_with("applications.inception_resnet_v2")
        && text("function_type") == "lambda"
        && arguments.is_some_and(|arguments| arguments.len() == 1 && arguments.contains_key("scale"))
}

/// A function in place of a layer: its classes in `keras.ops`, its names in TensorFlow, and what it computes.
pub(super) type Function = (&'static [&'static str], &'static [&'static str], Lower);

pub(super) const FUNCTIONS: [Function; 17] = [
    (&["Add"], &["__operators__.add", "math.add", "nn.bias_add"], |site| binary(site, "add")),
    (&["Subtract"], &["math.subtract"], |site| binary(site, "subtract")),
    (&["Multiply"], &["math.multiply"], |site| binary(site, "multiply")),
    (&["Divide", "TrueDivide"], &["math.divide", "math.truediv"], |site| binary(site, "divide")),
    (&["Maximum"], &["math.maximum"], |site| binary(site, "maximum")),
    (&["Minimum"], &["math.minimum"], |site| binary(site, "minimum")),
    (&["Relu"], &["nn.relu"], |site| unary(site, "relu")),
    (&["Relu6"], &["nn.relu6"], |site| unary(site, "relu6")),
    (&["Sigmoid"], &["math.sigmoid", "nn.sigmoid"], |site| unary(site, "sigmoid")),
    (&["Silu"], &["nn.silu", "nn.swish"], |site| unary(site, "silu")),
    (&["Tanh"], &["math.tanh", "nn.tanh"], |site| unary(site, "tanh")),
    (&["Exp"], &["math.exp"], |site| unary(site, "exponential")),
    (&["Softplus"], &["math.softplus", "nn.softplus"], |site| unary(site, "softplus")),
    (&["HardSilu"], &[], |site| unary(site, "hard_silu")),
    (&["Absolute", "Abs"], &["math.abs"], |site| unary(site, "abs")),
    (&["Negative"], &["math.negative"], |site| scaled(site, -1.0)),
    (&["Gelu"], &["nn.gelu"], gelu),
];

fn gelu(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    // The default of Keras's function, not of TensorFlow's.
    let usual = site.class == "Gelu";
    let approximate = site.value("approximate").map_or(Some(usual), |value| value.as_bool());
    let approximate = approximate.ok_or("its 'approximate' is neither true nor false")?;
    site.unary(Op::Gelu { approximate }, &x)
}

fn scaled(site: &mut Site, factor: f64) -> Result<Tensor, Problem> {
    let x = site.input()?;
    site.unary(TIMES(Some(factor)), &x)
}

fn unary(site: &mut Site, name: &str) -> Result<Tensor, Problem> {
    let x = site.input()?;
    activation::function(site, &x, name)
}

/// The two operands, by position or by name.
fn operands(site: &Site) -> Result<[Operand; 2], Problem> {
    let named = |names: [&str; 2]| {
        let found = site.named.iter().find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, operand)| operand.clone())
    };
    let mut all = site.operands.iter().cloned();
    let first = named(["x", "x1"]).or_else(|| all.next());
    let second = named(["y", "x2"]).or_else(|| named(["bias", "other"])).or_else(|| all.next());
    first.zip(second).map(<[Operand; 2]>::from).ok_or_else(|| "needs two operands".into())
}

fn binary(site: &mut Site, name: &str) -> Result<Tensor, Problem> {
    let op = arithmetic(name).ok_or("is not supported")?;
    match operands(site)? {
        [Operand::Tensor(first), Operand::Tensor(second)] => {
            same_rank(&first, &second)?;
            site.emit(op(None), &[&first, &second], vec![])
        }
        [Operand::Tensor(x), Operand::Constant(value)] => {
            let numbers = Site::constant(&value)?;
            site.with_numbers(op, &x, &numbers)
        }
        [Operand::Constant(value), Operand::Tensor(x)] => {
            let numbers = Site::constant(&value)?;
            match name {
                "subtract" => {
                    let negative = site.unary(TIMES(Some(-1.0)), &x)?;
                    site.with_numbers(PLUS, &negative, &numbers)
                }
                "divide" => {
                    let inverse = site.unary(Op::Pow { exponent: -1.0 }, &x)?;
                    site.with_numbers(TIMES, &inverse, &numbers)
                }
                _ => site.with_numbers(op, &x, &numbers),
            }
        }
        _ => Err("does not depend on the picture".into()),
    }
}
