//! Constants that a node states: written out, filled with one value, or counted.
//!
//! Receives a node, returns its value; results with more elements than a file of its size needs are refused before
//! memory is allocated.

use ndarray::{ArrayD, IxDyn};

use super::constant::{Constant, both};
use super::shaped::sizes;
use super::site::Site;
use crate::error::Problem;

pub(super) fn identity(site: &Site) -> Result<Vec<Constant>, Problem> {
    Ok(vec![site.constant(0)?.clone()])
}

pub(super) fn constant(site: &Site) -> Result<Vec<Constant>, Problem> {
    let list =
        |ints: &[i64]| Constant::Int(ArrayD::from_shape_fn(IxDyn(&[ints.len()]), |at| both(ints[at[0]])));
    if let Some(value) = site.held("value")? {
        return Ok(vec![value]);
    }
    if let Some(ints) = site.ints("value_ints")? {
        return Ok(vec![list(&ints)]);
    }
    if site.attribute("value_int").is_some() {
        return Ok(vec![Constant::Int(ArrayD::from_elem(IxDyn(&[]), both(site.int("value_int", 0)?)))]);
    }
    if site.attribute("value_float").is_some() {
        let number = site.float("value_float", 0.0)? as f32;
        return Ok(vec![Constant::Float(ArrayD::from_elem(IxDyn(&[]), number))]);
    }
    if let Some(floats) = site.floats_in("value_floats")? {
        return Ok(vec![Constant::Float(ndarray::Array1::from(floats).into_dyn())]);
    }
    Err(Problem::new("has no value that can be read").expected("numbers"))
}

pub(super) fn constant_of_shape(site: &Site) -> Result<Vec<Constant>, Problem> {
    let shape = IxDyn(&sizes(site, 0)?);
    Ok(vec![match site.held("value")? {
        Some(Constant::Int(array)) => {
            Constant::Int(ArrayD::from_elem(shape, array.first().copied().unwrap_or_default()))
        }
        Some(Constant::Float(array)) => {
            Constant::Float(ArrayD::from_elem(shape, array.first().copied().unwrap_or_default()))
        }
        None => Constant::Float(ArrayD::zeros(shape)),
    }])
}

pub(super) fn range(site: &Site) -> Result<Vec<Constant>, Problem> {
    if let Constant::Float(_) = site.constant(0)? {
        return real_range(site);
    }
    let ends = (0..3).map(|at| site.constant(at)?.ints()).collect::<Result<Vec<_>, _>>()?;
    let [&[start], &[limit], &[step]] = [ends[0].as_slice(), &ends[1], &ends[2]] else {
        return Err("its start, limit and step are not single numbers".into());
    };
    // In 128 bits: the difference of two 64-bit numbers may not fit 64.
    let span = i128::from(limit) - i128::from(start);
    // The last step may be partial. A step away from the limit gives no elements.
    let part = |step: i128| i128::from(span % step != 0 && (span < 0) == (step < 0));
    let count = if step == 0 { -1 } else { span / i128::from(step) + part(i128::from(step)) };
    let count = usize::try_from(count.max(0)).ok().filter(|count| *count <= site.source.room && step != 0);
    let count =
        count.ok_or_else(|| Problem::new(format!("cannot count from {start} to {limit} by {step}")))?;
    Ok(vec![Constant::Int(ArrayD::from_shape_fn(IxDyn(&[count]), |at| both(start + at[0] as i64 * step)))])
}

/// Adds real numbers step by step in single precision, as onnxruntime does, so that the same rounding results.
fn real_range(site: &Site) -> Result<Vec<Constant>, Problem> {
    let refuse = || Problem::new("its start, limit and step are not single numbers");
    let end = |at: usize| site.constant(at)?.scalar().ok_or_else(refuse);
    let [start, limit, step] = [end(0)? as f32, end(1)? as f32, end(2)? as f32];
    let count = (f64::from(limit - start) / f64::from(step)).ceil().max(0.0);
    if !(count.is_finite() && step != 0.0) || count > site.source.room as f64 {
        return Err(Problem::new(format!("cannot count from {start} to {limit} by {step}")));
    }
    let numbers: Vec<f32> =
        std::iter::successors(Some(start), |number| Some(number + step)).take(count as usize).collect();
    Ok(vec![Constant::Float(ndarray::Array1::from(numbers).into_dyn())])
}
