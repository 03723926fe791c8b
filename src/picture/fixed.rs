//! Fixed-point arithmetic in numbers of 16 bits, of which a vector register holds the most.
//!
//! Receives and gives integers. Which share of one they stand for is the caller's.

/// `k * x / 65536`, rounded to nearest, a half up.
#[inline(always)]
pub(crate) fn product(k: i16, x: i16) -> i16 {
    let high = ((i32::from(k) * i32::from(x)) >> 16) as i16;
    high + (k.wrapping_mul(x) as u16 >> 15) as i16
}

/// The greatest whole number up to `x`, from 0 to `most`, which is below 2^22; 0 for NaN.
///
/// `as` does the same, but saturates, for which x86 has no vector instruction: compilers convert one number after the other.
#[inline(always)]
pub(crate) fn floor(x: f32, most: f32) -> u32 {
    // From here on floats have no fraction, so that adding it rounds, and the number is in the lowest bits.
    const WHOLE: f32 = (1 << 23) as f32;
    let x = x.max(0.0).min(most);
    let moved = x + WHOLE;
    moved.to_bits() - WHOLE.to_bits() - u32::from(moved - WHOLE > x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_rounded_to_nearest_and_halves_up() {
        for x in -256..=256 {
            for k in (i16::MIN..=i16::MAX).step_by(251).chain([i16::MAX]) {
                let exact = f64::from(k) * f64::from(x) / 65536.0;
                assert_eq!(f64::from(product(k, x)), (exact + 0.5).floor(), "{k} * {x}");
            }
        }
        assert_eq!((product(i16::MIN, 1), product(i16::MIN, -1)), (0, 1));
    }

    #[test]
    fn floor_is_the_saturating_cast() {
        let near = |x: f32| [x.next_down(), x, x.next_up()];
        let halves = (-600..=140_000).map(|at| at as f32 / 2.0);
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MIN_POSITIVE, 1e30];
        for x in halves.flat_map(near).chain(odd) {
            assert_eq!(floor(x, 255.0) as u8, x as u8, "{x}");
            assert_eq!(floor(x, 65535.0) as u16, x as u16, "{x}");
        }
    }
}
