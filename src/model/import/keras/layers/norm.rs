//! Normalisations, and factors per channel.

use super::super::hdf5::Array;
use super::super::site::{Site, Tensor, per_channel, weight};
use super::elementwise::{OVER, PLUS, SUBTRACT, TIMES};
use crate::builder::Weight;
use crate::card::Op;
use crate::error::Problem;

/// Keras's `epsilon()`, below which no deviation is divided by.
const LEAST_DEVIATION: f64 = 1e-7;

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
    if x.rank() != 4 && x.rank() != 2 {
        return Err(Problem::new(format!("normalises a tensor of {} axes", x.rank())).expected("two or four"));
    }
    let arrays = arrays(site, channels, &["moving_mean", "moving_variance"])?;
    let roles = ["gamma", "beta", "running_mean", "running_var"];
    let weights = roles.into_iter().zip(arrays.into_iter().map(weight)).collect();
    site.emit(Op::BatchNorm { epsilon: site.settings.number("epsilon", 1e-3)? }, &[&x], weights)
}

/// `LayerNormalization` over the channels.
pub(super) fn layer(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let channels = along_channels(site, &x)?;
    if site.settings.flag("rms_scaling", false)? {
        return Err(Problem::new("has 'rms_scaling'").expected("a mean that is subtracted"));
    }
    let arrays = arrays(site, channels, &[])?;
    let weights: Vec<(&str, Weight)> =
        ["gamma", "beta"].into_iter().zip(arrays.into_iter().map(weight)).collect();
    let last = site.as_keras(&x)?;
    let y =
        site.emit(Op::LayerNorm { epsilon: site.settings.number("epsilon", 1e-3)? }, &[&last], weights)?;
    site.as_graph(&y)
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
    if site.settings.flag("invert", false)? {
        return Err(Problem::new("has 'invert'").expected("a norm, not its inverse"));
    }
    if site.settings.get("axis").is_some() {
        along_channels(site, &x)?;
    }
    let given = site.settings.numbers("mean")?.zip(site.settings.numbers("variance")?);
    let [mean, variance] = match given {
        Some((mean, variance)) => [mean, variance],
        None => {
            let arrays = site.parameters(&["mean", "variance", "count"])?;
            let list = |at: usize| arrays[at].values.iter().map(|value| f64::from(*value)).collect();
            [list(0), list(1)]
        }
    };
    let deviation: Vec<f64> = variance.iter().map(|variance| variance.sqrt().max(LEAST_DEVIATION)).collect();
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
