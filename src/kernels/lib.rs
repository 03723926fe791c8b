//! Convolutional networks on the CPU, without autodiff and without Burn, as fast as the CPU allows.
//!
//! Receives operations of a graph with the shapes of their tensors, returns a [`Plan`] that runs them: batch norm, sums and
//! activations fused into convolutions, weights packed once, channels in blocks as wide as a register, memory planned before
//! anything runs. Which operations a plan consists of, and what runs between two plans, is left to `burncam-engine`.
//!
//! `unsafe` code: loads and stores in the inner loops, whose reach is checked once per call; the instruction sets, which are
//! proved by tokens (`simd`); and the memory that the units of a kernel share (`kernels`). `docs/performance.md` says how it is
//! tested and what it was compared with.

#![allow(unsafe_code, reason = "kernels; see above")]

mod atomics;
mod kernels;
mod memory;
mod partial;
mod plan;
mod precision;
mod queue;
mod reverse;
mod rule;
mod run;
mod simd;
// A fuzz target grows graphs as the tests do.
#[cfg(any(test, fuzzing))]
// Clippy takes only `cfg(test)` for a test.
#[allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#[cfg_attr(fuzzing, allow(dead_code, reason = "the tests use the rest"))]
mod tests;
mod threads;
mod view;

pub use partial::{Original, PartialPlan};
pub use plan::{Operation, Parameters, Plan, Shapes, Weights};
pub use precision::{Arithmetic, Precision};
pub use reverse::{Ends, Reverse, Runs, Tape, knows};
pub use rule::{Rectifiers, Rule};
pub use run::Workspace;
pub use simd::Isa;
pub use view::Region;

use burncam_graph::{card, error, shapes};

/// The graph that these bytes stand for, compared with the plain operations: a fuzz target.
///
/// # Panics
/// When a result is wrong.
#[cfg(fuzzing)]
pub fn differential(data: &[u8]) {
    tests::differential(data);
}
