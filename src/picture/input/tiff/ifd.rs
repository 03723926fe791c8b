//! The first directory of a TIFF file: tags and their values as stored.

use crate::input::raster::Fault;
use crate::memory::Part;

/// More entries than any real directory has; bounds the work on a malformed file.
const MAX_ENTRIES: u64 = 4096;

/// The first directory of a classic TIFF or BigTIFF file.
pub(super) struct Ifd<'a> {
    bytes: &'a [u8],
    pub(super) is_big_endian: bool,
    entries: Vec<Entry>,
}

struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Offset of its values.
    at: u64,
}

impl<'a> Ifd<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let is_big_endian = bytes.starts_with(b"MM");
        let mut this = Self { bytes, is_big_endian, entries: vec![] };
        this.fill().ok_or_else(|| Fault::Damaged("its directory is outside the file".to_owned()))?;
        Ok(this)
    }

    fn fill(&mut self) -> Option<()> {
        let is_bigtiff = self.number(2, 2)? == 43;
        // Byte sizes of the entry count, an entry, a value count and an offset.
        let (counter, size, word) = if is_bigtiff { (8, 20, 8) } else { (2, 12, 4) };
        let start = if is_bigtiff { self.number(8, 8)? } else { self.number(4, 4)? };
        let count = self.number(start, counter)?;
        if count > MAX_ENTRIES {
            return None;
        }
        for index in 0..count {
            let entry = start.checked_add(counter)? + index * size;
            let (tag, kind) = (self.number(entry, 2)? as u16, self.number(entry + 2, 2)? as u16);
            let count = self.number(entry + 4, word)?;
            let value = entry + 4 + word;
            let fits = count.checked_mul(width(kind)).is_some_and(|length| length <= word);
            let at = if fits { value } else { self.number(value, word)? };
            self.entries.push(Entry { tag, kind, count, at });
        }
        Some(())
    }

    /// The integer of `size` bytes at an offset.
    fn number(&self, at: u64, size: u64) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.bytes.get(at..at.checked_add(size as usize)?)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.is_big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) })
    }

    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries.iter().any(|entry| entry.tag == tag)
    }

    /// The integers of a tag; `None` when it is missing or has another type.
    pub(super) fn numbers(&self, tag: u16) -> Option<Vec<u64>> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        let size = width(entry.kind);
        let most = Part::Strips.most().min(self.bytes.len() as u64);
        if !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18) || entry.count > most {
            return None;
        }
        (0..entry.count).map(|index| self.number(entry.at.checked_add(index * size)?, size)).collect()
    }

    /// The first integer of a tag.
    pub(super) fn number_of(&self, tag: u16) -> Option<u64> {
        self.numbers(tag)?.first().copied()
    }

    /// The numbers of a tag of any numeric type; `None` when it is missing or has another type.
    pub(super) fn reals(&self, tag: u16) -> Option<Vec<f64>> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        let (kind, size) = (entry.kind, width(entry.kind));
        // One for each sample, or one for each colour and its white.
        if !matches!(kind, 1 | 3..=6 | 8..=12) || entry.count > 64 {
            return None;
        }
        let signed = |number: u64, bits: u32| (number << (64 - bits)) as i64 >> (64 - bits);
        let real = |index: u64| {
            let at = entry.at.checked_add(index * size)?;
            let number = self.number(at, size)?;
            Some(match kind {
                5 => self.number(at, 4)? as f64 / self.number(at + 4, 4)? as f64,
                10 => signed(self.number(at, 4)?, 32) as f64 / signed(self.number(at + 4, 4)?, 32) as f64,
                6 => signed(number, 8) as f64,
                8 => signed(number, 16) as f64,
                9 => signed(number, 32) as f64,
                11 => f64::from(f32::from_bits(number as u32)),
                12 => f64::from_bits(number),
                _ => number as f64,
            })
        };
        (0..entry.count).map(real).collect()
    }

    /// The bytes of a tag.
    pub(super) fn bytes_of(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        let start = usize::try_from(entry.at).ok()?;
        let length = usize::try_from(entry.count.checked_mul(width(entry.kind))?).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }
}

/// Byte size of a value of this type.
fn width(kind: u16) -> u64 {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 1,
    }
}

/// A directory without an entry that every TIFF has.
pub(super) fn missing(what: &str) -> Fault {
    Fault::Damaged(format!("its directory names no {what}"))
}
