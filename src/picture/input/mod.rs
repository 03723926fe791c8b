//! From a file to a network's input: decode, orient, resize, crop, scale.
//!
//! Receives paths or bytes and the card's [`Preprocess`](crate::card::Preprocess). Gives a [`Picture`] to draw on,
//! the input tensor,
//! and the [`Placement`] of that tensor on the picture. Does not depend on Burn.

mod class_mask;
mod file;
mod general;
mod jpeg;
mod jxl;
mod kind;
mod levels;
#[cfg(test)]
mod modern_tests;
mod npy;
mod npy_header;
mod npz;
mod options;
mod picture;
mod placement;
mod preprocess;
mod profile;
mod raster;
mod signal;
mod spare;
mod tensor_file;
mod tiff;
mod upright;
mod window;

pub use crate::card::Layout;
pub use class_mask::ClassMask;
pub use file::{MAX_FILE_BYTES, read_file, sha256_hex};
pub use npy::channels_first;
pub use npz::{Array, Npz};
pub use options::{Icc, ReadOptions};
pub use picture::{ColourProfile, Picture};
pub use placement::Placement;
pub use preprocess::{Prepared, preprocess, preprocess_reduced};
pub use raster::MAX_PIXELS;
pub use spare::recycle;
pub use tensor_file::{npy_from_bytes, picture_from_tensor, read_array, read_npy, write_npy_2d};
