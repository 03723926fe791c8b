//! The registers of x86-64.

use std::arch::x86_64 as arch;

use super::lanes::{Arguments, Compiled, InnerLoop, Simd};

/// Operations on registers alone: safe functions of a token.
macro_rules! operations {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty { $body:expr })*) => { $(
        #[inline(always)]
        #[allow(unused_unsafe, reason = "some operations do nothing")]
        fn $name(self, $($argument: $type),*) -> $result {
            // SAFETY: the token exists only where the CPU has the instructions, and they touch no memory.
            unsafe { $body }
        }
    )* };
}

/// A token with its registers. Each operation is one instruction or a few; the loads and stores are the unaligned ones. `max` and
/// `min` give their second operand where either is NaN.
macro_rules! registers {
    ($name:ident, $doc:literal, $features:literal, [$($detected:tt)+], $lanes:literal, $register:ident,
     ($sum:ident, $integers:literal, $of_bits:expr, $to_bits:expr, $value:expr, $add_product:expr),
     $fma:expr, $or:expr, $above:expr, $round:expr, $power:expr,
     ($wide:ident $splat_wide:ident $add_wide:ident $mul_wide:ident $widen:ident), $halves:expr, $whole:expr,
     $splat:ident $load:ident $store:ident $add:ident $mul:ident $div:ident $max:ident $min:ident) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name(());

        impl $name {
            /// The token, if this CPU has all of the instructions that loops are compiled for.
            pub(crate) fn detect() -> Option<Self> {
                let all = [$(is_x86_feature_detected!($detected)),+];
                all.into_iter().all(|detected| detected).then_some(Self(()))
            }
        }

        impl Simd for $name {
            const LANES: usize = $lanes;
            type Register = arch::$register;
            type Wide = [arch::$wide; 2];
            type Sum = arch::$sum;
            const INTEGERS: bool = $integers;

            fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments> {
                #[target_feature(enable = $features)]
                fn run<L: InnerLoop>(arguments: <L::Arguments as Arguments>::With<'_>) {
                    // A second token: who runs this function had the first.
                    L::run($name(()), arguments);
                }
                Compiled(run::<L>)
            }

            operations! {
                fn splat(value: f32) -> Self::Register { arch::$splat(value) }
                fn mul_add(a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register {
                    $fma(a, b, c)
                }
                fn add(a: Self::Register, b: Self::Register) -> Self::Register { arch::$add(a, b) }
                fn mul(a: Self::Register, b: Self::Register) -> Self::Register { arch::$mul(a, b) }
                fn div(a: Self::Register, b: Self::Register) -> Self::Register { arch::$div(a, b) }
                fn max(bound: Self::Register, value: Self::Register) -> Self::Register {
                    arch::$max(bound, value)
                }
                fn min(bound: Self::Register, value: Self::Register) -> Self::Register {
                    arch::$min(bound, value)
                }
                // One order keeps a NaN in `a`, the other one in `b`; all bits of both keep either.
                fn nan_max(a: Self::Register, b: Self::Register) -> Self::Register {
                    $or(arch::$max(a, b), arch::$max(b, a))
                }
                fn above(
                    value: Self::Register, bound: Self::Register, then: Self::Register
                ) -> Self::Register {
                    $above(value, bound, then)
                }
                fn widen(value: Self::Register) -> Self::Wide {
                    $halves(value).map(|half| arch::$widen(half))
                }
                fn add_wide(a: Self::Wide, b: Self::Wide) -> Self::Wide {
                    [arch::$add_wide(a[0], b[0]), arch::$add_wide(a[1], b[1])]
                }
                fn narrow(value: Self::Wide, factor: f64) -> Self::Register {
                    $whole(value.map(|half| arch::$mul_wide(half, arch::$splat_wide(factor))))
                }
                fn round(value: Self::Register) -> Self::Register { $round(value) }
                fn power_of_two(n: Self::Register) -> Self::Register { $power(n) }
                fn sum_of_bits(bits: Self::Register) -> Self::Sum { $of_bits(bits) }
                fn bits_of_sum(sum: Self::Sum) -> Self::Register { $to_bits(sum) }
                fn value_of_bits(bits: Self::Register) -> Self::Register { $value(bits) }
                fn add_product(a: Self::Register, b: Self::Register, c: Self::Sum) -> Self::Sum {
                    $add_product(a, b, c)
                }
            }

            #[inline(always)]
            unsafe fn load_from(self, from: *const f32) -> Self::Register {
                // SAFETY: valid for a register, as the trait demands; the token proves the instruction.
                unsafe { arch::$load(from) }
            }
            #[inline(always)]
            unsafe fn store_to(self, to: *mut f32, value: Self::Register) {
                // SAFETY: as for `load_from`.
                unsafe { arch::$store(to, value) }
            }
        }
    };
}

