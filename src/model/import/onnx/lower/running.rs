//! Running sums and triangles of computed tensors: products with constants.

use ndarray::{Array2, ArrayD, IxDyn};

use super::super::builder::{Builder, Weight};
use super::super::constant::{Constant, both};
use super::super::site::{Site, Value};
use super::super::{parts, places, shaped};
use super::operands::one;
use super::pairs::plain;
use crate::card::Op;
use crate::error::Problem;

/// `Trilu`: ones and zeros of a triangle, as a factor.
pub(super) fn triangle(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let rank = x.rank();
    if rank < 2 {
        return Err(
            Problem::new(format!("takes a triangle of a value of rank {rank}")).expected("rows and columns")
        );
    }
    let shape = [x.side(rank - 2)?, x.side(rank - 1)?];
    shaped::bounded(&shape, builder.room())?;
    let ones = Constant::Float(ArrayD::ones(IxDyn(&shape)));
    let kept = places::triangle(&of_constant(site, ones, site.input(1).cloned()))?;
    one(builder.emit(plain("Mul", None)?, &[x], vec![("other", weight(kept)?)])?)
}

/// `CumSum`: each element of a running sum is a sum of some elements, which a matrix of ones and zeros names.
pub(super) fn sums(builder: &mut Builder, site: &Site) -> Result<Vec<Value>, Problem> {
    let x = site.tensor(0)?;
    let axis = site.constant(1)?.ints()?.first().copied().ok_or("has no axis")?;
    let (axis, last) = (site.front(axis, x.rank())?, x.rank() - 1);
    let side = x.side(axis)?;
    shaped::bounded(&[side, side], builder.room())?;
    let each = Array2::eye(side).into_dyn();
    let along = Constant::Int(ArrayD::from_elem(IxDyn(&[1]), both(1)));
    let named = parts::running_sum(&of_constant(site, Constant::Float(each), Some(along.into())))?;
    let mut perm: Vec<usize> = (0..=last).collect();
    perm.swap(axis, last);
    let turned =
        if axis == last { x.clone() } else { builder.unary(Op::Transpose { perm: perm.clone() }, x)? };
    let sums = builder.emit(Op::Linear {}, &[&turned], vec![("weight", weight(named)?)])?;
    one(if axis == last { sums } else { builder.unary(Op::Transpose { perm }, &sums)? })
}

/// The same node on a constant.
fn of_constant<'a>(site: &Site<'a>, first: Constant, second: Option<Value>) -> Site<'a> {
    Site {
        inputs: vec![Some(first.into()), second],
        sources: site.sources.clone(),
        merged: None,
        row: false,
        ..*site
    }
}

fn weight(results: Vec<Constant>) -> Result<Weight, Problem> {
    let only = results.into_iter().next().ok_or("gives nothing")?;
    Ok(Weight { values: only.floats()?, source: String::new() })
}
