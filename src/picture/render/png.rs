//! PNG encoding, strip by strip on all cores.
//!
//! Receives rows and a level; writes the file as it comes. The bytes do not depend on the number of threads.

mod filter;
mod huffman;
mod strip;

use std::cell::Cell;
use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use rayon::prelude::*;
use zlib_rs::adler32::adler32_combine;

use self::strip::{Effort, Strip, rows_of_strip};
use super::rows::{Rows, Samples};
use crate::error::{Error, Result};

/// Encoding time against file size. All four levels are lossless.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PngLevel {
    /// Not compressed: one byte per sample.
    None,
    /// A tenth of a second for a 12-megapixel photo; files are 5 to 35 % larger than with [`PngLevel::Balanced`].
    #[default]
    Fast,
    /// The usual effort of PNG encoders: six to forty times slower than [`PngLevel::Fast`] on photographs.
    Balanced,
    /// The smallest files: another 2 % on photographs, up to a third on masks; two to three times slower again.
    Best,
}

impl PngLevel {
    /// From the least effort to the most.
    pub const ALL: [Self; 4] = [Self::None, Self::Fast, Self::Balanced, Self::Best];

    /// The name that parsing takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Best => "best",
        }
    }

    fn effort(self) -> Effort {
        match self {
            Self::None => Effort::Stored,
            Self::Fast => Effort::Codes,
            // zlib's own levels of these names.
            Self::Balanced => Effort::Search(6),
            Self::Best => Effort::Search(9),
        }
    }
}

impl FromStr for PngLevel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        super::by_name("PNG level", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for PngLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The eight bytes that every PNG file begins with.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

thread_local! {
    /// Memory for strips, kept for the next picture that this thread writes.
    static SPARE: Cell<Vec<Strip>> = const { Cell::new(vec![]) };
}

/// A picture's PNG file in memory.
///
/// # Errors
/// [`Internal`](crate::error::ErrorKind::Internal) for a picture without pixels.
pub fn encode_png(rows: &Rows, level: PngLevel) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail, so what is left is a picture that PNG cannot hold.
    write_png(rows, level, &mut bytes)
        .map_err(|error| Error::internal(format!("encoding a PNG: {error}")))?;
    Ok(bytes)
}

/// Writes a picture's PNG file: grey, RGB or RGBA, with 8 or 16 bits per sample.
///
/// # Errors
/// When the writer fails, and for a picture without pixels.
pub fn write_png(rows: &Rows, level: PngLevel, out: &mut dyn Write) -> io::Result<()> {
    if rows.width == 0 || rows.height == 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the picture has no pixels"));
    }
    let height = rows.height as usize;
    let (step, effort) = (rows_of_strip(rows), level.effort());
    let count = height.div_ceil(step);
    // Two strips for each thread, so that one that is done early has another to do.
    let together = count.min(2 * rayon::current_num_threads());
    let mut strips = SPARE.take();
    strips.resize_with(together.max(strips.len()), Strip::default);
    let mut first = SIGNATURE.to_vec();
    first.extend(chunk(b"IHDR", &header(rows)));
    out.write_all(&first)?;
    let mut checksum = 1;
    for round in (0..count).step_by(together) {
        let strips = &mut strips[..together.min(count - round)];
        strips.par_iter_mut().enumerate().for_each(|(at, strip)| {
            let start = (round + at) * step;
            strip.fill(rows, start..(start + step).min(height), effort);
        });
        for strip in strips {
            let (one, length) = strip.checksum();
            checksum = adler32_combine(checksum, one, length as u64);
            out.write_all(strip.chunk())?;
        }
    }
    // Rows that fill a strip alone may be of any length.
    if step > 1 {
        SPARE.set(strips);
    }
    // The end of the zlib stream, in a chunk of its own: only now all sums are known.
    let mut last = chunk(b"IDAT", &checksum.to_be_bytes());
    last.extend(chunk(b"IEND", &[]));
    out.write_all(&last)
}

