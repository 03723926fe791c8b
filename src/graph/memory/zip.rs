//! The table of contents of a zip archive: its size, before a library reads it.

use std::io::{self, Read, Seek, SeekFrom};

use super::allow;
use crate::error::Problem;

/// Bytes that a library takes for each byte of the table: an entry of 46 bytes becomes a structure of some hundreds, with its name twice.
const EACH: u64 = 20;

/// The last record without its comment, with the size at byte 12, and the longest comment.
const RECORD: u64 = 22;
const COMMENT: u64 = 65_535;

/// Behind it stands the last record, where there is one: it says where the 64-bit record is, in which the size stands at byte 40.
const LOCATOR: u64 = 20;

/// Refuses an archive whose table of contents would take more than the share of a file. What is no archive passes. The position
/// of the reader changes.
///
/// # Errors
/// As [`allow`], and when the archive cannot be read.
pub fn check_zip(file: &mut (impl Read + Seek)) -> Result<(), Problem> {
    let size = size_of_table(file).map_err(|error| Problem::new(error.to_string()))?;
    allow(size.saturating_mul(EACH))
}

/// In bytes, 0 where there is none.
fn size_of_table(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(RECORD + COMMENT + LOCATOR);
    let tail = bytes_at(file, start, RECORD + COMMENT + LOCATOR)?;
    // Every place that may be a record counts: which of them a library takes is its own affair.
    let narrow =
        after(&tail, b"PK\x05\x06", 12, 4).into_iter().filter(|size| *size != u64::from(u32::MAX)).max();
    let mut most = narrow.unwrap_or(0);
    for place in after(&tail, b"PK\x06\x07", 8, 8) {
        let size = bytes_at(file, place.saturating_add(40).min(length), 8)?;
        most = most.max(number(&size));
    }
    // No table is longer than its file.
    Ok(most.min(length))
}

fn bytes_at(file: &mut (impl Read + Seek), start: u64, count: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The numbers of `count` bytes that stand `at` bytes behind each mark.
fn after(bytes: &[u8], mark: &[u8; 4], at: usize, count: usize) -> Vec<u64> {
    let places = bytes.windows(4).enumerate().filter(|(_, window)| *window == mark);
    places.filter_map(|(place, _)| bytes.get(place + at..place + at + count).map(number)).collect()
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_size_of_the_table_is_read_from_both_records() {
        let narrow =
            [&[7; 300][..], b"PK\x05\x06", &[0; 8], &200_u32.to_le_bytes(), &[0; 6], b"comment"].concat();
        assert_eq!(size_of_table(&mut Cursor::new(&narrow)).unwrap(), 200);
        let locator = [&b"PK\x06\x07"[..], &[0; 4], &100_u64.to_le_bytes(), &[1, 0, 0, 0]].concat();
        let wide =
            [&[0; 140][..], &250_u64.to_le_bytes(), &[7; 150], &locator, b"PK\x05\x06", &[255; 18]].concat();
        assert_eq!(size_of_table(&mut Cursor::new(&wide)).unwrap(), 250);
        assert_eq!(size_of_table(&mut Cursor::new(b"no archive")).unwrap(), 0);
    }
}
