//! Arithmetic on constants, element by element, with shapes that broadcast.

use ndarray::{ArrayD, IxDyn};

use super::constant::{Constant, Lanes};
use super::shaped::bounded;
use super::site::Site;
use crate::axes;
use crate::card::from_onnx;
use crate::error::Problem;

/// `first op second`; integers stay integers, and comparisons give 0 and 1.
pub(super) fn binary(site: &Site) -> Result<Vec<Constant>, Problem> {
    check_count(site)?;
    let mut result = site.constant(0)?.clone();
    // `Mod` has the sign of the divisor, with `fmod` that of the dividend.
    let op = if site.op() == "Mod" && site.flag("fmod")? { "Fmod" } else { site.op() };
    for at in 1..site.inputs.len() {
        result = combine(op, &result, site.constant(at)?, site.source.room)?;
    }
    if op == "Mean" {
        result = Constant::Float(result.floats()?.mapv(|sum| sum / site.inputs.len() as f32));
    }
    Ok(vec![result])
}

/// Refuses a single operand for a binary operation; some operations take any number.
pub(super) fn check_count(site: &Site) -> Result<(), Problem> {
    let (count, any) = (site.inputs.len(), matches!(site.op(), "Sum" | "Mean" | "Min" | "Max"));
    match count {
        2 => Ok(()),
        1.. if any => Ok(()),
        _ => Err(Problem::new(format!("has {count} inputs")).expected(if any { "at least 1" } else { "2" })),
    }
}

fn combine(op: &str, first: &Constant, second: &Constant, most: usize) -> Result<Constant, Problem> {
    if let (Constant::Int(first), Constant::Int(second)) = (first, second) {
        let lane = |a: i64, b: i64| {
            int(op, a, b).ok_or_else(|| Problem::new(format!("cannot compute {a} {op} {b}")))
        };
        let both = |a: &Lanes, b: &Lanes| Ok([lane(a[0], b[0])?, lane(a[1], b[1])?]);
        return Ok(Constant::Int(zip(first, second, most, both)?));
    }
    // ONNX gives a power the type of its base.
    let whole = op == "Pow" && matches!(first, Constant::Int(_));
    let (first, second) = (first.floats()?, second.floats()?);
    let truth = |a: &f32, b: &f32| compare(op, *a, *b).map(|truth| [i64::from(truth); 2]);
    if compare(op, 0.0, 0.0).is_some() {
        return Ok(Constant::Int(zip(&first, &second, most, |a, b| Ok(truth(a, b).unwrap_or_default()))?));
    }
    let real = |a: &f32, b: &f32| {
        float(op, *a, *b).ok_or_else(|| Problem::new(format!("{op} does not work on real numbers")))
    };
    let result = zip(&first, &second, most, real)?;
    Ok(if whole { Constant::Int(result.mapv(|number| [number as i64; 2])) } else { Constant::Float(result) })
}

/// Element by element over shapes that broadcast, to at most `most` elements.
fn zip<A: Clone, B: Clone, T>(
    first: &ArrayD<A>,
    second: &ArrayD<B>,
    most: usize,
    f: impl Fn(&A, &B) -> Result<T, Problem>,
) -> Result<ArrayD<T>, Problem> {
    let shape = axes::broadcast(first.shape(), second.shape())?;
    bounded(&shape, most)?;
    let refuse =
        || Problem::new(format!("shapes {:?} and {:?} do not broadcast", first.shape(), second.shape()));
    let first = first.broadcast(IxDyn(&shape)).ok_or_else(refuse)?;
    let second = second.broadcast(IxDyn(&shape)).ok_or_else(refuse)?;
    let values = first.iter().zip(second.iter()).map(|(a, b)| f(a, b)).collect::<Result<Vec<_>, _>>()?;
    ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|cause| Problem::new(cause.to_string()))
}

fn compare<T: PartialOrd + Copy>(op: &str, a: T, b: T) -> Option<bool> {
    Some(match op {
        "Equal" => a == b,
        "Less" => a < b,
        "Greater" => a > b,
        "LessOrEqual" => a <= b,
        "GreaterOrEqual" => a >= b,
        _ => return None,
    })
}

fn int(op: &str, a: i64, b: i64) -> Option<i64> {
    match op {
        // Checked: sizes come from a file, and one that wrapped around would pass for another.
        "Add" | "Sum" => a.checked_add(b),
        "Sub" => a.checked_sub(b),
        "Mul" => a.checked_mul(b),
        "Div" => a.checked_div(b),
        "Mod" => {
            a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
        }
        "Fmod" => a.checked_rem(b),
        "Pow" => a.checked_pow(u32::try_from(b).ok()?),
        "Min" => Some(a.min(b)),
        "Max" => Some(a.max(b)),
        "And" => Some(i64::from(a != 0 && b != 0)),
        "Or" => Some(i64::from(a != 0 || b != 0)),
        _ => compare(op, a, b).map(i64::from),
    }
}

fn float(op: &str, a: f32, b: f32) -> Option<f32> {
    Some(match op {
        "Add" | "Sum" | "Mean" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Fmod" => a % b,
        "Pow" => a.powf(b),
        "Min" => a.min(b),
        "Max" => a.max(b),
        _ => return None,
    })
}

