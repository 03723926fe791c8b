//! Products of constants: matrices, and convolutions of what is not a picture.
//!
//! Receives a [`Site`] whose inputs are all known; returns its results, added up in double precision.

use ndarray::{ArrayD, ArrayView2, Axis, Ix2, IxDyn};

use super::constant::Constant;
use super::shaped::bounded;
use super::site::Site;
use crate::axes;
use crate::error::Problem;

fn refuse(cause: &ndarray::ShapeError) -> Problem {
    Problem::new(cause.to_string())
}

/// `MatMul`: over the last two axes, the others broadcast; a vector is a row on the left and a column on the right.
pub(super) fn matmul(site: &Site) -> Result<Vec<Constant>, Problem> {
    let (mut first, mut second) = (site.floats(0)?, site.floats(1)?);
    let (row, column) = (first.ndim() == 1, second.ndim() == 1);
    if row {
        first.insert_axis_inplace(Axis(0));
    }
    if column {
        second.insert_axis_inplace(Axis(1));
    }
    let mut result = product(&first, &second, site.source.room)?;
    let rank = result.ndim();
    if column {
        result = result.index_axis_move(Axis(rank - 1), 0);
    }
    if row {
        result = result.index_axis_move(Axis(rank - 2), 0);
    }
    Ok(vec![Constant::Float(result)])
}

/// The product over the last two axes, of at most `most` elements.
pub(super) fn product(
    first: &ArrayD<f32>,
    second: &ArrayD<f32>,
    most: usize,
) -> Result<ArrayD<f32>, Problem> {
    let shape = axes::matmul(first.shape(), second.shape())?;
    bounded(&shape, most)?;
    let (outer, [rows, columns]) =
        (&shape[..shape.len() - 2], [shape[shape.len() - 2], shape[shape.len() - 1]]);
    let inner = first.shape()[first.ndim() - 1];
    let wide = |array: &ArrayD<f32>, sides: [usize; 2]| {
        let whole = array
            .broadcast(IxDyn(&[outer, &sides].concat()))
            .map(|view| view.as_standard_layout().into_owned());
        let count = outer.iter().product::<usize>();
        whole.and_then(|whole| whole.into_shape_with_order(IxDyn(&[count, sides[0], sides[1]])).ok())
    };
    let (first, second) = (wide(first, [rows, inner]), wide(second, [inner, columns]));
    let (Some(first), Some(second)) = (first, second) else {
        return Err("multiplies arrays that do not fit each other".into());
    };
    let mut values = Vec::with_capacity(shape.iter().product());
    for (first, second) in first.outer_iter().zip(second.outer_iter()) {
        let (Ok(first), Ok(second)) =
            (first.into_dimensionality::<Ix2>(), second.into_dimensionality::<Ix2>())
        else {
            return Err("multiplies an array that is not a matrix".into());
        };
        values.extend(of_matrices(&first, &second));
    }
    ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|cause| refuse(&cause))
}

fn of_matrices(first: &ArrayView2<f32>, second: &ArrayView2<f32>) -> Vec<f32> {
    let wide = first.mapv(f64::from).dot(&second.mapv(f64::from));
    wide.iter().map(|number| *number as f32).collect()
}

/// `Gemm`: `alpha A B + beta C`.
pub(super) fn gemm(site: &Site) -> Result<Vec<Constant>, Problem> {
    let turned = |at: usize, name: &str| -> Result<ArrayD<f32>, Problem> {
        let matrix = site.floats(at)?;
        Ok(if site.flag(name)? { matrix.reversed_axes() } else { matrix })
    };
    let (alpha, beta) = (site.float("alpha", 1.0)? as f32, site.float("beta", 1.0)? as f32);
    let mut result = product(&turned(0, "transA")?, &turned(1, "transB")?, site.source.room)?;
    result.mapv_inplace(|number| alpha * number);
    if site.optional(2)?.is_some() {
        let added = site.floats(2)?;
        let shape = result.shape().to_vec();
        let added = added.broadcast(IxDyn(&shape)).ok_or("adds an array that does not fit")?;
        result.zip_mut_with(&added, |sum, number| *sum += beta * number);
    }
    Ok(vec![Constant::Float(result)])
}
