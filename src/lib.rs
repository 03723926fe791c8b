//! Explain what a convolutional network looked at.
//!
//! `burncam` loads a CNN in Burn's own format and a picture, runs a forward pass and an automatic-differentiation
//! backward pass, computes a class activation map (Grad-CAM or one of its family), and gives back the map, an overlay and a record.
//! This is the library; the `burncam` command adds arguments, many images and text.
//!
//! ```
//! use burncam::{Explainer, Model, Request, explain_file};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let out = tempfile::tempdir()?;
//! # let out = out.path();
//! # #[cfg(feature = "embedded-model")] {
//! let explainer = Explainer::new(Model::embedded()?, Request::default())?;
//!
//! // In one call what the command does: writes coffee.gradcam.png and coffee.gradcam.json, both or none.
//! let written = explain_file(&explainer, "fixtures/images/coffee.png", out)?;
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
//! | what is asked | [`Request`]: [`Method`], [`Target`], [`LayerRequest`], [`Score`], [`Scale`], [`Smoothing`], [`Finish`], [`Options`], [`Library`], [`Reading`], [`Style`], [`ArtifactKind`] |
//! | one photo | [`Explainer`], [`Predictor`], [`Picture`], [`Subject`], [`Explanation`], [`ClassExplanation`], [`Canvas`], [`Heatmap`], [`RgbImage`] |
//! | its files | [`explain_file`], [`share_scale`], [`Names`], [`Files`], [`Written`], [`Record`] |
//! | what went wrong | [`Error`], [`ErrorKind`], [`Result`] |
//!
//! The modules are the rooms and crates behind it, each importing only from those above it. The command, tests and benchmarks use
//! them; they may change with every version, except [`record`], which is the wire format.
//!
//! | module | does |
//! |---|---|
//! | [`error`], [`card`] (`burncam-graph`) | what went wrong; plain data of a network |
//! | `burncam-kernels` | runs operations on the CPU, without Burn |
//! | [`model`] (`burncam-model`) | files to a checked graph |
//! | [`input`], [`heatmap`], [`render`] (`burncam-picture`) | files to a network's input, a map and a picture to a picture |
//! | [`engine`] (`burncam-engine`) | runs the graph: trunk, head, gradients |
//! | [`cam`] | evidence to a map, one method per file |
//! | [`record`] | the types of the JSON record and of the summary |
//! | [`explain`] | conducts all of these |
//! | [`check`] | compares a model's results with other devices, difference quotients and other frameworks |
//! | `capture` | a typed Burn module to a model file, with the cargo feature of that name |
//! | [`output`] | writes files whole or not at all |
//! | [`job`] | from a photo to its files, all or none |

pub mod cam;
#[cfg(feature = "capture")]
pub mod capture;
pub mod check;
pub mod explain;
pub mod job;
pub mod output;
pub mod record;

pub use burncam_engine as engine;
pub use burncam_graph::{card, error};
pub use burncam_model as model;
pub use burncam_picture::{heatmap, input, render};

pub use cam::{Finish, Library, Method, Options, Smoothing};
pub use engine::{DeviceName, Engine, Precision, Runtime, Score};
pub use error::{Error, ErrorKind, Result};
pub use explain::{
    ArtifactKind, Canvas, ClassExplanation, Explainer, Explanation, Predictor, Reading, Request, Scale,
    Style, Subject, Target,
};
pub use heatmap::Heatmap;
pub use input::Picture;
pub use job::{Files, Names, Written, explain_file, share_scale};
pub use model::{LayerRequest, Model};
pub use record::Record;
pub use render::RgbImage;

/// Version of Burn that networks run on; `Cargo.toml` pins it.
pub const BURN_VERSION: &str = "0.22.1";

/// README's example is compiled as the others are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