/// A unary operation.
pub(super) fn unary(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    if let Constant::Int(array) = input {
        let each: fn(i64) -> i64 = match site.op() {
            "Neg" => i64::saturating_neg,
            "Abs" => i64::saturating_abs,
            "Not" => |number| i64::from(number == 0),
            "Sign" => i64::signum,
            _ => return Err("works on real numbers, but got integers".into()),
        };
        return Ok(vec![Constant::Int(array.mapv(|lanes| lanes.map(each)))]);
    }
    let each: fn(f32) -> f32 = match site.op() {
        "Neg" => |number| -number,
        "Abs" => f32::abs,
        "Sqrt" => f32::sqrt,
        "Reciprocal" => f32::recip,
        "Exp" => f32::exp,
        "Log" => f32::ln,
        "Sin" => f32::sin,
        "Cos" => f32::cos,
        "Floor" => f32::floor,
        "Ceil" => f32::ceil,
        // ONNX rounds halves to even.
        "Round" => f32::round_ties_even,
        "Sign" => |number| if number == 0.0 { 0.0 } else { number.signum() },
        "IsNaN" => {
            return Ok(vec![Constant::Int(input.floats()?.mapv(|number| [i64::from(number.is_nan()); 2]))]);
        }
        _ => return of_table(site),
    };
    Ok(vec![Constant::Float(input.floats()?.mapv(each))])
}

/// A function of the graph's table, in double precision.
fn of_table(site: &Site) -> Result<Vec<Constant>, Problem> {
    let op = from_onnx(site.op(), |attribute, default| site.float(attribute, default));
    let op = op.ok_or("works on truth values, but got real numbers")??;
    let function = op.function().ok_or("has settings that are not supported")?;
    Ok(vec![Constant::Float(site.floats(0)?.mapv(|number| function.value(f64::from(number)) as f32))])
}

/// Clips between two bounds; either may be missing.
pub(super) fn clip(site: &Site) -> Result<Vec<Constant>, Problem> {
    let bound = |name: &str, at: usize, default: f32| -> Result<f64, Problem> {
        match site.optional(at)? {
            Some(constant) => {
                constant.scalar().ok_or_else(|| Problem::new(format!("its '{name}' is not one number")))
            }
            None => site.float(name, default),
        }
    };
    let (least, most) = (bound("min", 1, f32::MIN)?, bound("max", 2, f32::MAX)?);
    Ok(vec![match site.constant(0)? {
        Constant::Int(array) => {
            Constant::Int(array.mapv(|lanes| lanes.map(|number| (number as f64).max(least).min(most) as i64)))
        }
        Constant::Float(array) => {
            Constant::Float(array.mapv(|number| f64::from(number).max(least).min(most) as f32))
        }
    }])
}

/// `Where`: the second value where the first is true, else the third.
pub(super) fn choose(site: &Site) -> Result<Vec<Constant>, Problem> {
    let (condition, yes, no) = (site.constant(0)?.lanes()?, site.constant(1)?, site.constant(2)?);
    let most = site.source.room;
    let pick = |truth: i64, yes: i64, no: i64| if truth != 0 { yes } else { no };
    if let (Constant::Int(yes), Constant::Int(no)) = (yes, no) {
        let pairs = zip(yes, no, most, |yes, no| Ok([*yes, *no]))?;
        let chosen = zip(condition, &pairs, most, |truth, [yes, no]| {
            Ok([0, 1].map(|lane| pick(truth[lane], yes[lane], no[lane])))
        })?;
        return Ok(vec![Constant::Int(chosen)]);
    }
    let pairs = zip(&yes.floats()?, &no.floats()?, most, |yes, no| Ok([*yes, *no]))?;
    let chosen = zip(condition, &pairs, most, |truth, [yes, no]| {
        if truth[0] == truth[1] {
            Ok(if truth[0] != 0 { *yes } else { *no })
        } else {
            Err("depends on the batch size".into())
        }
    })?;
    Ok(vec![Constant::Float(chosen)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_have_the_sign_of_the_divisor_or_of_the_number() {
        let table = [(7, 3, 1, 1), (-7, 3, 2, -1), (7, -3, -2, 1), (-7, -3, -1, -1), (6, -3, 0, 0)];
        for (a, b, floored, truncated) in table {
            assert_eq!((int("Mod", a, b), int("Fmod", a, b)), (Some(floored), Some(truncated)), "{a} by {b}");
        }
        assert_eq!((int("Mod", 1, 0), int("Mod", i64::MIN, -1)), (None, None));
        assert_eq!(float("Fmod", -7.5, 2.0), Some(-1.5));
    }

    #[test]
    fn a_power_has_the_type_of_its_base() {
        let [two, half] = [
            Constant::Int(ArrayD::from_elem(vec![], [2; 2])),
            Constant::Float(ArrayD::from_elem(vec![], 0.5)),
        ];
        assert_eq!(combine("Pow", &two, &half, 1).unwrap(), Constant::Int(ArrayD::from_elem(vec![], [1; 2])));
        assert_eq!(combine("Pow", &half, &two, 1).unwrap(), Constant::Float(ArrayD::from_elem(vec![], 0.25)));
    }
}
