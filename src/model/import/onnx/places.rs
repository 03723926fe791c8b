//! Constants by places: elements at computed indices, read or replaced, and triangles.
//!
//! Receives a [`Site`] whose inputs are all known; returns its results. Slices and lists of indices along one axis are in
//! [`parts`](super::parts).

use ndarray::{ArrayD, Dimension as _, IxDyn};

use super::constant::{Constant, rearrange};
use super::shaped::bounded;
use super::site::{Site, front};
use crate::error::Problem;

/// `GatherND`: the parts at places that are written along the last axis of the indices.
pub(super) fn gather_nd(site: &Site) -> Result<Vec<Constant>, Problem> {
    let (values, indices) = (site.constant(0)?, site.constant(1)?);
    let places = Places::read(site, values.shape(), indices)?;
    let shape = [&indices.shape()[..indices.shape().len() - 1], &values.shape()[places.depth..]].concat();
    bounded(&shape, site.source.room)?;
    let refuse = |cause: ndarray::ShapeError| Problem::new(cause.to_string());
    Ok(vec![rearrange!(values, array => {
        let parts = places.list.iter().flat_map(|place| part(array, place).into_iter().cloned());
        ArrayD::from_shape_vec(IxDyn(&shape), parts.collect()).map_err(refuse)?
    })])
}

/// `ScatterND`: a copy in which the parts at these places are replaced, or combined with what was there.
pub(super) fn scatter_nd(site: &Site) -> Result<Vec<Constant>, Problem> {
    let (values, indices, updates) = (site.constant(0)?, site.constant(1)?, site.constant(2)?);
    let places = Places::read(site, values.shape(), indices)?;
    if site.text("reduction", "none")? != "none" {
        return Err(Problem::new("combines elements with what was there").expected("a replacement"));
    }
    let count: usize = values.shape()[places.depth..].iter().product();
    if updates.len() != count * places.list.len() {
        return Err(Problem::new(format!("has {} new elements", updates.len()))
            .expected(format!("{}", count * places.list.len())));
    }
    fn written<T: Copy>(array: &ArrayD<T>, updates: &ArrayD<T>, places: &Places) -> ArrayD<T> {
        let mut result = array.as_standard_layout().into_owned();
        let mut new = updates.iter();
        for place in &places.list {
            let mut part = result.view_mut();
            for index in place {
                part = part.index_axis_move(ndarray::Axis(0), *index);
            }
            part.iter_mut().zip(&mut new).for_each(|(old, new)| *old = *new);
        }
        result
    }
    Ok(vec![match (values, updates) {
        (Constant::Int(values), Constant::Int(updates)) => Constant::Int(written(values, updates, &places)),
        _ => Constant::Float(written(&values.floats()?, &updates.floats()?, &places)),
    }])
}

/// Places in the first axes of a constant.
struct Places {
    /// How many axes they have.
    depth: usize,
    list: Vec<Vec<usize>>,
}

impl Places {
    fn read(site: &Site, shape: &[usize], indices: &Constant) -> Result<Self, Problem> {
        let depth = indices.shape().last().copied().filter(|depth| (1..=shape.len()).contains(depth));
        let depth = depth.ok_or_else(|| {
            Problem::new(format!("has indices of shape {:?}", indices.shape()))
                .expected(format!("places in {shape:?}"))
        })?;
        if site.int("batch_dims", 0)? != 0 {
            return Err(Problem::new("has places for each element of a batch").expected("'batch_dims' 0"));
        }
        let numbers = indices.ints()?;
        let place = |place: &[i64]| {
            place.iter().zip(shape).map(|(index, side)| front(*index, *side)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self { depth, list: numbers.chunks(depth).map(place).collect::<Result<_, _>>()? })
    }
}

fn part<'a, T>(array: &'a ArrayD<T>, place: &[usize]) -> ndarray::ArrayViewD<'a, T> {
    place.iter().fold(array.view(), |part, index| part.index_axis_move(ndarray::Axis(0), *index))
}

/// `GatherElements`: along one axis, a place of its own for each element of the result.
pub(super) fn gather_elements(site: &Site) -> Result<Vec<Constant>, Problem> {
    let (values, indices) = (site.constant(0)?, site.constant(1)?);
    let rank = values.shape().len();
    let axis = site.axis(0, rank)?;
    let fits =
        indices.shape().iter().zip(values.shape()).enumerate().all(|(at, (a, b))| at == axis || a <= b);
    if indices.shape().len() != rank || !fits {
        return Err(Problem::new(format!("has indices of shape {:?}", indices.shape()))
            .expected(format!("at most {:?}", values.shape())));
    }
    let numbers = indices.ints()?;
    let numbers = numbers.iter().map(|index| front(*index, values.shape()[axis]));
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let places = ndarray::indices(indices.shape()).into_iter().zip(numbers).map(|(mut place, index)| {
        place[axis] = index;
        place
    });
    let places: Vec<IxDyn> = places.collect();
    let refuse = |cause: ndarray::ShapeError| Problem::new(cause.to_string());
    Ok(vec![rearrange!(values, array => {
        let picked = places.iter().map(|place| array[place.clone()]);
        ArrayD::from_shape_vec(IxDyn(indices.shape()), picked.collect()).map_err(refuse)?
    })])
}

/// `Trilu`: zeros above or below a diagonal of the last two axes.
pub(super) fn triangle(site: &Site) -> Result<Vec<Constant>, Problem> {
    let upper = site.int("upper", 1)? != 0;
    let diagonal =
        site.optional(1)?.map_or(Some(0.0), Constant::scalar).ok_or("its diagonal is not one number")? as i64;
    let kept = |place: &IxDyn| {
        let [.., row, column] = place.slice() else { return true };
        let right = *column as i64 - *row as i64;
        if upper { right >= diagonal } else { right <= diagonal }
    };
    fn cut<T: Copy + Default>(array: &ArrayD<T>, kept: impl Fn(&IxDyn) -> bool) -> ArrayD<T> {
        ArrayD::from_shape_fn(
            array.raw_dim(),
            |place| if kept(&place) { array[&place] } else { T::default() },
        )
    }
    Ok(vec![rearrange!(site.constant(0)?, array => cut(array, kept))])
}
