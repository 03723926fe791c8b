//! The sample layout of a TIFF, read from its tags and checked; unsupported kinds are named.

use super::ifd::{Ifd, missing};
use super::kind::{self, Colours, Format, JPEG};
use super::window;
use crate::error::Problem;
use crate::input::kind::RAW;
use crate::input::raster::{Fault, check_pixels, check_samples};
use crate::memory::Part;

/// More samples per pixel than any supported picture has.
const MAX_SAMPLES: u64 = 16;

/// The most pixels that all tiles together may have, including their parts outside the picture.
const MAX_TILED: u64 = 1_200_000_000;

/// How a TIFF's samples are stored.
pub(super) struct Layout {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bits per sample.
    pub(super) bits: usize,
    pub(super) format: Format,
    /// Samples per pixel, including those after the colours.
    pub(super) samples: usize,
    /// Whether each sample has its own strips or tiles.
    pub(super) is_planar: bool,
    pub(super) colours: Colours,
    /// What is black and what is white, where the caller or the file says so, and the samples have no levels of their own.
    pub(super) window: Option<[f64; 2]>,
    /// Whether the caller says so.
    pub(super) is_asked: bool,
    pub(super) compression: u64,
    pub(super) predictor: u64,
    /// Whether the bit order within bytes is reversed.
    pub(super) is_reversed: bool,
    pub(super) is_big_endian: bool,
    /// Tiles are always complete, even across the picture's edge; the last strip may be short.
    pub(super) is_tiled: bool,
    /// Width and height of a strip or tile.
    pub(super) chunk: [usize; 2],
    /// Offset of each strip or tile.
    pub(super) offsets: Vec<u64>,
    /// Byte count of each.
    pub(super) lengths: Vec<u64>,
}

impl Layout {
    /// `asked` is what the caller says of black and white.
    pub(super) fn read(ifd: &Ifd<'_>, asked: Option<[f64; 2]>) -> Result<Self, Fault> {
        refuse_raw(ifd)?;
        let (width, height) = (side(ifd, 256, "width")?, side(ifd, 257, "height")?);
        check_pixels(width, height)?;
        // Tags by their numbers in TIFF 6.0: 277 SamplesPerPixel, 259 Compression, 262 PhotometricInterpretation, 284
        // PlanarConfiguration, 317 Predictor, 266 FillOrder.
        let samples = ifd.number_of(277).unwrap_or(1);
        if samples == 0 || samples > MAX_SAMPLES {
            return Err(Fault::Unsupported(format!("{samples} samples per pixel")));
        }
        let compression = ifd.number_of(259).unwrap_or(1);
        let colours = Colours::read(ifd, compression)?;
        let (bits, format) = (kind::bits(ifd)?, Format::read(ifd)?);
        let asked = asked.filter(|_| can_be_asked(bits, format, colours));
        let stated = window::stated(ifd).filter(|_| format != Format::Whole);
        let Chunks { is_tiled, size, offsets, lengths } = Chunks::read(ifd, width, height)?;
        let layout = Self {
            width: width as usize,
            height: height as usize,
            bits,
            format,
            samples: samples as usize,
            is_planar: ifd.number_of(284) == Some(2) && samples > 1,
            colours,
            window: asked.or(stated),
            is_asked: asked.is_some(),
            compression,
            predictor: ifd.number_of(317).unwrap_or(1),
            is_reversed: ifd.number_of(266) == Some(2),
            is_big_endian: ifd.is_big_endian,
            is_tiled,
            chunk: size.map(|side| side as usize),
            offsets,
            lengths,
        };
        layout.check()?;
        Ok(layout)
    }

    /// Columns and rows of strips or tiles.
    pub(super) fn grid(&self) -> [usize; 2] {
        [self.width.div_ceil(self.chunk[0]), self.height.div_ceil(self.chunk[1])]
    }

    /// Bytes of the strip or tile that starts at row `first`.
    pub(super) fn bytes_of(&self, first: usize) -> usize {
        let rows = if self.is_tiled { self.chunk[1] } else { self.chunk[1].min(self.height - first) };
        match self.colours {
            Colours::Ycc(ycc) => ycc.row_bytes(self.chunk[0]) * rows.div_ceil(ycc.block[1]),
            _ => self.row_bytes() * rows,
        }
    }

