//! Is a heatmap right? Metrics of faithfulness, localisation and complexity, and statistics over pictures.
//!
//! Receives maps, scores of a network through a function of the caller, and places of objects. Gives numbers, and `None` where a
//! metric is not defined. Runs no network and draws nothing.

mod map;
mod scorer;

pub use map::Map;
pub use scorer::Scorer;
