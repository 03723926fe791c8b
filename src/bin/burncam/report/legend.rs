//! The colours of the overlays, for the legend of the page.

use burncam::record::Record;
use burncam_picture::render::Colormap;
use image::{Rgb, RgbImage};

use super::head::Legend;
use super::small::{encoded_exactly, made};

/// Width of the bar in pixels, one per colour.
const WIDTH: u32 = 256;

/// The legend of a record's style; `None` where another library's colours were used, which are its own.
pub(super) fn of(record: &Record) -> Option<Legend> {
    let style = &record.settings.style;
    let colormap: Colormap = style.colormap.as_deref()?.parse().ok()?;
    let bar = RgbImage::from_fn(WIDTH, 1, |x, _| Rgb(colormap.color(x as f32 / (WIDTH - 1) as f32)));
    let bar = made(encoded_exactly(&bar))?;
    let crop = if style.crop_edge == Some(true) {
        "the dashed line is the edge of what the network saw"
    } else {
        "coloured only where the network saw the picture"
    };
    Some(Legend { bar, diverging: colormap.is_diverging(), crop: is_cropped(record).then_some(crop) })
}

/// Whether a pixel or more of the picture is outside of what the network sees.
fn is_cropped(record: &Record) -> bool {
    let (covers, input) = (&record.network_input.covers, &record.input);
    let beyond =
        [covers.left, covers.top, input.width as f64 - covers.right, input.height as f64 - covers.bottom];
    beyond.into_iter().any(|pixels| pixels >= 1.0)
}
