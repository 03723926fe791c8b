//! JPEG XL, through the crate `jxl-oxide`: the first frame, in the file's own colours.
//!
//! The decoder turns the picture upright itself, and counts what it allocates.

use jxl_oxide::{AllocTracker, InitializeResult, JxlImage, JxlThreadPool};

use super::raster::{Decoded, Fault, Pixels, by_channels, check_pixels};
use crate::memory::{allow, share};

/// What the decoder takes of each pixel, measured with `tests/memory`: planes of floats, once more while they are filtered, and the pixels.
const EACH: u64 = 64;

/// Decodes a file.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, Fault> {
    let image = open(bytes)?;
    let (width, height) = (image.width(), image.height());
    check_pixels(width, height)?;
    allow(u64::from(width) * u64::from(height) * EACH).map_err(Fault::Other)?;
    if image.pixel_format().has_black() {
        return Err(Fault::Unsupported("inks (CMYK)".to_owned()));
    }
    if image.num_loaded_keyframes() == 0 {
        return Err(Fault::Damaged("its first frame is not complete".to_owned()));
    }
    let icc = image.rendered_icc();
    let alpha = image.image_header().metadata.ec_info.iter().find_map(|channel| channel.alpha_associated());
    let render = image.render_frame(0).map_err(|error| Fault::Damaged(error.to_string()))?;
    let mut stream = render.stream();
    let channels = stream.channels() as usize;
    let mut samples = vec![0_u8; width as usize * height as usize * channels];
    stream.write_to_buffer(&mut samples);
    let pixels = by_channels(width, height, channels, samples)
        .ok_or_else(|| Fault::Unsupported(format!("{channels} channels")))?;
    Ok(Decoded {
        is_premultiplied: alpha == Some(true),
        icc: Some(icc).filter(|icc| !icc.is_empty()),
        ..Decoded::of(Pixels::Image(pixels))
    })
}

/// Reads everything but the pixels.
fn open(bytes: &[u8]) -> Result<JxlImage, Fault> {
    let damaged = |error: Box<dyn std::error::Error + Send + Sync>| Fault::Damaged(error.to_string());
    // The other half is for the bytes, which the decoder copies, and for the picture that is made of its planes.
    let tracker = AllocTracker::with_limit(usize::try_from(share() / 2).unwrap_or(usize::MAX));
    let builder = JxlImage::builder().pool(JxlThreadPool::none()).alloc_tracker(tracker);
    let mut waiting = builder.build_uninit();
    waiting.feed_bytes(bytes).map_err(damaged)?;
    match waiting.try_init().map_err(damaged)? {
        InitializeResult::Initialized(image) => Ok(image),
        InitializeResult::NeedMoreData(_) => Err(Fault::Damaged("its header is not complete".to_owned())),
    }
}
