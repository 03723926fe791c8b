//! Normalisations.

use ndarray::ArrayD;

use super::super::builder::{Builder, Weight};
use super::super::site::{Site, Value};
use super::operands::{one, required, scaled, shifted, weight};
use super::pairs::plain;
use crate::card::Op;
use crate::error::Problem;

/// `BatchNormalization` in evaluation mode.
pub(super) fn batch(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    // Before operator set 14, further outputs mean training.
    let trains = site.flag("training_mode")? || site.node.output.iter().skip(1).any(|name| !name.is_empty());
    if trains || site.int("spatial", 1)? == 0 {
        return Err(Problem::new("normalises as in training")
            .expected("running statistics")
            .hint("export the model in evaluation mode"));
    }
    let channels = x.side(1)?;
    let mut weights = Vec::new();
    for (at, role) in ["gamma", "beta", "running_mean", "running_var"].into_iter().enumerate() {
        weights.push((role, required(site, at + 1, channels)?));
    }
    one(builder.emit(Op::BatchNorm { epsilon: site.float("epsilon", 1e-5)? }, &[x], weights)?)
}

/// `LayerNormalization` over the last axes.
pub(super) fn layer(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axis = site.front(site.int("axis", -1)?, x.rank())?;
    let mut weights = vec![("gamma", weight(site, 1)?)];
    if site.optional(2)?.is_some() {
        weights.push(("beta", weight(site, 2)?));
    }
    // ONNX allows parameters that broadcast; the graph's norm wants one number for each element.
    let expected: Vec<usize> = (axis..x.rank()).map(|axis| x.side(axis)).collect::<Result<_, _>>()?;
    for (role, weight) in &weights {
        if weight.values.shape() != expected {
            return Err(Problem::new(format!("its {role} has shape {:?}", weight.values.shape()))
                .expected(format!("{expected:?}")));
        }
    }
    one(builder.emit(Op::LayerNorm { epsilon: site.float("epsilon", 1e-5)? }, &[x], weights)?)
}

/// `RMSNormalization` over the last axes: `x / sqrt(mean(x^2) + epsilon) * gamma`.
pub(super) fn root_mean_square(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let first = site.front(site.int("axis", -1)?, x.rank())?;
    let axes: Vec<usize> = (first..x.rank()).collect();
    for axis in &axes {
        x.side(*axis)?;
    }
    let squares = builder.unary(Op::Pow { exponent: 2.0 }, x)?;
    let mean = builder.unary(Op::ReduceMean { axes, keep_dims: true }, &squares)?;
    let bounded = shifted(builder, &mean, site.float("epsilon", 1e-5)?)?;
    let root = builder.unary(Op::Pow { exponent: -0.5 }, &bounded)?;
    let even = builder.emit(plain("Mul", None)?, &[x, &root], vec![])?;
    one(builder.emit(plain("Mul", None)?, &[&even], vec![("other", weight(site, 1)?)])?)
}

/// `InstanceNormalization` is group normalisation with one group per channel.
pub(super) fn instance(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let groups = x.side(1)?;
    let weights = vec![("gamma", required(site, 1, groups)?), ("beta", required(site, 2, groups)?)];
    one(builder.emit(Op::GroupNorm { groups, epsilon: site.float("epsilon", 1e-5)? }, &[x], weights)?)
}

/// `GroupNormalization`: one scale per group before operator set 21, one per channel since.
pub(super) fn group(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let groups = usize::try_from(site.int("num_groups", 0)?).unwrap_or(0);
    let channels = x.side(1)?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(Problem::new(format!("cannot divide {channels} channels into {groups} groups")));
    }
    let spread = |at: usize| -> Result<Weight, Problem> {
        if site.opset >= 21 {
            return required(site, at, channels);
        }
        let Weight { values, source } = required(site, at, groups)?;
        // Every channel of a group gets the group's number, as the operation defines it.
        let each = channels / groups;
        let values = values.iter().flat_map(|value| std::iter::repeat_n(*value, each)).collect::<Vec<_>>();
        let values = ArrayD::from_shape_vec(vec![channels], values)
            .map_err(|cause| Problem::new(cause.to_string()))?;
        Ok(Weight { values, source })
    };
    let weights = vec![("gamma", spread(1)?), ("beta", spread(2)?)];
    one(builder.emit(Op::GroupNorm { groups, epsilon: site.float("epsilon", 1e-5)? }, &[x], weights)?)
}

/// `LRN` across channels.
pub(super) fn local_response(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let size = usize::try_from(site.int("size", 0)?).unwrap_or(0);
    let op = Op::LocalResponseNorm {
        size,
        alpha: site.float("alpha", 1e-4)?,
        beta: site.float("beta", 0.75)?,
        k: site.float("bias", 1.0)?,
    };
    one(builder.unary(op, x)?)
}

/// `LpNormalization`: divides by the norm along an axis. Zeros stay zeros, with a zero gradient: with `u = 0` where
/// the norm is 0 and else `u = 1`, the quotient is `u x / (norm + 1 - u)`.
pub(super) fn lp(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axis = site.axis(-1, x.rank())?;
    x.side(axis)?;
    let axes = vec![axis];
    let length = match site.int("p", 2)? {
        2 => builder.unary(Op::ReduceL2 { axes, keep_dims: true }, x)?,
        1 => {
            let sizes = builder.unary(Op::Abs {}, x)?;
            builder.unary(Op::ReduceSum { axes, keep_dims: true }, &sizes)?
        }
        other => return Err(Problem::new(format!("its 'p' is {other}")).expected("1 or 2")),
    };
    // Smaller than any norm in practice except zero. A power of two, so that the quotient is exactly 1.
    let least = 2.0_f64.powi(-100);
    let bounded = builder.unary(Op::Minimum { scalar: Some(least) }, &length)?;
    let is_long = scaled(builder, &bounded, least.recip())?;
    let is_zero = scaled(builder, &is_long, -1.0)?;
    let is_zero = shifted(builder, &is_zero, 1.0)?;
    let divisor = builder.emit(Op::Add { scalar: None }, &[&length, &is_zero], vec![])?;
    let divided = builder.emit(Op::Div { scalar: None }, &[x, &divisor], vec![])?;
    one(builder.emit(Op::Mul { scalar: None }, &[&divided, &is_long], vec![])?)
}
