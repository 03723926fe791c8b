//! Plain arrays. The compiler vectorises them with what every CPU of the target has, SSE2 on x86-64.

use std::marker::PhantomData;

use super::lanes::{Arguments, Compiled, InnerLoop, Simd};

/// The token of the instructions that the whole program is compiled for, and what [`Simd::add_product`] multiplies.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Portable<P = Singles>(PhantomData<P>);

/// What the factors of [`Simd::add_product`] hold, and their sums.
pub(crate) trait Product: Copy + Default {
    const INTEGERS: bool;
    fn add_product(a: f32, b: f32, c: f32) -> f32;
    fn value_of_bits(bits: f32) -> f32;
}

/// Numbers in single precision.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Singles;

/// Pairs of 16-bit integers, whose two products are added to an integer of 32 bits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IntegerPairs;

impl Product for Singles {
    const INTEGERS: bool = false;

    #[inline(always)]
    fn add_product(a: f32, b: f32, c: f32) -> f32 {
        // A fused operation is a slow library call where the target does not promise one.
        if cfg!(target_arch = "aarch64") { a.mul_add(b, c) } else { a * b + c }
    }
    #[inline(always)]
    fn value_of_bits(bits: f32) -> f32 {
        bits
    }
}

impl Product for IntegerPairs {
    const INTEGERS: bool = true;

    #[inline(always)]
    fn add_product(a: f32, b: f32, c: f32) -> f32 {
        // The lower half of the bits first: factors meet their own kind in either order.
        let halves = |pair: f32| [pair.to_bits() as i16, (pair.to_bits() >> 16) as i16].map(i32::from);
        let ([a, other_a], [b, other_b]) = (halves(a), halves(b));
        let sum = (c.to_bits() as i32).wrapping_add(a * b).wrapping_add(other_a * other_b);
        f32::from_bits(sum as u32)
    }
    #[inline(always)]
    fn value_of_bits(bits: f32) -> f32 {
        bits.to_bits() as i32 as f32
    }
}

impl<P: Product> Simd for Portable<P> {
    const LANES: usize = 8;
    type Register = [f32; 8];
    type Wide = [f64; 8];
    type Sum = [f32; 8];
    const INTEGERS: bool = P::INTEGERS;

    fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments> {
        fn run<P: Product, L: InnerLoop>(arguments: <L::Arguments as Arguments>::With<'_>) {
            L::run(Portable::<P>::default(), arguments);
        }
        Compiled(run::<P, L>)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 8] {
        [value; 8]
    }
    #[inline(always)]
    fn mul_add(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| Singles::add_product(a[at], b[at], c[at]))
    }
    #[inline(always)]
    fn add(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| a[at] + b[at])
    }
    #[inline(always)]
    fn mul(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| a[at] * b[at])
    }
    #[inline(always)]
    fn div(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| a[at] / b[at])
    }
    #[inline(always)]
    fn max(self, bound: [f32; 8], value: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| if bound[at] > value[at] { bound[at] } else { value[at] })
    }
    #[inline(always)]
    fn min(self, bound: [f32; 8], value: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| if bound[at] < value[at] { bound[at] } else { value[at] })
    }
    #[inline(always)]
    fn nan_max(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| if a[at] > b[at] || a[at].is_nan() { a[at] } else { b[at] })
    }
    #[inline(always)]
    fn above(self, value: [f32; 8], bound: [f32; 8], then: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| if value[at] > bound[at] { then[at] } else { 0.0 })
    }
    #[inline(always)]
    fn widen(self, value: [f32; 8]) -> [f64; 8] {
        value.map(f64::from)
    }
    #[inline(always)]
    fn add_wide(self, a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        std::array::from_fn(|at| a[at] + b[at])
    }
    #[inline(always)]
    fn narrow(self, value: [f64; 8], factor: f64) -> [f32; 8] {
        value.map(|value| (value * factor) as f32)
    }
    #[inline(always)]
    fn round(self, value: [f32; 8]) -> [f32; 8] {
        // At 1.5 times 2^23 a single has no bits left for a fraction, so the sum is rounded to an integer.
        value.map(|value| (value + 12_582_912.0) - 12_582_912.0)
    }
    #[inline(always)]
    fn power_of_two(self, n: [f32; 8]) -> [f32; 8] {
        // The exponent's bits, biased by 127; a mantissa of zero is one.
        n.map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23))
    }
    #[inline(always)]
    fn sum_of_bits(self, bits: [f32; 8]) -> [f32; 8] {
        bits
    }
    #[inline(always)]
    fn bits_of_sum(self, sum: [f32; 8]) -> [f32; 8] {
        sum
    }
    #[inline(always)]
    fn value_of_bits(self, bits: [f32; 8]) -> [f32; 8] {
        bits.map(P::value_of_bits)
    }
    #[inline(always)]
    fn add_product(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| P::add_product(a[at], b[at], c[at]))
    }
    #[inline(always)]
    unsafe fn load_from(self, from: *const f32) -> [f32; 8] {
        // SAFETY: valid for eight elements, as the trait demands, and read unaligned.
        unsafe { from.cast::<[f32; 8]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_to(self, to: *mut f32, value: [f32; 8]) {
        // SAFETY: as for `load_from`.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(value) }
    }
}
