//! One register of `f32` lanes, and which of them this machine has.
//!
//! A kernel is written once, over [`Simd`], and compiled once for every instruction set; which copy runs is decided
//! when the program does. The portable one is plain arrays: the compiler makes of them what the target has at its
//! least, SSE2 on x86-64 and NEON on aarch64.

/// A register of lanes and what the kernels do with it.
///
/// # Safety
/// All functions: the instruction set must be there ([`Isa::is_here`]), and a pointer must be good for
/// `LANES` numbers. No alignment is needed.
pub(super) trait Simd: Copy {
    /// Numbers in a register. Also how many channels lie side by side in a value.
    const LANES: usize;
    type Register: Copy;
    /// A register's lanes in double precision.
    type Wide: Copy;

    unsafe fn splat(value: f32) -> Self::Register;
    unsafe fn load(from: *const f32) -> Self::Register;
    unsafe fn store(to: *mut f32, value: Self::Register);
    /// `a b + c`.
    unsafe fn mul_add(a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register;
    unsafe fn add(a: Self::Register, b: Self::Register) -> Self::Register;
    unsafe fn mul(a: Self::Register, b: Self::Register) -> Self::Register;
    unsafe fn div(a: Self::Register, b: Self::Register) -> Self::Register;
    /// The larger of `bound` and `value`; `value` where that is not a number, so that damage stays visible.
    unsafe fn at_least(bound: Self::Register, value: Self::Register) -> Self::Register;
    /// The smaller of `bound` and `value`; `value` where that is not a number.
    unsafe fn at_most(bound: Self::Register, value: Self::Register) -> Self::Register;
    /// The larger of two numbers; not a number where either is not.
    unsafe fn larger(a: Self::Register, b: Self::Register) -> Self::Register;
    /// Every lane in double precision.
    unsafe fn widen(value: Self::Register) -> Self::Wide;
    unsafe fn add_wide(a: Self::Wide, b: Self::Wide) -> Self::Wide;
    /// Every lane times `factor`, rounded to single precision.
    unsafe fn narrow(value: Self::Wide, factor: f64) -> Self::Register;
    /// The nearest whole number.
    unsafe fn round(value: Self::Register) -> Self::Register;
    /// `2^n` for whole numbers from -126 to 127.
    unsafe fn power_of_two(n: Self::Register) -> Self::Register;
}

/// An instruction set that the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// 16 lanes, 32 registers.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 8 lanes, 16 registers, with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 8 lanes in whatever registers every machine of this target has.
    Portable,
}

impl Isa {
    /// All of this target, the fastest first.
    pub const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        Self::Portable,
    ];

    /// The fastest one that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.iter().copied().find(|isa| isa.is_here()).unwrap_or(Self::Portable)
    }

    /// This machine has it.
    #[must_use]
    pub fn is_here(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Portable => true,
        }
    }

    /// Lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// Numbers in a register.
    pub(super) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::Avx512::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::Avx2::LANES,
            Self::Portable => Portable::LANES,
        }
    }
}

/// Plain arrays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

