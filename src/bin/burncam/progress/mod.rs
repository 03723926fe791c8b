//! Progress on standard error: over many images, and inside of one.
//!
//! Receives counts; draws a bar on a terminal, or prints JSON lines for another program. What is counted, and results, are left to others.

mod images;
mod passes;

pub(crate) use self::images::{Progress, Step, draws_bar};
pub(crate) use self::passes::{Inside, listener};
