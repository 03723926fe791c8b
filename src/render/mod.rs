//! From a heatmap and a picture to pictures.
//!
//! Receives a [`Heatmap`](crate::Heatmap) with values 0 to 1, the [`Placement`](crate::input::Placement) of the
//! network's input and the upright picture; hands on pictures of the photo's own size and their PNG bytes. What the
//! network never saw stays as it was. Where the heat comes from and which file it goes to is others' business.
//!
//! The way is [`place`], which brings the map to the picture's pixels, then [`overlay`], [`heatmap_picture`] or
//! [`mask_picture`], then [`encode_png`].

mod colormap;
mod overlay;
mod png;
mod region;
mod resample;

use crate::error::{Error, Result};

pub use colormap::Colormap;
pub use overlay::{Overlay, heatmap_picture, mask_picture, overlay, side_by_side};
pub use png::encode_png;
pub use region::largest_region;
pub use resample::{Interpolation, PixelBox, Placed, place};

/// The one of `all` that is called `wanted`, whatever the case; otherwise an error that lists their names.
fn by_name<T: Copy>(kind: &str, wanted: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().find(|one| name(**one).eq_ignore_ascii_case(wanted)).copied();
    found.ok_or_else(|| Error::unknown(kind, wanted, all.iter().map(|one| name(*one))))
}
