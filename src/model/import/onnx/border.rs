//! `Pad` of constants.

use ndarray::{ArrayD, Axis, concatenate};

use super::constant::{Constant, both};
use super::shaped::{bounded, pick};
use super::site::Site;
use crate::error::Problem;

/// Elements added before and after each axis; negative numbers remove elements.
pub(super) fn sides(site: &Site, rank: usize) -> Result<Vec<[i64; 2]>, Problem> {
    let pads = site.ints_of("pads", 1)?.ok_or("its pads are not there")?;
    let axes = site.optional(3)?.map(Constant::ints).transpose()?;
    let count = rank - usize::from(site.row);
    let axes = axes.unwrap_or_else(|| (0..count as i64).collect());
    if pads.len() != 2 * axes.len() {
        return Err(
            Problem::new(format!("has {} pads for {} axes", pads.len(), axes.len())).expected("two for each")
        );
    }
    let mut sides = vec![[0; 2]; rank];
    for (at, axis) in axes.iter().enumerate() {
        sides[site.front(*axis, rank)?] = [pads[at], pads[axes.len() + at]];
    }
    Ok(sides)
}

/// The number that a constant border has.
pub(super) fn value(site: &Site) -> Result<f64, Problem> {
    let value = match site.optional(2)? {
        Some(value) => value.scalar().ok_or("its value is not one number")?,
        None => site.float("value", 0.0)?,
    };
    Ok(site.step.map_or(value, |step| step.real(value)))
}

/// `Pad` of a constant.
pub(super) fn pad(site: &Site) -> Result<Vec<Constant>, Problem> {
    let mut result = site.constant(0)?.clone();
    let mode = site.text("mode", "constant")?;
    let value = value(site)?;
    for (axis, [before, behind]) in sides(site, result.shape().len())?.into_iter().enumerate() {
        let mut grown = result.shape().to_vec();
        grown[axis] = length(grown[axis], [before, behind])?;
        bounded(&grown, site.source.room)?;
        let side = result.shape()[axis] as i64;
        result = match mode.as_str() {
            "constant" => filled(&result, axis, [before, behind], value)?,
            mode => {
                let places = (-before..side + behind)
                    .map(|at| place(mode, at, side))
                    .collect::<Result<Vec<_>, _>>()?;
                pick(&result, axis, &places)?
            }
        };
    }
    Ok(vec![result])
}

/// The length of an axis after padding at both ends.
fn length(side: usize, pads: [i64; 2]) -> Result<usize, Problem> {
    let refuse = || Problem::new(format!("pads a side of {side} by {pads:?}, which is not sensible"));
    let side = i64::try_from(side).map_err(|_| refuse())?;
    let [first, last] = pads;
    let after = |first: i64, last: i64| side.checked_add(first)?.checked_add(last);
    let (left, grown) = (after(first.min(0), last.min(0)), after(first, last));
    match (left, grown) {
        (Some(0..), Some(grown)) => usize::try_from(grown).map_err(|_| refuse()),
        _ => Err(refuse()),
    }
}

/// Index of the source element for index `at`, which may be outside `0..side`.
pub(super) fn place(mode: &str, at: i64, side: i64) -> Result<i64, Problem> {
    if side == 0 {
        return Err(Problem::new(format!("repeats the border of an axis without numbers by '{mode}'")));
    }
    match mode {
        "edge" => Ok(at.clamp(0, side - 1)),
        "wrap" => Ok(at.rem_euclid(side)),
        "reflect" => {
            let period = (2 * (side - 1)).max(1);
            let at = at.rem_euclid(period);
            Ok(at.min(period - at).min(side - 1))
        }
        other => Err(Problem::new(format!("pads by '{other}'")).expected("constant, reflect, edge or wrap")),
    }
}

/// Pads one axis with `value`, or shortens it.
pub(super) fn filled(
    input: &Constant,
    axis: usize,
    [before, behind]: [i64; 2],
    value: f64,
) -> Result<Constant, Problem> {
    let side = input.shape()[axis] as i64;
    let kept: Vec<i64> = ((-before).max(0)..(side + behind).min(side)).collect();
    let middle = pick(input, axis, &kept)?;
    let shape = |side: i64| {
        let mut shape = input.shape().to_vec();
        shape[axis] = side.max(0) as usize;
        shape
    };
    let join = |cause: ndarray::ShapeError| Problem::new(cause.to_string());
    Ok(match &middle {
        Constant::Float(array) => {
            let [first, last] = [before, behind].map(|side| ArrayD::from_elem(shape(side), value as f32));
            Constant::Float(
                concatenate(Axis(axis), &[first.view(), array.view(), last.view()]).map_err(join)?,
            )
        }
        Constant::Int(array) => {
            let [first, last] =
                [before, behind].map(|side| ArrayD::from_elem(shape(side), both(value as i64)));
            Constant::Int(concatenate(Axis(axis), &[first.view(), array.view(), last.view()]).map_err(join)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_repeat_mirror_and_go_round() {
        let line = |mode: &str| (-3..6).map(|at| place(mode, at, 3).unwrap()).collect::<Vec<_>>();
        assert_eq!(line("edge"), [0, 0, 0, 0, 1, 2, 2, 2, 2]);
        assert_eq!(line("wrap"), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(line("reflect"), [1, 2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!(place("reflect", -4, 1).unwrap(), 0);
        assert!(place("edge", 0, 0).is_err());
    }

    #[test]
    fn a_border_may_also_cut() {
        let line = Constant::Int(ArrayD::from_shape_fn(vec![3], |at| both(at[0] as i64)));
        assert_eq!(filled(&line, 0, [2, -1], 7.0).unwrap().ints().unwrap(), [7, 7, 0, 1]);
        assert_eq!(filled(&line, 0, [-2, 1], 7.0).unwrap().ints().unwrap(), [2, 7]);
        assert_eq!([length(3, [2, -1]), length(3, [-2, 0])], [Ok(4), Ok(1)]);
        for absurd in [[-4, 2], [-2, -2], [i64::MIN, 0], [i64::MAX, 1]] {
            assert!(length(3, absurd).is_err(), "{absurd:?}");
        }
    }
}
