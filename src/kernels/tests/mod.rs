//! Tests of the room through its door: [`Plan::new`](super::Plan::new) and [`Plan::run`](super::Plan::run) against plain
//! loops in double precision, over random shapes, settings and graphs, on every instruction set that is here.
//!
//! `docs/performance.md` says how they run under AddressSanitizer and valgrind. `PROPTEST_CASES` sets how many graphs a test
//! tries.

#![allow(unexpected_cfgs, reason = "`asan` is set together with the sanitizer")]

mod audit;
mod bf16;
mod case;
mod graphs;
mod joins;
mod numbers;
mod operations;
mod reference;
