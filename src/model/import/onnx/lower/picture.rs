//! Padding, and rearrangement of channels and pixels.

use super::super::builder::Builder;
use super::super::constant::Constant;
use super::super::site::{Site, Value, front};
use super::operands::one;
use crate::card::{Op, PadMode};
use crate::error::Problem;

/// `Pad` of pictures; attributes before operator set 11, inputs since.
pub(super) fn pad(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let pads = site.ints_of("pads", 1)?.ok_or("its pads are not there")?;
    if pads.iter().all(|side| *side == 0) {
        return one(x.clone());
    }
    let mut sides = vec![0; 2 * x.rank()];
    let axes = site.optional(3)?.map(Constant::ints).transpose()?;
    let axes = axes.unwrap_or_else(|| (0..x.rank() as i64).collect());
    if pads.len() != 2 * axes.len() {
        return Err(
            Problem::new(format!("has {} pads for {} axes", pads.len(), axes.len())).expected("two for each")
        );
    }
    for (at, axis) in axes.iter().enumerate() {
        let axis = front(*axis, x.rank())?;
        (sides[axis], sides[x.rank() + axis]) = (pads[at], pads[axes.len() + at]);
    }
    let refuse = || Problem::new(format!("pads by {pads:?}")).expected("only height and width to grow");
    let sides: Vec<usize> =
        sides.iter().map(|side| usize::try_from(*side)).collect::<Result<_, _>>().map_err(|_| refuse())?;
    let &[0, 0, top, left, 0, 0, bottom, right] = &sides[..] else { return Err(refuse()) };
    let value = match site.optional(2)? {
        Some(value) => value.scalar().ok_or("its value is not one number")?,
        None => site.float("value", 0.0)?,
    };
    // Before a max pool, -infinity means no value. A card holds finite numbers only; the least finite number has the
    // same effect.
    let value = value.clamp(f64::from(f32::MIN), f64::from(f32::MAX));
    let mode = match site.text("mode", "constant")?.as_str() {
        "constant" => PadMode::Constant,
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Edge,
        other => return Err(Problem::new(format!("pads by '{other}'")).expected("constant, reflect or edge")),
    };
    one(builder.unary(Op::Pad { padding: [top, bottom, left, right], mode, value }, x)?)
}

/// `DepthToSpace` and `SpaceToDepth`: channels become blocks of pixels, and the reverse.
pub(super) fn blocks(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let block = usize::try_from(site.int("blocksize", 0)?).unwrap_or(0);
    if x.rank() != 4 || block == 0 {
        return Err(Problem::new(format!("has blocks of {block} on rank {}", x.rank())).expected("pictures"));
    }
    let [channels, height, width] = [x.side(1)?, x.side(2)?, x.side(3)?];
    let area = block
        .checked_mul(block)
        .filter(|area| *area <= channels.max(height * width))
        .ok_or("has absurd blocks")?;
    // `DCR` has the block's rows and columns before the remaining channels, `CRD` after them.
    let (open, perm, close) = match (site.op(), site.text("mode", "DCR")?.as_str()) {
        ("SpaceToDepth", mode @ ("DCR" | "CRD")) => (
            vec![channels, height / block, block, width / block, block],
            if mode == "DCR" { vec![0, 3, 5, 1, 2, 4] } else { vec![0, 1, 3, 5, 2, 4] },
            vec![channels * area, height / block, width / block],
        ),
        ("DepthToSpace", mode @ ("DCR" | "CRD")) => {
            let (open, perm) = match mode {
                "DCR" => (vec![block, block, channels / area, height, width], vec![0, 3, 4, 1, 5, 2]),
                _ => (vec![channels / area, block, block, height, width], vec![0, 1, 4, 2, 5, 3]),
            };
            (open, perm, vec![channels / area, height * block, width * block])
        }
        (_, mode) => return Err(Problem::new(format!("its 'mode' is '{mode}'")).expected("DCR or CRD")),
    };
    let shape = |sides: &[usize]| std::iter::once(0).chain(sides.iter().map(|side| *side as i64)).collect();
    let opened = builder.unary(Op::Reshape { shape: shape(&open) }, x)?;
    let turned = builder.unary(Op::Transpose { perm }, &opened)?;
    one(builder.unary(Op::Reshape { shape: shape(&close) }, &turned)?)
}
