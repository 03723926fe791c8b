//! Casts of constants. Numbers are stored as single precision or as 64-bit integers, regardless of their type in the
//! file, so a cast to a narrower type must round, wrap or test for zero here, as onnxruntime does.

use half::{bf16, f16};

use super::constant::Constant;
use super::site::{Site, Value};
use crate::error::Problem;

/// Whether a `TensorProto.DataType` code is a real type; `None` for text and other types.
pub(super) fn is_real(data_type: i64) -> Option<bool> {
    match data_type {
        1 | 10 | 11 | 16 => Some(true),
        2..=7 | 9 | 12 | 13 => Some(false),
        _ => None,
    }
}

/// `Cast` to the type in the attribute `to`.
pub(super) fn cast(site: &Site) -> Result<Vec<Constant>, Problem> {
    site.attribute("to").ok_or("does not say which type it casts to")?;
    Ok(vec![to_type(site.constant(0)?, site.int("to", 1)?)?])
}

fn to_type(input: &Constant, to: i64) -> Result<Constant, Problem> {
    Ok(match is_real(to) {
        Some(true) => Constant::Float(input.floats()?.mapv(|number| rounded(to, number))),
        Some(false) => Constant::Int(match input {
            Constant::Float(array) => array.mapv(|number| [whole(to, number); 2]),
            Constant::Int(array) => array.mapv(|lanes| lanes.map(|number| wrapped(to, number))),
        }),
        None => return Err(Problem::new(format!("casts to type {to}")).expected("real numbers or integers")),
    })
}

/// Rounds to the precision of a real type.
fn rounded(to: i64, number: f32) -> f32 {
    match to {
        // Kept in single precision, but with the digits that the narrower type has.
        10 => f16::from_f32(number).to_f32(),
        16 => bf16::from_f32(number).to_f32(),
        _ => number,
    }
}

/// Rounds towards zero; for booleans, only zero is false.
fn whole(to: i64, number: f32) -> i64 {
    match to {
        9 => i64::from(number != 0.0),
        _ => wrapped(to, number as i64),
    }
}

/// Keeps the lowest bits, as many as the integer type has.
fn wrapped(to: i64, number: i64) -> i64 {
    match to {
        2 => i64::from(number as u8),
        3 => i64::from(number as i8),
        4 => i64::from(number as u16),
        5 => i64::from(number as i16),
        6 => i64::from(number as i32),
        9 => i64::from(number != 0),
        12 => i64::from(number as u32),
        _ => number,
    }
}

/// `CastLike`: casts to the type of the second input. If the file does not state that type, only real or integer is
/// known.
pub(super) fn cast_like(site: &Site) -> Result<Vec<Constant>, Problem> {
    let input = site.constant(0)?;
    if let Some(to) = site.node.input.get(1).and_then(|name| site.written.get(name.as_str())) {
        return Ok(vec![to_type(input, i64::from(*to))?]);
    }
    let real = match site.input(1) {
        Some(Value::Constant(like)) => matches!(**like, Constant::Float(_)),
        _ => true,
    };
    // 0 and 1 are in the range of all integer types, and represent booleans.
    let common = |number: &f32| *number == 0.0 || *number == 1.0;
    match input {
        input if real => Ok(vec![Constant::Float(input.floats()?)]),
        Constant::Int(array) if array.iter().flatten().all(|number| (0..128).contains(number)) => {
            Ok(vec![input.clone()])
        }
        Constant::Float(array) if array.iter().all(common) => {
            Ok(vec![Constant::Int(array.mapv(|number| [number as i64; 2]))])
        }
        _ => Err(Problem::new("casts to integers of a width that is not known")
            .hint("use Cast instead of CastLike")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_type_wraps_round() {
        let table = [
            (2, 300, 44),
            (2, -1, 255),
            (3, 200, -56),
            (4, -1, 65_535),
            (5, 40_000, -25_536),
            (6, 1 << 32 | 7, 7),
            (7, i64::MAX, i64::MAX),
            (9, -5, 1),
            (12, -1, i64::from(u32::MAX)),
        ];
        for (to, number, expected) in table {
            assert_eq!(wrapped(to, number), expected, "{number} to type {to}");
        }
    }

    #[test]
    fn real_numbers_are_cut_off_and_half_precision_rounds() {
        assert_eq!([whole(7, -2.7), whole(7, 2.7), whole(9, 0.3), whole(9, 0.0)], [-2, 2, 1, 0]);
        assert_eq!(rounded(10, 1.0 / 3.0), 0.333_251_95);
        assert_eq!(rounded(16, 1.0 / 3.0), 0.333_984_38);
        assert_eq!(rounded(1, 1.0 / 3.0), 1.0 / 3.0);
    }
}
