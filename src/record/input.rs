//! The explained file in a record.

use serde::{Deserialize, Serialize};

/// The explained file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputRecord {
    /// The path as the caller gave it, `-` for standard input.
    pub path: String,
    /// Path of the file relative to the record, or to the list that the record is in, with `/` between directories; `null` for standard input,
    /// for pixels from a program, and where no relative path leads there.
    #[serde(default)]
    pub file: Option<String>,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// `png`, `jpeg`, ..., or `npy` for a tensor.
    pub format: String,
    /// Width of the upright picture in pixels.
    pub width: usize,
    /// Height of the upright picture in pixels.
    pub height: usize,
    /// EXIF orientation that was applied, 1 to 8; 1 when the file names none.
    pub exif_orientation: u8,
    /// The embedded colour profile, when it is not sRGB; `null` for none, for sRGB, and for a tensor.
    #[serde(default)]
    pub profile: Option<ProfileRecord>,
    /// What each side was divided by while the picture was decoded for the network, 2, 4 or 8; only in records of pictures that were not decoded as a
    /// whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduced: Option<u32>,
}

/// An embedded colour profile other than sRGB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileRecord {
    /// The profile's own name, or `unreadable`.
    pub name: String,
    /// True when the network's pixels were converted with it.
    pub converted: bool,
}
