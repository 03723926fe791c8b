//! Pictures small enough to embed in a page.

use std::path::Path;

use anyhow::Result;
use burncam::Picture;
use burncam_picture::input::recycle;
use burncam_picture::render::{PngLevel, RgbImage, Rows, encode_jpeg, encode_png, preview};
use data_encoding::BASE64;

/// Longer side in pixels: a card on a screen of usual density.
const SIDE: u32 = 360;

/// Heatmaps are smooth, and edges of photographs still look right at this quality.
const QUALITY: u8 = 80;

/// The small pictures of a record, as data URIs, as far as they were made.
#[derive(Debug, Default)]
pub(crate) struct Small {
    /// The picture that was explained.
    pub(crate) photo: Option<String>,
    /// One of each target.
    pub(crate) maps: Vec<SmallMap>,
}

/// The small pictures of one target.
#[derive(Debug, Default)]
pub(crate) struct SmallMap {
    pub(crate) overlay: Option<String>,
    /// Where the class wins in a segmentation.
    pub(crate) mask: Option<String>,
}

/// A picture as small as pages embed it; one that is smaller stays as it is.
pub(crate) fn shrunk(picture: &RgbImage) -> Result<RgbImage> {
    Ok(preview(picture, SIDE)?)
}

/// A picture as a data URI.
pub(crate) fn encoded(picture: &RgbImage) -> Result<String> {
    Ok(format!("data:image/jpeg;base64,{}", BASE64.encode(&encode_jpeg(picture, QUALITY)?)))
}

/// As [`encoded`], without losses: for drawings of a few pixels, which are enlarged.
pub(super) fn encoded_exactly(picture: &RgbImage) -> Result<String> {
    Ok(format!("data:image/png;base64,{}", BASE64.encode(&encode_png(&Rows::of(picture), PngLevel::Fast)?)))
}

/// A file's picture, upright and small, as a data URI. `None` when it cannot be read (any more): the page then shows
/// that it is missing.
pub(crate) fn data_uri(path: &Path) -> Option<String> {
    let shrink = || {
        // In a directory of others a link may lead to any file of the reader's.
        anyhow::ensure!(path.symlink_metadata()?.is_file(), "'{}' is a link", path.display());
        // Twice as fine as needed, so that what is decoded at a part of its size looks no different.
        let picture = Picture::open_small(path, [255; 3], 2 * SIDE)?;
        let picture = picture.shown.unwrap_or(picture.rgb);
        let small = shrunk(&picture)?;
        recycle(picture);
        encoded(&small)
    };
    made(shrink())
}

/// A page goes without a picture that cannot be made.
pub(crate) fn made<T>(picture: Result<T>) -> Option<T> {
    picture.inspect_err(|error| log::info!("the report goes without a picture: {error:#}")).ok()
}
