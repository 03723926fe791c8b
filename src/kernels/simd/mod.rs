//! Registers of `f32` lanes, and tokens that prove that the CPU has them.
//!
//! An inner loop is written once, over [`Simd`], and compiled once per instruction set; which copy runs is decided when a plan
//! is made. A token such as `x86::Avx2` can only be had from its `detect`, so the code that holds one may compute without
//! `unsafe`. What stays unsafe are loads and stores through pointers, and the call of a compiled loop ([`Compiled::call`]).

mod int8;
mod isa;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(not(target_arch = "x86_64"))]
mod other;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use int8::Int8;
pub(crate) use isa::Instructions;
pub use isa::Isa;
pub(crate) use lanes::{Arguments, Compiled, InnerLoop, Simd, reach};
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use other::Avx512Bf16;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::Avx512Bf16;
