//! Activations: the `activation` setting of layers, and layers of their own.

use serde_json::Value;

use super::super::settings::Settings;
use super::super::site::{Site, Tensor, turned, weight};
use super::elementwise::{MINIMUM, OVER, PLUS, SUBTRACT, TIMES};
use crate::card::{Op, from_onnx};
use crate::error::Problem;

/// The version since which `hard_sigmoid` has slope 1/6, as in PyTorch, and no longer 1/5.
const NEW_HARD_SIGMOID: u64 = 3;
/// No bound: the greatest number that a card can hold.
const NO_BOUND: f64 = f32::MAX as f64;

/// Whether a class is an activation.
pub(super) fn is_layer(class: &str) -> bool {
    matches!(class, "ReLU" | "LeakyReLU" | "PReLU" | "ELU" | "Softmax" | "ThresholdedReLU")
}

/// The activation that a layer applies to its result.
pub(super) fn own(site: &mut Site, x: &Tensor) -> Result<Tensor, Problem> {
    let Some(value) = site.settings.get("activation") else { return Ok(x.clone()) };
    if let Some(name) = function_name(value) {
        return function(site, x, name);
    }
    let class = value.get("class_name").and_then(Value::as_str).unwrap_or_default();
    match value.get("config").and_then(Value::as_object).filter(|_| is_layer(class) && class != "PReLU") {
        Some(settings) => of_class(site, x, class, Settings(settings)),
        None => {
            Err(Problem::new(format!("has the activation {value}")).expected("one of Keras's own functions"))
        }
    }
}

/// The `Activation` layer.
pub(super) fn by_setting(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    own(site, &x)
}

/// An activation that is a layer.
pub(super) fn layer(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let settings = site.settings;
    match site.class {
        "PReLU" => prelu(site, &x),
        class => of_class(site, &x, class, settings),
    }
}

/// A function by its name, or as later versions write it, an object around the name.
fn function_name(value: &Value) -> Option<&str> {
    let is_function = value.get("class_name").and_then(Value::as_str) == Some("function");
    value.as_str().or_else(|| value.get("config").filter(|_| is_function)?.as_str())
}

fn of_class(site: &mut Site, x: &Tensor, class: &str, settings: Settings) -> Result<Tensor, Problem> {
    match class {
        "ReLU" => {
            let threshold = settings.number("threshold", 0.0)?;
            let slope = settings.number("negative_slope", 0.0)?;
            let most = settings.optional("max_value")?;
            match threshold == 0.0 {
                true => relu(site, x, slope, most),
                false => above(site, x, threshold, slope, most),
            }
        }
        "LeakyReLU" => {
            let slope = settings.optional("negative_slope")?.or(settings.optional("alpha")?);
            // The layer's default in Keras; the function's is 0.2, PyTorch's 0.01.
            site.unary(from_table("LeakyRelu", &[slope.unwrap_or(0.3)])?, x)
        }
        "ThresholdedReLU" => above(site, x, settings.number("theta", 1.0)?, 0.0, None),
        "ELU" => site.unary(from_table("Elu", &[settings.number("alpha", 1.0)?])?, x),
        _ => {
            let axis = match settings.list("axis")?.as_deref() {
                None => -1,
                Some([axis]) => *axis,
                Some(axes) => {
                    return Err(Problem::new(format!("normalises along {axes:?}")).expected("one axis"));
                }
            };
            let axis = site.axis(x, axis)?;
            site.unary(Op::Softmax { axis }, x)
        }
    }
}

fn relu(site: &mut Site, x: &Tensor, slope: f64, most: Option<f64>) -> Result<Tensor, Problem> {
    match (slope, most) {
        (0.0, None) => function(site, x, "relu"),
        // Under its own name, as other sources have it, so that graphs of one network are equal.
        (0.0, Some(6.0)) => site.unary(Op::Relu6 {}, x),
        (0.0, Some(max)) => site.unary(Op::Clip { min: 0.0, max }, x),
        (slope, None) => site.unary(from_table("LeakyRelu", &[slope])?, x),
        (slope, Some(max)) => {
            let bent = site.unary(from_table("LeakyRelu", &[slope])?, x)?;
            site.unary(Op::Clip { min: -NO_BOUND, max }, &bent)
        }
    }
}

