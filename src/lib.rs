//! Explain what a convolutional network looked at.

pub mod card;
mod error;
mod heatmap;
pub mod input;
pub mod render;

pub use error::{Error, Result};
pub use heatmap::{Heatmap, Stats};
