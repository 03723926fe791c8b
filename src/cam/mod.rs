//! From a network and a picture to a heatmap, one method per file.
//!
//! Receives a [`Scene`], returns [`ClassMap`]s. Every method's file starts with its paper and equation. Does not use
//! Burn: sums are computed in double precision in a fixed order, so the number of threads has no effect.
//!
//! Imports go one way: options, scene, question, method definitions, methods and their table, the run over all of
//! them.

mod attention;
mod channels;
mod checks;
mod definition;
mod finding;
mod finish;
mod masks;
mod methods;
mod options;
mod passes;
mod pixels;
mod principal;
mod question;
mod random_masks;
mod raw;
mod run;
mod scene;
mod segments;
mod smoothing;
mod terms;

pub(crate) use definition::{Joining, Outputs, Traits};
pub use definition::{MethodInfo, Reads};
pub use finding::Finding;
pub use finish::{Aggregate, Finish};
pub use methods::Method;
pub use options::{Library, Options, Progress};
pub(crate) use passes::{Lane, in_batches};
pub(crate) use question::rows_of;
pub use run::{ClassMap, MapRequest};
pub use scene::Scene;
pub use smoothing::Smoothing;