    /// Interleaved samples per pixel in one strip or tile.
    pub(super) fn interleaved(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// Bytes per row of a strip or tile.
    pub(super) fn row_bytes(&self) -> usize {
        (self.chunk[0] * self.interleaved() * self.bits).div_ceil(8)
    }

    fn check(&self) -> Result<(), Fault> {
        let damaged = |problem: &str| Err(Fault::Damaged(problem.to_owned()));
        let [width, height] = self.chunk.map(|side| side as u64);
        if width == 0 || height == 0 {
            return damaged("its strips or tiles are empty");
        }
        let sample_bytes = (self.interleaved() * self.bits).div_ceil(8) as u64;
        let tiles = self.grid().map(|count| count as u64);
        let tiled = (tiles[0] * width).saturating_mul(tiles[1] * height);
        let chunk = width.saturating_mul(height).saturating_mul(sample_bytes);
        if tiled > MAX_TILED || chunk > Part::Strip.ceiling() {
            return Err(Fault::Memory);
        }
        // All samples as levels, and one strip or tile, once as it is stored and once in order; then the colours among the samples.
        let levels = (self.width * self.height * self.samples) as u64;
        check_samples(2 * levels + 2 * chunk, self.width as u32, self.height as u32)?;
        let planes = if self.is_planar { self.samples as u64 } else { 1 };
        let count = tiles[0] * tiles[1] * planes;
        if (self.offsets.len() as u64) < count || (self.lengths.len() as u64) < count {
            return damaged("its directory names fewer strips or tiles than the picture has");
        }
        if self.samples < self.colours.count() {
            return Err(Fault::Unsupported(format!("{} samples per pixel", self.samples)));
        }
        self.check_kind()
    }

    fn check_kind(&self) -> Result<(), Fault> {
        let unsupported = |what: String| Err(Fault::Unsupported(what));
        let is_known = match self.format {
            Format::Float => matches!(self.bits, 16 | 32 | 64),
            Format::Whole => matches!(self.bits, 1..=16 | 32),
            Format::Signed => matches!(self.bits, 8 | 16 | 32),
        };
        if !is_known {
            return unsupported(format!("{} bits per sample", self.bits));
        }
        if self.colours == Colours::Palette && (self.bits > 8 || self.format != Format::Whole) {
            return unsupported(format!("a palette with {} bits", self.bits));
        }
        if let Colours::Ycc(_) = self.colours
            && (self.bits, self.format, self.samples, self.predictor) != (8, Format::Whole, 3, 1)
        {
            return unsupported(format!(
                "luma and chroma with {} samples of {} bits",
                self.samples, self.bits
            ));
        }
        if self.compression == JPEG && (self.bits, self.format) != (8, Format::Whole) {
            return unsupported(format!("JPEG with {} bits per sample", self.bits));
        }
        if matches!(self.colours, Colours::Jpeg | Colours::Ycc(_)) && self.is_planar {
            return unsupported("luma and chroma in planes of their own".to_owned());
        }
        let grey = matches!(self.colours, Colours::Grey { .. });
        if grey && self.samples > 2 {
            return unsupported(format!("{} channels that are called grey", self.samples));
        }
        match (self.predictor, self.format) {
            // 1 is none, 2 differences between neighbours, 3 those of the bytes of floats.
            (1, _) | (3, Format::Float) => Ok(()),
            (2, _) if matches!(self.bits, 8 | 16 | 32 | 64) => Ok(()),
            (predictor, _) => unsupported(format!("predictor {predictor} with {} bits", self.bits)),
        }
    }
}

/// Strips or tiles, as the directory names them.
struct Chunks {
    is_tiled: bool,
    /// Width and height.
    size: [u32; 2],
    offsets: Vec<u64>,
    lengths: Vec<u64>,
}

impl Chunks {
    fn read(ifd: &Ifd<'_>, width: u32, height: u32) -> Result<Self, Fault> {
        let is_tiled = ifd.has(324);
        let (size, tags) = if is_tiled {
            ([side(ifd, 322, "tile width")?, side(ifd, 323, "tile height")?], [324, 325])
        } else {
            // Without the tag the picture is one strip; writers also give 2^32 - 1 for that.
            let rows = ifd.number_of(278).unwrap_or(u64::from(height)).min(u64::from(height)) as u32;
            ([width, rows], [273, 279])
        };
        let offsets = ifd.numbers(tags[0]).ok_or_else(|| missing("place of its pixels"))?;
        let lengths = ifd.numbers(tags[1]).ok_or_else(|| missing("length of its pixels"))?;
        Ok(Self { is_tiled, size, offsets, lengths })
    }
}

/// Whether the samples are wider than levels, and not inks.
fn can_be_asked(bits: usize, format: Format, colours: Colours) -> bool {
    let is_wide = bits > 8 || format == Format::Signed;
    is_wide && matches!(colours, Colours::Grey { .. } | Colours::Rgb)
}

/// A length in pixels.
fn side(ifd: &Ifd<'_>, tag: u16, what: &str) -> Result<u32, Fault> {
    let side = ifd.number_of(tag).ok_or_else(|| missing(what))?;
    u32::try_from(side).map_err(|_| Fault::Damaged(format!("its {what} is {side}")))
}

/// Camera raw files are TIFF inside, and their first image is only a thumbnail.
fn refuse_raw(ifd: &Ifd<'_>) -> Result<(), Fault> {
    const DNG_VERSION: u16 = 50706;
    const SUB_DIRECTORIES: u16 = 330;
    // A colour filter array, or linear raw.
    let is_sensor = matches!(ifd.number_of(262), Some(32803 | 34892));
    // Compressions of Sony's, Nikon's, Kodak's and Pentax's raw files.
    let is_packed = matches!(ifd.number_of(259), Some(32767 | 34713 | 65000 | 65535));
    // The lowest bit of NewSubfileType marks a reduced picture; the full one is in a directory below.
    let is_thumbnail = ifd.number_of(254).is_some_and(|kind| kind & 1 == 1) && ifd.has(SUB_DIRECTORIES);
    if ifd.has(DNG_VERSION) || is_sensor || is_packed || is_thumbnail {
        let (what, way_out) = RAW;
        let problem = Problem::new(format!("is {what}, whose picture is still to be made of it"));
        return Err(Fault::Other(problem.hint(way_out)));
    }
    Ok(())
}
