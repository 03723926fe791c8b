//! Plain arrays. The compiler vectorises them with what every CPU of the target has, SSE2 on x86-64.

use super::lanes::{Arguments, Compiled, InnerLoop, Simd};

/// The token of the instructions that the whole program is compiled for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Simd for Portable {
    const LANES: usize = 8;
    type Register = [f32; 8];
    type Wide = [f64; 8];

    fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments> {
        fn run<L: InnerLoop>(arguments: <L::Arguments as Arguments>::With<'_>) {
            L::run(Portable, arguments);
        }
        Compiled(run::<L>)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 8] {
        [value; 8]
    }
    #[inline(always)]
    fn mul_add(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        // A fused operation is a slow library call where the target does not promise one.
        let fused = |at| {
            if cfg!(target_arch = "aarch64") {
                f32::mul_add(a[at], b[at], c[at])
            } else {
                a[at] * b[at] + c[at]
            }
        };
        std::array::from_fn(fused)
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