macro_rules! registers_of_512 {
    ($name:ident, $doc:literal, $features:literal, [$($detected:tt)+], $sums:tt) => {
        registers!($name, $doc, $features, [$($detected)+], 16, __m512, $sums,
            arch::_mm512_fmadd_ps,
            |a, b| {
                let bits = arch::_mm512_or_si512(arch::_mm512_castps_si512(a), arch::_mm512_castps_si512(b));
                arch::_mm512_castsi512_ps(bits)
            },
            |value, bound, then| {
                arch::_mm512_maskz_mov_ps(arch::_mm512_cmp_ps_mask::<{ arch::_CMP_GT_OQ }>(value, bound), then)
            },
            arch::_mm512_roundscale_ps::<{ arch::_MM_FROUND_TO_NEAREST_INT | arch::_MM_FROUND_NO_EXC }>,
            |n| arch::_mm512_scalef_ps(arch::_mm512_set1_ps(1.0), n),
            (__m512d _mm512_set1_pd _mm512_add_pd _mm512_mul_pd _mm512_cvtps_pd),
            |value| {
                let upper = arch::_mm512_extractf64x4_pd::<1>(arch::_mm512_castps_pd(value));
                [arch::_mm512_castps512_ps256(value), arch::_mm256_castpd_ps(upper)]
            },
            |[lower, upper]: [arch::__m512d; 2]| {
                let [lower, upper] =
                    [lower, upper].map(|half| arch::_mm256_castps_pd(arch::_mm512_cvtpd_ps(half)));
                let whole = arch::_mm512_insertf64x4::<1>(arch::_mm512_castpd256_pd512(lower), upper);
                arch::_mm512_castpd_ps(whole)
            },
            _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_mul_ps _mm512_div_ps
            _mm512_max_ps _mm512_min_ps);
    };
}

registers_of_512!(
    Avx512,
    "AVX-512 F.",
    "avx512f,avx2,fma",
    ["avx512f" "avx2" "fma"],
    (__m512, false, |bits| bits, |sum| sum, |bits| bits, arch::_mm512_fmadd_ps)
);
registers_of_512!(
    Avx512Bf16,
    "AVX-512 with BF16: a lane of `a` and of `b` is a pair of bf16, and `add_product` adds the products of both to `c`.",
    "avx512f,avx512bf16,avx2,fma",
    ["avx512f" "avx512bf16" "avx2" "fma"],
    (__m512, false, |bits| bits, |sum| sum, |bits| bits, |a, b, c| {
        // All three types are 512 bits.
        let pairs = |register| std::mem::transmute::<arch::__m512, arch::__m512bh>(register);
        arch::_mm512_dpbf16_ps(c, pairs(a), pairs(b))
    })
);
registers_of_512!(
    Avx512Vnni,
    "AVX-512 with VNNI: a lane of `a` is four unsigned bytes, one of `b` four signed ones, and `add_product` adds their four \
     products to the integer in `c`.",
    "avx512f,avx512vnni,avx2,fma",
    ["avx512f" "avx512vnni" "avx2" "fma"],
    (
        __m512i,
        true,
        |bits| arch::_mm512_castps_si512(bits),
        |sum| arch::_mm512_castsi512_ps(sum),
        |bits| arch::_mm512_cvtepi32_ps(arch::_mm512_castps_si512(bits)),
        |a, b, c| arch::_mm512_dpbusd_epi32(c, arch::_mm512_castps_si512(a), arch::_mm512_castps_si512(b))
    )
);

macro_rules! registers_of_256 {
    ($name:ident, $doc:literal, $sums:tt) => {
        registers!($name, $doc, "avx2,fma", ["avx2" "fma"], 8, __m256, $sums,
            arch::_mm256_fmadd_ps,
            arch::_mm256_or_ps,
            |value, bound, then| {
                arch::_mm256_and_ps(arch::_mm256_cmp_ps::<{ arch::_CMP_GT_OQ }>(value, bound), then)
            },
            arch::_mm256_round_ps::<{ arch::_MM_FROUND_TO_NEAREST_INT | arch::_MM_FROUND_NO_EXC }>,
            |n| {
                let exponent =
                    arch::_mm256_add_epi32(arch::_mm256_cvtps_epi32(n), arch::_mm256_set1_epi32(127));
                arch::_mm256_castsi256_ps(arch::_mm256_slli_epi32::<23>(exponent))
            },
            (__m256d _mm256_set1_pd _mm256_add_pd _mm256_mul_pd _mm256_cvtps_pd),
            |value| [arch::_mm256_castps256_ps128(value), arch::_mm256_extractf128_ps::<1>(value)],
            |[lower, upper]: [arch::__m256d; 2]| {
                arch::_mm256_set_m128(arch::_mm256_cvtpd_ps(upper), arch::_mm256_cvtpd_ps(lower))
            },
            _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_mul_ps _mm256_div_ps
            _mm256_max_ps _mm256_min_ps);
    };
}

registers_of_256!(
    Avx2,
    "AVX2 with FMA.",
    (__m256, false, |bits| bits, |sum| sum, |bits| bits, arch::_mm256_fmadd_ps)
);
registers_of_256!(
    Avx2Pairs,
    "AVX2 on integers: a lane of `a` and of `b` is a pair of 16 bits, and `add_product` adds both products to the integer in `c`.",
    (
        __m256i,
        true,
        |bits| arch::_mm256_castps_si256(bits),
        |sum| arch::_mm256_castsi256_ps(sum),
        |bits| arch::_mm256_cvtepi32_ps(arch::_mm256_castps_si256(bits)),
        |a, b, c| {
            let products =
                arch::_mm256_madd_epi16(arch::_mm256_castps_si256(a), arch::_mm256_castps_si256(b));
            arch::_mm256_add_epi32(c, products)
        }
    )
);
