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
#[cfg(target_arch = "x86_64")]
mod transform;
mod turbo;
mod ycc;

use image::{DynamicImage, RgbImage};

use self::markers::{Frame, Markers};
use self::turbo::{Decompressed, GaveUp, Space};
use super::raster::{Cmyk, Decoded, Fault, Pixels, check_pixels, orientation};
use super::upright::{after_quarter_turn, turned};

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
    let (pixels, read) = read(bytes, frame, (by, after_quarter_turn(orientation).is_some()))?;
    let warning = match (read.is_damaged, markers.is_whole, read.ends_oddly) {
        (false, true, false) => None,
        (true, true, _) => Some("the jpeg is damaged: the decoder filled in what it could not read"),
        (true, false, _) => Some("the jpeg is cut short: the decoder filled in what is missing"),
        (false, true, true) => {
            Some("the jpeg may be damaged: some of its data was left over behind the last pixel")
        }
        (false, false, _) => Some("the jpeg may be cut short: it has no end marker"),
    };
    Ok(Decoded {
        orientation,
        is_turned: read.is_turned,
        icc: markers.icc,
        damage: warning.into_iter().map(str::to_owned).collect(),
        reduced: (by > 1).then_some((by, size)),
        ..Decoded::of(pixels)
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

/// The pixels, and what else is known of them.
fn read(bytes: &[u8], frame: Frame, how: (u32, bool)) -> Result<(Pixels, Decompressed), Fault> {
    let read = turbo::read(bytes, frame, Space::Rgb, how);
    let mut read = read.map_err(|GaveUp(words)| Fault::Damaged(words))?;
    let mut samples = std::mem::take(&mut read.samples);
    let (width, height) = (read.width as u32, (samples.len() / (read.width * read.channels)) as u32);
    if frame.components == 4 {
        // Adobe's convention, which all encoders follow, stores ink inverted: 255 is none.
        samples.iter_mut().for_each(|sample| *sample = 255 - *sample);
        return Ok((Pixels::Cmyk(Cmyk { width, height, samples }), read));
    }
    let rgb = RgbImage::from_raw(width, height, samples)
        .ok_or_else(|| Fault::Damaged("its size is not the one of its header".to_owned()))?;
    Ok((Pixels::Image(DynamicImage::ImageRgb8(rgb)), read))
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
        turbo::read(bytes, frame, space, (1, false)).map_err(|GaveUp(words)| Fault::Damaged(words))?;
    Ok(Planes { width, channels, samples, is_damaged })
}
