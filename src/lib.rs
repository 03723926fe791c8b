//! Explain what a convolutional network looked at.
//!
//! `burncam` loads a CNN in Burn's own format and a picture, runs a forward pass and an automatic-differentiation
//! backward pass, computes a class activation map (Grad-CAM or one of its family), and gives back the map, an overlay and a record.
//! This is the library; the `burncam` command is a thin coat over it.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use burncam::explain::{ArtifactKind, Explainer, Settings, Style, Subject};
//! use burncam::input::Picture;
//! use burncam::Model;
//!
//! # fn main() -> burncam::Result<()> {
//! let model = Model::open(Path::new("mine.bpk"), None)?;
//! let explainer = Explainer::new(model, Settings::default())?;
//! let picture = Picture::open(Path::new("cat.jpg"), [255, 255, 255])?;
//! let subject = Subject::from_picture(picture, "cat.jpg", explainer.model())?;
//! // One explanation for each method; Grad-CAM alone was asked for.
//! let explanation = &explainer.explain(&subject)?[0];
//! println!("{} {:.3?}", explanation.targets[0].class.class_name, explanation.targets[0].class.proba);
//! let drawings = explanation.draw(&subject, &Style::default(), &[ArtifactKind::Overlay])?;
//! # drop(drawings);
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
//! | [`cam`] | evidence to a map, one method a file |
//! | [`record`] | the JSON record's types |
//! | [`explain`] | conducts all of these |
//! | [`check`] | holds a model's numbers against other devices, difference quotients and other frameworks |
//! | `capture` | a typed Burn module to a model file, with the cargo feature of that name |
//! | [`output`] | names files and writes them whole |

pub mod cam;
#[cfg(feature = "capture")]
pub mod capture;
pub mod check;
pub mod explain;
pub mod output;
pub mod record;

pub use burncam_engine::{self as engine, DEVICES, DeviceName};
pub use burncam_graph::{Error, Result, card, error};
pub use burncam_model::{self as model, Model};
pub use burncam_picture::heatmap::{self, Heatmap, Stats};
pub use burncam_picture::{input, render};

/// Version of Burn that networks run on; `Cargo.toml` pins it.
pub const BURN_VERSION: &str = "0.22.1";
