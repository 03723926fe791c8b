//! Layers that rearrange values, in Keras's order of them.

use super::super::site::{Site, Tensor};
use crate::card::Op;
use crate::error::Problem;

/// `Flatten`: a picture's values with channels last.
pub(super) fn flatten(site: &mut Site) -> Result<Tensor, Problem> {
    site.settings.channels_last()?;
    let x = site.input()?;
    let ordered = if is_one_pixel(&x) { x } else { site.as_keras(&x)? };
    match ordered.rank() {
        2 => Ok(ordered),
        _ => site.unary(Op::Flatten { start_axis: 1 }, &ordered),
    }
}

/// A picture of one pixel has its values in the same order either way.
fn is_one_pixel(x: &Tensor) -> bool {
    matches!(x.shapes[0][..], [_, _, 1, 1])
}

/// `Reshape`; the shape does not count the batch, and may have one -1.
pub(super) fn reshape(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let target = site.settings.list("target_shape")?.ok_or("has no 'target_shape'")?;
    reshaped(site, &x, &target)
}

/// `x` in the shape `target`, without the batch.
pub(super) fn reshaped(site: &mut Site, x: &Tensor, target: &[i64]) -> Result<Tensor, Problem> {
    let ordered = if is_one_pixel(x) { x.clone() } else { site.as_keras(x)? };
    // One pixel has the same order either way, so no transpose is put in.
    if let [1, 1, channels] = *target {
        return site.shape(vec![0, channels, 1, 1], &ordered);
    }
    if target.contains(&0) {
        return Err(Problem::new(format!("makes the shape {target:?}")).expected("sides from 1"));
    }
    let shape = std::iter::once(0).chain(target.iter().copied()).collect();
    let y = site.shape(shape, &ordered)?;
    site.as_graph(&y)
}

/// `Permute`; axes count from 1, because the batch stays.
pub(super) fn permute(site: &mut Site) -> Result<Tensor, Problem> {
    let x = site.input()?;
    let dims = site.settings.list("dims")?.ok_or("has no 'dims'")?;
    permuted(site, &x, &dims)
}

/// `x` with its axes behind the batch in the order `dims`.
pub(super) fn permuted(site: &mut Site, x: &Tensor, dims: &[i64]) -> Result<Tensor, Problem> {
    let axes: Vec<usize> = dims.iter().filter_map(|axis| usize::try_from(*axis).ok()).collect();
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(1..x.rank()) {
        return Err(Problem::new(format!("has 'dims' {dims:?}")).expected("each axis once"));
    }
    let ordered = site.as_keras(x)?;
    let perm = std::iter::once(0).chain(axes).collect();
    let y = site.turn(perm, &ordered)?;
    site.as_graph(&y)
}
