//! Padding and cropping along any axis but the batch.
//!
//! Height and width of `[batch, channels, height, width]` have an operation of their own, which the native kernels know; other
//! axes get stored parts at their ends, or their own elements once more.

use ndarray::{ArrayD, IxDyn};

use super::super::border;
use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use super::operands::one;
use super::pick::{part, picked};
use crate::card::{Op, PadMode};
use crate::error::Problem;

/// `Pad`; attributes before operator set 11, inputs since.
pub(super) fn pad(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let mut x = site.tensor(0)?.clone();
    let mut sides = border::sides(site, x.rank())?;
    for (axis, sides) in sides.iter_mut().enumerate().filter(|(_, sides)| **sides != [0, 0]) {
        let side = x.side(axis)? as i64;
        // A negative number removes elements.
        let [first, last] = sides.map(|side| (-side).max(0));
        if first > 0 || last > 0 {
            let kept: Vec<i64> = (first..side - last).collect();
            x = part(builder, &x, axis, &kept)?;
            // Cut first, so that what is reflected or repeated is what is left, as in ONNX.
            *sides = sides.map(|side| side.max(0));
        }
    }
    let mode = site.text("mode", "constant")?;
    // Before a max pool, -infinity means no value. A card holds finite numbers only; the least finite number has the
    // same effect.
    let value = border::value(site)?.clamp(f64::from(f32::MIN), f64::from(f32::MAX));
    if let [[0, 0], [0, 0], [top, bottom], [left, right]] = sides[..] {
        if [top, bottom, left, right] == [0; 4] {
            return one(x);
        }
        let padding = [top, bottom, left, right].map(|side| side as usize);
        let mode = match mode.as_str() {
            "constant" => PadMode::Constant,
            "reflect" => PadMode::Reflect,
            "edge" => PadMode::Edge,
            _ => return along_axes(builder, x, &sides, &mode, value),
        };
        return one(builder.unary(Op::Pad { padding, mode, value }, &x)?);
    }
    along_axes(builder, x, &sides, &mode, value)
}

/// One axis after the other.
fn along_axes(
    builder: &mut Builder,
    mut x: Tensor,
    sides: &[[i64; 2]],
    mode: &str,
    value: f64,
) -> Result<Vec<Value>, Problem> {
    for (axis, [before, behind]) in sides.iter().copied().enumerate().filter(|(_, sides)| *sides != [0, 0]) {
        let side = x.side(axis)? as i64;
        if mode == "constant" {
            for (count, at) in [(before, 0), (behind, 1)].into_iter().filter(|(count, _)| *count > 0) {
                let mut shape = vec![1; x.rank()];
                shape[axis] = count as usize;
                let other =
                    Weight { values: ArrayD::from_elem(IxDyn(&shape), value as f32), source: String::new() };
                x = builder.emit(Op::Concat { axis, at }, &[&x], vec![("other", other)])?;
            }
        } else {
            let places = (-before..side + behind).map(|at| border::place(mode, at, side));
            let places = places.collect::<Result<Vec<_>, _>>()?;
            x = picked(builder, &x, axis, &places)?;
        }
    }
    one(x)
}
