//! Comparisons, truth values and choices between tensors.
//!
//! Truth values are the numbers 0 and 1. Their slope is zero everywhere, as in PyTorch, so gradients only pass through what is
//! chosen.

use super::super::builder::{Builder, Tensor, Weight};
use super::super::constant::Constant;
use super::super::site::{Site, Value};
use super::operands::{finite, one, scaled, shifted};
use super::pairs;
use crate::card::Op;
use crate::error::Problem;

/// `Greater`, `Less` and the like: `max(sign(a - b), 0)` is 1 exactly where `a` is the greater.
pub(super) fn compare(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let difference = pairs::of(builder, site, "Sub")?;
    // The sign of the difference, since the graph has no comparison; of equal numbers it is exactly 0.
    let sign = builder.unary(Op::Sign {}, &difference)?;
    let positive = |builder: &mut Builder, x: &Tensor| builder.unary(Op::Relu {}, x);
    one(match site.op() {
        "Greater" => positive(builder, &sign)?,
        "LessOrEqual" => {
            let greater = positive(builder, &sign)?;
            inverse(builder, &greater)?
        }
        "Equal" => {
            let differs = builder.unary(Op::Abs {}, &sign)?;
            inverse(builder, &differs)?
        }
        op => {
            let negative = scaled(builder, &sign, -1.0)?;
            let less = positive(builder, &negative)?;
            if op == "Less" { less } else { inverse(builder, &less)? }
        }
    })
}

/// `Not`, `And`, `Or`, `Xor`.
pub(super) fn logic(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    one(match site.op() {
        "Not" => inverse(builder, site.tensor(0)?)?,
        "And" => pairs::of(builder, site, "Mul")?,
        "Or" => pairs::of(builder, site, "Max")?,
        _ => {
            let difference = pairs::of(builder, site, "Sub")?;
            builder.unary(Op::Abs {}, &difference)?
        }
    })
}

/// `ThresholdedRelu`: `x` where it is above a threshold, else 0.
pub(super) fn thresholded(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let is_above = above(builder, x, site.float("alpha", 1.0)?)?;
    one(builder.emit(pairs::plain("Mul", None)?, &[x, &is_above], vec![])?)
}

/// `Shrink`: nearer to zero by a bias where `|x|` is above a threshold, else 0.
pub(super) fn shrink(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let (threshold, bias) = (site.float("lambd", 0.5)?, site.float("bias", 0.0)?);
    let minus = scaled(builder, x, -1.0)?;
    let mut side = |sign: f64| {
        let is_beyond = above(builder, if sign > 0.0 { x } else { &minus }, threshold)?;
        let nearer = shifted(builder, x, -sign * bias)?;
        builder.emit(pairs::plain("Mul", None)?, &[&nearer, &is_beyond], vec![])
    };
    let (right, left) = (side(1.0)?, side(-1.0)?);
    one(builder.emit(pairs::plain("Add", None)?, &[&right, &left], vec![])?)
}

/// 1 where `x` is above a number, else 0.
fn above(builder: &mut Builder, x: &Tensor, number: f64) -> Result<Tensor, Problem> {
    let difference = shifted(builder, x, -number)?;
    let sign = builder.unary(Op::Sign {}, &difference)?;
    builder.unary(Op::Relu {}, &sign)
}

/// `IsNaN`: nothing is, since no constant that the graph reads is infinite. PyTorch's exporter asks it of a softmax, for masks that hide all
/// of a row; these are refused where they are added.
pub(super) fn is_nan(_: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    site.tensor(0)?;
    Ok(vec![Constant::Float(ndarray::ArrayD::zeros(ndarray::IxDyn(&[]))).into()])
}

/// `1 - x`.
fn inverse(builder: &mut Builder, x: &Tensor) -> Result<Tensor, Problem> {
    let negative = scaled(builder, x, -1.0)?;
    builder.unary(pairs::plain("Add", Some(1.0))?, &negative)
}

