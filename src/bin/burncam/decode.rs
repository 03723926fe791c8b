//! Decoding of text files from people and programs: UTF-16 and byte order marks, common on Windows, become plain
//! UTF-8.

use anyhow::{Result, bail};

/// The bytes as UTF-8 without a byte order mark. Anything but UTF-16 stays unchanged, text or not.
///
/// # Errors
/// For truncated or damaged UTF-16, and for UTF-32.
pub(crate) fn text(bytes: Vec<u8>) -> Result<Vec<u8>> {
    match bytes[..] {
        // Before UTF-16, because the mark of UTF-32 begins with that of UTF-16.
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => bail!("is UTF-32 (save it as UTF-8)"),
        [0xEF, 0xBB, 0xBF, ref rest @ ..] => Ok(rest.to_vec()),
        [0xFF, 0xFE, ref rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, ref rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ if looks_like_utf16(&bytes, u16::from_le_bytes) => utf16(&bytes, u16::from_le_bytes),
        _ if looks_like_utf16(&bytes, u16::from_be_bytes) => utf16(&bytes, u16::from_be_bytes),
        _ => Ok(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>> {
    match String::from_utf16(&units(bytes, unit)) {
        // A last odd byte is not in `units`, so it would be lost silently.
        Ok(text) if bytes.len().is_multiple_of(2) => Ok(text.into_bytes()),
        _ => bail!("is UTF-16 that is cut short or damaged (save it as UTF-8)"),
    }
}

/// Detects UTF-16 without a mark by its zeros: every other byte is zero, or there are lines and each has an ASCII
/// character. Lists separated by NUL have more than one byte between two zeros.
fn looks_like_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    let units = units(bytes, unit);
    let breaks = units.iter().filter(|unit| **unit == u16::from(b'\n')).count();
    let ascii = units.iter().filter(|unit| (0x20..0x7F).contains(*unit)).count();
    bytes.len() >= 2
        && bytes.len().is_multiple_of(2)
        && !units.contains(&0)
        && String::from_utf16(&units).is_ok()
        && (units.iter().all(|unit| *unit < 0x100) || breaks > 0 && ascii >= breaks)
}

fn units(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn be(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn utf16_is_recognised_with_a_mark_and_without() {
        for written in
            ["a.jpg\r\nb.jpg\r\n", "gen/base.jpg", "größe/a.jpg", "写真/あ.jpg\n一.png\n", "🐈.jpg\n"]
        {
            let marked = format!("\u{feff}{written}");
            for bytes in [le(&marked), be(&marked), marked.clone().into_bytes()] {
                assert_eq!(text(bytes).unwrap(), written.as_bytes(), "{written}");
            }
            for bytes in [le(written), be(written), written.as_bytes().to_vec()] {
                assert_eq!(text(bytes).unwrap(), written.as_bytes(), "{written} without a mark");
            }
        }
    }

    #[test]
    fn other_bytes_stay_as_they_are() {
        let lists: [&[u8]; 7] = [
            b"./a.jpg\0./b.png\0",
            b"./ab.jpg\0\n",
            b"a.jpg\0two\nlines.jpg\0\0c\r\0",
            b"ab\0c\0",
            b"caf\xE9.jpg\n",
            b"",
            "写真/あ.jpg".as_bytes(),
        ];
        for list in lists {
            assert_eq!(text(list.to_vec()).unwrap(), list);
        }
    }

    #[test]
    fn what_cannot_be_text_is_refused() {
        assert!(text(b"\xFF\xFEa\0b".to_vec()).unwrap_err().to_string().contains("cut short"));
        assert!(text(b"\xFF\xFE\0\0a\0\0\0".to_vec()).unwrap_err().to_string().contains("UTF-32"));
    }
}
