//! Scaling feature maps up and down.
//!
//! `Resize` and its predecessor `Upsample` are read into one [`Side`] per axis, then into the settings of the graph's
//! operation: PyTorch's if they sample the same positions, else ONNX's own conventions.

use super::super::builder::{Builder, Tensor};
use super::super::constant::{Constant, Lanes};
use super::super::site::{Site, Value, decimal};
use super::operands::one;
use crate::card::{Coordinates, Op, ResizeMapping, ResizeMode, Rounding};
use crate::error::Problem;
use crate::resize::Rule;

/// One axis: its length before and after, and its scale. The batch axis has no known length and is not scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Side {
    input: usize,
    output: usize,
    scale: f32,
}

impl Side {
    fn stays(&self) -> bool {
        self.input == self.output && self.scale == 1.0
    }
}

/// `Resize` and `Upsample`.
pub(super) fn resize(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let sides = sides(site, x)?;
    if sides.iter().all(|side| side.input == side.output) {
        return one(x.clone());
    }
    let moving: Vec<usize> = (0..sides.len()).filter(|axis| !sides[*axis].stays()).collect();
    match (x.rank(), &moving[..]) {
        (4, [2] | [3] | [2, 3]) => one(scaled(builder, site, x, [sides[2], sides[3]])?),
        (4, [1] | [1, 2]) if site.text("mode", "nearest")? != "cubic" => {
            let first = builder.unary(Op::Transpose { perm: vec![0, 3, 1, 2] }, x)?;
            let resized = scaled(builder, site, &first, [sides[1], sides[2]])?;
            one(builder.unary(Op::Transpose { perm: vec![0, 2, 3, 1] }, &resized)?)
        }
        _ => Err(Problem::new(format!("scales axes {moving:?} of a value of rank {}", x.rank()))
            .expected("height and width of [batch, channels, height, width]")),
    }
}

/// Adds the operation for height and width.
fn scaled(builder: &mut Builder, site: &Site, x: &Tensor, sides: [Side; 2]) -> Result<Tensor, Problem> {
    let (mode, mapping) = convention(site, sides)?;
    let exact = Rule { mode, align_corners: false, mapping: Some(&mapping) };
    let known = [false, true].into_iter().filter(|corners| !corners || mode != ResizeMode::Nearest);
    let same = |align_corners: &bool| {
        let rule = Rule { mode, align_corners: *align_corners, mapping: None };
        let axes = sides.iter().enumerate();
        axes.into_iter().all(|(axis, side)| exact.is_same(&rule, axis, side.input, side.output))
    };
    let (align_corners, mapping) = match known.into_iter().find(same) {
        Some(align_corners) => (align_corners, None),
        None => (false, Some(mapping)),
    };
    let output_size = sides.map(|side| side.output);
    builder.unary(Op::Resize { output_size, mode, align_corners, mapping }, x)
}

/// The mode and all other settings that decide which cells are sampled.
fn convention(site: &Site, sides: [Side; 2]) -> Result<(ResizeMode, ResizeMapping), Problem> {
    let mode = match site.text("mode", "nearest")?.as_str() {
        "nearest" => ResizeMode::Nearest,
        "linear" | "bilinear" => ResizeMode::Bilinear,
        "cubic" => ResizeMode::Bicubic,
        other => {
            return Err(Problem::new(format!("scales by '{other}'")).expected("nearest, linear or cubic"));
        }
    };
    // `Upsample` and the first `Resize` have only this convention.
    let old = is_old(site);
    let usual = if old { "asymmetric" } else { "half_pixel" };
    let coordinates = match site.text("coordinate_transformation_mode", usual)?.as_str() {
        "half_pixel" => Coordinates::HalfPixel,
        "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "tf_half_pixel_for_nn" => Coordinates::TfHalfPixelForNn,
        "asymmetric" => Coordinates::Asymmetric,
        "align_corners" => Coordinates::AlignCorners,
        other => {
            let problem = Problem::new(format!("scales with '{other}' coordinates, which is not supported"));
            return Err(problem.hint("cut the part with Slice, then resize it whole"));
        }
    };
    let rounding = match (mode, site.text("nearest_mode", "round_prefer_floor")?.as_str()) {
        (ResizeMode::Nearest, _) if old => Rounding::Simple,
        (ResizeMode::Bilinear | ResizeMode::Bicubic, _) | (_, "round_prefer_floor") => {
            Rounding::RoundPreferFloor
        }
        (_, "round_prefer_ceil") => Rounding::RoundPreferCeil,
        (_, "floor") => Rounding::Floor,
        (_, "ceil") => Rounding::Ceil,
        (_, other) => return Err(Problem::new(format!("rounds by '{other}', which is not supported"))),
    };
    let scale = sides.map(|side| decimal(side.scale));
    let cubic_a = site.float("cubic_coeff_a", -0.75)?;
    let (exclude_outside, antialias) = (site.flag("exclude_outside")?, site.flag("antialias")?);
    Ok((mode, ResizeMapping { coordinates, scale, rounding, cubic_a, exclude_outside, antialias }))
}