/// `x` above a threshold, else `slope` times what it is below.
fn above(
    site: &mut Site,
    x: &Tensor,
    threshold: f64,
    slope: f64,
    most: Option<f64>,
) -> Result<Tensor, Problem> {
    let distance = site.unary(SUBTRACT(Some(threshold)), x)?;
    let side = site.unary(Op::Sign {}, &distance)?;
    // 0 at the threshold itself, too, as Keras's code has it.
    let is_above = function(site, &side, "relu")?;
    let mut y = site.emit(TIMES(None), &[x, &is_above], vec![])?;
    if let Some(max) = most {
        y = site.unary(Op::Clip { min: 0.0, max }, &y)?;
    }
    if slope != 0.0 {
        let below = site.unary(MINIMUM(Some(0.0)), &distance)?;
        let bent = site.unary(TIMES(Some(slope)), &below)?;
        y = site.emit(PLUS(None), &[&y, &bent], vec![])?;
    }
    Ok(y)
}

/// `PReLU`: one slope per channel where axes are shared, else one for each value, as `max(x, 0) + slope min(x, 0)`.
fn prelu(site: &mut Site, x: &Tensor) -> Result<Tensor, Problem> {
    let slopes = site.parameters(&["alpha"])?.into_iter().next().ok_or("has no slopes")?;
    let channels = x.side(if x.rank() == 4 { 1 } else { x.rank() - 1 })?;
    if (x.rank() == 4 || x.rank() == 2) && slopes.values.len() == channels {
        let slope =
            crate::builder::Weight { shape: vec![channels], values: slopes.values, ..Default::default() };
        return site.emit(Op::Prelu {}, &[x], vec![("slope", slope)]);
    }
    // Without the batch, so that a picture's slopes have channels last.
    let slope = if x.rank() == 4 { turned(slopes, &[2, 0, 1])? } else { weight(slopes) };
    let above = function(site, x, "relu")?;
    let below = site.unary(MINIMUM(Some(0.0)), x)?;
    let bent = site.emit(TIMES(None), &[&below], vec![("other", slope)])?;
    site.emit(PLUS(None), &[&above, &bent], vec![])
}

/// Keras's names of functions in the graph's table: ONNX's name, and the value of its only setting.
const IN_TABLE: [(&str, &str, f64); 11] = [
    ("relu", "Relu", 0.0),
    ("leaky_relu", "LeakyRelu", 0.2),
    ("elu", "Elu", 1.0),
    ("mish", "Mish", 0.0),
    ("sigmoid", "Sigmoid", 0.0),
    ("hard_silu", "HardSwish", 0.0),
    ("hard_swish", "HardSwish", 0.0),
    ("tanh", "Tanh", 0.0),
    ("softplus", "Softplus", 0.0),
    ("exponential", "Exp", 0.0),
    ("abs", "Abs", 0.0),
];

/// A function of the table with these settings.
fn from_table(name: &str, settings: &[f64]) -> Result<Op, Problem> {
    let mut settings = settings.iter();
    let setting = |_: &str, default: f32| Ok(settings.next().copied().unwrap_or(f64::from(default)));
    from_onnx(name, setting)
        .unwrap_or_else(|| Err(Problem::new(format!("has the unknown function '{name}'"))))
}

/// One of Keras's functions.
pub(super) fn function(site: &mut Site, x: &Tensor, name: &str) -> Result<Tensor, Problem> {
    if let Some((_, onnx, setting)) = IN_TABLE.iter().find(|(own, ..)| *own == name) {
        return site.unary(from_table(onnx, &[*setting])?, x);
    }
    let op = match name {
        "linear" => return Ok(x.clone()),
        "relu6" => Op::Relu6 {},
        "selu" => Op::Selu {},
        // The default of activations; that of `keras.ops.gelu` is the approximation.
        "gelu" => Op::Gelu { approximate: false },
        "silu" | "swish" => Op::Silu {},
        "log_sigmoid" => Op::LogSigmoid {},
        "softmax" => Op::Softmax { axis: site.axis(x, -1)? },
        "log_softmax" => Op::LogSoftmax { axis: site.axis(x, -1)? },
        "hard_sigmoid" => {
            site.asked_version = true;
            let slope = if site.version >= NEW_HARD_SIGMOID { 1.0 / 6.0 } else { 0.2 };
            from_table("HardSigmoid", &[slope, 0.5])?
        }
        "softsign" => {
            let size = function(site, x, "abs")?;
            let divisor = site.unary(PLUS(Some(1.0)), &size)?;
            return site.emit(OVER(None), &[x, &divisor], vec![]);
        }
        other => {
            let what = format!("has the activation '{other}', which is not supported");
            return Err(Problem::new(what)
                .expected("one of Keras's own functions")
                .hint(super::super::hints::EXPORT));
        }
    };
    site.unary(op, x)
}
