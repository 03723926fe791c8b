//! PNG, WebP, GIF, BMP and PNM through the crate `image`, and recovery of PNG files with wrong checksums.

use std::io::Cursor;

use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits, RgbImage};

use super::raster::{Decoded, Fault, Pixels, by_channels, check_pixels, check_samples, orientation};
use super::{spare, window};
use crate::memory::Part;

/// Decodes a file; of 16 bits those values are black and white that `window` says.
pub(super) fn decode(bytes: &[u8], kind: ImageFormat, window: Option<[f64; 2]>) -> Result<Decoded, Fault> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(Part::Decoder.most());
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_pixels(width, height)?;
    // Other pixels than 8-bit RGB are there twice while they are converted.
    let copies = if decoder.color_type() == ColorType::Rgb8 { 1 } else { 2 };
    check_samples(decoder.total_bytes().saturating_mul(copies), width, height)?;
    // The decoder allocates the frame, and its limit is on the screen.
    if kind == ImageFormat::Gif
        && let Some((width, height)) = first_frame(bytes)
    {
        check_pixels(width.max(1), height.max(1))?;
    }
    // Before the pixels, because decoding consumes the decoder. Damage in them does not matter: the picture is
    // shown as stored.
    let exif = decoder.exif_metadata().ok().flatten();
    let icc = decoder.icc_profile().ok().flatten();
    let orientation = orientation(exif.as_deref());
    let (pixels, damage) = match pixels(decoder) {
        Ok(pixels) => (pixels, vec![]),
        Err(error) if kind == ImageFormat::Png => {
            let pixels = rescued_png(bytes).ok_or_else(|| Fault::from(error))?;
            (
                pixels,
                vec!["the png is damaged: its checksums do not fit, so its pixels may be wrong".to_owned()],
            )
        }
        Err(error) => return Err(error.into()),
    };
    let (pixels, notes) = shown(pixels, window);
    Ok(Decoded { orientation, icc, damage, notes, ..Decoded::of(pixels) })
}

/// The pixels, by the window where they have 16 bits, and what is to be said of that.
fn shown(pixels: DynamicImage, window: Option<[f64; 2]>) -> (Pixels, Vec<String>) {
    let Some(window) = window else { return (Pixels::Image(pixels), vec![]) };
    let (pixels, is_narrow) = window::narrowed(pixels, window);
    let note = is_narrow.then(|| window::note(window, window::AS_ASKED));
    (Pixels::Image(pixels), note.into_iter().collect())
}

/// The pixels as stored; 8-bit RGB, which most pictures are, in memory that is used again.
fn pixels(decoder: impl ImageDecoder) -> ImageResult<DynamicImage> {
    if decoder.color_type() != ColorType::Rgb8 {
        return DynamicImage::from_decoder(decoder);
    }
    let (width, height) = decoder.dimensions();
    let mut samples = spare::take(decoder.total_bytes() as usize);
    // Formats that may leave out pixels take it that those are zero.
    samples.fill(0);
    decoder.read_image(&mut samples)?;
    Ok(RgbImage::from_raw(width, height, samples).unwrap_or_default().into())
}

/// Width and height of a GIF's first frame, which may exceed the logical screen and must be checked on its own.
fn first_frame(bytes: &[u8]) -> Option<(u32, u32)> {
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3usize << ((flags & 7) + 1) };
    let mut rest = bytes.get(13 + colours(*bytes.get(10)?)..)?;
    loop {
        match *rest.first()? {
            b',' => {
                let side =
                    |at: usize| Some(u32::from(u16::from_le_bytes([*rest.get(at)?, *rest.get(at + 1)?])));
                return Some((side(5)?, side(7)?));
            }
            b'!' => {
                rest = rest.get(2..)?;
                while *rest.first()? != 0 {
                    rest = rest.get(1 + usize::from(rest[0])..)?;
                }
                rest = &rest[1..];
            }
            _ => return None,
        }
    }
}

/// Decodes a PNG while ignoring checksums. `None` when anything else is wrong, and for interlaced
/// files, because their rows come in passes.
fn rescued_png(bytes: &[u8]) -> Option<DynamicImage> {
    let mut options = png::DecodeOptions::default();
    options.set_ignore_checksums(true);
    let mut decoder = png::Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    if reader.info().interlaced {
        return None;
    }
    let (width, height) = reader.info().size();
    let (colours, _) = reader.output_color_type();
    let mut samples = Vec::new();
    for _ in 0..height {
        samples.extend_from_slice(reader.next_row().ok()??.data());
    }
    // The decoder resolves palettes; an index is no grey.
    if colours == png::ColorType::Indexed {
        return None;
    }
    by_channels(width, height, colours.samples(), samples)
}
