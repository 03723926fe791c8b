//! A strip of rows, filtered and compressed: a part of a picture's zlib stream, in a chunk of its own.
//!
//! Strips depend on nothing but their rows and the row above, so that several are made at the same time, and the bytes
//! are the same for any number of threads.

use std::ops::Range;

use flate2::{Compress, Compression, FlushCompress};
use zlib_rs::adler32::adler32;

use super::filter::Filter;
use super::huffman::{self, Counts};
use crate::render::rows::Rows;

/// Bytes of a strip before compression: it stays in the second-level cache, and tables of codes add little to it.
const STRIP: usize = 256 << 10;

/// Rows that share a filter with the first of them, at the level [`Effort::Codes`]. Trying all five filters takes as long as
/// compression; neighbouring rows are alike, and files grow by less than half a percent.
const ALIKE: usize = 4;

/// Of the rows of a strip, every such is counted for its codes.
const SAMPLE: usize = 4;

/// The length of a chunk and its kind, which stand before its data.
const HEAD: usize = 8;

/// A zlib stream's first two bytes: deflate with a window of 32 KiB, no dictionary.
const ZLIB: [u8; 2] = [0x78, 0x01];

/// Longest stored block of deflate.
const STORED: usize = 0xffff;

/// How a strip is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Not at all.
    Stored,
    /// By Huffman codes.
    Codes,
    /// By a search for repetitions, of zlib's level.
    Search(u32),
}

/// Number of rows in a strip of a picture. By its size alone, and not by the number of threads.
pub(super) fn rows_of_strip(rows: &Rows) -> usize {
    (STRIP / (rows.stride() + 1)).max(1)
}

/// Memory for one strip, which is used again for others.
#[derive(Debug, Default)]
pub(super) struct Strip {
    above: Vec<u8>,
    row: Vec<u8>,
    trial: Vec<u8>,
    filtered: Vec<u8>,
    /// The checksum of `filtered`.
    sum: u32,
    out: Vec<u8>,
    /// Bytes of `out` that are the chunk.
    length: usize,
}

impl Strip {
    /// The chunk made last.
    pub(super) fn chunk(&self) -> &[u8] {
        &self.out[..self.length]
    }

    /// The checksum of the filtered rows made last, and their length.
    pub(super) fn checksum(&self) -> (u32, usize) {
        (self.sum, self.filtered.len())
    }

    /// Makes the chunk of these rows. The first begins the zlib stream.
    pub(super) fn fill(&mut self, rows: &Rows, range: Range<usize>, effort: Effort) {
        let is_last = range.end == rows.height as usize;
        let begin: &[u8] = if range.start == 0 { &ZLIB } else { &[] };
        let start = HEAD + begin.len();
        let counts = self.filter(rows, range, effort);
        self.sum = adler32(1, &self.filtered);
        let (data, out) = (&self.filtered, &mut self.out);
        let end = start
            + match effort {
                Effort::Stored => stored(data, is_last, out, start),
                Effort::Codes => huffman::block(data, &counts, is_last, out, start),
                Effort::Search(level) => searched(data, level, is_last, out, start),
            };
        self.length = end + 4;
        out.resize(out.len().max(self.length), 0);
        out[..4].copy_from_slice(&((end - HEAD) as u32).to_be_bytes());
        out[4..HEAD].copy_from_slice(b"IDAT");
        out[HEAD..start].copy_from_slice(begin);
        let sum = crc32fast::hash(&out[4..end]);
        out[end..self.length].copy_from_slice(&sum.to_be_bytes());
    }

    /// Filters the rows, and counts symbols where codes are made for them.
    fn filter(&mut self, rows: &Rows, range: Range<usize>, effort: Effort) -> Counts {
        let stride = rows.stride();
        for buffer in [&mut self.above, &mut self.row, &mut self.trial] {
            buffer.resize(stride, 0);
        }
        self.filtered.resize(range.len() * (stride + 1), 0);
        match range.start.checked_sub(1) {
            Some(y) => rows.write(y, &mut self.above),
            None => self.above.fill(0),
        }
        let mut counts = Counts::new();
        let mut filter = Filter::None;
        for (at, (y, out)) in range.zip(self.filtered.chunks_exact_mut(stride + 1)).enumerate() {
            rows.write(y, &mut self.row);
            let (step, above, row) = (rows.samples.bytes(), &self.above, &self.row);
            filter = match effort {
                Effort::Stored => Filter::None,
                Effort::Codes if at % ALIKE > 0 => filter,
                _ => Filter::of(step, above, row, &mut self.trial),
            };
            let [kind, rest @ ..] = out else { continue };
            *kind = filter as u8;
            filter.apply(step, above, row, rest);
            if effort == Effort::Codes && at % SAMPLE == 0 {
                counts.add(rest);
            }
            std::mem::swap(&mut self.above, &mut self.row);
        }
        counts
    }
}

fn stored(data: &[u8], is_last: bool, out: &mut Vec<u8>, start: usize) -> usize {
    out.resize(start, 0);
    let mut blocks = data.chunks(STORED).peekable();
    while let Some(block) = blocks.next() {
        let [low, high] = (block.len() as u16).to_le_bytes();
        let last = u8::from(is_last && blocks.peek().is_none());
        out.extend([last, low, high, !low, !high]);
        out.extend_from_slice(block);
    }
    out.len() - start
}

fn searched(data: &[u8], level: u32, is_last: bool, out: &mut Vec<u8>, start: usize) -> usize {
    // Without zlib's header: the strip is a part of a stream.
    let mut compress = Compress::new(Compression::new(level), false);
    let flush = if is_last { FlushCompress::Finish } else { FlushCompress::Sync };
    // What zlib names as the most that it adds to data without any repetition, and the marks of the flush.
    out.resize(start + data.len() + data.len() / 1000 + 64, 0);
    // With room for everything one call does all, and there is nothing that could fail.
    let _ = compress.compress(data, &mut out[start..], flush);
    compress.total_out() as usize
}
