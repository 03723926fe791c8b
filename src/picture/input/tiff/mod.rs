//! TIFF files: the first page, as 8 bits per channel.
//!
//! The crates that read TIFF support fewer kinds than scanners, microscopes and NumPy write, and decode some of them wrongly.
//! Tags and samples are read here; weezl, flate2 and libjpeg-turbo decompress them. Integers are scaled from their full range to
//! 0..255, floats from 0..1. Other floats, and signed numbers, are refused where neither the file nor the caller says which value is
//! white.

mod chunks;
mod ifd;
mod kind;
mod layout;
mod samples;
mod window;
mod ycc;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, RgbImage};

use self::ifd::Ifd;
use self::kind::{Colours, JPEG};
use self::layout::Layout;
use self::samples::Levels;
use super::raster::{Cmyk, Decoded, Fault, Pixels, by_channels};
use super::{general, jpeg, window as shown};

const DAMAGED: &str = "the tiff is damaged: the decoder filled in what it could not read";

/// Decodes a file; `window` says what is black and white of samples with more than 8 bits.
pub(super) fn decode(bytes: &[u8], window: Option<[f64; 2]>) -> Result<Decoded, Fault> {
    let ifd = Ifd::read(bytes)?;
    let layout = Layout::read(&ifd, window)?;
    if layout.compression == 4 {
        // Group 4 fax, black and white only: `image` decodes it.
        return general::decode(bytes, ImageFormat::Tiff, None);
    }
    let mut page = Page { bytes, layout, tables: ifd.bytes_of(347), is_damaged: false };
    let levels = page.levels()?;
    let turn = ifd.number_of(274).and_then(|turn| Orientation::from_exif(turn.min(255) as u8));
    let extra = ifd.numbers(338).unwrap_or_default();
    let alpha = alpha(&page.layout, &extra);
    Ok(Decoded {
        is_premultiplied: alpha == Some(true),
        orientation: turn.unwrap_or(Orientation::NoTransforms),
        icc: ifd.bytes_of(34675).map(<[u8]>::to_vec),
        damage: if page.is_damaged { vec![DAMAGED.to_owned()] } else { vec![] },
        notes: noted(&page.layout).into_iter().collect(),
        ..Decoded::of(pixels(&page.layout, levels, alpha, ifd.numbers(320))?)
    })
}

/// What is to be said of values that are shown as someone says.
fn noted(layout: &Layout) -> Option<String> {
    let whose = if layout.is_asked { shown::AS_ASKED } else { "as the file says" };
    layout.window.map(|window| shown::note(window, whose))
}

struct Page<'a> {
    bytes: &'a [u8],
    layout: Layout,
    /// Tables shared by the JPEG streams of the page.
    tables: Option<&'a [u8]>,
    /// True when a decoder filled in what it could not read.
    is_damaged: bool,
}

