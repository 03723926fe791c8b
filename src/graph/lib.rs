//! The network as data, without weights and without anything that runs it.
//!
//! Receives JSON or a program of builder calls; gives checked operations with the shape of every tensor. What all other crates
//! agree on stands here: the model card with its preprocessing, the operations, and the error type.

pub mod attention;
pub mod axes;
pub mod builder;
pub mod card;
pub mod cost;
pub mod digest;
pub mod draft;
pub mod error;
pub mod layout;
pub mod lengths;
pub mod memory;
pub mod passes;
pub mod resize;
pub mod shapes;
mod wide;
mod window;

pub use error::{Error, ErrorKind, Result};
