//! A reader of plain or gzipped files with a limit on the output.

use std::fs::File;
use std::io::{BufReader, Error, Read, Result};

use flate2::read::GzDecoder;

use crate::error::Problem;
use crate::memory::Part;

/// Weights hardly compress: MessagePack shrinks little, indented JSON twentyfold. A file that shrinks more is meant
/// to exhaust memory; gzip can reach a factor of 1000.
const MAX_RATIO: u64 = 100;

/// Small records may compress by any factor, for example networks that are all zeros.
const ALWAYS_ALLOWED: u64 = 16 << 20;

/// Reads a file's content up to a limit, and fails beyond it.
pub(super) struct Bounded {
    content: Box<dyn Read>,
    gzip: bool,
    left: u64,
    limit: u64,
    exceeded: bool,
}

impl Bounded {
    pub(super) fn new(file: File, gzip: bool) -> Result<Self> {
        let stored = file.metadata()?.len();
        let most = Part::Record.most();
        let limit = if gzip { limit(stored, most) } else { most };
        let file = BufReader::new(file);
        let content: Box<dyn Read> = if gzip { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
        Ok(Self { content, gzip, left: limit, limit, exceeded: false })
    }

    /// The message when the limit was reached, which is the real cause of any error after that.
    pub(super) fn problem(&self) -> Option<Problem> {
        let verb = if self.gzip { "unpacks to" } else { "holds" };
        let mebibytes = self.limit >> 20;
        self.exceeded.then(|| {
            Problem::new(format!("{verb} more than {mebibytes} MiB"))
                .expected("at most that of weights")
                .hint("is it a record?")
        })
    }
}

/// The limit of a file of `stored` bytes; `most` is that of any record.
fn limit(stored: u64, most: u64) -> u64 {
    stored.saturating_mul(MAX_RATIO).max(ALWAYS_ALLOWED).min(most)
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.content.read(buffer)?;
        // An error and not an end: a decoder would take an end for a damaged file.
        self.exceeded |= count as u64 > self.left;
        if self.exceeded {
            return Err(Error::other("too long"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_the_file() {
        let most = Part::Record.ceiling();
        assert_eq!(limit(10, most), ALWAYS_ALLOWED);
        assert_eq!(limit(1 << 20, most), 100 << 20);
        assert_eq!(limit(1 << 40, most), most);
        assert_eq!(limit(1 << 40, 1 << 20), 1 << 20);
    }
}
