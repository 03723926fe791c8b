//! Tests of the crate through [`Plan::new`](super::Plan::new) and [`Plan::run`](super::Plan::run) against plain loops in double
//! precision, over random shapes, settings and graphs, on every instruction set that this CPU has.
//!
//! `docs/performance.md` says how they run under AddressSanitizer and Miri. `PROPTEST_CASES` sets how many graphs a test tries.

mod arranged;
#[cfg(test)]
mod attention;
mod audit;
#[cfg(test)]
mod bf16;
mod case;
mod channels_last;
#[cfg(test)]
mod extremes;
#[cfg(test)]
mod graphs;
mod grown;
#[cfg(test)]
mod int8;
#[cfg(test)]
mod joins;
#[cfg(test)]
mod long;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod partial;
#[cfg(test)]
mod pass;
#[cfg(test)]
mod pulled;
pub(crate) mod reference;
#[cfg(test)]
mod reverse;
mod sensitivity;
#[cfg(test)]
mod small;
#[cfg(test)]
mod tokens;

#[cfg(fuzzing)]
pub(crate) use grown::differential;
