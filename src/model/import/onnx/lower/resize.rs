//! Scaling feature maps up and down.

use super::super::builder::Builder;
use super::super::site::{Site, Tensor, Value, fronts};
use super::one;
use crate::card::{Op, ResizeMode};

/// `Resize` and its forerunner `Upsample`, in the conventions that frameworks have.
pub(super) fn resize(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    let output_size = size(site, x)?;
    if output_size == [x.side(2)?, x.side(3)?] {
        return one(x.clone());
    }
    let mode = site.text("mode", "nearest")?;
    // `Upsample` and the first `Resize` have no other convention than this.
    let old = if site.op() == "Upsample" || site.opset < 11 { "asymmetric" } else { "half_pixel" };
    let coordinates = site.text("coordinate_transformation_mode", old)?;
    let nearest =
        site.text("nearest_mode", if old == "asymmetric" { "floor" } else { "round_prefer_floor" })?;
    let whole = output_size[0] % x.side(2)? == 0 && output_size[1] % x.side(3)? == 0;
    let refuse = || format!("scales by '{mode}' with '{coordinates}' coordinates, which is not supported");
    let (mode, align_corners) = match (mode.as_str(), coordinates.as_str()) {
        ("nearest", "asymmetric") if nearest == "floor" => (ResizeMode::Nearest, false),
        // For a whole factor all of these repeat each cell.
        ("nearest", "half_pixel" | "pytorch_half_pixel") if whole => (ResizeMode::Nearest, false),
        ("linear", "half_pixel" | "pytorch_half_pixel") => (ResizeMode::Bilinear, false),
        ("linear", "align_corners") => (ResizeMode::Bilinear, true),
        ("cubic", "half_pixel" | "pytorch_half_pixel") if site.float("cubic_coeff_a", -0.75)? == -0.75 => {
            (ResizeMode::Bicubic, false)
        }
        _ => return Err(refuse()),
    };
    if site.flag("antialias")? || site.flag("exclude_outside")? {
        return Err(refuse());
    }
    one(builder.unary(Op::Resize { output_size, mode, align_corners }, x)?)
}

/// Height and width from scales or sizes, of which batch and channels must stay as they are.
fn size(site: &Site, x: &Tensor) -> Result<[usize; 2], String> {
    if x.rank() != 4 {
        return Err("scales other than pictures, expected [batch, channels, height, width]".into());
    }
    let spread = match site.ints("axes")? {
        None => false,
        Some(axes) if fronts(&axes, 4)? == [2, 3] && axes.len() == 2 && axes[0] != 3 && axes[0] != -1 => true,
        Some(axes) => return Err(format!("scales axes {axes:?}, expected height and width")),
    };
    let (scales_at, sizes_at) = if site.op() == "Upsample" || site.opset < 11 { (1, 9) } else { (2, 3) };
    if let Some(sizes) = site.optional(sizes_at)?.filter(|sizes| sizes.len() > 0) {
        let mut lanes: Vec<_> = sizes.lanes()?.iter().copied().collect();
        if spread {
            lanes.splice(0..0, [0, 1].map(|axis| [x.shapes[0][axis] as i64, x.shapes[1][axis] as i64]));
        }
        let [_, channels, [height, same_height], [width, same_width]] = lanes[..] else {
            return Err(format!("has {} sizes, expected 4", lanes.len()));
        };
        let fixed = height == same_height && width == same_width && channels == [x.side(1)? as i64; 2];
        return match (usize::try_from(height), usize::try_from(width)) {
            (Ok(height @ 1..), Ok(width @ 1..)) if fixed => Ok([height, width]),
            _ => Err(format!("scales to {height}x{width}, which is not sensible")),
        };
    }
    let mut scales: Vec<f64> = match site.attribute("scales") {
        Some(attribute) => attribute.floats.iter().map(|scale| f64::from(*scale)).collect(),
        None => site.floats(scales_at)?.iter().map(|scale| f64::from(*scale)).collect(),
    };
    if spread {
        scales.splice(0..0, [1.0, 1.0]);
    }
    let &[1.0, 1.0, vertical, horizontal] = &scales[..] else {
        return Err(format!("scales by {scales:?}, expected only height and width to change"));
    };
    let size = [x.side(2)? as f64 * vertical, x.side(3)? as f64 * horizontal].map(f64::floor);
    match size.iter().all(|side| (1.0..65_536.0).contains(side)) {
        true => Ok(size.map(|side| side as usize)),
        false => Err(format!("scales by {scales:?}, which is not sensible")),
    }
}
