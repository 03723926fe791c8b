//! Whether a JPEG file is whole.
//!
//! The decoder shows what there is of a JPEG that was cut short and paints the rest grey, without a word. A network
//! would be asked about grey it was never shown, so the end is looked for here.

/// True when the file's segments and scans lead to its end-of-image marker.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xd9;
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let Some((marker, after)) = next_marker(rest) {
        if marker == END_OF_IMAGE {
            return true;
        }
        // A length counts its own two bytes. What is no segment after all is skipped as compressed data is.
        let length =
            after.first_chunk().map_or(usize::MAX, |length| usize::from(u16::from_be_bytes(*length)));
        rest = after.get(length..).unwrap_or_default();
    }
    false
}

/// The next marker that begins a segment or ends the image, and what follows it. Passes over compressed data, in
/// which a zero or a restart number follows every `0xff`, and over fill bytes.
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
            assert!(!is_whole(&bytes[..end]), "{end} of {}", bytes.len());
        }
        assert!(is_whole(&bytes));
        bytes.extend(b"what cameras append");
        assert!(is_whole(&bytes));
    }

    #[test]
    fn a_thumbnails_end_is_not_the_pictures() {
        // Start, an application segment that holds an end marker, a scan, and no end.
        let cut = [&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9][..], &[0xff, 0xda, 0, 2, 7, 7]].concat();
        assert!(!is_whole(&cut));
        assert!(is_whole(&[&cut[..], &[0xff, 0xd9]].concat()));
    }
}
