//! Fixed-point arithmetic in numbers of 16 bits, of which a vector register holds the most.
//!
//! Receives and gives integers. Which share of one they stand for is the caller's.

/// `k * x / 65536`, rounded to nearest, a half up.
#[inline]
pub(crate) fn product(k: i16, x: i16) -> i16 {
    let high = ((i32::from(k) * i32::from(x)) >> 16) as i16;
    high + (k.wrapping_mul(x) as u16 >> 15) as i16
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
}
