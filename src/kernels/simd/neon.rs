//! The registers of aarch64.

use std::arch::aarch64 as arch;
use std::arch::is_aarch64_feature_detected;

use super::lanes::{Arguments, Compiled, InnerLoop, Simd};

/// NEON. Two registers of four lanes count as one of eight: a pixel that is loaded serves twice as many sums, and tensors have the
/// blocks that they have with AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neon(());

/// Half of a register.
type Half = arch::float32x4_t;

impl Neon {
    /// The token, if this CPU has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

/// Operations on both halves of registers: safe functions of a token.
macro_rules! operations {
    ($(fn $name:ident($($argument:ident),*) $body:block)*) => { $(
        #[inline(always)]
        fn $name(self, $($argument: [Half; 2]),*) -> [Half; 2] {
            // SAFETY: the token exists only where the CPU has the instructions, and they touch no memory.
            unsafe { [0, 1].map(|half| { $(let $argument = $argument[half];)* $body }) }
        }
    )* };
}

impl Simd for Neon {
    const LANES: usize = 8;
    type Register = [Half; 2];
    type Wide = [arch::float64x2_t; 4];
    type Sum = [Half; 2];
    const INTEGERS: bool = false;

    fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments> {
        #[target_feature(enable = "neon")]
        fn run<L: InnerLoop>(arguments: <L::Arguments as Arguments>::With<'_>) {
            // A second token: who runs this function had the first.
            L::run(Neon(()), arguments);
        }
        Compiled(run::<L>)
    }

    operations! {
        fn mul_add(a, b, c) { arch::vfmaq_f32(c, a, b) }
        fn add(a, b) { arch::vaddq_f32(a, b) }
        fn mul(a, b) { arch::vmulq_f32(a, b) }
        fn div(a, b) { arch::vdivq_f32(a, b) }
        // Not `vmaxq_f32`, which gives NaN for a bound that is NaN, and zero for zero and its negative.
        fn max(bound, value) { arch::vbslq_f32(arch::vcgtq_f32(bound, value), bound, value) }
        fn min(bound, value) { arch::vbslq_f32(arch::vcltq_f32(bound, value), bound, value) }
        fn nan_max(a, b) { arch::vmaxq_f32(a, b) }
        fn above(value, bound, then) {
            let bits = arch::vandq_u32(arch::vcgtq_f32(value, bound), arch::vreinterpretq_u32_f32(then));
            arch::vreinterpretq_f32_u32(bits)
        }
        fn round(value) { arch::vrndnq_f32(value) }
        fn power_of_two(n) {
            // The exponent's bits, biased by 127; a mantissa of zero is one.
            let exponent = arch::vaddq_s32(arch::vcvtq_s32_f32(n), arch::vdupq_n_s32(127));
            arch::vreinterpretq_f32_s32(arch::vshlq_n_s32::<23>(exponent))
        }
    }

    #[inline(always)]
    fn sum_of_bits(self, bits: [Half; 2]) -> [Half; 2] {
        bits
    }
    #[inline(always)]
    fn bits_of_sum(self, sum: [Half; 2]) -> [Half; 2] {
        sum
    }
    #[inline(always)]
    fn value_of_bits(self, bits: [Half; 2]) -> [Half; 2] {
        bits
    }
    #[inline(always)]
    fn add_product(self, a: [Half; 2], b: [Half; 2], c: [Half; 2]) -> [Half; 2] {
        self.mul_add(a, b, c)
    }
    #[inline(always)]
    fn splat(self, value: f32) -> [Half; 2] {
        // SAFETY: as in `operations`.
        unsafe { [arch::vdupq_n_f32(value); 2] }
    }
    #[inline(always)]
    fn widen(self, [lower, upper]: [Half; 2]) -> Self::Wide {
        // SAFETY: as in `operations`.
        unsafe {
            [
                arch::vcvt_f64_f32(arch::vget_low_f32(lower)),
                arch::vcvt_high_f64_f32(lower),
                arch::vcvt_f64_f32(arch::vget_low_f32(upper)),
                arch::vcvt_high_f64_f32(upper),
            ]
        }
    }
    #[inline(always)]
    fn add_wide(self, a: Self::Wide, b: Self::Wide) -> Self::Wide {
        // SAFETY: as in `operations`.
        unsafe { [0, 1, 2, 3].map(|part| arch::vaddq_f64(a[part], b[part])) }
    }
    #[inline(always)]
    fn narrow(self, value: Self::Wide, factor: f64) -> [Half; 2] {
        // SAFETY: as in `operations`.
        unsafe {
            let [a, b, c, d] = value.map(|part| arch::vmulq_n_f64(part, factor));
            [[a, b], [c, d]].map(|[low, high]| arch::vcvt_high_f32_f64(arch::vcvt_f32_f64(low), high))
        }
    }
    #[inline(always)]
    unsafe fn load_from(self, from: *const f32) -> [Half; 2] {
        // SAFETY: valid for eight elements, as the trait demands; the token proves the instruction.
        unsafe { [arch::vld1q_f32(from), arch::vld1q_f32(from.add(4))] }
    }
    #[inline(always)]
    unsafe fn store_to(self, to: *mut f32, [lower, upper]: [Half; 2]) {
        // SAFETY: as for `load_from`.
        unsafe {
            arch::vst1q_f32(to, lower);
            arch::vst1q_f32(to.add(4), upper);
        }
    }
}
