//! Normalisations, and factors per channel.

use super::super::hdf5::Array;
use super::super::settings::front;
use super::super::site::{Site, Tensor, per_channel, weight};
use super::elementwise::{MAXIMUM, OVER, PLUS, SUBTRACT, TIMES};
use super::sequence;
use crate::builder::Weight;
use crate::card::Op;
use crate::error::Problem;

/// Keras's `epsilon()`, below which no deviation is divided by.
const LEAST_DEVIATION: f64 = 1e-7;
/// No length below this is divided by, in Keras 2 and since Keras 3.
const LEAST_LENGTHS: [f64; 2] = [1e-6, 1e-12];

/// Refuses a norm along any axes but the channels, which are Keras's last axis.
fn along_channels(site: &Site, x: &Tensor) -> Result<usize, Problem> {
    let last = if x.rank() == 4 { 1 } else { x.rank() - 1 };
    let axes = site.settings.list("axis")?.unwrap_or_else(|| vec![-1]);
    match &axes[..] {
        [axis] if site.axis(x, *axis)? == last => x.side(last),
        _ => Err(Problem::new(format!("normalises along the axes {axes:?}")).expected("the channels")),
    }
}

/// The arrays of a norm: factor and offset where it has them, else ones and zeros, then the others.
fn arrays(site: &Site, channels: usize, others: &[&'static str]) -> Result<Vec<Array>, Problem> {
    let own = [("gamma", "scale", 1.0), ("beta", "center", 0.0)];
    let has = own.map(|(_, setting, _)| site.settings.flag(setting, true));
    let has = [has[0].clone()?, has[1].clone()?];
    let roles = own.iter().zip(has).filter(|(_, has)| *has).map(|((role, ..), _)| *role);
    let roles: Vec<&str> = roles.chain(others.iter().copied()).collect();
    let mut found = site.parameters(&roles)?.into_iter();
    let mut arrays = Vec::new();
    for ((_, _, usual), has) in own.into_iter().zip(has) {
        let missing = Array { shape: vec![channels], values: vec![usual; channels] };
        arrays.extend(if has { found.next() } else { Some(missing) });
    }
    arrays.extend(found);
    Ok(arrays)
}

/// `BatchNormalization`.
pub(super) fn batch(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let channels = along_channels(site, &x)?;
    // The channels of a sequence are those of its picture of one row.
    if x.rank() == 3 {
        return sequence::along(site, |site| {
            let x = site.input()?;
            normalised(site, &x, x.side(1)?)
        });
    }
    normalised(site, &x, channels)
}

fn normalised(site: &mut Site, x: &Tensor, channels: usize) -> Result<Tensor, Problem> {
    if x.rank() != 4 && x.rank() != 2 {
        return Err(Problem::new(format!("normalises a tensor of {} axes", x.rank())).expected("two to four"));
    }
    let arrays = arrays(site, channels, &["moving_mean", "moving_variance"])?;
    let roles = ["gamma", "beta", "running_mean", "running_var"];
    let weights = roles.into_iter().zip(arrays.into_iter().map(weight)).collect();
    // Keras's default is 1e-3, PyTorch's 1e-5.
    site.emit(Op::BatchNorm { epsilon: site.settings.number("epsilon", 1e-3)? }, &[x], weights)
}

/// `LayerNormalization` over the channels, or over the last axes.
pub(super) fn layer(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let rank = x.rank();
    let axes = site.settings.list("axis")?.unwrap_or_else(|| vec![-1]);
    let counted = axes.iter().map(|axis| front(*axis, rank));
    let first = rank.checked_sub(axes.len()).filter(|first| *first > 0);
    if first.is_none_or(|first| !counted.eq(first as i64..rank as i64)) {
        return Err(Problem::new(format!("normalises along the axes {axes:?}")).expected("the last ones"));
    }
    if site.settings.flag("rms_scaling", false)? {
        return Err(Problem::new("has 'rms_scaling'").expected("a mean that is subtracted"));
    }
    let last = site.as_keras(&x)?;
    let sides = last.shapes[0][first.unwrap_or(rank)..].to_vec();
    let mut arrays = arrays(site, sides.iter().product(), &[])?;
    // Those that the file lacks were made with one axis.
    arrays.iter_mut().for_each(|array| array.shape.clone_from(&sides));
    let weights: Vec<(&str, Weight)> =
        ["gamma", "beta"].into_iter().zip(arrays.into_iter().map(weight)).collect();
    let y =
        site.emit(Op::LayerNorm { epsilon: site.settings.number("epsilon", 1e-3)? }, &[&last], weights)?;
    site.as_graph(&y)
}

/// `RMSNormalization` over the channels.
pub(super) fn root_mean_square(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    along_channels(site, &x)?;
    let axis = if x.rank() == 4 { 1 } else { x.rank() - 1 };
    let squares = site.unary(Op::Pow { exponent: 2.0 }, &x)?;
    let mean = site.unary(Op::ReduceMean { axes: vec![axis], keep_dims: true }, &squares)?;
    let shifted = site.unary(PLUS(Some(site.settings.number("epsilon", 1e-6)?)), &mean)?;
    let root = site.unary(Op::Sqrt { of_squares: false }, &shifted)?;
    let y = site.emit(OVER(None), &[&x, &root], vec![])?;
    let scale = site.parameters(&["scale"])?.into_iter().next().ok_or("has no factors")?;
    site.emit(TIMES(None), &[&y], vec![("other", per_channel(scale.values, x.rank()))])
}

/// `UnitNormalization`: a length of one along some axes.
pub(super) fn unit(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let axes = site.settings.list("axis")?.unwrap_or_else(|| vec![-1]);
    let axes = axes.into_iter().map(|axis| site.axis(&x, axis)).collect::<Result<_, _>>()?;
    unit_along(site, &x, axes)
}

/// `x` divided by its length along these axes of the graph.
pub(super) fn unit_along(site: &mut Site, x: &Tensor, axes: Vec<usize>) -> Result<Tensor, Problem> {
    let length = site.unary(Op::ReduceL2 { axes, keep_dims: true }, x)?;
    let length = site.unary(MAXIMUM(Some(LEAST_LENGTHS[usize::from(site.version >= 3)])), &length)?;
    site.emit(OVER(None), &[x, &length], vec![])
}

/// `GroupNormalization`; -1 groups are one for each channel.
pub(super) fn group(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, _) = site.picture()?;
    let channels = along_channels(site, &x)?;
    let groups = match site.settings.list("groups")?.as_deref() {
        None => 32,
        Some([-1]) => channels,
        Some([groups]) => usize::try_from(*groups).unwrap_or(0),
        Some(_) => 0,
    };
    let arrays = arrays(site, channels, &[])?;
    let weights = ["gamma", "beta"].into_iter().zip(arrays.into_iter().map(weight)).collect();
    site.emit(Op::GroupNorm { groups, epsilon: site.settings.number("epsilon", 1e-3)? }, &[&x], weights)
}

