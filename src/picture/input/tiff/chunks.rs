//! Strips and tiles of a TIFF: decompression and predictors.

use flate2::read::ZlibDecoder;
use ruzstd::decoding::StreamingDecoder;
use weezl::BitOrder;
use weezl::decode::Decoder as LzwDecoder;

use super::kind::Format;
use super::layout::Layout;
use crate::input::raster::Fault;

/// The TIFF number of Zstandard.
const ZSTD: u64 = 50000;

/// Decompresses a strip or tile into `out`. Returns how many bytes it filled; the rest of `out` stays unchanged.
pub(super) fn unpack(packed: &[u8], layout: &Layout, out: &mut [u8]) -> Result<usize, Fault> {
    let turned: Vec<u8>;
    let packed = if layout.is_reversed {
        turned = packed.iter().map(|byte| byte.reverse_bits()).collect();
        &turned
    } else {
        packed
    };
    match layout.compression {
        1 => {
            let count = packed.len().min(out.len());
            out[..count].copy_from_slice(&packed[..count]);
            Ok(count)
        }
        5 => Ok(lzw(packed, out)),
        8 | 32946 => Ok(filled(&mut ZlibDecoder::new(packed), out)),
        ZSTD => match StreamingDecoder::new(packed) {
            Ok(mut decoder) => Ok(filled(&mut decoder, out)),
            Err(error) => Err(Fault::Damaged(error.to_string())),
        },
        32773 => Ok(pack_bits(packed, out)),
        other => Err(Fault::Unsupported(compression_name(other))),
    }
}

fn compression_name(number: u64) -> String {
    let name = match number {
        2 | 3 | 4 | 32771 => "fax",
        6 => "old-style JPEG",
        34661 => "JBIG",
        34712 | 33003 | 33005 => "JPEG 2000",
        34887 => "LERC",
        34925 => "LZMA",
        34926 => "an early Zstandard",
        50001 | 34927 => "WebP",
        50002 => "JPEG XL",
        other => return format!("compression {other}"),
    };
    format!("{name} compression")
}

fn lzw(packed: &[u8], out: &mut [u8]) -> usize {
    let mut decoder = LzwDecoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let (mut rest, mut count) = (packed, 0);
    while count < out.len() {
        let result = decoder.decode_bytes(rest, &mut out[count..]);
        count += result.consumed_out;
        rest = &rest[result.consumed_in..];
        let is_stuck = result.consumed_in == 0 && result.consumed_out == 0;
        if is_stuck || !matches!(result.status, Ok(weezl::LzwStatus::Ok)) {
            break;
        }
    }
    count
}

fn filled(reader: &mut impl std::io::Read, out: &mut [u8]) -> usize {
    let mut count = 0;
    while count < out.len() {
        match reader.read(&mut out[count..]) {
            Ok(0) | Err(_) => break,
            Ok(read) => count += read,
        }
    }
    count
}

fn pack_bits(packed: &[u8], out: &mut [u8]) -> usize {
    let (mut rest, mut count) = (packed, 0);
    while let [head, after @ ..] = rest
        && count < out.len()
    {
        match *head as i8 {
            head @ 0.. => {
                let length = (head as usize + 1).min(after.len()).min(out.len() - count);
                out[count..count + length].copy_from_slice(&after[..length]);
                count += length;
                rest = after.get(head as usize + 1..).unwrap_or_default();
            }
            -128 => rest = after,
            head => {
                let [byte, after @ ..] = after else { break };
                let length = (1 - isize::from(head)) as usize;
                let end = (count + length).min(out.len());
                out[count..end].fill(*byte);
                count = end;
                rest = after;
            }
        }
    }
    count
}

/// Converts each row to plain samples in little-endian order.
pub(super) fn plain(rows: &mut [u8], layout: &Layout) {
    let size = layout.bits / 8;
    let stride = layout.interleaved();
    for row in rows.chunks_exact_mut(layout.row_bytes()) {
        if layout.predictor == 3 && layout.format == Format::Float {
            float_prediction(row, size, stride);
            continue;
        }
        if layout.is_big_endian && layout.bits.is_multiple_of(8) && size > 1 {
            row.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        if layout.predictor == 2 {
            horizontal_prediction(row, size, stride);
        }
    }
}

/// Each sample is stored as the difference from its left neighbour.
fn horizontal_prediction(row: &mut [u8], size: usize, stride: usize) {
    for at in (stride * size..row.len().saturating_sub(size - 1)).step_by(size) {
        let mut carry = 0;
        for byte in 0..size {
            let sum = u16::from(row[at + byte]) + u16::from(row[at + byte - stride * size]) + carry;
            row[at + byte] = sum as u8;
            carry = sum >> 8;
        }
    }
}

/// Stored as planes, the highest bytes of all samples first; each byte is the difference from its left neighbour.
fn float_prediction(row: &mut [u8], size: usize, stride: usize) {
    for at in stride..row.len() {
        row[at] = row[at].wrapping_add(row[at - stride]);
    }
    let planes = row.to_vec();
    let count = row.len() / size;
    for (index, sample) in row.chunks_exact_mut(size).enumerate() {
        for (byte, out) in sample.iter_mut().enumerate() {
            *out = planes[(size - 1 - byte) * count + index];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_is_as_apples_example() {
        // Technical note TN1023.
        let packed =
            [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa];
        let mut out = [0; 24];
        assert_eq!(pack_bits(&packed, &mut out), 24);
        assert_eq!(out[..10], [0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa]);
        assert_eq!(pack_bits(&packed[..3], &mut out), 3);
        assert_eq!(pack_bits(&[0x81], &mut out), 0);
    }

    #[test]
    fn differences_carry_from_byte_to_byte() {
        // 250, then + 10, then - 5, of two bytes each.
        let mut row = [250, 0, 10, 0, 0xfb, 0xff];
        horizontal_prediction(&mut row, 2, 1);
        assert_eq!(row, [250, 0, 4, 1, 255, 0]);
    }
}
