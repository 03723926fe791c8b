//! Pictures that exist row by row only: each row is computed when it is asked for, in any order and on any thread.
//!
//! A photo of twelve megapixels is 36 MB, and an overlay of it as much again, which would be written to memory only to
//! be read once by the PNG encoder.

use std::fmt;

use image::{EncodableLayout, ImageBuffer, Pixel, PixelWithColorType, RgbImage};
use rayon::prelude::*;

use super::placed::Placed;

/// Pixels whose values are computed together: enough that loops over them vectorise, few enough for the stack.
pub(super) const BATCH: usize = 64;

/// The samples of a pixel, as PNG stores them: 16-bit ones with the high byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Samples {
    Grey,
    Grey16,
    Rgb,
    Rgba,
}

/// A picture that is computed row by row.
pub struct Rows<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) samples: Samples,
    write: Box<Write<'a>>,
}

/// Fills a row, given its number.
type Write<'a> = dyn Fn(usize, &mut [u8]) + Sync + 'a;

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Rows({}x{}, {:?})", self.width, self.height, self.samples)
    }
}

impl Samples {
    /// Bytes of a pixel.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Grey16 => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

impl<'a> Rows<'a> {
    /// `write` fills the row of a number, all of it.
    pub(super) fn new(
        [width, height]: [usize; 2],
        samples: Samples,
        write: impl Fn(usize, &mut [u8]) + Sync + 'a,
    ) -> Self {
        Self { width: width as u32, height: height as u32, samples, write: Box::new(write) }
    }

    /// The rows of a picture that exists already.
    pub fn of<P>(picture: &'a ImageBuffer<P, Vec<P::Subpixel>>) -> Self
    where
        P: Pixel + PixelWithColorType,
        [P::Subpixel]: EncodableLayout,
    {
        let samples = match P::CHANNEL_COUNT {
            1 if size_of::<P::Subpixel>() == 2 => Samples::Grey16,
            1 => Samples::Grey,
            3 => Samples::Rgb,
            _ => Samples::Rgba,
        };
        let stored = picture.as_raw().as_bytes();
        let size = [picture.width() as usize, picture.height() as usize];
        Self::new(size, samples, move |y, row| {
            row.copy_from_slice(&stored[y * row.len()..][..row.len()]);
            if samples == Samples::Grey16 && cfg!(target_endian = "little") {
                row.as_chunks_mut::<2>().0.iter_mut().for_each(|sample| sample.reverse());
            }
        })
    }

    /// The picture of a map alone: `paint` fills pixels of `N` bytes, at most [`BATCH`], given their values.
    pub(super) fn of_map<const N: usize>(
        placed: &'a Placed,
        samples: Samples,
        paint: impl Fn(&[f32], &mut [[u8; N]]) + Sync + 'a,
    ) -> Self {
        Self::new([placed.width, placed.height], samples, move |y, row| {
            let mut values = [0.0; BATCH];
            for (batch, pixels) in row.as_chunks_mut::<N>().0.chunks_mut(BATCH).enumerate() {
                let values = &mut values[..pixels.len()];
                placed.fill(y, batch * BATCH, values);
                paint(values, pixels);
            }
        })
    }

    /// Bytes of a row.
    pub(super) fn stride(&self) -> usize {
        self.width as usize * self.samples.bytes()
    }

    /// Fills the row of a number.
    pub(super) fn write(&self, y: usize, row: &mut [u8]) {
        (self.write)(y, row);
    }

    /// The rows of a picture in colour that nothing else needs.
    #[must_use]
    pub fn of_own(picture: RgbImage) -> Rows<'static> {
        let size = [picture.width() as usize, picture.height() as usize];
        Rows::new(size, Samples::Rgb, move |y, row| {
            row.copy_from_slice(&picture.as_raw()[y * row.len()..][..row.len()]);
        })
    }

    /// All rows in memory.
    pub(super) fn collect(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.stride() * self.height as usize];
        let rows = bytes.par_chunks_exact_mut(self.stride().max(1)).enumerate();
        rows.for_each(|(y, row)| self.write(y, row));
        bytes
    }

    /// All rows of a picture in colour, in memory; without pixels for other pictures.
    #[must_use]
    pub fn to_rgb(&self) -> RgbImage {
        let bytes = if self.samples == Samples::Rgb { self.collect() } else { vec![] };
        RgbImage::from_raw(self.width, self.height, bytes).unwrap_or_default()
    }
}