/// `Normalization`: mean and variance are settings, or were found from data and are stored.
pub(super) fn constant(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    if site.settings.get("axis").is_some() {
        along_channels(site, &x)?;
    }
    let given = site.settings.numbers("mean")?.zip(site.settings.numbers("variance")?);
    let [mean, variance] = match given {
        Some((mean, variance)) => [mean, variance],
        None => {
            // `count` is how many values both were found from, which nothing needs.
            let arrays = site.parameters(&["mean", "variance", "count"])?;
            let list = |at: usize| arrays[at].values.iter().map(|value| f64::from(*value)).collect();
            [list(0), list(1)]
        }
    };
    let deviation: Vec<f64> = variance.iter().map(|variance| variance.sqrt().max(LEAST_DEVIATION)).collect();
    if site.settings.flag("invert", false)? {
        let stretched = site.with_numbers(TIMES, &x, &deviation)?;
        return site.with_numbers(PLUS, &stretched, &mean);
    }
    let centred = site.with_numbers(SUBTRACT, &x, &mean)?;
    site.with_numbers(OVER, &centred, &deviation)
}

/// `Rescaling`: factors, then offsets; one, or one per channel.
pub(super) fn rescaling(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let scale = site.settings.numbers("scale")?.ok_or("has no 'scale'")?;
    let offset = site.settings.numbers("offset")?.unwrap_or_else(|| vec![0.0]);
    let scaled = site.with_numbers(TIMES, &x, &scale)?;
    match offset[..] {
        // The usual offset; to add it would be a layer that computes nothing.
        [0.0] => Ok(scaled),
        _ => site.with_numbers(PLUS, &scaled, &offset),
    }
}

/// ConvNeXt's learned factor per channel.
pub(super) fn layer_scale(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let gamma = site.parameters(&["gamma"])?.into_iter().next().ok_or("has no factors")?;
    let factor = per_channel(gamma.values, x.rank());
    site.emit(TIMES(None), &[&x], vec![("other", factor)])
}
