//! Explain what a convolutional network looked at.
//!
//! `burncam` loads a CNN in Burn's own format and a picture, runs a forward pass and an automatic-differentiation
//! backward pass, computes a class activation map (Grad-CAM or one of its family), and gives back the map, an overlay and a record.
//! This is the library; the `burncam` command adds arguments, many images and text.
//!
//! ```
//! use burncam::Model;
//! use burncam::explain::{Explainer, Request};
//! use burncam::job::explain_file;
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
//! Crates and rooms, each importing only from those above it:
//!
//! | crate or room | does |
//! |---|---|
//! | [`Error`], [`card`] (`burncam-graph`) | what went wrong; plain data of a network |
//! | `burncam-kernels` | runs operations on the CPU, without Burn |
//! | [`model`] (`burncam-model`) | files to a checked graph |
//! | [`input`], [`Heatmap`], [`render`] (`burncam-picture`) | files to a network's input, a map and a picture to a picture |
//! | [`engine`] (`burncam-engine`) | runs the graph: trunk, head, gradients |
//! | [`cam`] | evidence to a map, one method per file |
//! | [`record`] | the JSON record's types |
//! | [`explain`] | conducts all of these |
//! | [`check`] | holds a model's numbers against other devices, difference quotients and other frameworks |
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

pub use burncam_engine::{self as engine, DEVICES, DeviceName};
pub use burncam_graph::{Error, ErrorKind, Result, card, error};
pub use burncam_model::{self as model, Model};
pub use burncam_picture::heatmap::{self, Heatmap, Stats};
pub use burncam_picture::{input, render};

/// Version of Burn that networks run on; `Cargo.toml` pins it.
pub const BURN_VERSION: &str = "0.22.1";

/// README's example is compiled as the others are.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