/// `Where`: `c a + (1 - c) b`.
pub(super) fn choose(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    match site.input(0) {
        // The mask is known, and so is its opposite: stored parts are masked now.
        Some(Value::Constant(known) | Value::Repeated(known)) => {
            let known = known.floats()?;
            if let Some(x) = whole(site, &known)? {
                return one(x.clone());
            }
            let other = known.mapv(|truth| 1.0 - truth);
            let first = kept(builder, site, 1, &Constant::Float(known))?;
            let second = kept(builder, site, 2, &Constant::Float(other))?;
            sum(builder, first, second)
        }
        _ => {
            let truth = site.tensor(0)?.clone();
            let untruth = inverse(builder, &truth)?;
            let first = weighed(builder, site, 1, &truth)?;
            let second = weighed(builder, site, 2, &untruth)?;
            sum(builder, first, second)
        }
    }
}

/// The computed input that a known mask chooses everywhere, if it has the shape of the result.
fn whole<'a>(site: &'a Site, mask: &ndarray::ArrayD<f32>) -> Result<Option<&'a Tensor>, Problem> {
    let (chosen, other) = match mask.first() {
        Some(first) if mask.iter().all(|truth| truth == first) => {
            if *first == 0.0 {
                (2, 1)
            } else {
                (1, 2)
            }
        }
        _ => return Ok(None),
    };
    let (Some(Value::Tensor(x)), Some(Value::Constant(constant) | Value::Repeated(constant))) =
        (site.input(chosen), site.input(other))
    else {
        return Ok(None);
    };
    let mut shape = x.shapes[0].clone();
    for with in [mask.shape(), constant.shape()] {
        shape = crate::axes::broadcast(&shape, with)?;
    }
    Ok((shape == x.shapes[0]).then_some(x))
}

/// A part of a choice.
enum Part {
    Computed(Tensor),
    Stored(Constant),
}

/// Input `at` where the mask is 1, else zero.
fn kept(builder: &mut Builder, site: &Site, at: usize, mask: &Constant) -> Result<Part, Problem> {
    match site.input(at) {
        Some(Value::Constant(constant) | Value::Repeated(constant)) => {
            let (values, mask) = (finite(&constant.floats()?), mask.floats()?);
            let shape = crate::axes::broadcast(values.shape(), mask.shape())?;
            let wide =
                |array: &ndarray::ArrayD<f32>| array.broadcast(shape.clone()).map(|view| view.to_owned());
            let (Some(values), Some(mask)) = (wide(&values), wide(&mask)) else {
                return Err("chooses between shapes that do not fit".into());
            };
            Ok(Part::Stored(Constant::Float(values * mask)))
        }
        _ => {
            let mask = Weight { values: mask.floats()?, source: String::new() };
            let x = site.tensor(at)?;
            Ok(Part::Computed(builder.emit(pairs::plain("Mul", None)?, &[x], vec![("other", mask)])?))
        }
    }
}

/// Input `at` times computed truth values.
fn weighed(builder: &mut Builder, site: &Site, at: usize, truth: &Tensor) -> Result<Part, Problem> {
    let product = pairs::plain("Mul", None)?;
    Ok(Part::Computed(match site.input(at) {
        Some(Value::Constant(constant) | Value::Repeated(constant)) => match constant.scalar() {
            Some(number) => {
                // Zero times infinity is NaN; zero times the greatest number is zero.
                let number = number.clamp(f64::from(f32::MIN), f64::from(f32::MAX));
                builder.unary(pairs::plain("Mul", Some(number))?, truth)?
            }
            None => {
                let other =
                    Weight { values: finite(&constant.floats()?), source: site.sources[at].to_owned() };
                builder.emit(product, &[truth], vec![("other", other)])?
            }
        },
        _ => builder.emit(product, &[site.tensor(at)?, truth], vec![])?,
    }))
}

fn sum(builder: &mut Builder, first: Part, second: Part) -> Result<Vec<Value>, Problem> {
    let op = pairs::plain("Add", None)?;
    one(match (first, second) {
        (Part::Computed(first), Part::Computed(second)) => builder.emit(op, &[&first, &second], vec![])?,
        (Part::Computed(x), Part::Stored(values)) | (Part::Stored(values), Part::Computed(x)) => {
            let other = Weight { values: values.floats()?, source: String::new() };
            builder.emit(op, &[&x], vec![("other", other)])?
        }
        _ => return Err("chooses between constants alone".into()),
    })
}
