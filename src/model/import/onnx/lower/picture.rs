//! Rearrangement of channels and pixels.

use super::super::builder::Builder;
use super::super::site::{Site, Value};
use super::operands::one;
use crate::card::Op;
use crate::error::Problem;

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
