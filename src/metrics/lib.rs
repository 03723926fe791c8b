//! Is a heatmap right? Metrics of faithfulness, localisation and complexity, and statistics over pictures.
//!
//! Receives maps, scores of a network through a function of the caller, and places of objects. Gives numbers, and `None` where a
//! metric is not defined. Reads files of boxes, runs no network, and draws nothing.

pub mod baselines;
mod complexity;
mod convention;
mod dataset;
mod faithfulness;
pub mod localisation;
mod map;
mod noise;
mod order;
mod scorer;
mod similarity;
mod statistics;
pub mod truth;

pub use complexity::{EFFECTIVE_SHARE, effective_complexity, effective_size, entropy, gini};
pub use convention::Convention;
pub use dataset::{block_means, border_share, centre_of_mass};
pub use faithfulness::{
    Area, Baseline, Curve, CurveSettings, Direction, Masked, Picture, Removal, Removed, Road, RoadSettings,
    Sensitivity, SingleDeletion, Steps, adcc, arcc, coherency, gaussian, infidelity, mean_size, uniform,
};
pub use map::Map;
pub use noise::Noise;
pub use order::Order;
pub use scorer::Scorer;
pub use similarity::{pearson, spearman, ssim};
pub use statistics::{Better, Comparison, Summary, figure_of_all, paired, summary};
