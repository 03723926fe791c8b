//! Shapes of constants: reads and checks them, and rearranges elements for another shape.
//!
//! Receives a node whose inputs are known, or a constant and a shape; returns constants. The elements keep their values.

use ndarray::{ArrayD, Axis, IxDyn};

use super::builder::{shapes_in_file, without_row};
use super::constant::{Constant, Lanes, both, rearrange};
use super::site::{Site, Value, front, fronts};
use crate::axes;
use crate::error::Problem;

/// The sizes in input `at`, which must be valid and independent of the batch.
pub(super) fn sizes(site: &Site, at: usize) -> Result<Vec<usize>, Problem> {
    let ints = site.constant(at)?.ints().map_err(|problem| problem.after("its shape "))?;
    let refuse = || Problem::new(format!("its shape {ints:?} is not sensible"));
    let sizes: Vec<usize> =
        ints.iter().map(|side| usize::try_from(*side)).collect::<Result<_, _>>().map_err(|_| refuse())?;
    bounded(&sizes, site.source.room)?;
    Ok(sizes)
}

/// Refuses shapes of more than `most` elements ([`Source::room`](super::file::Source)), before memory is allocated for them.
pub(super) fn bounded(shape: &[usize], most: usize) -> Result<(), Problem> {
    match shape.iter().try_fold(1_usize, |product, side| product.checked_mul(*side)) {
        Some(count) if count <= most => Ok(()),
        _ => Err(Problem::new(format!("its result {shape:?} is too large for a file of its size"))),
    }
}

pub(super) fn reshaped(input: &Constant, shape: &[usize]) -> Result<Constant, Problem> {
    let refuse = |_| Problem::new(format!("cannot reshape {:?} to {shape:?}", input.shape()));
    Ok(rearrange!(input, array => {
        array.as_standard_layout().into_owned().into_shape_with_order(IxDyn(shape)).map_err(refuse)?
    }))
}

/// Elements of `values` along `axis` at `indices`; negative indices count from the end.
pub(super) fn pick(values: &Constant, axis: usize, indices: &[i64]) -> Result<Constant, Problem> {
    let side = values.shape()[axis];
    let indices: Vec<usize> = indices
        .iter()
        .map(|index| {
            front(*index, side)
                .map_err(|_| Problem::new(format!("index {index} is outside of a side of {side}")))
        })
        .collect::<Result<_, _>>()?;
    Ok(rearrange!(values, array => array.select(Axis(axis), &indices)))
}

