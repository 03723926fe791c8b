//! Explain what a convolutional network looked at.

pub mod card;
mod error;
mod heatmap;
pub mod input;
pub mod model;

pub use error::{Error, Result};
pub use heatmap::{Heatmap, Stats};
