//! Thumbnails small enough to embed.

use std::path::Path;

use burncam::Picture;
use burncam_picture::input::recycle;
use burncam_picture::render::thumbnail;
use data_encoding::BASE64;
use image::codecs::jpeg::JpegEncoder;

/// Longer side in pixels: a card on a screen of usual density.
const SIDE: u32 = 360;

/// Heatmaps are smooth, and edges of photographs still look right at this quality.
const QUALITY: u8 = 80;

/// A file's picture, upright and small, as a data URI. `None` when it cannot be read (any more): the page then shows
/// that it is missing.
pub(crate) fn data_uri(path: &Path) -> Option<String> {
    let shrink = || -> anyhow::Result<Vec<u8>> {
        // In a directory of others a link may lead to any file of the reader's.
        anyhow::ensure!(path.symlink_metadata()?.is_file(), "'{}' is a link", path.display());
        let picture = Picture::open(path, [255; 3])?;
        let picture = picture.shown.unwrap_or(picture.rgb);
        // Never enlarged: a small picture would only take more bytes.
        let side = SIDE.min(picture.width().max(picture.height()));
        let small = thumbnail(&picture, side)?;
        recycle(picture);
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&small)?;
        Ok(bytes)
    };
    match shrink() {
        Ok(bytes) => Some(format!("data:image/jpeg;base64,{}", BASE64.encode(&bytes))),
        Err(error) => {
            log::info!("the report goes without a picture: {error:#}");
            None
        }
    }
}
