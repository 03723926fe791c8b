//! Sums, means and extremes of constants, and the normalisation that weight-standardised networks apply to weights.

use ndarray::{ArrayD, Axis};

use super::constant::{Constant, Lanes};
use super::site::{Site, fronts};
use crate::error::Problem;

/// The reductions of constants and of computed tensors.
pub(super) const OPERATIONS: &[&str] = &[
    "ReduceMean",
    "ReduceSum",
    "ReduceMax",
    "ReduceMin",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSum",
    "ReduceLogSumExp",
];

/// Reduces over the given axes, or over all.
pub(super) fn along(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let rank = input.shape().len();
    let axes = match site.ints_of("axes", 1)? {
        Some(axes) if !axes.is_empty() => fronts(&axes, rank)?,
        // Nothing is summed, but squares and roots still apply.
        _ if site.flag("noop_with_empty_axes")? => vec![],
        _ => (0..rank).collect(),
    };
    let keep = site.int("keepdims", 1)? != 0;
    let op = site.op();
    Ok(vec![match input {
        Constant::Int(array) => Constant::Int(integers(op, array, &axes, keep)?),
        Constant::Float(array) => Constant::Float(reals(op, array, &axes, keep)?),
    }])
}

fn integers(op: &str, array: &ArrayD<Lanes>, axes: &[usize], keep: bool) -> Result<ArrayD<Lanes>, Problem> {
    let pair: fn(i64, i64) -> i64 = match op {
        "ReduceSum" => i64::saturating_add,
        "ReduceProd" => i64::saturating_mul,
        "ReduceMax" => i64::max,
        "ReduceMin" => i64::min,
        _ => return Err("works on real numbers, but got integers".into()),
    };
    over(array, axes, keep, |a, b| [pair(a[0], b[0]), pair(a[1], b[1])])
}

/// In double precision, rounded once at the end.
fn reals(op: &str, array: &ArrayD<f32>, axes: &[usize], keep: bool) -> Result<ArrayD<f32>, Problem> {
    let pair = |a: &f64, b: &f64| match op {
        "ReduceProd" => a * b,
        "ReduceMax" => a.max(*b),
        "ReduceMin" => a.min(*b),
        _ => a + b,
    };
    let wide = array.mapv(f64::from).mapv(|number| match op {
        "ReduceL2" | "ReduceSumSquare" => number * number,
        "ReduceL1" => number.abs(),
        "ReduceLogSumExp" => number.exp(),
        _ => number,
    });
    let count: usize = axes.iter().map(|axis| array.shape()[*axis]).product();
    let finish = |sum: f64| match op {
        "ReduceMean" => sum / count as f64,
        "ReduceL2" => sum.sqrt(),
        "ReduceLogSum" | "ReduceLogSumExp" => sum.ln(),
        _ => sum,
    };
    Ok(over(&wide, axes, keep, pair)?.mapv(|sum| finish(sum) as f32))
}

fn over<T: Copy>(
    array: &ArrayD<T>,
    axes: &[usize],
    keep: bool,
    pair: impl Fn(&T, &T) -> T,
) -> Result<ArrayD<T>, Problem> {
    let mut result = array.clone();
    for axis in axes.iter().rev() {
        let mut lanes = result.axis_iter(Axis(*axis));
        let first = lanes
            .next()
            .ok_or_else(|| Problem::new(format!("axis {axis} of {:?} is empty", array.shape())))?;
        let reduced = lanes.fold(first.to_owned(), |mut sum, lane| {
            sum.zip_mut_with(&lane, |a, b| *a = pair(a, b));
            sum
        });
        result = if keep { reduced.insert_axis(Axis(*axis)) } else { reduced };
    }
    Ok(result)
}

/// `BatchNormalization` of weights, `[batch, channels, ...]`; with `training_mode`, by their own mean and variance.
pub(super) fn batch_norm(site: &Site) -> Result<Vec<Constant>, Problem> {
    let mut x = site.floats(0)?;
    let epsilon = site.float("epsilon", 1e-5)?;
    let own =
        site.flag("training_mode")? || site.node.output.iter().filter(|name| !name.is_empty()).count() > 1;
    let [gamma, beta, mean, variance] = [site.floats(1)?, site.floats(2)?, site.floats(3)?, site.floats(4)?];
    let channels = *x.shape().get(1).ok_or("works on constants without channels")?;
    if [&gamma, &beta, &mean, &variance].iter().any(|list| list.len() != channels) {
        return Err(Problem::new(format!("its parameters don't have {channels} numbers each")));
    }
    let lists = gamma.iter().zip(&beta).zip(mean.iter().zip(&variance));
    for (mut channel, ((gamma, beta), (mean, variance))) in x.axis_iter_mut(Axis(1)).zip(lists) {
        let count = channel.len().max(1) as f64;
        let (mut mean, mut variance) = (f64::from(*mean), f64::from(*variance));
        if own {
            mean = channel.iter().map(|number| f64::from(*number)).sum::<f64>() / count;
            variance = channel.iter().map(|number| (f64::from(*number) - mean).powi(2)).sum::<f64>() / count;
        }
        let scale = f64::from(*gamma) / (variance + epsilon).sqrt();
        channel.mapv_inplace(|number| ((f64::from(number) - mean) * scale + f64::from(*beta)) as f32);
    }
    Ok(vec![Constant::Float(x)])
}
