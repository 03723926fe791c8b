//! Layers that pad, cut and scale pictures.

use super::super::site::{Site, Tensor};
use crate::card::{Coordinates, Op, PadMode, ResizeMapping, ResizeMode, Rounding};
use crate::error::Problem;

/// `ZeroPadding2D`.
pub(super) fn pad(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, _) = site.picture()?;
    let padding = site.settings.sides("padding", 1)?;
    site.unary(Op::Pad { padding, mode: PadMode::Constant, value: 0.0 }, &x)
}

/// `Cropping2D`.
pub(super) fn crop(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, [_, _, height, width]) = site.picture()?;
    let [top, bottom, left, right] = site.settings.sides("cropping", 0)?;
    cut(site, &x, [top..height.saturating_sub(bottom), left..width.saturating_sub(right)])
}

/// `CenterCrop` of a picture that is large enough.
pub(super) fn centre(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, [_, _, height, width]) = site.picture()?;
    let size = [site.settings.count("height", 0)?, site.settings.count("width", 0)?];
    if size[0] > height || size[1] > width {
        let what = format!("cuts {size:?} out of {height}x{width}");
        return Err(Problem::new(what).expected("a picture that is larger"));
    }
    let [top, left] = [(height - size[0]) / 2, (width - size[1]) / 2];
    cut(site, &x, [top..top + size[0], left..left + size[1]])
}

fn cut(site: &mut Site, x: &Tensor, ranges: [std::ops::Range<usize>; 2]) -> Result<Tensor, Problem> {
    let mut y = x.clone();
    for (axis, range) in (2..).zip(ranges) {
        if range != (0..y.side(axis)?) {
            y = site.unary(Op::Slice { axis, start: range.start, end: range.end, step: 1 }, &y)?;
        }
    }
    Ok(y)
}

/// `UpSampling2D` by whole numbers.
pub(super) fn repeat(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, [_, _, height, width]) = site.picture()?;
    let [rows, columns] = site.settings.pair("size", [2, 2])?;
    let size = [height.saturating_mul(rows), width.saturating_mul(columns)];
    scaled(site, &x, size, "nearest")
}

/// `Resizing` to fixed sides.
pub(super) fn resize(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, _) = site.picture()?;
    for setting in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] {
        if site.settings.flag(setting, false)? {
            return Err(Problem::new(format!("has '{setting}'")).expected("sides that are stretched"));
        }
    }
    let size = [site.settings.count("height", 0)?, site.settings.count("width", 0)?];
    scaled(site, &x, size, "bilinear")
}

/// TensorFlow's `tf.image.resize`: pixels are squares, whose centres are compared.
fn scaled(site: &mut Site, x: &Tensor, output_size: [usize; 2], usual: &str) -> Result<Tensor, Problem> {
    let size = [x.side(2)?, x.side(3)?];
    if size == output_size {
        return Ok(x.clone());
    }
    let mode = match site.settings.get("interpolation").and_then(|value| value.as_str()).unwrap_or(usual) {
        "nearest" => ResizeMode::Nearest,
        "bilinear" => ResizeMode::Bilinear,
        other => {
            let what = format!("has 'interpolation' '{other}'");
            return Err(Problem::new(what).expected("nearest or bilinear"));
        }
    };
    let is_whole = (0..2).all(|axis| output_size[axis].is_multiple_of(size[axis]));
    // By whole numbers, the graph's own rule takes the same cells.
    let mapping = (mode == ResizeMode::Nearest && !is_whole).then(|| ResizeMapping {
        coordinates: Coordinates::TfHalfPixelForNn,
        scale: [0, 1].map(|axis| output_size[axis] as f64 / size[axis] as f64),
        rounding: Rounding::Floor,
        // Of the cubic alone, and its usual value.
        cubic_a: -0.75,
        exclude_outside: false,
        antialias: false,
    });
    site.unary(Op::Resize { output_size, mode, align_corners: false, mapping }, x)
}
