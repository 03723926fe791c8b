//! From the bytes of a file to `f32` values.
//!
//! Receives little-endian numbers, or bytes that are cut into numbers here; gives the values. Bytes at the end that are no
//! whole number are left out: callers compare the number of values with the shape.

use half::slice::HalfFloatSliceExt;

/// Numbers that are converted in one call: enough for vector instructions, and on the stack.
const BLOCK: usize = 256;

/// The values of numbers of `N` bytes.
pub(super) fn decode<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

/// The values of `f16` or `bf16`, many at once: one by one the processor would be asked each time what it can do.
pub(super) fn decode_halves<T>(pairs: &[[u8; 2]], number: impl Fn([u8; 2]) -> T) -> Vec<f32>
where
    T: Copy + Default,
    [T]: HalfFloatSliceExt,
{
    let mut values = vec![0.0; pairs.len()];
    let mut block = [T::default(); BLOCK];
    for (pairs, values) in pairs.chunks(BLOCK).zip(values.chunks_mut(BLOCK)) {
        let block = &mut block[..pairs.len()];
        block.iter_mut().zip(pairs).for_each(|(half, pair)| *half = number(*pair));
        block.convert_to_f32_slice(values);
    }
    values
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    #[test]
    fn every_half_is_the_value_that_it_is_alone() {
        let bits = 0..=u16::MAX;
        // One more than whole blocks.
        let bytes: Vec<[u8; 2]> = bits.clone().chain([0x3c00]).map(u16::to_le_bytes).collect();
        let of = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let alone = |read: fn(u16) -> f32| of(bits.clone().chain([0x3c00]).map(read).collect());
        let halves = of(decode_halves(&bytes, f16::from_le_bytes));
        assert!(halves == alone(|bits| f16::from_bits(bits).to_f32()));
        let brains = of(decode_halves(&bytes, bf16::from_le_bytes));
        assert!(brains == alone(|bits| bf16::from_bits(bits).to_f32()));
    }
}
