//! What kernels do with registers, and loops compiled for an instruction set.

use std::cell::Cell;
use std::fmt;

/// The token of an instruction set, and what kernels do with its registers.
pub(crate) trait Simd: Copy {
    /// Elements in a register. Also how many channels a block of a tensor has.
    const LANES: usize;
    type Register: Copy;
    /// A register's lanes in double precision.
    type Wide: Copy;
    /// A register of sums of products: numbers, or integers, which the compiler keeps apart from numbers.
    type Sum: Copy;
    /// Whether sums are integers.
    const INTEGERS: bool;

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
    /// `then` where `value` is greater than `bound`, zero elsewhere and where either is NaN.
    fn above(self, value: Self::Register, bound: Self::Register, then: Self::Register) -> Self::Register;
    /// Every lane in double precision.
    fn widen(self, value: Self::Register) -> Self::Wide;
    fn add_wide(self, a: Self::Wide, b: Self::Wide) -> Self::Wide;
    /// Every lane times `factor`, rounded to single precision.
    fn narrow(self, value: Self::Wide, factor: f64) -> Self::Register;
    /// The nearest integer.
    fn round(self, value: Self::Register) -> Self::Register;
    /// `2^n` for integers from -126 to 127.
    fn power_of_two(self, n: Self::Register) -> Self::Register;
    /// A sum with these bits.
    fn sum_of_bits(self, bits: Self::Register) -> Self::Sum;
    fn bits_of_sum(self, sum: Self::Sum) -> Self::Register;
    /// In single precision the sum that has these bits.
    fn value_of_bits(self, bits: Self::Register) -> Self::Register;
    /// `a b + c`, of what the elements hold: numbers as [`Simd::mul_add`], or several of a lower precision.
    fn add_product(self, a: Self::Register, b: Self::Register, c: Self::Sum) -> Self::Sum;

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
pub(crate) struct Compiled<A: Arguments>(pub(super) unsafe fn(A::With<'_>));

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
