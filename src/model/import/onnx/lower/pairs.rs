//! Arithmetic on two values, or on a value and a constant.

use super::super::arithmetic::check_count;
use super::super::builder::{Builder, Tensor, Weight};
use super::super::constant::Constant;
use super::super::site::{Site, Value, decimal};
use super::operands::{finite, scaled};
use crate::card::Op;
use crate::error::Problem;

/// `Add`, `Sub`, `Mul`, `Div`, `Pow`, and the operations with any number of inputs: `Min`, `Max`, `Sum`, `Mean`.
pub(super) fn arithmetic(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    check_count(site)?;
    let result = of(builder, site, site.op())?;
    Ok(vec![Value::Tensor(match site.op() {
        "Mean" => scaled(builder, &result, (site.inputs.len() as f64).recip())?,
        _ => result,
    })])
}

/// `op` of all inputs, one after the other.
pub(super) fn of(builder: &mut Builder, site: &Site, op: &str) -> Result<Tensor, Problem> {
    let [first, rest @ ..] = &(0..site.inputs.len()).collect::<Vec<_>>()[..] else {
        return Err("has no inputs".into());
    };
    let mut result = (site.input(*first).map(unrepeated), *first);
    for at in rest {
        let next = match (&result.0, site.input(*at).map(unrepeated).as_ref()) {
            (Some(Value::Tensor(x)), Some(Value::Tensor(y))) => {
                builder.emit(plain(op, None)?, &[x, y], vec![])?
            }
            (Some(Value::Tensor(x)), Some(Value::Constant(constant))) => {
                constant_second(builder, (site, op), x, constant, *at)?
            }
            (Some(Value::Constant(constant)), Some(Value::Tensor(y))) => {
                constant_first(builder, (site, op), constant, y, result.1)?
            }
            (Some(Value::Constant(_)), Some(Value::Constant(_))) => {
                return Err(
                    Problem::new("joins two constants and a computed value").expected("at most one constant")
                );
            }
            _ => return Err(refused(site, [result.1, *at])),
        };
        result = (Some(Value::Tensor(next)), *at);
    }
    match result.0 {
        Some(Value::Tensor(result)) => Ok(result),
        _ => Err("has only constants as inputs".into()),
    }
}

/// Why an input is neither a value nor a supported constant.
fn refused(site: &Site, inputs: [usize; 2]) -> Problem {
    let problem = |at: &usize| match site.input(*at) {
        Some(Value::Constant(_) | Value::Repeated(_)) => None,
        _ => site.tensor(*at).err(),
    };
    inputs.iter().find_map(problem).unwrap_or_else(|| "has inputs that do not go together".into())
}

/// Adds the constant as a weight, with its name in the file.
fn other(site: &Site, constant: &Constant, at: usize) -> Result<Weight, Problem> {
    let values = constant.floats()?;
    let is_hidden =
        |row: ndarray::ArrayView1<f32>| row.len() > 1 && row.iter().all(|x| *x == f32::NEG_INFINITY);
    // A softmax of such a row is NaN; with finite numbers in it all would count the same.
    if matches!(site.op(), "Add" | "Sum") && values.ndim() > 0 && values.rows().into_iter().any(is_hidden) {
        return Err(
            Problem::new("adds minus infinity to all of a row").expected("a mask that leaves a part of it")
        );
    }
    Ok(Weight { values: finite(&values), source: site.sources[at].to_owned() })
}

/// A constant that is the same for each picture broadcasts over the batch.
fn unrepeated(value: &Value) -> Value {
    match value {
        Value::Repeated(constant) => Value::Constant(constant.clone()),
        other => other.clone(),
    }
}

/// The operation of the graph that ONNX calls `op`.
pub(super) fn plain(op: &str, scalar: Option<f64>) -> Result<Op, Problem> {
    Ok(match op {
        "Add" | "Sum" | "Mean" => Op::Add { scalar },
        "Sub" => Op::Sub { scalar },
        "Mul" => Op::Mul { scalar },
        "Div" => Op::Div { scalar },
        "Min" => Op::Minimum { scalar },
        "Max" => Op::Maximum { scalar },
        other => return Err(Problem::new(format!("'{other}' of two computed values is not supported"))),
    })
}

/// A single number, unless its shape would raise the rank of the result.
fn scalar(constant: &Constant, x: &Tensor) -> Option<f64> {
    let number = constant.scalar().filter(|_| constant.shape().len() <= x.rank())?;
    Some(if matches!(constant, Constant::Float(_)) { decimal(number as f32) } else { number })
}

fn constant_second(
    builder: &mut Builder,
    (site, op): (&Site, &str),
    x: &Tensor,
    constant: &Constant,
    at: usize,
) -> Result<Tensor, Problem> {
    let number = scalar(constant, x);
    match (op, number) {
        ("Pow", Some(0.5)) => builder.unary(Op::Sqrt { of_squares: false }, x),
        ("Pow", Some(exponent)) => builder.unary(Op::Pow { exponent }, x),
        ("Pow", None) => {
            Err(Problem::new(format!("has exponents of shape {:?}", constant.shape())).expected("one number"))
        }
        // The limits of single precision mean no limit.
        ("Max", Some(number)) if number <= f64::from(f32::MIN) => Ok(x.clone()),
        ("Min", Some(number)) if number >= f64::from(f32::MAX) => Ok(x.clone()),
        (op, Some(_)) => builder.unary(plain(op, number)?, x),
        (op, None) => builder.emit(plain(op, None)?, &[x], vec![("other", other(site, constant, at)?)]),
    }
}

/// Operations that do not commute are rewritten: `c - x = -x + c` and `c / x = x^-1 c`.
fn constant_first(
    builder: &mut Builder,
    (site, op): (&Site, &str),
    constant: &Constant,
    y: &Tensor,
    at: usize,
) -> Result<Tensor, Problem> {
    let (op, y) = match op {
        "Sub" => ("Add", scaled(builder, y, -1.0)?),
        "Div" => ("Mul", builder.unary(Op::Pow { exponent: -1.0 }, y)?),
        // b^x = e^(x ln b)
        "Pow" => {
            let base = scalar(constant, y).filter(|base| *base > 0.0);
            let base = base.ok_or_else(|| {
                Problem::new("raises a constant to a computed power").expected("one number above 0")
            })?;
            let power = scaled(builder, y, base.ln())?;
            return builder.unary(Op::Exp {}, &power);
        }
        other => (other, y.clone()),
    };
    match scalar(constant, &y) {
        Some(1.0) if op == "Mul" => Ok(y),
        Some(_) if matches!(op, "Max" | "Min") => constant_second(builder, (site, op), &y, constant, at),
        number @ Some(_) => builder.unary(plain(op, number)?, &y),
        None => builder.emit(plain(op, None)?, &[&y], vec![("other", other(site, constant, at)?)]),
    }
}
