//! Explain what a convolutional network looked at.
//!
//! `burncam` loads a CNN in Burn's own format and a picture, runs a forward pass and an automatic-differentiation
//! backward pass, computes a class activation map (Grad-CAM or one of its family), and gives back the map, an overlay and a record.
//! This is the library; the `burncam` command adds arguments, many images and text.
//!
//! ```
//! use burncam::{Explainer, Model, Request};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let out = tempfile::tempdir()?;
//! # let out = out.path();
//! # #[cfg(feature = "embedded-model")] {
//! let explainer = Explainer::new(Model::embedded()?, Request::default())?;
//!
//! // In one call what the command does: writes coffee.gradcam.png and coffee.gradcam.json, both or none.
//! let written = explainer.explain_file("fixtures/images/coffee.png", out)?;
//! assert_eq!(written.files, [out.join("coffee.gradcam.png"), out.join("coffee.gradcam.json")]);
//!
//! // Or step by step, in memory.
//! let subject = explainer.read("fixtures/images/coffee.png")?;
//! for explanation in explainer.explain(&subject)? {
//!     for target in &explanation.targets {
//!         println!("{} {:.3?}", target.class.class_name, target.class.proba);
//!         let map = explanation.heatmap(target);
//!         assert_eq!((map.height(), map.width()), (7, 7));
//!         let canvas = explanation.canvas(target, &subject, &explainer.request().style);
//!         assert_eq!(canvas.overlay().dimensions(), subject.picture.dimensions());
//!     }
//! }
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! The names below are the face of the library. What they are made for:
//!
//! | | |
//! |---|---|
//! | a model | [`Model`], [`Runtime`], [`Engine`], [`Precision`], [`DeviceName`] |
//! | what is asked | [`Request`]: [`Method`], [`Target`], [`LayerRequest`], [`Score`], [`Scale`], [`Smoothing`], [`Finish`], [`Aggregate`], [`Options`], [`Library`], [`Progress`], [`Reading`], [`Style`], [`ArtifactKind`] |
//! | one photo | [`Explainer`], [`Predictor`], [`Picture`], [`Subject`], [`Explanation`], [`ClassExplanation`], [`Canvas`], [`Heatmap`], [`RgbImage`] |
//! | its files | [`Explainer::explain_file`], [`Names`], [`Files`], [`Written`], [`record`] |
//! | the methods | [`Method::ALL`], [`MethodInfo`], [`Reads`] |
//! | is it right? | [`check`], [`evaluate`] |
//! | what went wrong | [`Error`], [`ErrorKind`], [`Result`] |
//!
//! Types of their fields that are not here have their documentation in the crates below: `burncam-graph` (cards and errors),
//! `burncam-model` (model files and importers), `burncam-picture` and `burncam-engine`. A program rarely names them, because those with few values
//! are parsed from the command's words:
//!
//! ```
//! # fn main() -> burncam::Result<()> {
//! let mut request = burncam::Request::default();
//! request.style.colormap = "turbo".parse()?;
//! request.style.threshold = "p80".parse()?;
//! request.runtime.device = "ndarray".parse()?;
//! # Ok(())
//! # }
//! ```

mod cam;
#[cfg(feature = "capture")]
pub mod capture;
pub mod check;
pub mod evaluate;
mod explain;
mod job;
mod output;
pub mod record;

use burncam_engine as engine;
use burncam_graph::{card, error};
use burncam_model as model;
use burncam_picture::{heatmap, input, render};

pub use cam::{Aggregate, Finish, Library, Method, MethodInfo, Options, Progress, Reads, Smoothing};
pub use engine::{DeviceName, Engine, Precision, Runtime, Score};
pub use error::{Error, ErrorKind, Result};
pub use explain::{
    ArtifactKind, Canvas, ClassExplanation, Explainer, Explanation, Over, Predictor, Reading, Request, Scale,
    Style, Subject, Target,
};
pub use heatmap::Heatmap;
pub use input::Picture;
pub use job::{Files, Names, Written};
pub use model::{LayerRequest, Model};
pub use render::RgbImage;

/// Not part of the face: what the command, the tests and the benchmarks of this package need beyond it. It may change with every
/// version.
#[doc(hidden)]
pub mod internal {
    pub use crate::cam::{ClassMap, Finding, MapRequest, Scene};
    pub use crate::explain::BURN_VERSION;

    /// Files that appear completely or not at all.
    pub mod output {
        pub use crate::output::{
            Leftovers, OutputFile, check_directory, refuse_existing, relative, relative_text, write_together,
        };
    }
}

/// README's example is compiled as the others are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
