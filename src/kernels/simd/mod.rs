//! Registers of `f32` lanes, and tokens that prove that the CPU has them.
//!
//! An inner loop is written once, over [`Simd`], and compiled once per instruction set; which copy runs is decided when a plan
//! is made. A token such as [`x86::Avx2`] can only be had from its `detect`, so whoever holds one may compute without `unsafe`.
//! What stays unsafe are loads and stores through pointers, and the call of a compiled loop ([`Compiled::call`]).

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::cell::Cell;
use std::fmt;

use portable::Portable;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Avx512Bf16;
#[cfg(target_arch = "x86_64")]
use x86::{Avx2, Avx512};

/// The token of an instruction set, and what kernels do with its registers.
pub(crate) trait Simd: Copy {
    /// Elements in a register. Also how many channels a block of a tensor has.
    const LANES: usize;
    type Register: Copy;
    /// A register's lanes in double precision.
    type Wide: Copy;

    /// The loop, compiled for this instruction set.
    fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments>;

    fn splat(self, value: f32) -> Self::Register;
    /// `a b + c`, rounded once where the instruction set has a fused operation.
    fn mul_add(self, a: Self::Register, b: Self::Register, c: Self::Register) -> Self::Register;
    fn add(self, a: Self::Register, b: Self::Register) -> Self::Register;
    fn mul(self, a: Self::Register, b: Self::Register) -> Self::Register;
    fn div(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// The greater one; `value` where that is NaN, so that a NaN survives an activation.
    fn max(self, bound: Self::Register, value: Self::Register) -> Self::Register;
    /// The smaller one; `value` where that is NaN.
    fn min(self, bound: Self::Register, value: Self::Register) -> Self::Register;
    /// The greater one; NaN where either is NaN.
    fn nan_max(self, a: Self::Register, b: Self::Register) -> Self::Register;
    /// Every lane in double precision.
    fn widen(self, value: Self::Register) -> Self::Wide;
    fn add_wide(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;
    /// Every lane times `factor`, rounded to single precision.
    fn narrow(self, value: Self::Wide, factor: f64) -> Self::Register;
    /// The nearest integer.
    fn round(self, value: Self::Register) -> Self::Register;
    /// `2^n` for integers from -126 to 127.
    fn power_of_two(self, n: Self::Register) -> Self::Register;

    /// # Safety
    /// `from` is valid for reads of [`LANES`](Self::LANES) elements. It need not be aligned.
    unsafe fn load_from(self, from: *const f32) -> Self::Register;
    /// # Safety
    /// `to` is valid for writes of [`LANES`](Self::LANES) elements. It need not be aligned.
    unsafe fn store_to(self, to: *mut f32, value: Self::Register);

    /// The first elements of a slice, which must not be shorter than a register.
    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::Register {
        let from = &from[..Self::LANES];
        // SAFETY: as long as a register.
        unsafe { self.load_from(from.as_ptr()) }
    }

    /// As [`Simd::load`], of memory that is written, too.
    #[inline(always)]
    fn load_cells(self, from: &[Cell<f32>]) -> Self::Register {
        let from = &from[..Self::LANES];
        // SAFETY: as long as a register; cells are read through shared references.
        unsafe { self.load_from(from.as_ptr().cast()) }
    }

    /// Fills the first elements of a slice, which must not be shorter than a register.
    #[inline(always)]
    fn store(self, to: &[Cell<f32>], value: Self::Register) {
        let to = &to[..Self::LANES];
        // SAFETY: as long as a register; cells are written through shared references.
        unsafe { self.store_to(to.as_ptr().cast_mut().cast(), value) }
    }
}

/// What a compiled loop is called with: one type for every lifetime of the slices in it.
pub(crate) trait Arguments {
    type With<'a>;
}

/// A loop that is compiled for several instruction sets.
pub(crate) trait InnerLoop {
    type Arguments: Arguments;
    /// Must be `#[inline(always)]`, as must all that it calls with registers: only what is inlined into [`Simd::compile`]'s
    /// function gets the instruction set.
    fn run<S: Simd>(simd: S, arguments: <Self::Arguments as Arguments>::With<'_>);
}

/// A loop compiled for an instruction set that the CPU has.
pub(crate) struct Compiled<A: Arguments>(unsafe fn(A::With<'_>));

impl<A: Arguments> Compiled<A> {
    /// A loop that is written for one instruction set only.
    ///
    /// # Safety
    /// The CPU has the instructions that the function is compiled for, which is all that it asks for.
    #[cfg(target_arch = "x86_64")]
    pub(crate) unsafe fn new(function: unsafe fn(A::With<'_>)) -> Self {
        Self(function)
    }

    #[inline]
    pub(crate) fn call(&self, arguments: A::With<'_>) {
        // SAFETY: made from a token, that is, on a CPU with the instructions; the function asks for nothing else.
        unsafe { (self.0)(arguments) }
    }
}

impl<A: Arguments> Clone for Compiled<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Arguments> Copy for Compiled<A> {}

impl<A: Arguments> fmt::Debug for Compiled<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Compiled")
    }
}

/// How many elements are accessed from the first one on, up to the end of the last: `steps` are counts with distances, of rows
/// or channels say, and `last` what is accessed at every step.
#[inline(always)]
pub(crate) fn reach<const N: usize>(steps: [[usize; 2]; N], last: usize) -> usize {
    // Saturating, so that no overflow can pass for a short reach.
    let step = |[count, distance]: [usize; 2]| count.saturating_sub(1).saturating_mul(distance);
    steps.into_iter().fold(last, |sum, each| sum.saturating_add(step(each)))
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
    /// 8 lanes in the registers that every CPU of this target has.
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

    /// The fastest one that this CPU has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.iter().copied().find(|isa| isa.is_available()).unwrap_or(Self::Portable)
    }

    /// Whether this CPU has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.detect().is_some()
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

    /// Elements in a register.
    pub(crate) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::LANES,
            Self::Portable => Portable::LANES,
        }
    }

    /// Its token, if this CPU has it.
    pub(crate) fn detect(self) -> Option<Instructions> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().map(Instructions::Avx512),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().map(Instructions::Avx2),
            Self::Portable => Some(Instructions::Portable(Portable)),
        }
    }
}

/// The token of an [`Isa`] that this CPU has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable),
}

impl Instructions {
    pub(crate) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Avx512::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Avx2::LANES,
            Self::Portable(_) => Portable::LANES,
        }
    }

    pub(crate) fn compile<L: InnerLoop>(self) -> Compiled<L::Arguments> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.compile::<L>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.compile::<L>(),
            Self::Portable(simd) => simd.compile::<L>(),
        }
    }
}

/// AVX512-BF16, which this target does not have.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Debug, Clone, Copy)]
pub(crate) enum Avx512Bf16 {}

#[cfg(not(target_arch = "x86_64"))]
impl Avx512Bf16 {
    pub(crate) fn detect() -> Option<Self> {
        None
    }
}