/// Size, bits per sample, colour type; then zeros for the only compression and filters that there are, and no interlacing.
fn header(rows: &Rows) -> [u8; 13] {
    let mut header = [0; 13];
    header[..4].copy_from_slice(&rows.width.to_be_bytes());
    header[4..8].copy_from_slice(&rows.height.to_be_bytes());
    let kind = match rows.samples {
        Samples::Grey => [8, 0],
        Samples::Grey16 => [16, 0],
        Samples::Rgb => [8, 2],
        Samples::Rgba => [8, 6],
    };
    header[8..10].copy_from_slice(&kind);
    header
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let checked = [kind, data].concat();
    let sum = crc32fast::hash(&checked);
    [&(data.len() as u32).to_be_bytes()[..], &checked, &sum.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageBuffer, Rgb, RgbImage, RgbaImage};
    use zlib_rs::adler32::adler32;

    use super::*;

    #[test]
    fn a_picture_survives_the_way_to_png_and_back_at_every_level() {
        let color = RgbImage::from_fn(31, 7, |x, y| Rgb([x as u8, y as u8 * 30, 200]));
        let grey = GrayImage::from_fn(5, 9, |x, y| image::Luma([(x * y) as u8]));
        let deep = ImageBuffer::from_fn(3, 2, |x, y| image::Luma([(x * 20_000 + y) as u16]));
        let clear = RgbaImage::from_fn(4, 4, |x, y| image::Rgba([1, 2, x as u8, y as u8 * 80]));
        for level in PngLevel::ALL {
            let decoded = |bytes: Result<Vec<u8>>| image::load_from_memory(&bytes.unwrap()).unwrap();
            assert_eq!(decoded(encode_png(&Rows::of(&color), level)).into_rgb8(), color, "{level}");
            assert_eq!(decoded(encode_png(&Rows::of(&grey), level)).into_luma8(), grey, "{level}");
            assert_eq!(decoded(encode_png(&Rows::of(&deep), level)).into_luma16(), deep, "{level}");
            assert_eq!(decoded(encode_png(&Rows::of(&clear), level)).into_rgba8(), clear, "{level}");
            assert!(encode_png(&Rows::of(&GrayImage::new(0, 3)), level).is_err());
        }
    }

    /// Noise in one half, so that both runs and rare symbols occur, and enough rows for several strips.
    fn large() -> RgbImage {
        let noise =
            |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(977) >> 13;
        RgbImage::from_fn(1201, 700, |x, y| {
            Rgb([noise(x, y) as u8 & if x < 600 { 0 } else { 255 }, y as u8, 3])
        })
    }

    #[test]
    fn a_picture_of_several_strips_is_the_same_file_for_any_number_of_threads() {
        let picture = large();
        for level in PngLevel::ALL {
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| encode_png(&Rows::of(&picture), level)).unwrap()
            };
            let one = with(1);
            let decoded = image::load_from_memory(&one).unwrap().into_rgb8();
            assert!(decoded == picture, "{level}");
            assert!(rows_of_strip(&Rows::of(&picture)) < 700 / 5, "only few strips");
            for threads in [2, 3, 7] {
                assert!(with(threads) == one, "{level} with {threads} threads");
            }
        }
    }

    #[test]
    fn the_checksum_of_parts_is_that_of_the_whole() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|at| ((at * at) >> 7) as u8).collect();
        let sum = |bytes: &[u8]| adler32(1, bytes);
        let joined = |one, two, length| adler32_combine(one, two, length as u64);
        for cut in [0, 1, 65_521, 70_000, 100_000] {
            let (one, two) = bytes.split_at(cut);
            assert_eq!(joined(sum(one), sum(two), two.len()), sum(&bytes), "{cut}");
        }
        // The example of RFC 1950's most quoted implementations.
        assert_eq!(joined(sum(b"Wiki"), sum(b"pedia"), 5), 0x11E6_0398);
    }

    #[test]
    fn more_effort_never_makes_a_smooth_picture_larger() {
        let smooth = RgbImage::from_fn(300, 200, |x, y| Rgb([(x / 2) as u8, y as u8, ((x + y) / 4) as u8]));
        let sizes = PngLevel::ALL.map(|level| encode_png(&Rows::of(&smooth), level).unwrap().len());
        assert!(sizes.is_sorted_by(|less, more| less > more), "{sizes:?}");
        assert!(sizes[0] > smooth.as_raw().len());
    }

    #[test]
    fn levels_have_names() {
        assert_eq!("Best".parse::<PngLevel>().unwrap(), PngLevel::Best);
        let error = "bets".parse::<PngLevel>().unwrap_err().to_string();
        assert!(
            error.contains("did you mean 'best'?") && error.contains("none, fast, balanced, best"),
            "{error}"
        );
    }
}
