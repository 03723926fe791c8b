//! How a matplotlib 3.11 figure shows two overlaid pictures at one pixel per pixel.

use crate::render::colormap::index;

/// Blends a pixel of an opacity from 0 to 1 over another, as Agg blends 8-bit levels of straight colours.
pub(super) fn blend(under: [u8; 3], over: [u8; 3], opacity: f32) -> [u8; 3] {
    let opacity = (opacity * 255.0) as i64;
    if opacity >= 255 {
        return over;
    }
    // Agg keeps the combined opacity with 8 extra bits; rounding depends on it.
    let both = ((opacity + 255) << 8) - opacity * 255;
    std::array::from_fn(|channel| {
        let ground = i64::from(under[channel]) * 255;
        let level = (((i64::from(over[channel]) << 8) - ground) * opacity + (ground << 8)) / both;
        level.clamp(0, 255) as u8
    })
}

/// The level of matplotlib's `gray` at a position from 0 to 1. (Its table is computed in floating point and rounded
/// down, so some levels are one too low.)
pub(super) fn grey(position: f32) -> u8 {
    let share = 255.0 * (f64::from(index(position)) * (1.0 / 255.0)) / 255.0;
    (share * 255.0) as u8
}

/// Position of a value between two others, 0 to 1; zero when they are equal, where a quotient would be NaN.
pub(super) fn normalize(value: f32, least: f32, greatest: f32) -> f32 {
    if greatest > least { (value - least) / (greatest - least) } else { 0.0 }
}

/// The smallest and largest value.
pub(super) fn range(values: impl IntoIterator<Item = f32>) -> (f32, f32) {
    let ends = (f32::INFINITY, f32::NEG_INFINITY);
    values.into_iter().fold(ends, |(least, greatest), value| (least.min(value), greatest.max(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blending_lies_between_its_ends() {
        assert_eq!(blend([10, 20, 30], [200, 100, 0], 0.0), [10, 20, 30]);
        assert_eq!(blend([10, 20, 30], [200, 100, 0], 1.0), [200, 100, 0]);
        assert_eq!(blend([0, 100, 200], [200, 100, 0], 0.5), [99, 100, 100]);
    }

    #[test]
    fn greys_are_matplotlibs() {
        // matplotlib.colormaps["gray"]([0.0, 0.5, 1.0], bytes=True), and how many of the 256 differ from their index.
        assert_eq!([0.0, 0.5, 1.0].map(grey), [0, 128, 255]);
        let less = (0..256_u16).filter(|level| u16::from(grey(f32::from(*level) / 256.0)) + 1 == *level);
        assert_eq!(less.count(), 24);
    }

    #[test]
    fn a_flat_range_has_no_width() {
        assert_eq!(range([0.5, -1.0, 2.0]), (-1.0, 2.0));
        assert_eq!((normalize(0.5, -1.0, 2.0), normalize(3.0, 3.0, 3.0)), (0.5, 0.0));
    }
}
