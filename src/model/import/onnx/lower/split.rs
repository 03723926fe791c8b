//! Splitting one value into several.

use super::super::builder::Builder;
use super::super::parts;
use super::super::site::{Site, Value, front};
use super::operands::MAX_PARTS;
use crate::card::Op;
use crate::error::Problem;

/// `Split`, one node per part.
pub(super) fn split(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axis = site.axis(0, x.rank())?;
    let sizes = parts::split_sizes(site, x.side(axis)?)?;
    if sizes.len() > MAX_PARTS {
        return Err(Problem::new(format!("splits into {} parts", sizes.len()))
            .expected(format!("at most {MAX_PARTS}")));
    }
    let parts = 0..sizes.len();
    parts
        .map(|part| builder.unary(Op::Split { axis, sizes: sizes.clone(), part }, x).map(Value::Tensor))
        .collect()
}

/// `SplitToSequence` into equal parts, as PyTorch exports `chunk` and `split`.
pub(super) fn to_sequence(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axis = site.axis(0, x.rank())?;
    let side = x.side(axis)?;
    let sizes = match site.optional(1)? {
        Some(sizes) if sizes.shape().is_empty() => {
            let each =
                sizes.ints()?.first().and_then(|size| usize::try_from(*size).ok()).filter(|size| *size > 0);
            let each = each.ok_or("splits into parts of no size")?;
            (0..side.div_ceil(each)).map(|at| each.min(side - at * each)).collect()
        }
        Some(sizes) => sizes.ints()?.iter().filter_map(|size| usize::try_from(*size).ok()).collect(),
        None => vec![1; side],
    };
    if sizes.len() > MAX_PARTS || site.int("keepdims", 1)? == 0 {
        return Err(Problem::new(format!("splits into {} parts", sizes.len()))
            .expected(format!("at most {MAX_PARTS}")));
    }
    let part = |part| builder.unary(Op::Split { axis, sizes: sizes.clone(), part }, x).map(Value::Tensor);
    Ok(vec![Value::List((0..sizes.len()).map(part).collect::<Result<_, _>>()?)])
}

/// One value of a sequence.
pub(super) fn sequence_at(_: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let Some(Value::List(list)) = site.input(0) else {
        return Err("picks from a value that is not a list".into());
    };
    let index = site.constant(1)?.ints()?.first().copied().ok_or("its index is missing")?;
    Ok(vec![list[front(index, list.len())?].clone()])
}
