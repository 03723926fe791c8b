//! Converts samples of any width to levels of 0 to 255 at their position in the picture.

use half::f16;

use super::kind::{Colours, Format};
use super::layout::Layout;
use crate::error::{OptionName, Phrase, Problem};
use crate::input::jpeg::Planes;
use crate::input::raster::Fault;
use crate::input::window::level;

/// A picture's samples, interleaved, filled strip by strip or tile by tile.
pub(super) struct Levels {
    levels: Vec<u8>,
    /// The smallest and largest float.
    range: [f64; 2],
    has_nan: bool,
    /// Black and white, where someone says so.
    window: Option<[f64; 2]>,
}

/// Floats without another word go from black at 0 to white at 1.
const FLOATS: [f64; 2] = [0.0, 1.0];

impl Levels {
    pub(super) fn new(layout: &Layout) -> Self {
        let count = layout.width * layout.height * layout.samples;
        let range = [f64::INFINITY, f64::NEG_INFINITY];
        Self { levels: vec![0; count], range, has_nan: false, window: layout.window }
    }

    /// Adds the plain samples of a strip or tile whose upper left corner is at `[x, y]`.
    pub(super) fn put(&mut self, layout: &Layout, chunk: &[u8], plane: usize, at: [usize; 2]) {
        let stride = layout.interleaved();
        let columns = layout.chunk[0].min(layout.width - at[0]);
        let rows = layout.height - at[1];
        for (y, row) in chunk.chunks_exact(layout.row_bytes()).take(rows).enumerate() {
            let start = ((at[1] + y) * layout.width + at[0]) * layout.samples;
            for index in 0..columns * stride {
                let (x, channel) = (index / stride, index % stride + plane);
                let is_colour = channel < layout.colours.count();
                self.levels[start + x * layout.samples + channel] = match layout.format {
                    Format::Whole if self.window.is_some() && is_colour => {
                        self.windowed(number(row, index, layout.bits) as f64)
                    }
                    Format::Whole => whole(row, index, layout),
                    Format::Signed => self.windowed(signed(row, index, layout.bits / 8)),
                    Format::Float => self.windowed(float(row, index, layout.bits / 8)),
                };
            }
        }
    }

    /// Adds the samples of a JPEG stream.
    pub(super) fn put_bytes(&mut self, layout: &Layout, planes: &Planes, plane: usize, at: [usize; 2]) {
        let stride = planes.channels;
        let columns = planes.width.min(layout.chunk[0]).min(layout.width - at[0]);
        let rows = layout.chunk[1].min(layout.height - at[1]);
        for (y, row) in planes.samples.chunks_exact(planes.width * stride).take(rows).enumerate() {
            let start = ((at[1] + y) * layout.width + at[0]) * layout.samples;
            for (index, sample) in row[..columns * stride].iter().enumerate() {
                self.levels[start + index / stride * layout.samples + index % stride + plane] = *sample;
            }
        }
    }

    fn windowed(&mut self, value: f64) -> u8 {
        self.has_nan |= value.is_nan();
        self.range = [self.range[0].min(value), self.range[1].max(value)];
        level(value, self.window.unwrap_or(FLOATS))
    }

    /// All levels.
    pub(super) fn finished(self, layout: &Layout) -> Result<Vec<u8>, Fault> {
        let [least, greatest] = self.range;
        if self.has_nan {
            let problem = Problem::new("holds floats that are no numbers").expected("0 to 1");
            return Err(Fault::Other(problem.hint("save it with 8 bits")));
        }
        // Of floats the range is usual, of signed numbers none is.
        let is_usual = layout.format == Format::Float && least >= FLOATS[0] && greatest <= FLOATS[1];
        if self.window.is_none() && least <= greatest && !is_usual {
            let problem = Problem::new(format!("holds values from {least} to {greatest}"))
                .expected("floats from 0 for black to 1 for white, or tags that say what is black and white")
                .hint(Phrase::from("say it with ").set(OptionName::Window, "BLACK,WHITE"));
            return Err(Fault::Other(problem));
        }
        Ok(self.levels)
    }
}

fn float(row: &[u8], index: usize, size: usize) -> f64 {
    match row[index * size..(index + 1) * size] {
        [a, b] => f16::from_le_bytes([a, b]).to_f64(),
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    }
}

fn signed(row: &[u8], index: usize, size: usize) -> f64 {
    match row[index * size..(index + 1) * size] {
        [a] => f64::from(a as i8),
        [a, b] => f64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => f64::from(i32::from_le_bytes([a, b, c, d])),
        _ => f64::NAN,
    }
}

/// An integer as a level; a palette index stays as it is.
fn whole(row: &[u8], index: usize, layout: &Layout) -> u8 {
    if layout.bits == 8 {
        return row[index];
    }
    let value = number(row, index, layout.bits);
    if layout.colours == Colours::Palette {
        return value as u8;
    }
    let greatest = (1u64 << layout.bits) - 1;
    ((value * 255 + greatest / 2) / greatest) as u8
}

/// An integer as it is.
fn number(row: &[u8], index: usize, bits: usize) -> u64 {
    match bits {
        8 => u64::from(row[index]),
        16 => u64::from(u16::from_le_bytes([row[index * 2], row[index * 2 + 1]])),
        32 => row[index * 4..index * 4 + 4].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        bits => packed(row, index, bits),
    }
}

/// A sample narrower than a byte or across bytes, highest bit first.
fn packed(row: &[u8], index: usize, bits: usize) -> u64 {
    (index * bits..(index + 1) * bits).fold(0, |value, bit| {
        let is_set = row[bit / 8] >> (7 - bit % 8) & 1;
        value << 1 | u64::from(is_set)
    })
}
