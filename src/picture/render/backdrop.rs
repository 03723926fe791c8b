//! What heat is laid over: the photo in its colours, without them, darkened, or white paper.
//!
//! Receives rows of a photo; gives rows of the same size. [`overlay`](super::overlay) mixes the map in.

use std::fmt;
use std::str::FromStr;

use burncam_graph::wide;

use crate::error::{Error, Result};

/// What the heat is laid over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Backdrop {
    /// The photo as it is.
    Colour,
    /// The photo in grey, so that every colour is the map's: no photo can hide heat of its own colour.
    #[default]
    Grey,
    /// The photo in its colours at half of its brightness, so that heat glows.
    Dim,
    /// White paper instead of the photo, as captum draws maps of single pixels.
    White,
}

impl Backdrop {
    /// In the order that help texts list them.
    pub const ALL: [Self; 4] = [Self::Colour, Self::Grey, Self::Dim, Self::White];

    /// The name that parsing takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Colour => "colour",
            Self::Grey => "grey",
            Self::Dim => "dim",
            Self::White => "white",
        }
    }

    /// Fills `row` with a row of the photo, three bytes per pixel in both.
    pub(super) fn fill(self, photo: &[u8], row: &mut [u8]) {
        match self {
            Self::Colour => row.copy_from_slice(photo),
            Self::Grey => grey_wide(photo, row),
            Self::Dim => row.iter_mut().zip(photo).for_each(|(level, of_photo)| *level = of_photo / 2),
            Self::White => row.fill(255),
        }
    }
}

/// Bytes that [`grey`] computes together: whole pixels, and whole vectors.
const SPAN: usize = 192;

wide!(fn grey_wide(photo: &[u8], row: &mut [u8]) = grey);

/// `(5 red + 9 green + 2 blue) / 16` in each channel, near the luma of ITU-R BT.601, as means of two, each rounded up: processors have an
/// instruction for these, and a weighted sum of each pixel takes three times as long.
#[inline(always)]
fn grey(photo: &[u8], row: &mut [u8]) {
    let (spans, rest) = photo.as_chunks::<SPAN>();
    let (whole, last) = row.as_chunks_mut::<SPAN>();
    for (photo, row) in spans.iter().zip(whole) {
        grey_span(photo, row);
    }
    let (mut padded, mut greys) = ([0; SPAN], [0; SPAN]);
    padded[..rest.len()].copy_from_slice(rest);
    grey_span(&padded, &mut greys);
    last.copy_from_slice(&greys[..rest.len()]);
}

#[inline(always)]
fn grey_span(photo: &[u8; SPAN], row: &mut [u8; SPAN]) {
    const FIRST: [u8; SPAN] = first_of_three();
    let mut levels = [0; SPAN + 2];
    levels[..SPAN].copy_from_slice(photo);
    // The grey of a pixel where it begins, and zero elsewhere.
    let mut greys = [0; SPAN + 2];
    for at in 0..SPAN {
        let (red, green, blue) = (levels[at], levels[at + 1], levels[at + 2]);
        greys[at + 2] = mean(green, mean(red, mean(blue, mean(red, green)))) & FIRST[at];
    }
    for at in 0..SPAN {
        row[at] = greys[at] | greys[at + 1] | greys[at + 2];
    }
}

#[inline(always)]
fn mean(one: u8, other: u8) -> u8 {
    ((u16::from(one) + u16::from(other) + 1) >> 1) as u8
}

/// All bits at every third byte.
const fn first_of_three() -> [u8; SPAN] {
    let mut all = [0; SPAN];
    let mut at = 0;
    while at < SPAN {
        all[at] = 255;
        at += 3;
    }
    all
}

impl FromStr for Backdrop {
    type Err = Error;

    /// The backdrop of this name, in any case; `color` and `gray` are also understood.
    fn from_str(name: &str) -> Result<Self> {
        let name = match name.to_lowercase().as_str() {
            "color" => "colour",
            "gray" => "grey",
            _ => name,
        };
        super::by_name("photo", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for Backdrop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_its_formula() {
        let photo = [200, 10, 90, 255, 255, 255, 0, 0, 0];
        let of = |backdrop: Backdrop| {
            let mut row = [7; 9];
            backdrop.fill(&photo, &mut row);
            row
        };
        assert_eq!(of(Backdrop::Colour), photo);
        assert_eq!(of(Backdrop::Grey), [80, 80, 80, 255, 255, 255, 0, 0, 0]);
        assert_eq!(of(Backdrop::Dim), [100, 5, 45, 127, 127, 127, 0, 0, 0]);
        assert_eq!(of(Backdrop::White), [255; 9]);
    }

    #[test]
    fn grey_is_near_the_luma_of_each_pixel_in_rows_of_any_length() {
        for pixels in [0, 1, 63, 64, 65, 200] {
            let level = |at: usize| (at * at % 251) as u8 | if at.is_multiple_of(7) { 255 } else { 0 };
            let photo: Vec<u8> = (0..3 * pixels).map(level).collect();
            let mut row = vec![9; photo.len()];
            Backdrop::Grey.fill(&photo, &mut row);
            for (pixel, rgb) in row.chunks(3).zip(photo.chunks(3)) {
                let [red, green, blue] = [0, 1, 2].map(|at| f64::from(rgb[at]));
                let exact = (5.0 * red + 9.0 * green + 2.0 * blue) / 16.0;
                assert!(
                    pixel.iter().all(|level| (-0.01..1.0).contains(&(f64::from(*level) - exact))),
                    "{rgb:?} {pixel:?}"
                );
                let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
                assert!((f64::from(pixel[0]) - luma).abs() < 8.0);
            }
        }
    }

    #[test]
    fn names_are_read_in_both_spellings() {
        for backdrop in Backdrop::ALL {
            assert_eq!(backdrop.to_string().parse::<Backdrop>().unwrap(), backdrop);
        }
        assert_eq!("Gray".parse::<Backdrop>().unwrap(), Backdrop::Grey);
        assert_eq!("color".parse::<Backdrop>().unwrap(), Backdrop::Colour);
        let error = "gery".parse::<Backdrop>().unwrap_err().to_string();
        assert!(error.contains("colour, grey, dim, white"), "{error}");
    }
}
