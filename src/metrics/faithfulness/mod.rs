//! Does the network depend on what a map marks? Metrics that change the input and look at the score.
//!
//! Receives a picture as the network gets it, a map of the same size, and the network as a [`Scorer`](crate::Scorer). Gives
//! figures and curves per picture. Does not average over pictures, and runs no network itself.

mod baseline;
mod copies;
mod counts;
mod curve;
mod dissection;
mod front;
mod impute;
mod masked;
mod overall;
mod picture;
mod road;
mod single;
mod stability;

pub use baseline::Baseline;
pub use curve::{Area, Curve, CurveSettings, Direction, Steps};
pub use masked::Masked;
pub use overall::{adcc, arcc, coherency, mean_size};
pub use picture::Picture;
pub use road::{Removal, Removed, Road, RoadSettings};
pub use single::SingleDeletion;
pub use stability::{Sensitivity, gaussian, infidelity, uniform};
