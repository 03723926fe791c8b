//! From a heatmap and a picture to drawn pictures.
//!
//! Receives a [`Heatmap`](crate::Heatmap) with values 0 to 1, or -1 to 1, the [`Placement`](crate::input::Placement)
//! of the network's input and the upright picture. Gives pictures of the photo's own size and their files. Parts
//! of the photo that the network did not see get no heat. Maps come from [`crate::cam`]; callers write the files.
//!
//! The steps: [`place`] resamples the map to the picture's pixels; [`overlay`], [`heatmap_picture`],
//! [`grey_picture`], [`mask`] or [`cut_out`] draw it ([`compat::compat_overlay`] does both at once); [`encode_png`]
//! encodes the result. [`regions`] gives the hot regions as data.

mod backdrop;
mod bar;
mod boxes;
mod colormap;
pub mod compat;
mod contour;
mod crop;
mod encode;
pub mod escape;
mod figure;
mod grey;
mod hot;
mod mask;
mod overlay;
mod placed;
mod png;
mod region;
mod resample;
mod rows;
mod sheet;
mod text;
mod threshold;
mod thumbnail;

use crate::error::Result;

/// Pixels of a picture, as the crate `image` has them in the version that is used here.
pub use image::RgbImage;

pub use backdrop::Backdrop;
pub use bar::Bar;
pub use boxes::{draw_boxes, draw_numbered};
pub use colormap::Colormap;
pub use contour::Contours;
pub use encode::{Encoding, Format, encode_jpeg, encode_picture, write_picture};
pub use figure::Figure;
pub use grey::{grey_picture, grey16_picture};
pub use mask::{cut_out, mask};
pub use overlay::{Look, Overlay, heatmap_picture, no_heat, overlay, side_by_side};
pub use placed::{PixelBox, Placed, place};
pub use png::{PngLevel, encode_png, write_png};
pub use region::{Components, Region, regions};
pub use resample::Interpolation;
pub use rows::Rows;
pub use sheet::{CELL, Cell, Heading, Sheet, SheetRow};
pub use threshold::Threshold;
pub use thumbnail::{preview, thumbnail};

#[cfg(test)]
mod vision_tests;

/// The element of `all` with the name `wanted`.
fn by_name<T: Copy>(kind: &'static str, wanted: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
    crate::error::by_name(kind, wanted, all.iter().map(|one| (name(*one), *one)))
}
