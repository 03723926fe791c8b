//! JPEG files, decoded by libjpeg-turbo.
//!
//! Networks are trained on libjpeg-turbo's output, so burncam gives them the same: the same inverse transform and the
//! same
//! chroma upsampling, to the last level. The crate `mozjpeg-sys` builds its C code from source. `docs/pictures.md`
//! has the
//! measurements behind this choice.
//!
//! libjpeg continues after damage and fills in what it could not read. Its warnings become warnings of the picture.

mod markers;
mod turbo;
mod ycc;

use image::{DynamicImage, RgbImage};

use self::markers::{Frame, Markers};
use self::turbo::{Decompressed, GaveUp, Space};
use super::raster::{Cmyk, Decoded, Fault, Pixels, check_pixels, orientation};
use super::upright::turned;

/// The most pixels that all scans together may cover. Real progressive files have about ten scans; thousands of empty
/// ones would keep a core busy for minutes.
const MAX_SCANNED: u64 = 2_000_000_000;

/// Decodes a file. `by` is what each side of an upright picture of this size is divided by: 1, 2, 4 or 8.
pub(super) fn decode(bytes: &[u8], by: &dyn Fn([u32; 2]) -> u32) -> Result<Decoded, Fault> {
    let markers = Markers::read(bytes);
    let Some(frame) = markers.frame else {
        return Err(Fault::Damaged("it has no frame header".to_owned()));
    };
    check(frame, markers.scans)?;
    let orientation = orientation(markers.exif);
    let size = [frame.width, frame.height];
    let by = by(turned(size, orientation));
    let (pixels, is_damaged, ends_oddly) = read(bytes, frame, by)?;
    let warning = match (is_damaged, markers.is_whole, ends_oddly) {
        (false, true, false) => None,
        (true, true, _) => Some("the jpeg is damaged: the decoder filled in what it could not read"),
        (true, false, _) => Some("the jpeg is cut short: the decoder filled in what is missing"),
        (false, true, true) => {
            Some("the jpeg may be damaged: some of its data was left over behind the last pixel")
        }
        (false, false, _) => Some("the jpeg may be cut short: it has no end marker"),
    };
    Ok(Decoded {
        pixels,
        is_premultiplied: false,
        orientation,
        icc: markers.icc,
        damage: warning.into_iter().map(str::to_owned).collect(),
        notes: vec![],
        reduced: (by > 1).then_some((by, size)),
    })
}

/// Refuses unsupported encodings by the frame header alone.
fn check(frame: Frame, scans: usize) -> Result<(), Fault> {
    let unsupported = |what: &str| Err(Fault::Unsupported(what.to_owned()));
    match frame.process {
        0xc0 | 0xc1 | 0xc2 | 0xc9 | 0xca => {}
        0xc3 | 0xcb => return unsupported("lossless JPEG"),
        0xf7 => return unsupported("JPEG-LS"),
        _ => return unsupported("hierarchical JPEG"),
    }
    if frame.precision != 8 {
        return unsupported(&format!("{} bits per sample", frame.precision));
    }
    if !matches!(frame.components, 1 | 3 | 4) {
        return unsupported(&format!("{} colour components", frame.components));
    }
    check_pixels(frame.width, frame.height)?;
    let scanned = u64::from(frame.width) * u64::from(frame.height) * scans as u64;
    if scanned > MAX_SCANNED {
        return Err(Fault::Damaged(format!("it has {scans} scans, far more than a picture has")));
    }
    Ok(())
}

/// The pixels, and whether the decoder warned while it read them or after them.
fn read(bytes: &[u8], frame: Frame, by: u32) -> Result<(Pixels, bool, bool), Fault> {
    let Decompressed { width, channels, mut samples, is_damaged, ends_oddly } =
        turbo::read(bytes, frame, Space::Rgb, by).map_err(|GaveUp(words)| Fault::Damaged(words))?;
    let (width, height) = (width as u32, (samples.len() / (width * channels)) as u32);
    if frame.components == 4 {
        // Adobe's convention, which all encoders follow, stores ink inverted: 255 is none.
        samples.iter_mut().for_each(|sample| *sample = 255 - *sample);
        return Ok((Pixels::Cmyk(Cmyk { width, height, samples }), is_damaged, ends_oddly));
    }
    let rgb = RgbImage::from_raw(width, height, samples)
        .ok_or_else(|| Fault::Damaged("its size is not the one of its header".to_owned()))?;
    Ok((Pixels::Image(DynamicImage::ImageRgb8(rgb)), is_damaged, ends_oddly))
}

/// Samples of a JPEG stream inside another file, interleaved and upsampled to full size.
pub(super) struct Planes {
    pub(super) width: usize,
    /// Samples per pixel.
    pub(super) channels: usize,
    pub(super) samples: Vec<u8>,
    pub(super) is_damaged: bool,
}

/// Decodes a stream inside another file that defines its components: converted to RGB, or as stored.
pub(super) fn planes(bytes: &[u8], to_rgb: bool) -> Result<Planes, Fault> {
    let markers = Markers::read(bytes);
    let frame = markers.frame.ok_or_else(|| Fault::Damaged("a jpeg in it has no frame header".to_owned()))?;
    check(frame, markers.scans)?;
    let space = if to_rgb { Space::Rgb } else { Space::Stored };
    let Decompressed { width, channels, samples, is_damaged, .. } =
        turbo::read(bytes, frame, space, 1).map_err(|GaveUp(words)| Fault::Damaged(words))?;
    Ok(Planes { width, channels, samples, is_damaged })
}