impl Simd for Portable {
    const LANES: usize = 8;
    type Register = [f32; 8];
    type Wide = [f64; 8];

    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; 8] {
        [value; 8]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 8] {
        // SAFETY: good for eight numbers, as the trait demands; an array of floats may lie anywhere once read unaligned.
        unsafe { from.cast::<[f32; 8]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: [f32; 8]) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        // A fused operation is a slow library call where the target does not promise one.
        let one = |at| {
            if cfg!(target_arch = "aarch64") {
                f32::mul_add(a[at], b[at], c[at])
            } else {
                a[at] * b[at] + c[at]
            }
        };
        std::array::from_fn(one)
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| a[at] + b[at])
    }
    #[inline(always)]
    unsafe fn mul(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| a[at] * b[at])
    }
    #[inline(always)]
    unsafe fn div(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| a[at] / b[at])
    }
    #[inline(always)]
    unsafe fn at_least(bound: [f32; 8], value: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| if bound[at] > value[at] { bound[at] } else { value[at] })
    }
    #[inline(always)]
    unsafe fn at_most(bound: [f32; 8], value: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| if bound[at] < value[at] { bound[at] } else { value[at] })
    }
    #[inline(always)]
    unsafe fn larger(a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|at| if a[at] > b[at] || a[at].is_nan() { a[at] } else { b[at] })
    }
    #[inline(always)]
    unsafe fn widen(value: [f32; 8]) -> [f64; 8] {
        value.map(f64::from)
    }
    #[inline(always)]
    unsafe fn add_wide(a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        std::array::from_fn(|at| a[at] + b[at])
    }
    #[inline(always)]
    unsafe fn narrow(value: [f64; 8], factor: f64) -> [f32; 8] {
        value.map(|value| (value * factor) as f32)
    }
    #[inline(always)]
    unsafe fn round(value: [f32; 8]) -> [f32; 8] {
        // Adding and taking away 1.5 times 2^23 leaves no place for a fraction.
        value.map(|value| (value + 12_582_912.0) - 12_582_912.0)
    }
    #[inline(always)]
    unsafe fn power_of_two(n: [f32; 8]) -> [f32; 8] {
        n.map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23))
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    //! The registers of x86-64. Every function is one instruction, so the trait's demands are the instruction's.

    use std::arch::x86_64 as arch;

    use super::Simd;

    macro_rules! registers {
        ($name:ident, $doc:literal, $lanes:literal, $register:ident,
         $fma:expr, $or:expr, $round:expr, $power:expr,
         ($wide:ident $splat_wide:ident $add_wide:ident $mul_wide:ident $widen:ident), $halves:expr, $whole:expr,
         $splat:ident $load:ident $store:ident $add:ident $mul:ident $div:ident $max:ident $min:ident) => {
            #[doc = $doc]
            #[derive(Debug, Clone, Copy)]
            pub(crate) struct $name;

            // SAFETY of every body: the caller has the instruction set and good pointers; the loads and stores are the
            // unaligned ones. `max` and `min` give their second operand where either is not a number.
            impl Simd for $name {
                const LANES: usize = $lanes;
                type Register = arch::$register;
                type Wide = [arch::$wide; 2];

                #[inline(always)]
                unsafe fn splat(value: f32) -> Self::Register {
                    unsafe { arch::$splat(value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const f32) -> Self::Register {
                    unsafe { arch::$load(from) }
                }
                #[inline(always)]
                unsafe fn store(to: *mut f32, value: Self::Register) {
                    unsafe { arch::$store(to, value) }
                }
                #[inline(always)]
                unsafe fn mul_add(a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register {
                    unsafe { $fma(a, b, c) }
                }
                #[inline(always)]
                unsafe fn add(a: Self::Register, b: Self::Register) -> Self::Register {
                    unsafe { arch::$add(a, b) }
                }
                #[inline(always)]
                unsafe fn mul(a: Self::Register, b: Self::Register) -> Self::Register {
                    unsafe { arch::$mul(a, b) }
                }
                #[inline(always)]
                unsafe fn div(a: Self::Register, b: Self::Register) -> Self::Register {
                    unsafe { arch::$div(a, b) }
                }
                #[inline(always)]
                unsafe fn at_least(bound: Self::Register, value: Self::Register) -> Self::Register {
                    unsafe { arch::$max(bound, value) }
                }
                #[inline(always)]
                unsafe fn at_most(bound: Self::Register, value: Self::Register) -> Self::Register {
                    unsafe { arch::$min(bound, value) }
                }
                #[inline(always)]
                unsafe fn larger(a: Self::Register, b: Self::Register) -> Self::Register {
                    // One order keeps what is not a number in `a`, the other in `b`; all bits of both keep either.
                    unsafe { $or(arch::$max(a, b), arch::$max(b, a)) }
                }
                #[inline(always)]
                unsafe fn widen(value: Self::Register) -> Self::Wide {
                    unsafe { $halves(value).map(|half| arch::$widen(half)) }
                }
                #[inline(always)]
                unsafe fn add_wide(a: Self::Wide, b: Self::Wide) -> Self::Wide {
                    unsafe { [arch::$add_wide(a[0], b[0]), arch::$add_wide(a[1], b[1])] }
                }
                #[inline(always)]
                unsafe fn narrow(value: Self::Wide, factor: f64) -> Self::Register {
                    unsafe { $whole(value.map(|half| arch::$mul_wide(half, arch::$splat_wide(factor)))) }
                }
                #[inline(always)]
                unsafe fn round(value: Self::Register) -> Self::Register {
                    unsafe { $round(value) }
                }
                #[inline(always)]
                unsafe fn power_of_two(n: Self::Register) -> Self::Register {
                    unsafe { $power(n) }
                }
            }
        };
    }

    macro_rules! registers_of_512 {
        ($name:ident, $doc:literal, $fma:expr) => {
            registers!($name, $doc, 16, __m512, $fma,
                |a, b| {
                    let bits =
                        arch::_mm512_or_si512(arch::_mm512_castps_si512(a), arch::_mm512_castps_si512(b));
                    arch::_mm512_castsi512_ps(bits)
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

    registers_of_512!(Avx512, "AVX-512 F.", arch::_mm512_fmadd_ps);
    registers_of_512!(
        Avx512Bf16,
        "AVX-512 with BF16: `mul_add` takes two lanes of half a number each for one of `a` and of `b`, and adds both products.",
        |a, b, c| {
            // All three types are 512 bits.
            let pairs = |register| std::mem::transmute::<arch::__m512, arch::__m512bh>(register);
            arch::_mm512_dpbf16_ps(c, pairs(a), pairs(b))
        }
    );
    registers!(Avx2, "AVX2 with FMA.", 8, __m256,
        arch::_mm256_fmadd_ps,
        arch::_mm256_or_ps,
        arch::_mm256_round_ps::<{ arch::_MM_FROUND_TO_NEAREST_INT | arch::_MM_FROUND_NO_EXC }>,
        |n| {
            let exponent = arch::_mm256_add_epi32(arch::_mm256_cvtps_epi32(n), arch::_mm256_set1_epi32(127));
            arch::_mm256_castsi256_ps(arch::_mm256_slli_epi32::<23>(exponent))
        },
        (__m256d _mm256_set1_pd _mm256_add_pd _mm256_mul_pd _mm256_cvtps_pd),
        |value| [arch::_mm256_castps256_ps128(value), arch::_mm256_extractf128_ps::<1>(value)],
        |[lower, upper]: [arch::__m256d; 2]| {
            arch::_mm256_set_m128(arch::_mm256_cvtpd_ps(upper), arch::_mm256_cvtpd_ps(lower))
        },
        _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_mul_ps _mm256_div_ps
        _mm256_max_ps _mm256_min_ps);
}
