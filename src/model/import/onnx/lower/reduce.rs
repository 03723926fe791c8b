//! Means, sums and extremes along axes.

use super::super::builder::{Builder, Tensor};
use super::super::site::{Site, Value};
use super::operands::one;
use super::pairs::plain;
use crate::card::Op;
use crate::error::Problem;

/// `GlobalAveragePool` and `GlobalMaxPool`.
pub(super) fn global_pool(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axes = (2..x.rank()).collect();
    let op = match (site.op(), x.rank()) {
        ("GlobalAveragePool", 4) => Op::GlobalAvgPool {},
        (_, 4) => Op::GlobalMaxPool {},
        ("GlobalAveragePool", _) => Op::ReduceMean { axes, keep_dims: true },
        _ => Op::ReduceMax { axes, keep_dims: true },
    };
    one(builder.unary(op, x)?)
}

/// The reductions. A mean over height and width of a picture is a global pool in all exporters' forms. A maximum is
/// not: of equal numbers, a pool passes the gradient to the first, and a reduction over two axes to all.
pub(super) fn along(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let keep_dims = site.int("keepdims", 1)? != 0;
    let axes = match site.ints_of("axes", 1)? {
        Some(axes) if !axes.is_empty() => with_row(site, site.fronts(&axes, x.rank())?),
        _ if site.flag("noop_with_empty_axes")? => return unreduced(builder, site.op(), x),
        // No axes mean all; the batch among them is refused below.
        _ => (0..x.rank()).collect(),
    };
    for axis in &axes {
        x.side(*axis)?;
    }
    one(pooled(builder, site.op(), x, &axes, keep_dims)?)
}

/// Over the length of a sequence is over all of its row.
pub(super) fn with_row(site: &Site, axes: Vec<usize>) -> Vec<usize> {
    match axes[..] {
        [.., 3] if site.row => [&axes[..axes.len() - 1], &[2, 3]].concat(),
        _ => axes,
    }
}

/// Without axes nothing is summed, but squares and roots still apply.
fn unreduced(builder: &mut Builder, op: &str, x: &Tensor) -> Result<Vec<Value>, Problem> {
    match op {
        "ReduceL1" | "ReduceL2" => one(builder.unary(Op::Abs {}, x)?),
        "ReduceLogSum" => one(builder.unary(Op::Log {}, x)?),
        "ReduceSumSquare" => one(builder.unary(Op::Pow { exponent: 2.0 }, x)?),
        _ => one(x.clone()),
    }
}

fn pooled(
    builder: &mut Builder,
    op: &str,
    x: &Tensor,
    axes: &[usize],
    keep_dims: bool,
) -> Result<Tensor, Problem> {
    let whole = match op {
        "ReduceMean" => Some(Op::GlobalAvgPool {}),
        "ReduceMax" => Some(Op::ReduceMax { axes: axes.to_vec(), keep_dims: true }),
        _ => None,
    };
    if let (Some(whole), 4, [2, 3]) = (whole, x.rank(), axes) {
        let pool = builder.unary(whole, x)?;
        return if keep_dims { Ok(pool) } else { builder.unary(Op::Flatten { start_axis: 1 }, &pool) };
    }
    let axes = axes.to_vec();
    // What the sum is of.
    let part = match op {
        "ReduceSumSquare" => builder.unary(Op::Pow { exponent: 2.0 }, x)?,
        "ReduceL1" => builder.unary(Op::Abs {}, x)?,
        "ReduceLogSumExp" => return log_sum_exp(builder, x, axes, keep_dims),
        _ => x.clone(),
    };
    let reduction = match op {
        "ReduceMean" => Op::ReduceMean { axes, keep_dims },
        "ReduceSum" | "ReduceSumSquare" | "ReduceL1" | "ReduceLogSum" => Op::ReduceSum { axes, keep_dims },
        "ReduceMax" => Op::ReduceMax { axes, keep_dims },
        "ReduceMin" => Op::ReduceMin { axes, keep_dims },
        _ => Op::ReduceL2 { axes, keep_dims },
    };
    let result = builder.unary(reduction, &part)?;
    if op == "ReduceLogSum" { builder.unary(Op::Log {}, &result) } else { Ok(result) }
}

/// The greatest element comes out of the sum first, so that no power is too large.
fn log_sum_exp(
    builder: &mut Builder,
    x: &Tensor,
    axes: Vec<usize>,
    keep_dims: bool,
) -> Result<Tensor, Problem> {
    let greatest = builder.unary(Op::ReduceMax { axes: axes.clone(), keep_dims: true }, x)?;
    let below = builder.emit(plain("Sub", None)?, &[x, &greatest], vec![])?;
    let powers = builder.unary(Op::Exp {}, &below)?;
    let sum = builder.unary(Op::ReduceSum { axes: axes.clone(), keep_dims: true }, &powers)?;
    let log = builder.unary(Op::Log {}, &sum)?;
    let result = builder.emit(plain("Add", None)?, &[&log, &greatest], vec![])?;
    if keep_dims { Ok(result) } else { builder.unary(Op::Squeeze { axes }, &result) }
}
