//! Constants whose shape depends on the batch size, or that are the same for every picture.
//!
//! Most constants have one shape for both [`BATCHES`], and operations on them are evaluated once. Nodes that count
//! the pictures (`Range` up to the batch size) or repeat something for each picture (`Expand`, `Tile`) are evaluated
//! once per batch size, and the results are compared.

use std::rc::Rc;

use ndarray::{ArrayD, Axis, IxDyn, Zip};

use super::constant::{BATCHES, Constant, both, rearrange};
use super::fold::Fold;
use super::site::{Site, Value};
use crate::error::Problem;

/// Evaluates a node whose inputs are all known.
pub(super) fn fold(site: &Site, fold: Fold) -> Result<Vec<Value>, Problem> {
    let by_batch = |input: &Option<Value>| matches!(input, Some(Value::Repeated(_) | Value::PerBatch(_)));
    if !site.inputs.iter().any(by_batch) {
        match fold(site) {
            Ok(results) => return Ok(results.into_iter().map(Value::from).collect()),
            Err(problem) if !site.inputs.iter().any(differs) => return Err(problem),
            Err(_) => {}
        }
    }
    let of = |lane: usize| -> Result<Vec<Constant>, Problem> {
        let inputs = site.inputs.iter().map(|input| in_lane(input, lane)).collect::<Result<_, _>>()?;
        fold(&Site { inputs, sources: site.sources.clone(), ..*site })
    };
    let (first, second) = (of(0)?, of(1)?);
    Ok(first.into_iter().zip(second).map(|(first, second)| joined(first, second)).collect())
}

/// Numbers that differ between the batch sizes.
fn differs(input: &Option<Value>) -> bool {
    match input {
        Some(Value::Constant(constant)) => match &**constant {
            Constant::Int(array) => array.iter().any(|[first, second]| first != second),
            Constant::Float(_) => false,
        },
        _ => false,
    }
}

/// A known value for one of the batch sizes.
fn in_lane(input: &Option<Value>, lane: usize) -> Result<Option<Value>, Problem> {
    Ok(match input {
        Some(Value::Constant(constant)) => Some(match &**constant {
            Constant::Int(array) => Constant::Int(array.mapv(|lanes| both(lanes[lane]))).into(),
            Constant::Float(_) => Value::Constant(constant.clone()),
        }),
        Some(Value::PerBatch(lanes)) => Some(lanes[lane].clone().into()),
        Some(Value::Repeated(row)) => {
            let mut shape = row.shape().to_vec();
            let first = shape.first_mut().ok_or("repeats a single number")?;
            *first = BATCHES[lane];
            let refuse = || Problem::new(format!("cannot repeat {:?} for each picture", row.shape()));
            let whole = rearrange!(&**row, array => {
                array.broadcast(IxDyn(&shape)).ok_or_else(refuse)?.to_owned()
            });
            Some(whole.into())
        }
        other => other.clone(),
    })
}

/// Combines the values for both batch sizes, in the simplest form that holds both.
fn joined(first: Constant, second: Constant) -> Value {
    match (&first, &second) {
        (Constant::Int(a), Constant::Int(b)) if a.shape() == b.shape() => {
            Constant::Int(Zip::from(a).and(b).map_collect(|a, b| [a[0], b[1]])).into()
        }
        (Constant::Float(a), Constant::Float(b)) if a == b => first.into(),
        _ => match row(&first, &second) {
            Some(row) => Value::Repeated(Rc::new(row)),
            None => Value::PerBatch(Rc::new([first, second])),
        },
    }
}

/// The part that both repeat along the first axis, `count` long for every picture of a batch.
pub(super) fn period([first, second]: &[Constant; 2], count: usize) -> Option<Constant> {
    fn of<T: Clone + PartialEq>(all: [&ArrayD<T>; 2], count: usize) -> Option<ArrayD<T>> {
        let part = all[0].slice_axis(Axis(0), (0..count).into()).to_owned();
        let repeats = |array: &ArrayD<T>| array.axis_chunks_iter(Axis(0), count).all(|chunk| chunk == part);
        all.into_iter().all(repeats).then_some(part)
    }
    let sides = [first, second].map(|constant| constant.shape().first().copied());
    if sides != BATCHES.map(|batch| Some(batch * count)) {
        return None;
    }
    match (first, second) {
        (Constant::Float(first), Constant::Float(second)) => of([first, second], count).map(Constant::Float),
        (Constant::Int(first), Constant::Int(second)) => of([first, second], count).map(Constant::Int),
        _ => None,
    }
}

/// The row that is the same for all pictures of both batches, if there is one.
fn row(first: &Constant, second: &Constant) -> Option<Constant> {
    match (first, second) {
        (Constant::Int(first), Constant::Int(second)) => same_rows(first, second).map(Constant::Int),
        (Constant::Float(first), Constant::Float(second)) => same_rows(first, second).map(Constant::Float),
        _ => None,
    }
}

fn same_rows<T: Clone + PartialEq>(first: &ArrayD<T>, second: &ArrayD<T>) -> Option<ArrayD<T>> {
    let sides = [first, second].map(|array| array.shape().first().copied());
    if sides != BATCHES.map(Some) {
        return None;
    }
    let row = first.index_axis(Axis(0), 0);
    let all = first.axis_iter(Axis(0)).chain(second.axis_iter(Axis(0))).all(|other| other == row);
    all.then(|| row.insert_axis(Axis(0)).to_owned())
}
