//! How a picture file is read.

use std::str::FromStr;

use crate::error::{Error, Result};

/// How a picture file is read. A background alone (`[255, 255, 255]`) turns into one, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// RGB colour under transparent pixels. Default: white.
    pub background: [u8; 3],
    /// Refuse what the decoder had to fill in. Default: false, which gives such a picture with a warning.
    pub strict: bool,
    /// What an embedded colour profile is used for. Default: [`Icc::Keep`].
    pub icc: Icc,
}

/// What an embedded colour profile does to the colours that the network gets. What is drawn on is brought to sRGB either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Icc {
    /// Nothing: the stored values, which is what pipelines that read with Pillow train on.
    #[default]
    Keep,
    /// They are brought to sRGB.
    Convert,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { background: [255; 3], strict: false, icc: Icc::Keep }
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
        [Self::Keep, Self::Convert]
            .into_iter()
            .find(|icc| icc.name() == text)
            .ok_or_else(|| Error::unknown("use of colour profiles", text, ["keep", "convert"]))
    }
}