/// The axis order of a `Transpose`; without one, axes are reversed.
pub(super) fn permutation(site: &Site, rank: usize) -> Result<Vec<usize>, Problem> {
    if let Some(at) = site.merged {
        // The file's axis of the pictures is two axes here, which stay side by side.
        let inner = Site { inputs: vec![], sources: vec![], merged: None, ..*site };
        let places = permutation(&inner, rank - 1)?.into_iter().flat_map(|axis| match axis {
            before if before < at => vec![before],
            pictures if pictures == at => vec![at, at + 1],
            after => vec![after + 1],
        });
        return Ok(places.collect());
    }
    let Some(perm) = site.ints("perm")? else { return Ok((0..rank).rev().collect()) };
    let perm = perm.iter().map(|axis| front(*axis, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    match sorted.iter().copied().eq(0..rank) {
        true => Ok(perm),
        false => Err(Problem::new(format!("its order of axes {perm:?} is not one of {rank} axes"))),
    }
}

pub(super) fn reshape(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let Some(spec) = site.ints_of("shape", 1)? else { return Err("its shape is missing".into()) };
    Ok(vec![reshaped(input, &axes::reshape(input.shape(), &spec)?)?])
}

pub(super) fn flatten(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let rank = input.shape().len();
    let axis = site.int("axis", 1)?;
    let axis = if axis == rank as i64 { rank } else { front(axis, rank)? };
    let before: usize = input.shape()[..axis].iter().product();
    let after: usize = input.shape()[axis..].iter().product();
    Ok(vec![reshaped(input, &[before, after])?])
}

pub(super) fn squeeze(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let axes = match site.ints_of("axes", 1)? {
        Some(axes) => fronts(&axes, input.shape().len())?,
        None => (0..input.shape().len()).filter(|axis| input.shape()[*axis] == 1).collect(),
    };
    Ok(vec![reshaped(input, &axes::squeeze(input.shape(), &axes)?)?])
}

pub(super) fn unsqueeze(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let Some(axes) = site.ints_of("axes", 1)? else { return Err("its axes are missing".into()) };
    let axes = fronts(&axes, input.shape().len() + axes.len())?;
    Ok(vec![reshaped(input, &axes::unsqueeze(input.shape(), &axes)?)?])
}

pub(super) fn transpose(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let rank = input.shape().len();
    let perm = permutation(site, rank)?;
    Ok(vec![
        rearrange!(input, array => array.view().permuted_axes(IxDyn(&perm)).as_standard_layout().into_owned()),
    ])
}

pub(super) fn expand(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    let shape = axes::broadcast(input.shape(), &sizes(site, 1)?)?;
    bounded(&shape, site.source.room)?;
    let refuse = || Problem::new(format!("cannot expand {:?} to {shape:?}", input.shape()));
    Ok(vec![rearrange!(input, array => array.broadcast(IxDyn(&shape)).ok_or_else(refuse)?.to_owned())])
}

pub(super) fn concat(site: &Site) -> Result<Vec<Constant>, Problem> {
    let all = (0..site.inputs.len()).map(|at| site.constant(at)).collect::<Result<Vec<_>, _>>()?;
    let rank = all.first().map_or(0, |first| first.shape().len());
    let axis = Axis(site.axis(0, rank)?);
    if let Some(other) = all.iter().find(|other| other.shape().len() != rank) {
        return Err(Problem::new(format!("joins values of rank {rank} and {}", other.shape().len()))
            .expected("one rank"));
    }
    bounded(&[all.iter().map(|constant| constant.len()).sum()], site.source.room)?;
    // Integers stay integers for both batch sizes; with one real number among them all are real.
    if all.iter().all(|constant| matches!(constant, Constant::Int(_))) {
        let arrays = all.iter().map(|constant| constant.lanes()).collect::<Result<Vec<_>, _>>()?;
        let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
        return Ok(vec![Constant::Int(
            ndarray::concatenate(axis, &views).map_err(|cause| Problem::new(cause.to_string()))?,
        )]);
    }
    let arrays = all.iter().map(|constant| constant.floats()).collect::<Result<Vec<_>, _>>()?;
    let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
    Ok(vec![Constant::Float(
        ndarray::concatenate(axis, &views).map_err(|cause| Problem::new(cause.to_string()))?,
    )])
}

/// `Shape`, the only operation that needs the shape of its input and not its value.
pub(super) fn shape(site: &Site) -> Result<Vec<Constant>, Problem> {
    let lanes_of = |[first, second]: [Vec<usize>; 2]| -> Vec<Lanes> {
        first.into_iter().zip(second).map(|(first, second)| [first as i64, second as i64]).collect()
    };
    let lanes: Vec<Lanes> = match site.input(0) {
        Some(Value::Constant(constant)) => constant.shape().iter().map(|side| both(*side as i64)).collect(),
        Some(Value::Tensor(tensor)) => lanes_of(tensor.shapes.clone()),
        Some(Value::Chosen(chosen)) => lanes_of(chosen.shapes()),
        Some(Value::Sequence(row)) => lanes_of(without_row(row)),
        Some(Value::Merged(tensor)) => lanes_of(shapes_in_file(tensor)?),
        Some(Value::Rows(tensor)) => {
            let lane = |lane: usize| {
                let (last, rest) = tensor.shapes[lane].split_last().unwrap_or((&1, &[]));
                [rest.iter().product::<usize>() as i64, *last as i64]
            };
            let (first, second) = (lane(0), lane(1));
            vec![[first[0], second[0]], [first[1], second[1]]]
        }
        _ => return Err("its input 0 is missing or a list".into()),
    };
    let rank = lanes.len() as i64;
    let place = |axis: i64| if axis < 0 { axis + rank } else { axis }.clamp(0, rank) as usize;
    let (start, end) = (place(site.int("start", 0)?), place(site.int("end", rank)?));
    let part = lanes.get(start..end).unwrap_or_default().to_vec();
    Ok(vec![Constant::Int(
        ArrayD::from_shape_vec(IxDyn(&[part.len()]), part)
            .map_err(|cause| Problem::new(cause.to_string()))?,
    )])
}

pub(super) fn size(site: &Site) -> Result<Vec<Constant>, Problem> {
    let [Constant::Int(sides)] = &shape(site)?[..] else { return Err("its shape is not known".into()) };
    let product = sides
        .iter()
        .fold([1_i64; 2], |product, side| [0, 1].map(|lane| product[lane].saturating_mul(side[lane])));
    Ok(vec![Constant::Int(ArrayD::from_elem(IxDyn(&[]), product))])
}
