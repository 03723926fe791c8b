//! From a picture file to a network's input, and from a heatmap back to a picture.
//!
//! | module | does |
//! |---|---|
//! | [`input`] | decodes, orients, resizes, crops and scales; keeps the placement of the network's input on the picture |
//! | [`heatmap`] | a small grid of finite values, and their statistics |
//! | [`render`] | overlays, masks, boxes, sheets, PNG |

mod fixed;
pub mod heatmap;
pub mod input;
pub mod render;
mod scale;

use burncam_graph::{card, digest, error, memory};
use heatmap::Heatmap;
