//! How a picture file is read.

use std::str::FromStr;

use crate::error::{Error, Result, by_name};

/// How a picture file is read. A background colour alone (`[255, 255, 255]`) converts into it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadOptions {
    /// RGB colour under transparent pixels. Default: white.
    pub background: [u8; 3],
    /// Refuse pictures that are damaged. Default: false, which decodes what it can and adds a warning.
    pub strict: bool,
    /// How an embedded colour profile is used. Default: [`Icc::Keep`].
    pub icc: Icc,
    /// The values that are shown as black and as white, the first the smaller one, of samples with more than 8 bits: floats and whole
    /// numbers of a TIFF, 16 bits of PNG and PNM. Others have levels already. Default: what a TIFF says, else all of their range.
    pub window: Option<[f64; 2]>,
}

/// Whether the network's input is converted to sRGB. The picture that is drawn on always is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Icc {
    /// No: the network gets the stored values, as pipelines that read with Pillow do.
    #[default]
    Keep,
    /// Yes.
    Convert,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { background: [255; 3], strict: false, icc: Icc::Keep, window: None }
    }
}

impl From<[u8; 3]> for ReadOptions {
    fn from(background: [u8; 3]) -> Self {
        Self { background, ..Self::default() }
    }
}

impl Icc {
    /// `keep` or `convert`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Convert => "convert",
        }
    }
}

impl FromStr for Icc {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::Keep, Self::Convert];
        by_name("use of colour profiles", text, all.map(|icc| (icc.name(), icc)))
    }
}
