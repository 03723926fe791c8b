//! What the samples of a TIFF are: their bits, their number format, their colours.

use super::ifd::{Ifd, missing};
use super::ycc::Ycc;
use crate::input::raster::Fault;

/// The TIFF number of JPEG compression.
pub(super) const JPEG: u64 = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Whole,
    /// In two's complement.
    Signed,
    Float,
}

impl Format {
    pub(super) fn read(ifd: &Ifd<'_>) -> Result<Self, Fault> {
        let all = ifd.numbers(339).unwrap_or_else(|| vec![1]);
        let unsupported = |what: &str| Err(Fault::Unsupported(what.to_owned()));
        match all.first() {
            Some(first) if all.iter().any(|format| format != first) => {
                unsupported("samples of several formats")
            }
            Some(2) => Ok(Self::Signed),
            Some(3) => Ok(Self::Float),
            Some(5 | 6) => unsupported("complex numbers"),
            // 4 means undefined, which the specification lets readers treat as if it were not there.
            _ => Ok(Self::Whole),
        }
    }
}

/// The meaning of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Colours {
    Grey {
        white_is_zero: bool,
    },
    Rgb,
    Palette,
    Cmyk,
    /// Luma and chroma of a JPEG stream, which its decoder converts to RGB.
    Jpeg,
    /// Luma and chroma in blocks.
    Ycc(Ycc),
}

impl Colours {
    /// What the directory says. Luma and chroma are stored differently with JPEG `compression`.
    pub(super) fn read(ifd: &Ifd<'_>, compression: u64) -> Result<Self, Fault> {
        let unsupported = |what: &str| Err(Fault::Unsupported(what.to_owned()));
        match ifd.number_of(262).ok_or_else(|| missing("colours"))? {
            0 => Ok(Self::Grey { white_is_zero: true }),
            1 => Ok(Self::Grey { white_is_zero: false }),
            2 => Ok(Self::Rgb),
            3 => Ok(Self::Palette),
            5 => Ok(Self::Cmyk),
            6 if compression != JPEG => Ok(Self::Ycc(Ycc::read(ifd)?)),
            6 => Ok(Self::Jpeg),
            4 => unsupported("a transparency mask"),
            8..=10 => unsupported("L*a*b* colours"),
            other => unsupported(&format!("colours of kind {other}")),
        }
    }

    /// How many samples are colours.
    pub(super) fn count(self) -> usize {
        match self {
            Self::Grey { .. } | Self::Palette => 1,
            Self::Rgb | Self::Jpeg | Self::Ycc(_) => 3,
            Self::Cmyk => 4,
        }
    }
}

/// Bits per sample, of all samples alike.
pub(super) fn bits(ifd: &Ifd<'_>) -> Result<usize, Fault> {
    let all = ifd.numbers(258).unwrap_or_else(|| vec![1]);
    let first = all.first().copied().unwrap_or(1);
    if all.iter().any(|bits| *bits != first) {
        return Err(Fault::Unsupported(format!("samples of {all:?} bits")));
    }
    // Far above all that `check_kind` accepts, so that the cast loses nothing that matters.
    Ok(first.min(u64::from(u16::MAX)) as usize)
}
