//! Layers that pad, cut and scale pictures.

use super::super::settings::numbers;
use super::super::site::{Lower, Site, Tensor};
use crate::card::{Coordinates, Op, PadMode, ResizeMapping, ResizeMode, Rounding};
use crate::error::Problem;

/// The function for a layer, if it is one of these.
pub(super) fn find(class: &str) -> Option<Lower> {
    Some(match class {
        "ZeroPadding2D" => pad,
        "Cropping2D" => crop,
        "CenterCrop" => centre,
        "RandomCrop" => random_crop,
        "UpSampling2D" => repeat,
        "Resizing" => resize,
        _ => return None,
    })
}

/// `ZeroPadding2D`.
pub(super) fn pad(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, _) = site.picture()?;
    let padding = site.sides("padding", 1)?;
    site.unary(Op::Pad { padding, mode: PadMode::Constant, value: 0.0 }, &x)
}

/// `Cropping2D`.
pub(super) fn crop(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let (x, [_, _, height, width]) = site.picture()?;
    let [top, bottom, left, right] = site.sides("cropping", 0)?;
    cut(site, &x, [top..height.saturating_sub(bottom), left..width.saturating_sub(right)])
}

/// `CenterCrop`; a picture that is too small is scaled to cover.
fn centre(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, [_, _, height, width]) = site.picture()?;
    let size = [site.settings.count("height", 0)?, site.settings.count("width", 0)?];
    if size[0] > height || size[1] > width {
        return covering(site, &x, size);
    }
    let [top, left] = [(height - size[0]) / 2, (width - size[1]) / 2];
    cut(site, &x, [top..top + size[0], left..left + size[1]])
}

/// `RandomCrop` in use: Keras 2 scales to cover, Keras 3 leaves the picture as it is.
fn random_crop(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, [_, _, height, width]) = site.picture()?;
    let size = [site.settings.count("height", 0)?, site.settings.count("width", 0)?];
    site.asked_version |= size != [height, width];
    match site.version {
        0..3 => covering(site, &x, size),
        _ => Ok(x),
    }
}

/// The largest part in the middle with the shape of `size`, scaled to it.
fn covering(site: &mut Site, x: &Tensor, size: [usize; 2]) -> Result<Tensor, Problem> {
    let sides = [x.side(2)?, x.side(3)?];
    let [part, _] = same_shape(sides, size)?;
    let start = [0, 1].map(|axis| (sides[axis] - part[axis]) / 2);
    let part = cut(site, x, [0, 1].map(|axis| start[axis]..start[axis] + part[axis]))?;
    scaled(site, &part, size, Kind::Bilinear)
}

/// The largest sides inside of `sides`, and the smallest around them, in the proportion of `size`. In single precision, as in
/// Keras, because a fraction that is cut off may be a whole pixel.
fn same_shape([height, width]: [usize; 2], size: [usize; 2]) -> Result<[[usize; 2]; 2], Problem> {
    if size.contains(&0) {
        return Err(
            Problem::new(format!("makes a picture of {}x{}", size[0], size[1])).expected("sides from 1")
        );
    }
    let [rows, columns] = size.map(|side| side as f32);
    let tall = (width as f32 * rows / columns) as usize;
    let wide = (height as f32 * columns / rows) as usize;
    Ok([[height.min(tall).max(1), width.min(wide).max(1)], [height.max(tall), width.max(wide)]])
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
    let [rows, columns] = site.pair("size", [2, 2])?;
    let size = [height.saturating_mul(rows), width.saturating_mul(columns)];
    let kind = Kind::of(site, "nearest")?;
    scaled(site, &x, size, kind)
}

/// `Resizing` to fixed sides, and `resize` of functions.
pub(super) fn resize(site: &mut Site) -> Result<Tensor, Problem> {
    let (x, [_, _, height, width]) = site.picture()?;
    let sides = [height, width];
    let size = match site.value("size") {
        Some(value) => numbers(&value)
            .and_then(|sides| <[f64; 2]>::try_from(sides).ok())
            .map(|sides| sides.map(|side| side as usize))
            .ok_or_else(|| Problem::new(format!("its 'size' is {value}")).expected("two whole numbers"))?,
        None => [site.settings.count("height", 0)?, site.settings.count("width", 0)?],
    };
    let kind = Kind::of(site, "bilinear")?;
    if site.is_set("crop_to_aspect_ratio")? {
        return match kind {
            Kind::Bilinear => covering(site, &x, size),
            _ => Err(Problem::new("has 'crop_to_aspect_ratio'").expected("bilinear interpolation with it")),
        };
    }
    let mut y = x;
    if site.is_set("preserve_aspect_ratio")? {
        return Err(Problem::new("has 'preserve_aspect_ratio'").expected("sides that are stretched"));
    }
    if site.is_set("pad_to_aspect_ratio")? {
        let [_, around] = same_shape(sides, size)?;
        // As much on either side, even where the rest is odd.
        let [above, before] = [0, 1].map(|axis| (around[axis] - sides[axis]) / 2);
        let padding = [above, above, before, before];
        let value = site.settings.number("fill_value", 0.0)?;
        y = site.unary(Op::Pad { padding, mode: PadMode::Constant, value }, &y)?;
    }
    scaled(site, &y, size, kind)
}

/// How pixels between pixels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nearest,
    Bilinear,
    /// With a window that widens where the picture shrinks.
    Smoothed,
}

impl Kind {
    fn of(site: &Site, usual: &str) -> Result<Self, Problem> {
        let smoothed = site.is_set("antialias")?;
        let named = site.value("interpolation").or_else(|| site.value("method"));
        let name = named.as_ref().and_then(serde_json::Value::as_str).unwrap_or(usual);
        match (name, smoothed) {
            ("nearest", _) => Ok(Self::Nearest),
            ("bilinear", false) => Ok(Self::Bilinear),
            ("bilinear", true) => Ok(Self::Smoothed),
            (other, _) => {
                let what = format!("has 'interpolation' '{other}'");
                Err(Problem::new(what).expected("nearest or bilinear"))
            }
        }
    }
}

/// TensorFlow's `tf.image.resize`: pixels are squares, whose centres are compared.
fn scaled(site: &mut Site, x: &Tensor, output_size: [usize; 2], kind: Kind) -> Result<Tensor, Problem> {
    let size = [x.side(2)?, x.side(3)?];
    if size == output_size {
        return Ok(x.clone());
    }
    let mode = if kind == Kind::Nearest { ResizeMode::Nearest } else { ResizeMode::Bilinear };
    let is_whole = (0..2).all(|axis| output_size[axis].is_multiple_of(size[axis]));
    // By whole numbers, the graph's own rule takes the same cells.
    let needs_mapping = kind == Kind::Smoothed || kind == Kind::Nearest && !is_whole;
    let coordinates =
        if kind == Kind::Smoothed { Coordinates::HalfPixel } else { Coordinates::TfHalfPixelForNn };
    let mapping = needs_mapping.then(|| ResizeMapping {
        coordinates,
        scale: [0, 1].map(|axis| output_size[axis] as f64 / size[axis] as f64),
        rounding: Rounding::Floor,
        // Of the cubic alone, and its usual value.
        cubic_a: -0.75,
        exclude_outside: kind == Kind::Smoothed,
        antialias: kind == Kind::Smoothed,
    });
    site.unary(Op::Resize { output_size, mode, align_corners: false, mapping }, x)
}
