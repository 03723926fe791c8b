//! Convolutional networks on the CPU, without autodiff and without Burn, as fast as the machine goes.
//!
//! Receives operations of a graph with the shapes of their values, hands on a [`Plan`] that runs them: batch norm, sums and
//! activations joined to convolutions, weights put in order once, values in blocks of channels as wide as a register, memory
//! laid out before anything runs. Which operations a plan is made of, and what runs between two plans, is left to
//! `burncam-engine`.
//!
//! `unsafe` code: the inner loops (`kernels`), which skip bounds checks and name instruction sets, and what
//! they stand on. `docs/performance.md` says how it is tested and what it was compared with.

#![allow(unsafe_code, reason = "kernels; see above")]

mod kernels;
mod memory;
mod plan;
mod precision;
mod run;
mod simd;
#[cfg(test)]
mod tests;
mod view;

pub use plan::{Load, Operation, Parameters, Plan, Shapes, Weights, knows};
pub use precision::Arithmetic;
pub use precision::Precision;
pub use run::Workspace;
pub use simd::Isa;

use burncam_graph::{card, error};
