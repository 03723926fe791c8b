//! From a heatmap and a picture to pictures.
//!
//! Receives a [`Heatmap`](crate::Heatmap) with values 0 to 1, or -1 to 1, the [`Placement`](crate::input::Placement) of the
//! network's input and the upright picture; hands on pictures of the photo's own size and their PNG bytes. What the
//! network never saw stays as it was. Where the heat comes from and which file it goes to is others' business.
//!
//! The way is [`place`], which brings the map to the picture's pixels, then [`overlay`], [`heatmap_picture`],
//! [`grey_picture`], [`mask`] or [`cut_out`], or from a map at once [`compat::compat_overlay`], then [`encode_png`]. [`regions`] are what of it is hot, as numbers.

mod boxes;
mod colormap;
pub mod compat;
mod grey;
mod mask;
mod overlay;
mod png;
mod region;
mod resample;
mod sheet;
mod text;
mod threshold;
mod thumbnail;

use crate::error::{Error, Result};

pub use boxes::draw_boxes;
pub use colormap::{Colormap, signed_position};
pub use grey::{grey_picture, grey16_picture};
pub use mask::{cut_out, mask, mask_picture};
pub use overlay::{Overlay, heatmap_picture, overlay, side_by_side};
pub use png::{PngLevel, encode_png};
pub use region::{Components, Region, largest_region, regions};
pub use resample::{Interpolation, PixelBox, Placed, place};
pub use sheet::{CELL, Heading, Sheet, SheetRow};
pub use threshold::Threshold;
pub use thumbnail::thumbnail;

/// The one of `all` that is called `wanted`, whatever the case; otherwise an error that lists their names.
fn by_name<T: Copy>(kind: &str, wanted: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().find(|one| name(**one).eq_ignore_ascii_case(wanted)).copied();
    found.ok_or_else(|| Error::unknown(kind, wanted, all.iter().map(|one| name(*one))))
}
