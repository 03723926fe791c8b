//! The effect of operations on axes on shapes.

use std::ops::Range;

use crate::error::Problem;

/// A shape, or why there is none.
pub(crate) type Shape = Result<Vec<usize>, Problem>;

/// Checks that `axis` is an axis of `shape`.
///
/// # Errors
/// When it is not.
pub(crate) fn in_range(axis: usize, shape: &[usize]) -> Result<(), Problem> {
    match axis < shape.len() {
        true => Ok(()),
        false => Err(format!("axis {axis} is not an axis of {shape:?}").into()),
    }
}

/// Shape of the matrix product over the last two axes; leading axes broadcast.
///
/// # Errors
/// When the shapes do not fit.
pub fn matmul(left: &[usize], right: &[usize]) -> Shape {
    let ([outer_left @ .., rows, inner], [outer_right @ .., depth, columns]) = (left, right) else {
        return Err(format!("cannot multiply {left:?} by {right:?}").into());
    };
    if inner != depth {
        return Err(
            format!("cannot multiply {left:?} by {right:?}: {inner} columns meet {depth} rows").into()
        );
    }
    Ok([broadcast(outer_left, outer_right)?, vec![*rows, *columns]].concat())
}

/// The broadcast of two shapes, aligned at their last axes.
pub fn broadcast(left: &[usize], right: &[usize]) -> Shape {
    let rank = left.len().max(right.len());
    let side =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    (0..rank)
        .map(|axis| match (side(left, axis), side(right, axis)) {
            (a, b) if a == b || b == 1 => Ok(a),
            (1, b) => Ok(b),
            _ => Err(format!("shapes {left:?} and {right:?} do not broadcast").into()),
        })
        .collect()
}

/// Shape after the axes from `start` on were joined.
///
/// # Errors
/// When there is no such axis.
pub(crate) fn flatten(x: &[usize], start: usize) -> Shape {
    in_range(start, x)?;
    Ok([&x[..start], &[x[start..].iter().product()]].concat())
}

/// Resolves the zeros and the -1 of a reshape.
pub fn reshape(x: &[usize], spec: &[i64]) -> Shape {
    let refuse = || format!("cannot reshape {x:?} to {spec:?}");
    let mut shape = Vec::with_capacity(spec.len());
    let mut open = None;
    for (at, &side) in spec.iter().enumerate() {
        shape.push(match side {
            0 => *x.get(at).ok_or_else(refuse)?,
            -1 if open.replace(at).is_none() => 1,
            _ => usize::try_from(side).map_err(|_| refuse())?,
        });
    }
    let total: usize = x.iter().product();
    // Checked, because the numbers come from a file: an overflow must be a refusal and not a wrong shape.
    let product = shape.iter().try_fold(1_usize, |sum, side| sum.checked_mul(*side)).ok_or_else(refuse)?;
    match open {
        Some(at) if product > 0 && total.is_multiple_of(product) => shape[at] = total / product,
        None if product == total => {}
        _ => return Err(refuse().into()),
    }
    Ok(shape)
}

/// Shape with the axes in the order `perm`.
///
/// # Errors
/// When `perm` is not a permutation of the axes.
pub(crate) fn transpose(x: &[usize], perm: &[usize]) -> Shape {
    // Sorted, a permutation is 0, 1, 2, ...: nothing missing, nothing twice.
    let mut sorted = perm.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..x.len()) {
        return Err(format!("'perm' {perm:?} is not an order of the {} axes of {x:?}", x.len()).into());
    }
    Ok(perm.iter().map(|axis| x[*axis]).collect())
}

/// Shape without `axes`.
///
/// # Errors
/// When one of them is missing or does not have size 1.
pub fn squeeze(x: &[usize], axes: &[usize]) -> Shape {
    match axes.iter().find(|axis| x.get(**axis) != Some(&1)) {
        Some(axis) => Err(format!("axis {axis} of {x:?} is not of size 1").into()),
        None => {
            Ok(x.iter().enumerate().filter(|(at, _)| !axes.contains(at)).map(|(_, side)| *side).collect())
        }
    }
}

/// Shape with axes of size 1 inserted; `axes` count in the result.
///
/// # Errors
/// When they do not fit.
pub fn unsqueeze(x: &[usize], axes: &[usize]) -> Shape {
    // In ascending order, because an axis that is inserted moves those after it.
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    let mut shape = x.to_vec();
    for axis in sorted {
        if axis > shape.len() {
            return Err(format!("axes {axes:?} leave a gap after {x:?}").into());
        }
        shape.insert(axis, 1);
    }
    Ok(shape)
}

/// Shape of the part from `start` to `end` along `axis`.
///
/// # Errors
/// When the part is empty or the axis is missing.
pub(crate) fn slice(x: &[usize], axis: usize, start: usize, end: usize, step: usize) -> Shape {
    in_range(axis, x)?;
    // ONNX ends an open slice at the greatest integer.
    let end = end.min(x[axis]);
    if start >= end {
        return Err(format!("a slice from {start} to {end} of axis {axis} of {x:?} is empty").into());
    }
    let mut shape = x.to_vec();
    shape[axis] = (end - start).div_ceil(step);
    Ok(shape)
}

/// Shape of the parts at `indices` along `axis`.
///
/// # Errors
/// When the axis is missing or an index is beyond it.
pub(crate) fn gather(x: &[usize], axis: usize, indices: &[usize]) -> Shape {
    in_range(axis, x)?;
    if let Some(index) = indices.iter().find(|index| **index >= x[axis]) {
        return Err(format!("index {index} is beyond axis {axis} of {x:?}").into());
    }
    let mut shape = x.to_vec();
    shape[axis] = indices.len();
    Ok(shape)
}

/// Shape of the places of the `count` greatest along the last axis.
///
/// # Errors
/// When the axis has fewer.
pub(crate) fn top(x: &[usize], count: usize) -> Shape {
    let [rest @ .., last] = x else { return Err("has no axis".into()) };
    match (1..=*last).contains(&count) {
        true => Ok([rest, &[count, *last]].concat()),
        false => {
            Err(Problem::new(format!("takes the greatest {count} of {last}"))
                .expected(format!("1 to {last}")))
        }
    }
}

/// Shape of part number `part` of a division into `sizes`.
///
/// # Errors
/// When the sizes do not add up to the axis.
pub(crate) fn split(x: &[usize], axis: usize, sizes: &[usize], part: usize) -> Shape {
    in_range(axis, x)?;
    // Checked, as in `reshape`: the sizes come from a file.
    let total = sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    if total != Some(x[axis]) || part >= sizes.len() {
        return Err(format!("cannot take part {part} of sizes {sizes:?} along axis {axis} of {x:?}").into());
    }
    let mut shape = x.to_vec();
    shape[axis] = sizes[part];
    Ok(shape)
}

/// The elements along an axis that is divided into parts of these sizes which part number `part` has.
#[must_use]
pub fn range_of_part(sizes: &[usize], part: usize) -> Range<usize> {
    let start = sizes.iter().take(part).sum();
    start..start + sizes.get(part).copied().unwrap_or_default()
}

/// Shape after a reduction along `axes`.
///
/// # Errors
/// When an axis is missing.
pub(crate) fn reduce(x: &[usize], axes: &[usize], keep_dims: bool) -> Shape {
    axes.iter().try_for_each(|axis| in_range(*axis, x))?;
    let kept = x.iter().enumerate().filter_map(|(at, side)| match (axes.contains(&at), keep_dims) {
        (true, false) => None,
        (true, true) => Some(1),
        (false, _) => Some(*side),
    });
    Ok(kept.collect())
}
