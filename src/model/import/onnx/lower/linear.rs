//! Matrix products.

use ndarray::{ArrayD, Axis};

use super::super::builder::{Builder, Tensor, Weight};
use super::super::site::{Site, Value};
use super::operands::{listed, one, weight};
use crate::card::Op;
use crate::error::Problem;

/// `alpha A B + beta C` with a known `B`, as a linear layer.
pub(super) fn gemm(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    if site.flag("transA")? {
        return Err(Problem::new("multiplies a transposed value").expected("[batch, features]"));
    }
    let (alpha, beta) = (site.float("alpha", 1.0)? as f32, site.float("beta", 1.0)? as f32);
    let Weight { values, source } = weight(site, 1)?;
    let values = if site.flag("transB")? { values.reversed_axes() } else { values };
    let mut values = matrix(values)?;
    if alpha != 1.0 {
        values.mapv_inplace(|value| value * alpha);
    }
    let out = values.shape()[1];
    let mut weights = vec![("weight", Weight { values, source })];
    if let Some(Weight { mut values, source }) = listed(site, 2, out)? {
        if beta != 1.0 {
            values.mapv_inplace(|value| value * beta);
        }
        weights.push(("bias", Weight { values, source }));
    }
    one(builder.emit(Op::Linear {}, &[x], weights)?)
}

/// The same array, if it has two axes. It may be turned: the builder brings its values into order, in the only copy.
fn matrix(values: ArrayD<f32>) -> Result<ArrayD<f32>, Problem> {
    match values.ndim() {
        2 => Ok(values),
        _ => Err(Problem::new(format!("its weight has shape {:?}", values.shape())).expected("two axes")),
    }
}

/// A product with a known matrix is a linear layer; of two computed values it is a matrix product.
pub(super) fn matmul(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    match (site.input(0), site.input(1)) {
        (Some(Value::Tensor(first)), Some(Value::Tensor(second))) => {
            one(builder.emit(Op::Matmul {}, &[first, second], vec![])?)
        }
        (Some(Value::Constant(_)), Some(Value::Tensor(x))) => from_the_left(builder, site, x),
        _ => from_the_right(builder, site),
    }
}

/// A known vector is a matrix of one column; the column axis is removed afterwards.
fn from_the_right(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let Weight { mut values, source } = weight(site, 1)?;
    if values.ndim() > 2 {
        return one(builder.emit(Op::Matmul {}, &[x], vec![("other", Weight { values, source })])?);
    }
    let vector = values.ndim() == 1;
    if vector {
        values.insert_axis_inplace(Axis(1));
    }
    let weights = vec![("weight", Weight { values: matrix(values)?, source })];
    let result = builder.emit(Op::Linear {}, &[x], weights)?;
    if vector {
        one(builder.unary(Op::Squeeze { axes: vec![result.rank() - 1] }, &result)?)
    } else {
        one(result)
    }
}

/// `A x` is the transpose of `x^T A^T`, over the last two axes.
fn from_the_left(builder: &mut Builder, site: &Site, x: &Tensor) -> Result<Vec<Value>, Problem> {
    let rank = x.rank();
    if rank < 3 {
        return Err("multiplies the pictures of a batch by a constant from the left".into());
    }
    let Weight { mut values, source } = weight(site, 0)?;
    let perm: Vec<usize> = (0..rank - 2).chain([rank - 1, rank - 2]).collect();
    let turned = builder.unary(Op::Transpose { perm: perm.clone() }, x)?;
    let axes = values.ndim();
    if axes < 2 {
        return Err("multiplies a vector from the left".into());
    }
    values.swap_axes(axes - 2, axes - 1);
    let (op, role) = if axes > 2 { (Op::Matmul {}, "other") } else { (Op::Linear {}, "weight") };
    let product = builder.emit(op, &[&turned], vec![(role, Weight { values, source })])?;
    one(builder.unary(Op::Transpose { perm }, &product)?)
}
