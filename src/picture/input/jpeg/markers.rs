//! The segments of a JPEG file: frame header, completeness, EXIF and colour profile.

/// The contents of a JPEG file's segments.
#[derive(Debug, Default)]
pub(super) struct Markers<'a> {
    /// The frame header.
    pub(super) frame: Option<Frame>,
    /// Number of scans.
    pub(super) scans: usize,
    /// True when segments and scans end in an end-of-image marker.
    pub(super) is_whole: bool,
    /// The EXIF block, without its prefix.
    pub(super) exif: Option<&'a [u8]>,
    /// The colour profile, assembled from its parts; `None` when one is missing.
    pub(super) icc: Option<Vec<u8>>,
}

/// The frame header of a JPEG file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// The marker: the encoding process.
    pub(super) process: u8,
    /// Bits per sample.
    pub(super) precision: u8,
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
    /// Colour components.
    pub(super) components: u8,
}

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";

impl<'a> Markers<'a> {
    /// Reads all segments. Never fails: a file that is not JPEG has no frame.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut found = Self::default();
        let mut profile = Vec::new();
        let mut rest = bytes.get(2..).unwrap_or_default();
        while let Some((marker, after)) = next_marker(rest) {
            if marker == END_OF_IMAGE {
                found.is_whole = true;
                break;
            }
            // A length includes its own two bytes. Anything that is not a segment is skipped like compressed data.
            let length =
                after.first_chunk().map_or(usize::MAX, |length| usize::from(u16::from_be_bytes(*length)));
            let segment = after.get(2..length).unwrap_or_default();
            found.take(marker, segment, &mut profile);
            rest = after.get(length..).unwrap_or_default();
        }
        found.icc = joined(profile);
        found
    }

    fn take(&mut self, marker: u8, segment: &'a [u8], profile: &mut Vec<(u8, u8, &'a [u8])>) {
        match marker {
            // Start of frame, except the tables (DHT, DAC) and the reserved JPG; 0xf7 is JPEG-LS.
            0xc0..=0xcf | 0xf7 if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                self.frame = self.frame.or_else(|| Frame::read(marker, segment));
            }
            START_OF_SCAN => self.scans += 1,
            0xe1 if self.exif.is_none() => self.exif = segment.strip_prefix(EXIF),
            0xe2 => {
                if let Some([number, count, part @ ..]) = segment.strip_prefix(ICC) {
                    profile.push((*number, *count, part));
                }
            }
            _ => {}
        }
    }
}

impl Frame {
    fn read(process: u8, segment: &[u8]) -> Option<Self> {
        let [precision, h1, h0, w1, w0, components, ..] = *segment else { return None };
        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
        Some(Self { process, precision, width: side(w1, w0), height: side(h1, h0), components })
    }
}

/// The parts of a profile in order, if complete.
fn joined(mut parts: Vec<(u8, u8, &[u8])>) -> Option<Vec<u8>> {
    parts.sort_by_key(|(number, ..)| *number);
    let count = parts.first()?.1;
    let numbers = parts.iter().map(|(number, ..)| *number);
    let is_whole = parts.len() == usize::from(count) && numbers.eq(1..=count);
    is_whole.then(|| parts.iter().flat_map(|(.., part)| *part).copied().collect())
}

/// The next marker that starts a segment or ends the image, and what follows it. Skips compressed data, where every
/// `0xff` is followed by zero or a restart number, and fill bytes.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let at = bytes
        .windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 1 | 0xd0..=0xd8 | 0xff))?;
    Some((bytes[at + 1], &bytes[at + 2..]))
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    #[test]
    fn only_a_whole_file_is_whole() {
        let mut bytes = Vec::new();
        let picture = RgbImage::from_fn(40, 30, |x, y| Rgb([(x * y) as u8, x as u8, 99]));
        image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode_image(&picture).unwrap();
        for end in 0..bytes.len() {
            assert!(!Markers::read(&bytes[..end]).is_whole, "{end} of {}", bytes.len());
        }
        let whole = Markers::read(&bytes);
        assert!(whole.is_whole);
        let frame = Frame { process: 0xc0, precision: 8, width: 40, height: 30, components: 3 };
        assert_eq!((whole.frame, whole.scans), (Some(frame), 1));
        bytes.extend(b"what cameras append");
        assert!(Markers::read(&bytes).is_whole);
    }

    #[test]
    fn a_thumbnails_end_is_not_the_pictures() {
        // Start, an application segment that holds an end marker, a scan, and no end.
        let cut = [&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9][..], &[0xff, 0xda, 0, 2, 7, 7]].concat();
        assert!(!Markers::read(&cut).is_whole);
        assert!(Markers::read(&[&cut[..], &[0xff, 0xd9]].concat()).is_whole);
    }

    #[test]
    fn a_profile_is_put_together_in_order_or_not_at_all() {
        let part = |number: u8, text: &[u8]| {
            let length = (2 + ICC.len() + 2 + text.len()) as u8;
            [&[0xff, 0xe2, 0, length][..], ICC, &[number, 2], text].concat()
        };
        let (first, second) = (part(1, b"colour"), part(2, b"space"));
        let file = |parts: &[&[u8]]| [&[0xff, 0xd8][..], &parts.concat(), &[0xff, 0xd9]].concat();
        let both = file(&[&second, &first]);
        assert_eq!(Markers::read(&both).icc.as_deref(), Some(&b"colourspace"[..]));
        assert_eq!(Markers::read(&file(&[&second])).icc, None);
    }
}
