//! Little-endian numbers from a slice of bytes, one after the other.

use crate::error::Problem;

/// A position in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes behind the position.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Problem> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or("has a structure that ends too early")?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), Problem> {
        self.take(count).map(drop)
    }

    /// Skips to the next multiple of eight from the first byte.
    pub(super) fn align(&mut self) -> Result<(), Problem> {
        self.skip(self.at.next_multiple_of(8) - self.at)
    }

    /// A number of up to eight bytes.
    pub(super) fn number(&mut self, bytes: usize) -> Result<u64, Problem> {
        let taken = self.take(bytes.min(8))?;
        Ok(taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Problem> {
        self.number(1).map(|number| number as u8)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Problem> {
        self.number(2).map(|number| number as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Problem> {
        self.number(4).map(|number| number as u32)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Problem> {
        self.number(8)
    }

    pub(super) fn size(&mut self) -> Result<usize, Problem> {
        usize::try_from(self.u64()?).map_err(|_| "is too large for this machine".into())
    }

    /// Refuses any other four bytes than the signature of a structure.
    pub(super) fn signature(&mut self, expected: &[u8; 4]) -> Result<(), Problem> {
        match self.take(4)? {
            found if found == expected => Ok(()),
            _ => Err(Problem::new(format!(
                "has no '{}' where one should be",
                String::from_utf8_lossy(expected)
            ))),
        }
    }

    /// Refuses other versions of a structure.
    pub(super) fn version(&mut self, what: &str, known: &[u8]) -> Result<u8, Problem> {
        match self.u8()? {
            version if known.contains(&version) => Ok(version),
            version => {
                Err(Problem::new(format!("has version {version} of a {what}, which is not supported"))
                    .hint(super::marks::RESAVE))
            }
        }
    }
}
