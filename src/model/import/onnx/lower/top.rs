//! `TopK` in the middle of a network, and what its indices pick: DETR's successors choose their queries so.
//!
//! The indices are rows of zeros and ones, and what they pick is a matrix product with these rows. Which elements are chosen has no
//! gradient, what is picked has that of the elements, as in PyTorch. Indices may be repeated along an axis behind theirs, as exporters
//! do before `GatherElements`; arithmetic on them is refused.

use super::super::builder::{Builder, Weight};
use super::super::chosen::Chosen;
use super::super::site::{Site, Value};
use super::operands::{finite, scaled};
use crate::axes;
use crate::card::Op;
use crate::error::Problem;

/// The greatest elements along the last axis, and their indices.
pub(super) fn top_k(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axis = site.axis(-1, x.rank())?;
    if axis + 1 != x.rank() || x.rank() != 2 || !x.is_batch(0) {
        return Err(Problem::new(format!("chooses along axis {axis} of {:?}", x.shapes[0]))
            .expected("one score for each place, [batch, places]"));
    }
    let count = match site.ints_of("k", 1)?.as_deref() {
        Some([count]) => usize::try_from(*count).map_err(|_| format!("chooses {count}"))?,
        _ => return Err("does not say how many it chooses".into()),
    };
    let sign = if site.int("largest", 1)? == 0 { -1.0 } else { 1.0 };
    let scores = scaled(builder, x, sign)?;
    let rows = builder.unary(Op::TopK { count }, &scores)?;
    let column = builder.unary(Op::Unsqueeze { axes: vec![2] }, x)?;
    let values = builder.emit(Op::Matmul {}, &[&rows, &column], vec![])?;
    let values = builder.unary(Op::Squeeze { axes: vec![2] }, &values)?;
    Ok(vec![Value::Tensor(values), Value::Chosen(Chosen { rows, repeated: None })])
}

/// Elements at indices that `TopK` chose, `[batch, places, numbers]` by `[batch, chosen, numbers]`.
pub(super) fn gather_elements(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let Some(Value::Chosen(chosen)) = site.input(1) else {
        return Err(Problem::new("picks at places that are computed")
            .expected("constants, or indices that TopK gives"));
    };
    let (places, shape) = (chosen.rows.side(2)?, chosen.shapes());
    let refuse = |of: &[usize]| {
        Problem::new(format!("picks {:?} of {of:?}", shape[0]))
            .expected(format!("the same numbers of each of {places} places, axis 1"))
    };
    let fits = |of: &[usize]| of.len() == 3 && of[1] == places && Some(of[2]) == chosen.repeated;
    match site.input(0) {
        Some(Value::Constant(known) | Value::Repeated(known)) => {
            if site.axis(0, 3)? != 1 || !fits(known.shape()) || known.shape()[0] != 1 {
                return Err(refuse(known.shape()));
            }
            let other = Weight { values: finite(&known.floats()?), source: site.sources[0].to_owned() };
            Ok(vec![Value::Tensor(builder.emit(Op::Matmul {}, &[&chosen.rows], vec![("other", other)])?)])
        }
        _ => {
            let x = site.tensor(0)?;
            if site.axis(0, 3)? != 1 || !fits(&x.shapes[0]) || !x.is_batch(0) {
                return Err(refuse(&x.shapes[0]));
            }
            Ok(vec![Value::Tensor(builder.emit(Op::Matmul {}, &[&chosen.rows, x], vec![])?)])
        }
    }
}

/// Whether a node works on the indices of `TopK` and does not pick by them.
pub(in super::super) fn is_of_chosen(site: &Site) -> bool {
    matches!(site.input(0), Some(Value::Chosen(_)))
}

/// Moves indices of `TopK`: a cast, an axis behind them, and repetitions along it.
pub(in super::super) fn on_chosen(site: &Site) -> Result<Vec<Value>, Problem> {
    let Some(Value::Chosen(chosen)) = site.input(0) else { return Err("reads no indices of TopK".into()) };
    let behind = |count| Ok(vec![Value::Chosen(chosen.repeated(count))]);
    let refuse = || {
        Problem::new("works on the indices of TopK")
            .expected("GatherElements, which takes whole places by them")
    };
    match (site.op(), chosen.repeated) {
        ("Identity" | "Cast", _) => Ok(vec![Value::Chosen(chosen.clone())]),
        ("Unsqueeze", None) if matches!(site.ints_of("axes", 1)?.as_deref(), Some([-1 | 2])) => behind(1),
        ("Tile", Some(repeated)) => match site.ints_of("repeats", 1)?.as_deref() {
            Some([1, 1, count]) => behind(usize::try_from(*count).map_err(|_| refuse())? * repeated),
            _ => Err(refuse()),
        },
        ("Expand", Some(_)) => {
            let spec = site.constant(1)?.lanes()?;
            let wide = |lane: usize| {
                let sides: Vec<usize> =
                    spec.iter().filter_map(|side| usize::try_from(side[lane]).ok()).collect();
                axes::broadcast(&chosen.shapes()[lane], &sides)
            };
            let own = chosen.shapes();
            match [wide(0)?, wide(1)?] {
                [first, second] if first[..2] == own[0][..2] && second[..2] == own[1][..2] => {
                    behind(first[2])
                }
                _ => Err(refuse()),
            }
        }
        _ => Err(refuse()),
    }
}
