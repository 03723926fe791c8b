//! Tests of the crate through [`Plan::new`](super::Plan::new) and [`Plan::run`](super::Plan::run) against plain loops in double
//! precision, over random shapes, settings and graphs, on every instruction set that this CPU has.
//!
//! `docs/performance.md` says how they run under AddressSanitizer and Miri. `PROPTEST_CASES` sets how many graphs a test tries.

#![allow(unexpected_cfgs, reason = "`asan` is set together with the sanitizer")]

mod audit;
mod bf16;
mod case;
mod extremes;
mod graphs;
mod int8;
mod joins;
mod operations;
mod pass;
mod pulled;
pub(crate) mod reference;
mod reverse;
mod small;
