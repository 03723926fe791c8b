//! From the levels of pixels to a network's numbers, `(level * scale - mean) / std`.
//!
//! Receives the card's preprocessing and RGB pixels; gives values, a channel at a time. Which pixels is the caller's decision.

use crate::card::{ColorOrder, Preprocess};

/// One output channel: its source, and its value for each of the 256 levels.
pub(super) struct Table {
    source: Source,
    levels: [f32; 256],
}

/// What an output channel is made of.
#[derive(Clone, Copy)]
enum Source {
    /// Red, green or blue, by index.
    Channel(usize),
    Luma,
}

impl Table {
    /// The value of a pixel.
    pub(super) fn of_pixel(&self, pixel: [u8; 3]) -> f32 {
        let level = match self.source {
            Source::Channel(channel) => pixel[channel],
            Source::Luma => luma(pixel),
        };
        self.levels[usize::from(level)]
    }

    /// The values of pixels, three bytes each.
    pub(super) fn apply(&self, source: &[u8], target: &mut [f32]) {
        let pairs = target.iter_mut().zip(source.as_chunks::<3>().0);
        // The source is looked at once: a loop over a channel is then one lookup for each pixel.
        match self.source {
            Source::Channel(at) => pairs.for_each(|(out, pixel)| *out = self.levels[usize::from(pixel[at])]),
            Source::Luma => pairs.for_each(|(out, pixel)| *out = self.of_pixel(*pixel)),
        }
    }
}

/// Pillow's mode `L`: ITU-R 601 luma in 16-bit fixed point, rounded to nearest.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471;
    ((sum + 0x8000) >> 16) as u8
}

/// One lookup table per channel. Computed in double precision and rounded once.
pub(super) fn tables(spec: &Preprocess) -> Vec<Table> {
    let sources: &[Source] = match spec.color {
        ColorOrder::Rgb => &[Source::Channel(0), Source::Channel(1), Source::Channel(2)],
        ColorOrder::Bgr => &[Source::Channel(2), Source::Channel(1), Source::Channel(0)],
        ColorOrder::Gray => &[Source::Luma],
    };
    let table = |(channel, source): (usize, &Source)| {
        let mean = spec.mean.get(channel).copied().unwrap_or(0.0);
        let std = spec.std.get(channel).copied().unwrap_or(1.0);
        // In double precision and rounded once, within one digit of torchvision, which divides in single.
        let level = |level: usize| ((level as f64 * spec.scale - mean) / std) as f32;
        Table { source: *source, levels: std::array::from_fn(level) }
    };
    sources.iter().enumerate().map(table).collect()
}