fn is_old(site: &Site) -> bool {
    site.op() == "Upsample" || site.opset < 11
}

/// Every axis of `x`, from scales or from sizes, in single precision as in onnxruntime, so that both round alike.
fn sides(site: &Site, x: &Tensor) -> Result<Vec<Side>, Problem> {
    let rank = x.rank();
    let axes = match site.ints("axes")? {
        Some(list) => list.iter().map(|axis| site.front(*axis, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).filter(|axis| !(site.row && *axis == 2)).collect(),
    };
    let mut sides = Vec::with_capacity(rank);
    for axis in 0..rank {
        let input = if x.is_batch(axis) { 1 } else { x.side(axis)? };
        sides.push(Side { input, output: input, scale: 1.0 });
    }
    let sizes = if is_old(site) { None } else { site.optional(3)?.filter(|sizes| sizes.len() > 0) };
    match sizes {
        Some(sizes) => by_sizes(site, x, &axes, sizes, &mut sides)?,
        None => by_scales(site, &axes, &mut sides)?,
    }
    match (0..rank).find(|axis| x.is_batch(*axis) && !sides[*axis].stays()) {
        Some(axis) => Err(Problem::new(format!("scales axis {axis}, which is the batch"))),
        None => Ok(sides),
    }
}

fn by_sizes(
    site: &Site,
    x: &Tensor,
    axes: &[usize],
    sizes: &Constant,
    sides: &mut [Side],
) -> Result<(), Problem> {
    let sizes: Vec<Lanes> = sizes.lanes()?.iter().copied().collect();
    expect("sizes", sizes.len(), axes.len())?;
    for (axis, lanes) in axes.iter().zip(sizes) {
        let batch = [0, 1].map(|lane| x.shapes[lane][*axis] as i64);
        // The batch, or the exporter's batch of one, is not scaled.
        if !x.is_batch(*axis) || (lanes != batch && lanes != [1; 2]) {
            let size = usize::try_from(lanes[0]).ok().filter(|_| lanes[0] == lanes[1]);
            let refuse = || Problem::new(format!("scales to a side of {}, which is not sensible", lanes[0]));
            let side = &mut sides[*axis];
            side.output = size.filter(|size| *size > 0).ok_or_else(refuse)?;
            side.scale = side.output as f32 / side.input as f32;
        }
    }
    keep_aspect_ratio(site, axes, sides)
}

fn by_scales(site: &Site, axes: &[usize], sides: &mut [Side]) -> Result<(), Problem> {
    let scales: Vec<f32> = match site.attribute("scales") {
        Some(attribute) => attribute.floats.clone(),
        None => site.floats(if is_old(site) { 1 } else { 2 })?.into_iter().collect(),
    };
    expect("scales", scales.len(), axes.len())?;
    for (axis, scale) in axes.iter().zip(scales) {
        sides[*axis].scale = scale;
        sides[*axis].output = whole(sides[*axis].input as f32 * scale)?;
    }
    Ok(())
}

fn expect(what: &str, count: usize, axes: usize) -> Result<(), Problem> {
    if count == axes {
        Ok(())
    } else {
        Err(Problem::new(format!("has {count} {what} for {axes} axes")).expected("one each"))
    }
}

/// The output length of a scaled axis, rounded down.
fn whole(side: f32) -> Result<usize, Problem> {
    match (1.0..65_536.0).contains(&side) {
        true => Ok(side as usize),
        false => Err(Problem::new(format!("scales to a side of {side}, which is not sensible"))),
    }
}

/// Sizes may also be bounds within which, or around which, the aspect ratio is kept.
fn keep_aspect_ratio(site: &Site, axes: &[usize], sides: &mut [Side]) -> Result<(), Problem> {
    let scales = axes.iter().map(|axis| sides[*axis].scale);
    let scale = match site.text("keep_aspect_ratio_policy", "stretch")?.as_str() {
        "stretch" => return Ok(()),
        "not_larger" => scales.fold(f32::MAX, f32::min),
        "not_smaller" => scales.fold(f32::MIN_POSITIVE, f32::max),
        other => {
            return Err(Problem::new(format!("keeps the aspect ratio by '{other}', which is not supported")));
        }
    };
    for axis in axes {
        let side = &mut sides[*axis];
        side.scale = scale;
        side.output = whole((scale * side.input as f32).round())?;
    }
    Ok(())
}
