//! Text inside of a page, compressed: browsers read HTML slowly, and inflate fast.
//!
//! Receives bytes; writes them deflated, in Base64, which nothing in HTML takes for markup.

use std::io::{self, Write};

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Writes what `write` writes, packed.
pub(super) fn packed(
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut deflated = DeflateEncoder::new(Base64 { out, left: vec![] }, Compression::default());
    write(&mut deflated)?;
    let Base64 { out, left } = deflated.finish()?;
    out.write_all(BASE64.encode(&left).as_bytes())
}

/// Base64 of everything but the last bytes, which are `left` while their number is no multiple of three.
struct Base64<'a> {
    out: &'a mut dyn Write,
    left: Vec<u8>,
}

impl Write for Base64<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left.extend_from_slice(bytes);
        let whole = self.left.len() / 3 * 3;
        self.out.write_all(BASE64.encode(&self.left[..whole]).as_bytes())?;
        self.left.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read as _;

    use super::*;

    /// What was packed.
    pub(crate) fn unpacked(text: &str) -> String {
        let bytes = BASE64.decode(text.as_bytes()).unwrap();
        let mut found = String::new();
        flate2::read::DeflateDecoder::new(&bytes[..]).read_to_string(&mut found).unwrap();
        found
    }

    #[test]
    fn any_number_of_bytes_in_any_pieces_comes_back() {
        let text = "</script> & <!-- \u{1f600}".repeat(3000);
        for length in (0..20).chain([text.len()]) {
            let text: String = text.chars().take(length).collect();
            for piece in [1, 7, 100_000] {
                let mut out = vec![];
                packed(&mut out, |out| {
                    text.as_bytes().chunks(piece).try_for_each(|piece| out.write_all(piece))
                })
                .unwrap();
                let out = String::from_utf8(out).unwrap();
                assert_eq!(unpacked(&out), text);
                assert!(out.len() < 200 + text.len() / 10, "{} of {}", out.len(), text.len());
            }
        }
    }
}
