//! A picture whose values are classes and not colours.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Decoder, DecodingError, Transformations};

use super::file::read_file;
use super::raster::MAX_PIXELS;
use crate::error::{Error, Problem, Result};
use crate::memory::Part;

/// Values of a grey PNG, or indices of one with a palette, as they are in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassMask {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Row by row.
    pub values: Vec<u16>,
}

impl ClassMask {
    /// Reads a mask.
    ///
    /// # Errors
    /// When the file cannot be read, is no PNG, is too large, or has colours.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = read_file(path)?;
        let about = |problem: Problem| Error::image(path.display().to_string(), problem);
        decoded(&bytes).map_err(about)
    }
}

fn decoded(bytes: &[u8]) -> Result<ClassMask, Problem> {
    let unreadable = |error: DecodingError| Problem::new(format!("is not a readable PNG mask: {error}"));
    let mut decoder = Decoder::new(Cursor::new(bytes));
    // The palette's colours are not wanted, but its indices.
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let (color, depth) = (reader.info().color_type, reader.info().bit_depth);
    if !matches!(color, ColorType::Grayscale | ColorType::Indexed) {
        let problem = Problem::new("is a picture with colours").expected("a mask, grey or with a palette");
        return Err(problem.hint("save the class of each pixel plus 1 as a grey PNG"));
    }
    let size = reader.output_buffer_size().filter(|_| width as u64 * height as u64 <= MAX_PIXELS);
    let size =
        size.ok_or_else(|| Problem::new("is too large for a mask").found(format!("{width}x{height}")))?;
    Part::Pixels.check(width as u64 * height as u64)?;
    let mut buffer = vec![0; size];
    let line = reader.next_frame(&mut buffer).map_err(unreadable)?.line_size;
    let rows = buffer.chunks_exact(line.max(1)).take(height);
    let values = rows.flat_map(|row| (0..width).map(move |column| value(row, column, depth)));
    Ok(ClassMask { height, width, values: values.collect() })
}

/// The value of one column of a packed row.
fn value(row: &[u8], column: usize, depth: BitDepth) -> u16 {
    let bits = depth as usize;
    match depth {
        BitDepth::Sixteen => u16::from_be_bytes([row[2 * column], row[2 * column + 1]]),
        BitDepth::Eight => u16::from(row[column]),
        // The first column is in the highest bits.
        BitDepth::One | BitDepth::Two | BitDepth::Four => {
            let at = column * bits;
            u16::from(row[at / 8] >> (8 - bits - at % 8)) & ((1 << bits) - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use png::Encoder;

    use super::*;

    fn file(color: ColorType, depth: BitDepth, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 3, 2);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette([0; 12].as_slice());
        }
        encoder.write_header().unwrap().write_image_data(bytes).unwrap();
        file
    }

    #[test]
    fn values_are_those_of_the_file_in_every_depth() {
        let expected = [0, 1, 3, 2, 0, 1];
        let packed = [0b0001_1100, 0b1000_0100];
        let wide: Vec<u8> = expected.iter().flat_map(|value| [0, *value]).collect();
        for (color, depth, bytes) in [
            (ColorType::Grayscale, BitDepth::Eight, &expected[..]),
            (ColorType::Indexed, BitDepth::Eight, &expected[..]),
            (ColorType::Indexed, BitDepth::Two, &packed[..]),
            (ColorType::Grayscale, BitDepth::Two, &packed[..]),
            (ColorType::Grayscale, BitDepth::Sixteen, &wide[..]),
        ] {
            let mask = decoded(&file(color, depth, bytes)).unwrap();
            assert_eq!((mask.height, mask.width), (2, 3));
            assert_eq!(mask.values, expected.map(u16::from), "{color:?} {depth:?}");
        }
    }

    #[test]
    fn colours_are_no_classes() {
        let refused = decoded(&file(ColorType::Rgb, BitDepth::Eight, &[0; 18])).unwrap_err();
        assert!(refused.to_string().starts_with("is a picture with colours, expected a mask"), "{refused}");
        assert!(decoded(b"no picture").is_err());
    }
}
