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
//! The rooms, each importing only from those above it:
//!
//! | room | does |
//! |---|---|
//! | [`Error`] | says what went wrong |
//! | [`card`], [`Heatmap`], [`DeviceName`] | plain data |
//! | [`model`], [`input`] | files to a checked graph, files to a network's input |
//! | `native` | runs operations on the CPU, without Burn: the own kernels |
//! | [`engine`] | runs the graph: trunk, head, gradients |
//! | [`cam`] | evidence to a map, one method a file |
//! | [`render`] | a map and a picture to a picture |
//! | [`record`] | the JSON record's types |
//! | [`explain`] | conducts all of these |
//! | [`check`] | holds a model's numbers against other devices, difference quotients and other frameworks |
//! | `capture` | a typed Burn module to a model file, with the cargo feature of that name |
//! | [`output`] | names files and writes them whole |

pub mod cam;
#[cfg(feature = "capture")]
pub mod capture;
pub mod card;
pub mod check;
mod device;
mod digest;
pub mod engine;
mod error;
pub mod explain;
mod heatmap;
pub mod input;
pub mod model;
mod native;
pub mod output;
pub mod record;
pub mod render;

pub use device::{DEVICES, DeviceName};
pub use error::{Error, Result};
pub use heatmap::{Heatmap, Stats};
pub use model::Model;

/// Version of Burn that networks run on; `Cargo.toml` pins it.
pub const BURN_VERSION: &str = "0.22.1";
