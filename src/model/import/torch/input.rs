//! The bytes of a pickle: numbers, texts and lines, with limits on their length.

use std::io::{self, BufRead, Read as _};

use super::damage::Damage;

/// Names of tensors and classes are far shorter. Longer texts are skipped, so that they cannot fill memory.
const LONGEST_TEXT: u64 = 1 << 16;

/// Reads from a file, or from the part of an archive that is one.
pub(super) struct Input<'a, R>(pub(super) &'a mut R);

impl<R: BufRead> Input<'_, R> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Damage> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Damage> {
        self.array().map(u32::from_le_bytes)
    }

    /// A length of 1, 4 or 8 bytes.
    pub(super) fn length(&mut self, bytes: u8) -> Result<u64, Damage> {
        Ok(match bytes {
            1 => u64::from(self.byte()?),
            4 => u64::from(self.u32()?),
            _ => self.array().map(u64::from_le_bytes)?,
        })
    }

    /// Skips `length` bytes.
    pub(super) fn skip(&mut self, length: u64) -> Result<(), Damage> {
        match io::copy(&mut self.0.by_ref().take(length), &mut io::sink())? {
            skipped if skipped == length => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    /// A text of `length` bytes; `None` if it is too long or not UTF-8.
    pub(super) fn text(&mut self, length: u64) -> Result<Option<String>, Damage> {
        if length > LONGEST_TEXT {
            self.skip(length)?;
            return Ok(None);
        }
        let mut bytes = Vec::new();
        // Memory grows with what is read, and not with the length that the file claims.
        if self.0.by_ref().take(length).read_to_end(&mut bytes)? as u64 != length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(String::from_utf8(bytes).ok())
    }

    /// The rest of a line, without the line break.
    pub(super) fn line(&mut self) -> Result<String, Damage> {
        let mut bytes = Vec::new();
        self.0.by_ref().take(LONGEST_TEXT).read_until(b'\n', &mut bytes)?;
        if bytes.pop() != Some(b'\n') {
            return Err(Damage::new("a line of its pickle has no end"));
        }
        String::from_utf8(bytes).map_err(|_| Damage::new("a line of its pickle is not UTF-8"))
    }

    /// A little-endian integer of any size; `None` if it does not fit.
    pub(super) fn long(&mut self, length: u64) -> Result<Option<i64>, Damage> {
        if length > 8 {
            self.skip(length)?;
            return Ok(None);
        }
        let mut bytes = [0; 8];
        let count = usize::try_from(length).unwrap_or(8);
        self.0.read_exact(&mut bytes[..count])?;
        // Two's complement of fewer bytes: the sign fills the others.
        if count > 0 && bytes[count - 1] & 0x80 != 0 {
            bytes[count..].fill(0xff);
        }
        Ok(Some(i64::from_le_bytes(bytes)))
    }
}

/// The text of a line as protocol 0 writes it, with `\uXXXX` for what is not Latin.
pub(super) fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("\\u") {
        text.push_str(&rest[..at]);
        let code = rest.get(at + 2..at + 6).and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(letter) => {
                text.push(letter);
                rest = &rest[at + 6..];
            }
            None => {
                text.push_str("\\u");
                rest = &rest[at + 2..];
            }
        }
    }
    text + rest
}