impl Page<'_> {
    /// All samples as 8-bit levels, interleaved.
    fn levels(&mut self) -> Result<Vec<u8>, Fault> {
        let mut levels = Levels::new(&self.layout);
        let [across, down] = self.layout.grid();
        let planes = if self.layout.is_planar { self.layout.samples } else { 1 };
        for index in 0..across * down * planes {
            let (plane, within) = (index / (across * down), index % (across * down));
            let at = [within % across * self.layout.chunk[0], within / across * self.layout.chunk[1]];
            let start = self.layout.offsets[index].min(self.bytes.len() as u64) as usize;
            let length = self.layout.lengths[index].min((self.bytes.len() - start) as u64) as usize;
            let packed = &self.bytes[start..start + length];
            if self.layout.compression == JPEG {
                self.jpeg(packed, plane, at, &mut levels)?;
            } else {
                let mut chunk = vec![0; self.layout.bytes_of(at[1])];
                let count = chunks::unpack(packed, &self.layout, &mut chunk)?;
                if count < chunk.len() {
                    return Err(Fault::Damaged(format!("strip or tile {index} ends before its last pixel")));
                }
                if let Colours::Ycc(ycc) = self.layout.colours {
                    chunk = ycc.rgb(&chunk, self.layout.chunk[0]);
                }
                chunks::plain(&mut chunk, &self.layout);
                levels.put(&self.layout, &chunk, plane, at);
            }
        }
        levels.finished(&self.layout)
    }

    fn jpeg(
        &mut self,
        packed: &[u8],
        plane: usize,
        at: [usize; 2],
        levels: &mut Levels,
    ) -> Result<(), Fault> {
        let stream = match self.tables {
            // The tables are a stream without an image: drop its end marker, and the start marker of the image.
            Some([tables @ .., _, _]) => [tables, packed.get(2..).unwrap_or_default()].concat(),
            _ => packed.to_vec(),
        };
        let planes = jpeg::planes(&stream, self.layout.colours == Colours::Jpeg)?;
        if planes.channels != self.layout.interleaved() {
            return Err(Fault::Damaged(format!("a jpeg in it has {} colours", planes.channels)));
        }
        self.is_damaged |= planes.is_damaged;
        levels.put_bytes(&self.layout, &planes, plane, at);
        Ok(())
    }
}

/// Whether the sample after the colours is an alpha, and if so, whether colours are premultiplied. As Pillow: an
/// undeclared fourth sample of RGB is straight alpha, one declared as unspecified is ignored.
fn alpha(layout: &Layout, extra: &[u64]) -> Option<bool> {
    let can = matches!(layout.colours, Colours::Grey { .. } | Colours::Rgb);
    if !can || layout.samples == layout.colours.count() {
        return None;
    }
    match extra.first() {
        Some(1) => Some(true),
        Some(2) => Some(false),
        None if layout.colours == Colours::Rgb && layout.samples == 4 => Some(false),
        _ => None,
    }
}

fn pixels(
    layout: &Layout,
    levels: Vec<u8>,
    alpha: Option<bool>,
    palette: Option<Vec<u64>>,
) -> Result<Pixels, Fault> {
    let (width, height) = (layout.width as u32, layout.height as u32);
    let kept = layout.colours.count() + usize::from(alpha.is_some());
    let mut levels = if kept == layout.samples {
        levels
    } else {
        levels.chunks_exact(layout.samples).flat_map(|pixel| &pixel[..kept]).copied().collect()
    };
    if layout.colours == (Colours::Grey { white_is_zero: true }) {
        levels.chunks_exact_mut(kept).for_each(|pixel| pixel[0] = 255 - pixel[0]);
    }
    let image = match layout.colours {
        Colours::Cmyk => return Ok(Pixels::Cmyk(Cmyk { width, height, samples: levels })),
        Colours::Palette => {
            let palette = palette.ok_or_else(|| Fault::Damaged("its palette is missing".to_owned()))?;
            coloured(layout, &levels, &palette).map(DynamicImage::from)
        }
        Colours::Grey { .. } | Colours::Rgb | Colours::Jpeg | Colours::Ycc(_) => {
            by_channels(width, height, kept, levels)
        }
    };
    let broken = || Fault::Damaged("its samples do not fill the picture".to_owned());
    image.map(Pixels::Image).ok_or_else(broken)
}

/// A palette stores all reds, then all greens, then all blues, 16 bits each; the higher byte is used.
fn coloured(layout: &Layout, indices: &[u8], palette: &[u64]) -> Option<RgbImage> {
    let count = 1usize << layout.bits;
    if palette.len() < 3 * count {
        return None;
    }
    let colours: Vec<[u8; 3]> = (0..count)
        .map(|index| [0, 1, 2].map(|channel| (palette[channel * count + index] >> 8) as u8))
        .collect();
    let samples = indices.iter().flat_map(|index| colours[usize::from(*index)]).collect();
    RgbImage::from_raw(layout.width as u32, layout.height as u32, samples)
}

#[cfg(test)]
#[path = "../tiff_tests.rs"]
mod tests;
