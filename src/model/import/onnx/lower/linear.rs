//! Matrix products.

use ndarray::{ArrayD, Ix2};

use super::super::builder::{Builder, Weight};
use super::super::site::{Site, Value};
use super::{listed, one, scaled, weight};
use crate::card::Op;

/// `alpha A B + beta C` with a known `B`, as a linear layer.
pub(super) fn gemm(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    let x = site.tensor(0)?;
    if site.flag("transA")? {
        return Err("multiplies a transposed value, expected [batch, features]".into());
    }
    let (alpha, beta) = (site.float("alpha", 1.0)? as f32, site.float("beta", 1.0)? as f32);
    let Weight { values, source } = weight(site, 1)?;
    let values = if site.flag("transB")? { values.reversed_axes() } else { values };
    let mut values = matrix(&values)?;
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

fn matrix(values: &ArrayD<f32>) -> Result<ArrayD<f32>, String> {
    let shape = values.shape().to_vec();
    let matrix = values.view().into_dimensionality::<Ix2>();
    let matrix = matrix.map_err(|_| format!("its weight has shape {shape:?}, expected two axes"))?;
    Ok(matrix.as_standard_layout().into_owned().into_dyn())
}

/// A product with a known matrix is a linear layer; one of two computed values stays a product.
pub(super) fn matmul(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, String> {
    if let (Some(Value::Tensor(first)), Some(Value::Tensor(second))) = (site.input(0), site.input(1)) {
        return one(builder.emit(Op::Matmul {}, &[first, second], vec![])?);
    }
    let x = site.tensor(0)?;
    let Weight { values, source } = weight(site, 1)?;
    if let Some(factor) = site.constant(1)?.scalar().filter(|_| values.ndim() < 2) {
        return one(scaled(builder, x, factor)?);
    }
    let values = matrix(&values)?;
    one(builder.emit(Op::Linear {}, &[x], vec![("weight", Weight { values, source })])?)
}
