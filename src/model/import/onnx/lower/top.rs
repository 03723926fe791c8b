//! `TopK` in the middle of a network, and what its indices pick: DETR's successors choose their queries so.
//!
//! The indices are rows of zeros and ones, and what they pick is a matrix product with these rows. Which elements are chosen has no
//! gradient, what is picked has that of the elements, as in PyTorch. Indices may be repeated along an axis behind theirs, as exporters
//! do before `GatherElements`, or be one list for all pictures, counted through the places of all, as they do before `Gather`; other
//! arithmetic on them is refused.

use super::super::builder::{Builder, Tensor, Weight};
use super::super::chosen::{Chosen, Form};
use super::super::constant::{BATCHES, Constant};
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
    Ok(vec![Value::Tensor(values), Value::Chosen(Chosen { rows, form: Form::Plain })])
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
    let fits = |of: &[usize]| of.len() == 3 && of[1] == places && chosen.form == Form::Repeated(of[2]);
    match site.input(0) {
        Some(Value::Constant(known) | Value::Repeated(known)) => {
            if site.axis(0, 3)? != 1 || !fits(known.shape()) || known.shape()[0] != 1 {
                return Err(refuse(known.shape()));
            }
            Ok(vec![Value::Tensor(of_stored(builder, site, chosen, known)?)])
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

/// What is chosen of stored places, `[1, places, numbers]`, the site's first input.
fn of_stored(
    builder: &mut Builder,
    site: &Site,
    chosen: &Chosen,
    places: &Constant,
) -> Result<Tensor, Problem> {
    let other = Weight { values: finite(&places.floats()?), source: site.sources[0].to_owned() };
    builder.emit(Op::Matmul {}, &[&chosen.rows], vec![("other", other)])
}

/// `Gather` at indices that `TopK` chose, one list for all pictures: rows of places of all pictures, or stored places.
fn gather(builder: &mut Builder, site: &Site, chosen: &Chosen) -> Result<Vec<Value>, Problem> {
    let places = chosen.rows.side(2)?;
    let refuse = |of: &[usize]| {
        Problem::new(format!("picks by the indices of TopK in {of:?}"))
            .expected(format!("rows of {places} places of each picture, or stored ones"))
    };
    match (site.input(0), chosen.form) {
        (Some(Value::Rows(x)), Form::ListedInBatch) => {
            let is_rows = x.rank() == 3 && x.is_batch(0) && x.shapes[0][1] == places;
            if !is_rows || site.int("axis", 0)? != 0 {
                return Err(refuse(&x.shapes[0]));
            }
            Ok(vec![Value::Rows(builder.emit(Op::Matmul {}, &[&chosen.rows, x], vec![])?)])
        }
        (Some(Value::Constant(known) | Value::Repeated(known)), Form::Listed) => {
            let &[1, count, numbers] = known.shape() else { return Err(refuse(known.shape())) };
            if count != places || site.axis(0, 3)? != 1 {
                return Err(refuse(&[1, count, numbers]));
            }
            let picked = of_stored(builder, site, chosen, known)?;
            // The file has the pictures behind an axis of length 1.
            Ok(vec![Value::Merged(builder.unary(Op::Unsqueeze { axes: vec![0] }, &picked)?)])
        }
        _ => Err(refuse(&chosen.shapes()[0])),
    }
}

/// Whether a node works on the indices of `TopK`, or picks by a list of them.
pub(in super::super) fn is_of_chosen(site: &Site) -> bool {
    let is_chosen = |at| matches!(site.input(at), Some(Value::Chosen(_)));
    is_chosen(0) || is_chosen(1) && matches!(site.op(), "Gather" | "Add")
}

/// Moves indices of `TopK`, a cast, an axis behind them, repetitions along it, one list of all; or picks by such a list.
pub(in super::super) fn on_chosen(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let chosen = match (site.input(0), site.input(1)) {
        (Some(Value::Chosen(chosen)), _) => chosen,
        (_, Some(Value::Chosen(chosen))) if site.op() == "Gather" => return gather(builder, site, chosen),
        (_, Some(Value::Chosen(chosen))) => chosen,
        _ => return Err("reads no indices of TopK".into()),
    };
    let refuse = || {
        Problem::new("works on the indices of TopK")
            .expected("GatherElements or Gather, which take whole places by them")
    };
    let form = match (site.op(), chosen.form) {
        ("Identity" | "Cast", form) => form,
        ("Unsqueeze", Form::Plain) if matches!(site.ints_of("axes", 1)?.as_deref(), Some([-1 | 2])) => {
            Form::Repeated(1)
        }
        ("Tile", Form::Repeated(repeated)) => match site.ints_of("repeats", 1)?.as_deref() {
            Some([1, 1, count]) => Form::Repeated(usize::try_from(*count).map_err(|_| refuse())? * repeated),
            _ => return Err(refuse()),
        },
        ("Expand", Form::Repeated(_)) => Form::Repeated(expanded(site, chosen)?.ok_or_else(refuse)?),
        ("Reshape", Form::Plain) if site.constant(1)?.ints().is_ok_and(|shape| shape == [-1]) => Form::Listed,
        ("Add", Form::Listed) if counts_pictures(site, chosen)? => Form::ListedInBatch,
        _ => return Err(refuse()),
    };
    Ok(vec![Value::Chosen(chosen.as_form(form))])
}

/// How often indices are repeated by an `Expand` along the last axis alone.
fn expanded(site: &Site, chosen: &Chosen) -> Result<Option<usize>, Problem> {
    let spec = site.constant(1)?.lanes()?;
    let own = chosen.shapes();
    let wide = |lane: usize| {
        let sides: Vec<usize> = spec.iter().filter_map(|side| usize::try_from(side[lane]).ok()).collect();
        axes::broadcast(&own[lane], &sides)
    };
    Ok(match [wide(0)?, wide(1)?] {
        [first, second] if first[..2] == own[0][..2] && second[..2] == own[1][..2] => Some(first[2]),
        _ => None,
    })
}

/// Whether what is added to a list of indices is the number of places before each picture's.
fn counts_pictures(site: &Site, chosen: &Chosen) -> Result<bool, Problem> {
    let Some(Value::PerBatch(lanes)) = site.inputs.iter().flatten().find(|value| value.is_known()) else {
        return Ok(false);
    };
    let (count, places) = (chosen.rows.side(1)?, chosen.rows.side(2)?);
    let is_count = |(batch, added): (usize, &Constant)| {
        let expected = (0..batch * count).map(|at| (at / count * places) as i64);
        added.ints().is_ok_and(|added| added.into_iter().eq(expected))
    };
    Ok(BATCHES.into_iter().zip(lanes.iter()).all(is_count))
}
