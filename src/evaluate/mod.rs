//! Is a heatmap right? Metrics of methods and baselines over pictures.
//!
//! Receives a [`Model`], an [`EvaluationRequest`] and [`Subject`]s, one at a time; gives the figures of each, and an [`Evaluation`] of all
//! of them. The metrics themselves are in the crate `metrics`; files and text are left to the caller.
//!
//! ```no_run
//! use burncam::evaluate::{EvaluationRequest, Evaluator};
//! use burncam::{Model, Request};
//!
//! # fn main() -> burncam::Result<()> {
//! let mut request = Request::default();
//! request.methods = vec!["gradcam".parse()?, "layercam".parse()?];
//! let evaluator = Evaluator::new(Model::embedded()?, EvaluationRequest::new(request))?;
//! let mut targets = Vec::new();
//! for photo in ["a.jpg", "b.jpg"] {
//!     targets.extend(evaluator.evaluate(&evaluator.explainer().read(photo)?, None)?);
//! }
//! let evaluation = evaluator.summarise(targets)?;
//! println!("{}", evaluation.verdict);
//! # Ok(())
//! # }
//! ```

mod agreement;
mod apart;
mod columns;
mod evaluator;
mod header;
mod info;
mod measure;
mod measured;
mod merge;
mod metric;
mod mosaics;
mod place;
mod request;
mod rows;
mod scorer;
mod several;
mod summary;
mod table;
mod together;
mod verdict;

pub use columns::{Columns, Totals};
pub use evaluator::Evaluator;
pub use merge::{double, join, merge};
pub use metric::Metric;
pub use place::Objects;
pub use request::{EvaluationRequest, Filling};
pub use together::{Gathered, Stage, Together};
