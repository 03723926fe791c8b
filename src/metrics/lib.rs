//! Is a heatmap right? Metrics of faithfulness, localisation and complexity, and statistics over pictures.
//!
//! Receives maps, scores of a network through a function of the caller, and places of objects. Gives numbers, and `None` where a
//! metric is not defined. Runs no network and draws nothing.

mod convention;
mod faithfulness;
mod map;
mod noise;
mod order;
mod scorer;

pub use convention::Convention;
pub use faithfulness::{Area, Baseline, Curve, CurveSettings, Direction, Masked, Picture, Steps};
pub use map::Map;
pub use order::Order;
pub use scorer::Scorer;
